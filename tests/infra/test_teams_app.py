"""The app package for Teams: as Microsoft's schema has it, and with the bot that the Bicep creates."""

from __future__ import annotations

import io
import json
import struct
import uuid
import zipfile
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from connector.routes import ROOT
from dev import teams_app
from web.about import version

if TYPE_CHECKING:
    from pathlib import Path

BOT = uuid.UUID("11111111-1111-4111-8111-111111111111")
_SCHEMA = ROOT / "tests" / "infra" / "schemas" / "teams-manifest-1.19.schema.json"


def _schema() -> jsonschema.Draft4Validator:
    return jsonschema.Draft4Validator(
        json.loads(_SCHEMA.read_text(encoding="utf-8")), format_checker=jsonschema.FormatChecker()
    )


def _manifest() -> dict[str, Any]:
    return teams_app.manifest(BOT, "https://contoso.com")


def test_manifest_is_valid() -> None:
    """Microsoft's schema of this version of manifests accepts it."""
    manifest = _manifest()
    _schema().validate(manifest)
    assert manifest["manifestVersion"] in _SCHEMA.name
    assert f"v{manifest['manifestVersion']}/" in manifest["$schema"]


@pytest.mark.parametrize(
    "change", [{"bots": [{"botId": "bot", "scopes": []}]}, {"accentColor": "green"}, {"packageName": "x"}, {"id": ""}]
)
def test_schema_refuses_what_is_wrong(change: dict[str, Any]) -> None:
    """The schema is a check that can fail."""
    assert list(_schema().iter_errors({**_manifest(), **change}))


def test_bot() -> None:
    """Teams lets this bot take part in calls; its id is that of the registration, and another id than the app's own."""
    manifest = _manifest()
    (bot,) = manifest["bots"]
    assert (bot["botId"], bot["supportsCalling"], bot["supportsVideo"]) == (str(BOT), True, False)
    assert manifest["id"] not in (str(BOT), teams_app.manifest(uuid.uuid4(), "https://contoso.com")["id"])
    assert manifest["version"] == version()


def test_icons() -> None:
    """A colour icon of 192 pixels, and a white one of 32 pixels with transparency, which the schema doesn't check."""
    for name, size, color in (("color.png", 192, 2), ("outline.png", 32, 6)):
        head = (teams_app.TEMPLATE / name).read_bytes()[:26]
        assert (head[:8], struct.unpack(">IIBB", head[16:])) == (b"\x89PNG\r\n\x1a\n", (size, size, 8, color))


def test_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Manifest and icons are at the top of the file, which is the same each time."""
    file = tmp_path / "new" / "app.zip"
    assert teams_app.main(["--bot", str(BOT), "--to", str(file)]) == 0
    assert str(file) in capsys.readouterr().out
    assert file.read_bytes() == teams_app.package(BOT)
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
        assert archive.namelist() == ["manifest.json", "color.png", "outline.png"]
        assert json.loads(archive.read("manifest.json"))["bots"][0]["botId"] == str(BOT)


@pytest.mark.parametrize("arguments", [[], ["--bot", "x"], ["--bot", str(BOT), "--website", "http://contoso.com"]])
def test_wrong_usage(arguments: list[str]) -> None:
    """A missing or wrong id, or a website without HTTPS, is refused."""
    with pytest.raises(SystemExit, match="2"):
        teams_app.main(arguments)
