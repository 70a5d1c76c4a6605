"""A public address at which the app does not answer, and what may answer in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.dev.doctor.standins import serving, the_app
from tests.end_to_end.conftest import run_host
from tests.graph.servers import closed_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dev.doctor.conftest import Doctor
    from tests.dev.doctor.standins import Answer

ADDRESS = "public-address"
HEALTHY: Answer = (200, {}, {"status": "healthy", "checks": []})
CLOSED: Answer = (401, {"x-ms-error-code": "NotFromGraph"}, {})
EASY_AUTH = {"Location": "https://login.microsoftonline.com/common/oauth2/authorize?client_id=1"}


def test_an_address_whose_name_does_not_exist(doctor: Doctor) -> None:
    """The command that prints the right one is given."""
    said = doctor(only=ADDRESS, PUBLIC_BASE_URL="https://missing.invalid")
    assert said.status == 1
    assert "there is no host missing.invalid" in said.of(ADDRESS)
    assert '-g <group> --query "properties.defaultHostName || defaultHostName"' in said.of(ADDRESS)


def test_a_wrong_port(doctor: Doctor) -> None:
    """Nothing listens there."""
    said = doctor(only=ADDRESS, PUBLIC_BASE_URL=f"http://127.0.0.1:{closed_port()}")
    assert said.status == 1
    assert "nothing listens at 127.0.0.1" in said.of(ADDRESS)


def test_an_address_that_is_not_trusted(doctor: Doctor) -> None:
    """A certificate of another authority is no app for Graph either."""
    with serving(the_app(HEALTHY, CLOSED), tls=True) as address:
        said = doctor(only=ADDRESS, PUBLIC_BASE_URL=address)
    assert said.status == 1
    assert "can't be trusted over TLS: unable to get local issuer certificate" in said.of(ADDRESS)


def test_a_certificate_for_another_name(doctor: Doctor, trusted: str) -> None:
    """An own domain without a certificate of its own."""
    with serving(the_app(HEALTHY, CLOSED), tls=True) as address:
        other = address.replace("localhost", "127.0.0.1")
        said = doctor(only=ADDRESS, PUBLIC_BASE_URL=other, REQUESTS_CA_BUNDLE=trusted)
    assert "can't be trusted over TLS: IP address mismatch" in said.of(ADDRESS)


def test_the_api_s_prefix_given_twice(doctor: Doctor, well: dict[str, str]) -> None:
    """An address with /api at its end is a wrong one, and the app itself answers 404."""
    said = doctor(only=ADDRESS, PUBLIC_BASE_URL=f"{well['PUBLIC_BASE_URL']}/api")
    assert said.status == 1
    assert "/api/health" in said.of(ADDRESS)
    assert "answers 404" in said.of(ADDRESS)


@pytest.mark.parametrize(
    ("health", "sentence", "fix"),
    [
        ((404, {}, "not here"), "it is not this app, or the app has no functions", "az functionapp function list"),
        ((302, EASY_AUTH, ""), "Easy Auth redirects every caller to sign in", "excludedPaths"),
        ((307, {"Location": "https://example.org/"}, ""), "it redirects to example.org", "defaultHostName"),
        ((302, {"Location": "/login"}, ""), "it redirects to 127.0.0.1", "defaultHostName"),
        ((401, {}, ""), "something before the app wants a sign-in", "az webapp auth show"),
        ((403, {}, "Ip Forbidden"), "a firewall, an access restriction or a gateway", "access-restriction show"),
        ((403, {}, "<h1>Error 403 - This web app is stopped.</h1>"), "the app is stopped", "az functionapp start"),
        ((502, {}, "Bad Gateway"), "or a gateway can't reach it", "Diagnose and solve problems"),
        ((503, {}, "Function host is not running."), "the app's host does not start", "az webapp log tail"),
        ((200, {}, "<html>Welcome"), "something else is there", "defaultHostName"),
        ((200, {}, {"status": "ok"}), "something else is there", "defaultHostName"),
        ((503, {}, {"status": "unhealthy", "checks": []}), "reports that it is unhealthy", "curl"),
    ],
)
def test_something_else_at_the_address(doctor: Doctor, health: Answer, sentence: str, fix: str) -> None:
    """Each kind of stranger has its own sentence and its own advice."""
    with serving(the_app(health, CLOSED)) as address:
        said = doctor(only=ADDRESS, PUBLIC_BASE_URL=address)
    assert said.status == 1
    assert f"answers {health[0]}" in said.of(ADDRESS) or "unhealthy" in said.of(ADDRESS)
    assert sentence in said.of(ADDRESS)
    assert fix in said.of(ADDRESS)


def test_an_address_that_leads_to_nonsense(doctor: Doctor) -> None:
    """A redirection that can't be followed is reported as one."""
    with serving(the_app((302, {"Location": "https://[/"}, ""))) as address:
        said = doctor(only=ADDRESS, PUBLIC_BASE_URL=address)
    assert said.status == 1
    assert "something that is not a URL" in said.of(ADDRESS)


