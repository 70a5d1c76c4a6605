"""An app that is well is said to be, and looking at it changes nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from dev.doctor import examination
from tests.dev.doctor.conftest import ALL, ROOT
from tests.dev.doctor.standins import serving

if TYPE_CHECKING:
    from pathlib import Path

    from dev.simulator import Simulator
    from tests.dev.doctor.conftest import Doctor
    from tests.dev.doctor.standins import Answer

CHECKS = ["settings", "cloud", *ALL]


def test_an_app_that_is_well_is_said_to_be(doctor: Doctor, graph: Simulator) -> None:
    """Every check is good, in order, and the exit status says so too; no one is called."""
    said = doctor()
    assert said.status == 0
    lines = said.text.partition("\n\n")[0].splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", name] for name in CHECKS]
    assert said.text.rstrip().endswith("8 checks: 8 ok")
    assert graph.log.invites == []
    assert graph.log.rings == []


def test_what_can_not_be_seen_is_named(doctor: Doctor) -> None:
    """A good report does not claim what was not checked."""
    end = doctor(only="none").text.partition("What can't be seen from here:")[2]
    for word in ("Azure Bot", "Teams policy", "phones", "from the internet", "callbackUri"):
        assert word in end


def test_nothing_is_left_behind_in_storage(doctor: Doctor, azurite: str, storage_name: str) -> None:
    """Of the round trips neither row nor queue stays; only the app's own table is made, as the app would."""

    def queues() -> set[str]:
        with QueueServiceClient.from_connection_string(azurite) as service:
            return {one.name for one in service.list_queues() if one.name.startswith("doctor-")}

    assert doctor(only="table-storage queue-storage", STATE_TABLE=storage_name).status == 0
    with TableServiceClient.from_connection_string(azurite) as service:
        assert list(service.get_table_client(storage_name).list_entities()) == []
    deadline = time.monotonic() + 30  # another process's doctor may be at work on the same Azurite
    while queues() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert queues() == set()


def test_the_apps_queues_are_only_looked_at(doctor: Doctor) -> None:
    """No message comes to the queues whose triggers would start on it, and none is taken from them."""
    asked: list[tuple[str, str]] = []
    message = (
        "<QueueMessagesList><QueueMessage><MessageId>1</MessageId><PopReceipt>r</PopReceipt><MessageText>ZG9jdG9y"
        "</MessageText></QueueMessage></QueueMessagesList>"
    )

    def answer(method: str, path: str) -> Answer:
        asked.append((method, path))
        status = {"PUT": 201, "POST": 201, "GET": 200, "DELETE": 204}[method]
        return status, {"Content-Type": "application/xml"}, message if path.endswith("/messages") else ""

    with serving(answer) as address:
        account = f"DefaultEndpointsProtocol=http;AccountName=stinvites;AccountKey=a2V5;QueueEndpoint={address}/a"
        said = doctor(only="queue-storage", AzureWebJobsStorage=account)
    assert said.of("queue-storage").startswith("ok"), said.text
    own = {request for request in asked if "/a/doctor-" in request[1]}
    assert {method for method, _ in own} == {"PUT", "POST", "GET", "DELETE"}
    assert set(asked) - own == {("GET", "/a/work")}


def test_own_queue(doctor: Doctor, azurite: str) -> None:
    """A queue of the app's that is missing is good too, since it is made with its first message."""
    with QueueServiceClient.from_connection_string(azurite) as service:
        if "work" not in {one.name for one in service.list_queues()}:
            service.create_queue("work")
    assert "the app's queue work is there" in doctor(only="queue-storage").of("queue-storage")


def test_a_machine_reads_the_same(doctor: Doctor) -> None:
    """``--json`` prints one object and nothing else, for a pipeline."""
    report = doctor("--json").json
    assert set(report) == {"status", "checks", "cannotCheck"}
    assert report["status"] == "ok"
    assert [check["name"] for check in report["checks"]] == CHECKS
    for check in report["checks"]:
        assert set(check) == {"name", "status", "seconds", "findings"}
        assert check["status"] == "ok"
        assert check["seconds"] < 10
        assert [set(finding) for finding in check["findings"]] == [{"status", "text", "fix"}]
    assert len(report["cannotCheck"]) == 5


def test_a_machine_reads_a_fault(doctor: Doctor) -> None:
    """A fault has its text and its fix, and so is the whole report."""
    said = doctor("--json", only="token", GRAPH_CLIENT_SECRET="another secret")
    assert said.status == 1
    assert said.json["status"] == "fault"
    token = next(check for check in said.json["checks"] if check["name"] == "token")
    assert token["status"] == "fault"
    assert "AADSTS7000215" in token["findings"][0]["text"]
    assert "az ad app credential reset" in token["findings"][0]["fix"]


