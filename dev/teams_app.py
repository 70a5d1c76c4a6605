"""``make teams-app``: the app package that a Teams administrator uploads, made from the files in ``infra/teams``.

    python -m dev.teams_app --bot <GRAPH_CLIENT_ID> --website https://contoso.com

The manifest and both icons are at the top of the ZIP file. Its id is the same each time for the same bot, and its
version is the app's, so that a later upload updates an earlier one.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import uuid
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from web.about import version

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "infra" / "teams"
_IDS = uuid.UUID("6b6f0a3e-7f0e-4b59-8a52-1d1b0f6ccf0a")
_WEBSITE = "https://example.com"


def manifest(bot: uuid.UUID, website: str) -> dict[str, Any]:
    """Return the manifest of a bot.

    Args:
        bot: the client id of the app registration.
        website: the organization's, with its privacy statement and terms of use.
    """
    made: dict[str, Any] = json.loads((TEMPLATE / "manifest.json").read_text(encoding="utf-8"))
    made |= {"id": str(uuid.uuid5(_IDS, str(bot))), "version": version()}
    made["developer"] |= dict.fromkeys(("websiteUrl", "privacyUrl", "termsOfUseUrl"), website)
    made["bots"][0]["botId"] = str(bot)
    return made


def package(bot: uuid.UUID, website: str = _WEBSITE) -> bytes:
    """Return the package as a ZIP file, the same for the same bot and website."""
    made = manifest(bot, website)
    files = {"manifest.json": json.dumps(made, indent=2).encode()}
    files |= {name: (TEMPLATE / name).read_bytes() for name in made["icons"].values()}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _website(given: str) -> str:
    if not given.startswith("https://"):
        raise argparse.ArgumentTypeError("a URL that begins with https://")
    return given


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the package, and print where it is."""
    parser = argparse.ArgumentParser(prog="make teams-app", description="Makes the app package for Microsoft Teams.")
    parser.add_argument("--bot", type=uuid.UUID, required=True, help="GRAPH_CLIENT_ID, the id of the app registration")
    parser.add_argument("--website", type=_website, default=_WEBSITE, help="of your organization, as people see it")
    parser.add_argument("--to", type=Path, default=Path(".local/packages/teams-app.zip"), help="default: %(default)s")
    options = parser.parse_args(arguments)
    try:
        options.to.parent.mkdir(parents=True, exist_ok=True)
        options.to.write_bytes(package(options.bot, options.website))
    except OSError as error:
        parser.exit(1, f"{error.filename} can't be written ({error.strerror}).\n")
    print(f"{options.to}: upload it in the Teams admin center under Teams apps, Manage apps")
    return 0


if __name__ == "__main__":
    sys.exit(main())
