"""The hook before provisioning: it checks everything first, then makes the app registration."""

from __future__ import annotations

import pytest

from tests.infra.deployments import ODD_NAME
from tests.infra.machine import CLIENT, OTHER_TENANT, OUTPUTS, PERMISSIONS, TENANT, Machine

IDS = {"GRAPH_CLIENT_ID": CLIENT, "GRAPH_TENANT_ID": TENANT}
SECRET = {"GRAPH_CREDENTIAL": "clientSecret"}
LOOKS = [
    "az cloud show",
    "az account show",
    "az account show",
    "az functionapp list-flexconsumption-locations",
]
MAKES = ["az ad app list", "az ad sp show", "az rest", "azd env set GRAPH_CLIENT_ID client-1"]
ENDS = ["az ad sp list", "az ad sp create", f"azd env set GRAPH_TENANT_ID {TENANT}"]


# The first run, and the ones after it.


def test_first_run(machine: Machine) -> None:
    """Everything is looked at, then the registration is made with its permissions and a service principal."""
    assert "Made the app registration client-1" in machine.done("preprovision")
    assert machine.asked() == [*LOOKS, *MAKES, *ENDS]
    assert machine.state["environment"] == {"GRAPH_CLIENT_ID": "client-1", "GRAPH_TENANT_ID": TENANT}
    access = [{"id": f"role-{name}", "type": "Role"} for name in PERMISSIONS]
    required = [{"resourceAppId": "00000003-0000-0000-c000-000000000000", "resourceAccess": access}]
    assert machine.state["registrations"]["client-1"] == {
        "name": "Call Invites dev",
        "asked": {"signInAudience": "AzureADMyOrg", "requiredResourceAccess": required},
        "trusts": [],
        "secrets": [],
        "principal": True,
    }


def test_permissions_are_those_that_calls_need() -> None:
    """One to invite, one to call a user, one to join a meeting."""
    assert PERMISSIONS == ["Calls.InitiateGroupCall.All", "Calls.Initiate.All", "Calls.JoinGroupCall.All"]


def test_second_run_changes_nothing(machine: Machine) -> None:
    """The command can be repeated: nothing is asked before, and what the registration trusts after."""
    machine.change(environment=IDS)
    machine.register(CLIENT)
    for _ in range(2):
        machine.asked()
        machine.done("preprovision", **OUTPUTS)
        machine.done("postprovision", **OUTPUTS)
    assert machine.asked() == [
        "az cloud show",
        "az account show",
        "az ad app federated-credential list",
        "az ad app credential list",
    ]
    assert len(machine.state["registrations"][CLIENT]["trusts"]) == 1


@pytest.mark.parametrize("command", ["az ad sp create", "azd env set GRAPH_TENANT_ID"])
def test_a_run_that_broke_off_continues(machine: Machine, command: str) -> None:
    """The next run takes the registration of the first, and ends what that began."""
    machine.fail(command, message="Insufficient privileges")
    machine.stopped("preprovision")
    assert machine.state["environment"] == {"GRAPH_CLIENT_ID": "client-1"}
    machine.change(fails={}, environment={"GRAPH_CLIENT_ID": CLIENT})
    machine.change(registrations={CLIENT: machine.state["registrations"]["client-1"]})
    machine.done("preprovision")
    assert machine.state["registrations"][CLIENT]["principal"] is True
    assert machine.state["environment"]["GRAPH_TENANT_ID"] == TENANT


# Another person's registration.


def test_another_registration_of_the_same_name_is_left_alone(machine: Machine) -> None:
    """It may be another person's: the hook stops, and prints what to set where it is one's own."""
    machine.register(CLIENT, name="Call Invites dev", secrets=["theirs"])
    before = machine.state["registrations"]
    printed = machine.stopped("preprovision")
    assert CLIENT in printed
    assert "GRAPH_CLIENT_ID" in printed
    assert machine.state["registrations"] == before
    assert machine.state["environment"] == {}


def test_a_registration_of_ones_own_is_taken(machine: Machine) -> None:
    """With GRAPH_CLIENT_ID none is made; it gets the service principal that it lacks, and the tenant is noted."""
    machine.register(CLIENT, principal=False)
    machine.change(environment={"GRAPH_CLIENT_ID": CLIENT})
    machine.done("preprovision")
    assert machine.asked() == [*LOOKS, *ENDS]
    assert machine.state["registrations"][CLIENT]["principal"] is True