def test_an_address_that_wants_https(doctor: Doctor) -> None:
    """An address written with http leads to its own https."""
    roots: list[str] = []
    with serving(lambda *_: (301, {"Location": roots[0].replace("http:", "https:")}, "")) as address:
        roots.append(address)
        said = doctor(only=ADDRESS, PUBLIC_BASE_URL=address)
    assert "it wants https" in said.of(ADDRESS)


@pytest.mark.parametrize(
    ("notifications", "sentence"),
    [
        ((401, {}, ""), "something before the app wants a sign-in"),
        ((401, {"x-ms-error-code": "Unauthorized"}, ""), "something before the app wants a sign-in"),
        ((302, EASY_AUTH, ""), "Easy Auth redirects every caller to sign in"),
        ((403, {}, ""), "a firewall, an access restriction or a gateway"),
        ((404, {}, ""), "it is not this app, or the app has no functions"),
        ((202, {}, ""), "accepts a callback without Graph's token (202)"),
        ((503, {}, ""), "without this app's error code"),
    ],
)
def test_reports_that_would_not_arrive(doctor: Doctor, notifications: Answer, sentence: str) -> None:
    """An app that is healthy but whose door for Graph is shut, or open to everybody."""
    with serving(the_app(HEALTHY, notifications)) as address:
        said = doctor(only=ADDRESS, PUBLIC_BASE_URL=address)
    assert said.status == 1
    assert "/api/notifications" in said.of(ADDRESS)
    assert sentence in said.of(ADDRESS)


def test_an_app_that_runs_unconfigured(doctor: Doctor, well: dict[str, str], tmp_path: Path) -> None:
    """The deployed app's settings are not the ones given here: what it says itself is passed on."""
    incomplete = {name: value for name, value in well.items() if not name.startswith("GRAPH_CLIENT")}
    with run_host(incomplete, tmp_path) as host:
        said = doctor(only=ADDRESS, PUBLIC_BASE_URL=f"http://127.0.0.1:{host.port}")
    assert said.status == 1
    assert "runs and reports: configuration: GRAPH_CLIENT_ID is not set" in said.of(ADDRESS)
    assert "no credential is set" in said.of(ADDRESS)
    assert "az functionapp config appsettings set -n <app> -g <group> --settings NAME=" in said.of(ADDRESS)


def test_an_app_without_its_storage(doctor: Doctor, well: dict[str, str], tmp_path: Path) -> None:
    """The same for storage, where the role is the likely cause."""
    said_by_app = {
        "status": "unhealthy",
        "checks": [{"name": "tableStorage", "status": "failed", "faults": ["can't be reached"]}],
    }
    with serving(the_app((503, {}, said_by_app))) as address:
        said = doctor(only=ADDRESS, PUBLIC_BASE_URL=address)
    assert "runs and reports: tableStorage: can't be reached" in said.of(ADDRESS)
    assert "docs/operate.md#every-invitation-is-503" in said.of(ADDRESS)


def test_what_an_app_says_of_itself_is_not_trusted(doctor: Doctor, well: dict[str, str]) -> None:
    """A stranger that answers in the app's form can neither fill the screen nor send a secret back to it."""
    long = ["x" * 100_000, well["GRAPH_CLIENT_SECRET"], well["AzureWebJobsStorage"], "two\nlines\x1b[31m", 7, None]
    said_by_app = {"status": "unhealthy", "checks": [{"name": "n" * 999, "faults": long}, "text", {"faults": 1}]}
    with serving(the_app((503, {}, said_by_app))) as address:
        said = doctor(only=ADDRESS, PUBLIC_BASE_URL=address)
    assert said.status == 1
    assert len(said.text) < 6_000
    assert "[secret]" in said.of(ADDRESS)
    assert "\x1b" not in said.text


def test_this_very_machine_as_the_public_address(doctor: Doctor) -> None:
    """With the real Graph, an address that only this machine knows is pointed out."""
    with serving(the_app(HEALTHY, CLOSED)) as address:
        said = doctor(only=ADDRESS, PUBLIC_BASE_URL=address, GRAPH_ENDPOINT=None, GRAPH_AUTHORITY=None)
    assert said.status == 0
    assert "PUBLIC_BASE_URL is this machine itself" in said.of(ADDRESS)
