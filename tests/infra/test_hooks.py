"""The hooks of azd up, run for real against an az and an azd that keep what they are told."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.reading import INFRA

if TYPE_CHECKING:
    from collections.abc import Iterator

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
OTHER_TENANT = "9a1d6c1e-4f3b-4a7c-8d2e-0b5f6a7c8d9e"
IDENTITY = "5d1f3c9a-2b7e-4e60-9c8d-1a2b3c4d5e6f"
OUTPUTS = {
    "AZURE_TENANT_ID": TENANT,
    "IDENTITY_PRINCIPAL_ID": IDENTITY,
    "NOTIFICATIONS_URL": "https://func-x.azurewebsites.net/api/notifications",
}


@dataclass
class Machine:
    """A machine with az and azd, and what azd tells its hooks."""

    folder: Path

    @property
    def state(self) -> dict[str, Any]:
        """What az and azd hold."""
        return dict(json.loads((self.folder / "state.json").read_text(encoding="utf-8")))

    def change(self, **values: Any) -> None:
        """Set parts of what az and azd hold."""
        (self.folder / "state.json").write_text(json.dumps({**self.state, **values}), encoding="utf-8")

    def run(self, hook: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a hook as azd does: with azd's environment as variables."""
        return subprocess.run(
            ["/bin/sh", INFRA / "hooks" / f"{hook}.sh"],
            cwd=self.folder,
            env={
                "PATH": f"{self.folder}/bin:/usr/bin:/bin",
                "TMPDIR": str(self.folder / "temporary"),
                "AZURE_ENV_NAME": "dev",
                **self.state["environment"],
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine that is signed in, in a directory without registrations; no hook leaves a file behind on it."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "temporary").mkdir()
    for name in ("az", "azd"):
        program = tmp_path / "bin" / name
        words = [sys.executable, str(Path(__file__).with_name("fake_az.py")), str(tmp_path / "state.json"), name]
        program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    state = {
        "asked": [],
        "cloud": "AzureCloud",
        "environment": {},
        "fails": [],
        "registrations": {},
        "subscription": "first",
        "subscriptions": {"first": TENANT, "second": OTHER_TENANT},
    }
    (tmp_path / "state.json").write_text(json.dumps(state), encoding="utf-8")
    yield Machine(tmp_path)
    assert list((tmp_path / "temporary").iterdir()) == []


def _done(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stderr
    return result.stdout


def _stopped(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 1, result.stderr
    return result.stderr


def test_the_first_run_makes_the_registration(machine: Machine) -> None:
    """It asks for the permission to invite and for no other, has a service principal, and azd knows its id."""
    assert "Made the app registration client-1" in _done(machine.run("preprovision", AZURE_SUBSCRIPTION_ID="first"))
    assert machine.state["environment"] == {"GRAPH_CLIENT_ID": "client-1", "GRAPH_TENANT_ID": TENANT}
    assert machine.state["registrations"] == {
        "client-1": {
            "name": "Call Invites dev",
            "asks": [
                {
                    "resourceAppId": "00000003-0000-0000-c000-000000000000",
                    "resourceAccess": [{"id": "role-of-inviting", "type": "Role"}],
                }
            ],
            "trusts": [],
            "principal": True,
        }
    }


def test_the_second_run_changes_nothing(machine: Machine) -> None:
    """The command can be repeated: nobody is asked anything before, and whether the identity is trusted after."""
    _done(machine.run("preprovision"))
    _done(machine.run("postprovision", **OUTPUTS))
    before = machine.state
    machine.change(asked=[])
    _done(machine.run("preprovision"))
    _done(machine.run("postprovision", **OUTPUTS))
    assert machine.state["asked"] == ["az cloud show", "az ad app federated-credential list"]
    assert machine.state["registrations"] == before["registrations"]
    assert machine.state["environment"] == before["environment"]


def test_a_registration_of_ones_own_is_taken(machine: Machine) -> None:
    """With GRAPH_CLIENT_ID none is made; it gets the service principal that it lacks, and the tenant is noted."""
    machine.change(registrations={"mine": {"trusts": []}}, environment={"GRAPH_CLIENT_ID": "mine"})
    _done(machine.run("preprovision"))
    assert machine.state["registrations"] == {"mine": {"trusts": [], "principal": True}}
    assert machine.state["environment"] == {"GRAPH_CLIENT_ID": "mine", "GRAPH_TENANT_ID": TENANT}


def test_with_both_ids_given_the_azure_cli_is_not_needed(machine: Machine) -> None:
    """Whoever may not look into the directory can deploy with a registration that others made."""
    machine.change(environment={"GRAPH_CLIENT_ID": "mine", "GRAPH_TENANT_ID": TENANT}, fails=["az"])
    _done(machine.run("preprovision"))
    assert machine.state["asked"] == []


def test_a_run_that_broke_off_is_taken_up(machine: Machine) -> None:
    """Where the service principal could not be made, the next run makes it for the same registration."""
    machine.change(fails=["az ad sp create"])
    assert "the same azd command again" in _stopped(machine.run("preprovision"))
    assert machine.state["environment"] == {"GRAPH_CLIENT_ID": "client-1"}
    machine.change(fails=[])
    _done(machine.run("preprovision"))
    assert list(machine.state["registrations"]) == ["client-1"]
    assert machine.state["registrations"]["client-1"]["principal"] is True
    assert machine.state["environment"]["GRAPH_TENANT_ID"] == TENANT


def test_whoever_is_not_signed_in_is_told(machine: Machine) -> None:
    """Nothing is made, and the message says what to do."""
    machine.change(fails=["az account show"])
    assert "az login" in _stopped(machine.run("preprovision"))
    assert machine.state["registrations"] == {}


def test_a_machine_without_the_azure_cli_is_told(machine: Machine) -> None:
    """The message says where to get it."""
    (machine.folder / "bin" / "az").unlink()
    assert "install-azure-cli" in _stopped(machine.run("preprovision", PATH=f"{machine.folder}/bin"))
    assert "The Azure CLI is missing" in _stopped(machine.run("postprovision", PATH=f"{machine.folder}/bin", **OUTPUTS))


def test_no_registration_is_made_in_the_wrong_tenant(machine: Machine) -> None:
    """The two command lines can be signed in to two: then neither is guessed."""
    assert "az account set --subscription second" in _stopped(
        machine.run("preprovision", AZURE_SUBSCRIPTION_ID="second")
    )
    assert "doesn't know azd's subscription" in _stopped(machine.run("preprovision", AZURE_SUBSCRIPTION_ID="third"))
    assert f"az login --tenant {OTHER_TENANT}" in _stopped(machine.run("preprovision", GRAPH_TENANT_ID=OTHER_TENANT))
    assert machine.state["registrations"] == {}


def test_a_registration_that_azd_did_not_note_is_named(machine: Machine) -> None:
    """So that the next run does not make a second one."""
    machine.change(fails=["azd"])
    assert "azd env set GRAPH_CLIENT_ID client-1" in _stopped(machine.run("preprovision"))


@pytest.mark.parametrize("command", ["az ad sp show", "az ad app create", "az ad sp list"])
def test_a_directory_that_refuses_stops_the_deployment(machine: Machine, command: str) -> None:
    """What az says is shown, and nothing is provisioned with half a registration."""
    machine.change(fails=[command])
    result = machine.run("preprovision")
    assert result.returncode == 1
    assert f"ERROR: {command} failed" in result.stderr
    assert "GRAPH_TENANT_ID" not in machine.state["environment"]


@pytest.mark.parametrize(
    ("cloud", "authority", "audience"),
    [
        ("AzureCloud", "https://login.microsoftonline.com", "api://AzureADTokenExchange"),
        ("AzureUSGovernment", "https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov"),
    ],
)
def test_the_registration_trusts_the_identity(machine: Machine, cloud: str, authority: str, audience: str) -> None:
    """One federated credential, for the app's identity, in the words of its cloud."""
    machine.change(cloud=cloud)
    _done(machine.run("preprovision"))
    _done(machine.run("postprovision", **OUTPUTS))
    assert machine.state["registrations"]["client-1"]["trusts"] == [
        {
            "name": f"call-invites-{IDENTITY}",
            "issuer": f"{authority}/{TENANT}/v2.0",
            "subject": IDENTITY,
            "audiences": [audience],
        }
    ]


def test_a_new_identity_is_trusted_besides(machine: Machine) -> None:
    """After azd down and azd up the identity is another one, and the old credential is in nobody's way."""
    _done(machine.run("preprovision"))
    _done(machine.run("postprovision", **OUTPUTS))
    _done(machine.run("postprovision", **{**OUTPUTS, "IDENTITY_PRINCIPAL_ID": "another"}))
    subjects = [each["subject"] for each in machine.state["registrations"]["client-1"]["trusts"]]
    assert subjects == [IDENTITY, "another"]


@pytest.mark.parametrize("credential", ["clientSecret", "clientCertificate"])
def test_nobody_is_trusted_where_there_is_a_secret(machine: Machine, credential: str) -> None:
    """With a secret or certificate the registration is left as it is."""
    _done(machine.run("preprovision"))
    _done(machine.run("postprovision", GRAPH_CREDENTIAL=credential, **OUTPUTS))
    assert machine.state["registrations"]["client-1"]["trusts"] == []


def test_an_identity_of_another_tenant_is_refused(machine: Machine) -> None:
    """Entra ID would take the credential and refuse every token, so the deployer is told before."""
    _done(machine.run("preprovision"))
    outputs = {**OUTPUTS, "AZURE_TENANT_ID": OTHER_TENANT}
    assert "azd env set GRAPH_CREDENTIAL clientSecret" in _stopped(machine.run("postprovision", **outputs))


def test_whoever_may_not_change_the_registration_is_told(machine: Machine) -> None:
    """The message says who may."""
    _done(machine.run("preprovision"))
    machine.change(fails=["az ad app federated-credential create"])
    assert "An owner of the registration client-1" in _stopped(machine.run("postprovision", **OUTPUTS))


@pytest.mark.parametrize(
    ("cloud", "portal"),
    [("AzureCloud", "https://portal.azure.com"), ("AzureUSGovernment", "https://portal.azure.us")],
)
def test_what_is_left_to_do_is_said(machine: Machine, cloud: str, portal: str) -> None:
    """The administrator's page, the command where az has it, and the address for whoever creates the calls."""
    machine.change(cloud=cloud)
    _done(machine.run("preprovision"))
    said = _done(machine.run("postprovision", **OUTPUTS))
    assert ("az ad app permission admin-consent --id client-1" in said) is (cloud == "AzureCloud")
    assert f"{portal}/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/client-1" in said
    assert OUTPUTS["NOTIFICATIONS_URL"] in said