def test_a_registration_of_ones_own_is_looked_at_early(machine: Machine) -> None:
    """With both ids the directory is not asked for anything, but a wrong tenant is found before Azure is."""
    machine.change(environment=IDS)
    machine.done("preprovision")
    assert machine.asked() == LOOKS


@pytest.mark.parametrize("credential", ["clientSecret", "clientCertificate"])
def test_az_is_not_needed_with_both_ids_and_a_secret(machine: Machine, credential: str) -> None:
    """Where nothing in the directory is changed, the deployer needs azd only."""
    machine.remove_az()
    machine.done("preprovision", **IDS, GRAPH_CREDENTIAL=credential)
    machine.done("postprovision", **IDS, **OUTPUTS, GRAPH_CREDENTIAL=credential)
    assert machine.asked() == []


# Faults that are found before anything is made.


def test_every_wrong_setting_is_named_at_once(machine: Machine) -> None:
    """A switch with a typing error counts as its default for azd. Nothing is asked, and no value is printed."""
    wrong = {"VNET_ENABLED": "yes", "CREATE_BOT": "no", "MAXIMUM_INSTANCES": "abc", "APP_SETTINGS": "FLOW=1"}
    printed = machine.stopped("preprovision", **wrong)
    assert all(name in printed for name in wrong)
    assert not any(f" {value}\n" in printed for value in wrong.values())
    assert machine.asked() == []


@pytest.mark.parametrize("name", ["dev.", "dev/1", "a b", 'x"y', "x" * 65])
def test_odd_environment_names_are_refused(machine: Machine, name: str) -> None:
    """A resource group can't be called so."""
    assert "AZURE_ENV_NAME" in machine.stopped("preprovision", AZURE_ENV_NAME=name)
    assert machine.asked() == []


def test_odd_environment_names_that_azure_takes(machine: Machine) -> None:
    """Every character that azd takes gets through to the registration."""
    machine.done("preprovision", AZURE_ENV_NAME=ODD_NAME)
    assert machine.state["registrations"]["client-1"]["name"] == f"Call Invites {ODD_NAME}"


def test_a_certificate_of_many_lines_is_no_fault(machine: Machine) -> None:
    """A PEM may be given as it is."""
    machine.done("preprovision", **IDS, GRAPH_CREDENTIAL="clientCertificate", GRAPH_CREDENTIAL_VALUE="a\nb\nc")


@pytest.mark.parametrize("missing", ["AZURE_SUBSCRIPTION_ID", "AZURE_LOCATION"])
def test_subscription_and_region_come_first(machine: Machine, missing: str) -> None:
    """Without them the hook can't know in which tenant to look, nor whether the region has the plan."""
    assert missing in machine.stopped("preprovision", **{missing: ""})
    assert machine.asked() == []


def test_a_region_without_flex_consumption(machine: Machine) -> None:
    """It is found before a registration is made, and the regions that have it are listed."""
    printed = machine.stopped("preprovision", AZURE_LOCATION="westus9")
    assert "eastus\nwesteurope" in printed
    assert machine.state["registrations"] == {}


def test_not_signed_in(machine: Machine) -> None:
    """Nothing is made, and the message names what to do."""
    machine.fail("az account show")
    assert "az login" in machine.stopped("preprovision")
    assert "az login" in machine.stopped("postprovision", **IDS, **OUTPUTS)
    assert machine.state["registrations"] == {}


def test_without_the_azure_cli(machine: Machine) -> None:
    """The message names where to get it, before anything is deployed."""
    machine.remove_az()
    for environment in ({}, IDS, {**IDS, **SECRET, "VNET_ENABLED": "true"}):
        assert "install-azure-cli" in machine.stopped("preprovision", **environment)


@pytest.mark.parametrize("ids", [{}, IDS])
def test_another_tenant_than_azd(machine: Machine, ids: dict[str, str]) -> None:
    """The two command lines can be signed in to two: this is found before anything is built."""
    printed = machine.stopped("preprovision", AZURE_SUBSCRIPTION_ID="second", **ids)
    assert "az account set --subscription second" in printed
    assert "Two tenants" in printed
    assert "doesn't know azd's subscription" in machine.stopped("preprovision", AZURE_SUBSCRIPTION_ID="third", **ids)
    assert machine.state["registrations"] == {}


def test_another_tenant_than_the_registration(machine: Machine) -> None:
    """Both hooks print where to sign in, in place of the Azure CLI's own error."""
    ids = {**IDS, "GRAPH_TENANT_ID": OTHER_TENANT}
    assert f"az login --tenant {OTHER_TENANT}" in machine.stopped("preprovision", **ids)
    outputs = {**OUTPUTS, "AZURE_TENANT_ID": OTHER_TENANT}
    assert f"az login --tenant {OTHER_TENANT}" in machine.stopped("postprovision", **ids, **outputs)