def test_the_azurite_of_make_run_is_found(
    doctor: Doctor, azurite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sample settings have the emulator's short form, and its ports are in a file while it runs."""
    file = tmp_path / "connection"
    file.write_text(azurite, encoding="utf-8")
    monkeypatch.setattr(examination, "AZURITE", file)
    said = doctor(only="table-storage queue-storage", AzureWebJobsStorage="UseDevelopmentStorage=true")
    assert said.status == 0
    assert said.of("table-storage").startswith("ok"), said.text
    assert said.of("queue-storage").startswith("ok"), said.text


def test_a_container_is_not_azure(doctor: Doctor) -> None:
    """A variable of this machine that Azure sets too does not count, unless the file has it."""
    assert doctor(only="none", environment={"CONTAINER_NAME": "mine"}).of("settings").startswith("ok")
    assert "remove it in Azure" in doctor(only="none", CONTAINER_NAME="azure").of("settings")


def test_a_check_can_be_left_out(doctor: Doctor) -> None:
    """Before the first deployment there is no public address, which is then no fault of the settings either."""
    said = doctor("--skip", "public-address", PUBLIC_BASE_URL=None)
    assert said.status == 0
    assert said.of("public-address").startswith("not checked")
    assert "left out with --skip" in said.of("public-address")
    assert said.of("settings").startswith("ok")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--skip", "settings"], "invalid choice"),
        (["--wrong"], "unrecognized"),
        (["--settings", "missing.json"], "can't be read"),
    ],
)
def test_wrong_usage_is_told_from_a_fault(doctor: Doctor, arguments: list[str], word: str) -> None:
    """Exit status 2, and nothing was looked at."""
    said = doctor(*arguments)
    assert said.status == 2
    assert word in said.text
    assert "ok  " not in said.text


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("{", "is not JSON"),
        ('{"IsEncrypted": true, "Values": {}}', "func settings decrypt"),
        ('{"Values": {"A": 1}}', "every value a string"),
        ('{"Values": {"": "b"}}', "every value a string"),
        ('{"Values": {"A=B": "c"}}', "every value a string"),
        ('{"Values": {"A": "\\u0000"}}', "every value a string"),
        ('"text"', "every value a string"),
        ('[{"name": "A"}, {"value": "b"}]', "every value a string"),
    ],
)
def test_a_settings_file_of_another_form_is_refused(doctor: Doctor, tmp_path: Path, content: str, word: str) -> None:
    """What can't be read is said at once."""
    file = tmp_path / "other.json"
    file.write_text(content, encoding="utf-8")
    said = doctor("--settings", str(file))
    assert said.status == 2
    assert word in said.text


def test_the_settings_of_a_deployed_app_can_be_given_as_az_lists_them(
    doctor: Doctor, well: dict[str, str], tmp_path: Path
) -> None:
    """The list of ``az functionapp config appsettings list`` does as well as ``local.settings.json``."""
    file = tmp_path / "listed.json"
    listed = [{"name": name, "slotSetting": False, "value": value} for name, value in well.items()]
    file.write_text(json.dumps(listed), encoding="utf-8")
    assert doctor("--settings", str(file), only="token").status == 0


def test_the_shell_goes_before_the_file(doctor: Doctor) -> None:
    """One setting can be tried for one run, as it can be when the app is run."""
    said = doctor(only="token", environment={"GRAPH_CLIENT_SECRET": "of the shell"})
    assert "AADSTS7000215" in said.of("token")


def test_each_line_comes_when_its_check_ends(well: dict[str, str], tmp_path: Path) -> None:
    """Who waits sees the progress."""
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"Values": well}), encoding="utf-8")
    command = [sys.executable, "-m", "dev.doctor", "--settings", str(file)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ok           settings")
        assert process.poll() is None
        assert "public-address" in process.stdout.read()


def _run(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_the_doctor_needs_nothing_but_what_is_deployed() -> None:
    """It runs in the app's own environment: no package of a developer's, nothing of the simulator or the local host."""
    loaded = {name.partition(".")[0] for name in _run("import dev.doctor.command, sys; print(*sys.modules)")}
    assert not loaded & {"tests", "pytest", "rich", "trustme", "hypothesis", "function_app"}


def test_the_app_does_not_load_the_doctor() -> None:
    """A cold start pays nothing for it."""
    loaded = set(_run("import function_app, sys; print(*sys.modules)"))
    assert not {name for name in loaded if name.startswith("dev")}