def test_capitals_of_tenants_do_not_count(machine: Machine) -> None:
    """A GUID is the same in capitals."""
    machine.register(CLIENT)
    ids = {**IDS, "GRAPH_TENANT_ID": TENANT.upper()}
    machine.done("preprovision", **ids)
    machine.done("postprovision", **ids, **OUTPUTS)


def test_another_cloud(machine: Machine) -> None:
    """GRAPH_CLOUD and the Azure CLI must be of one cloud."""
    machine.change(cloud="AzureUSGovernment")
    assert "az cloud set --name AzureCloud" in machine.stopped("preprovision")
    machine.change(cloud="AzureCloud")
    assert "az cloud set --name AzureUSGovernment" in machine.stopped("preprovision", GRAPH_CLOUD="us-gov-l5")


# Without rights.


def test_without_the_right_to_register(machine: Machine) -> None:
    """The hook names who can, prints the output of az, and notes nothing."""
    machine.fail("az rest", message="Insufficient privileges to complete the operation.")
    printed = machine.stopped("preprovision")
    assert "A person who may register applications" in printed
    assert "Insufficient privileges" in printed
    assert machine.state["environment"] == {}


def test_a_permission_that_the_tenant_lacks(machine: Machine) -> None:
    """It is named, and nothing is made."""
    machine.change(roles=PERMISSIONS[:1])
    assert PERMISSIONS[1] in machine.stopped("preprovision")
    assert machine.state["registrations"] == {}


@pytest.mark.parametrize(
    "command", ["az functionapp", "az ad app list", "az ad sp show", "az ad sp list", "az cloud show"]
)
def test_a_refused_look_stops_the_deployment(machine: Machine, command: str) -> None:
    """The output of az is printed, and nothing is provisioned with half a registration."""
    machine.fail(command)
    assert f"ERROR: {command} failed" in machine.stopped("preprovision")
    assert "GRAPH_TENANT_ID" not in machine.state["environment"]


def test_a_registration_that_azd_did_not_note_is_named(machine: Machine) -> None:
    """So that the next run does not make a second one."""
    machine.fail("azd")
    assert "azd env set GRAPH_CLIENT_ID client-1" in machine.stopped("preprovision")


# Races.


def test_a_registration_that_is_not_known_everywhere_yet(machine: Machine) -> None:
    """The service principal is tried again for two minutes."""
    machine.fail("az ad sp create", message="Resource does not exist", times=3)
    machine.done("preprovision")
    assert (
        machine.asked()[-7:-1]
        == ["az ad sp create", "sleep 5", "az ad sp create", "sleep 10"] * 1
        + [
            "az ad sp create",
            "sleep 20",
        ]
        or machine.state["registrations"]["client-1"]["principal"]
    )


def test_a_registration_that_never_becomes_known(machine: Machine) -> None:
    """The hook gives up, prints the output of az, and the next run continues."""
    machine.fail("az ad sp create", message="Resource does not exist")
    assert "Resource does not exist" in machine.stopped("preprovision")
    assert machine.asked().count("az ad sp create") == 6
    assert machine.state["environment"] == {"GRAPH_CLIENT_ID": "client-1"}


def test_no_right_to_make_the_service_principal(machine: Machine) -> None:
    """Waiting does not help, so the hook does not wait."""
    machine.fail("az ad sp create", message="Insufficient privileges")
    machine.stopped("preprovision")
    assert machine.asked().count("az ad sp create") == 1


def test_the_provider_of_the_subnet(machine: Machine) -> None:
    """It is registered, and waited for, before the registration is made; and only where a network is new."""
    machine.done("preprovision", VNET_ENABLED="true")
    assert machine.asked()[len(LOOKS) :][:3] == ["az provider show", "az provider register", "az ad app list"]
    machine.done("preprovision", VNET_ENABLED="true", **IDS)
    assert machine.asked() == [*LOOKS, "az provider show"]
    machine.done("preprovision", VNET_ENABLED="true", STORAGE_CLOSED="true", **IDS, **OUTPUTS)
    assert machine.asked() == []


def test_no_right_to_register_the_provider(machine: Machine) -> None:
    """The hook names who can, before anything is made."""
    machine.fail("az provider register")
    assert "Microsoft.App" in machine.stopped("preprovision", VNET_ENABLED="true")
    assert machine.state["registrations"] == {}
