"""``local.settings.json``: the app's settings on one machine, as Core Tools reads them."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

from dev.host.errors import CannotStart

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from pathlib import Path

_CA_BUNDLES = frozenset({"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"})
_REFERENCE = re.compile(r"%([^%]+)%")


def load(file: Path, environment: MutableMapping[str, str] = os.environ) -> list[str]:
    """Put the file's ``Values`` into the environment, and return the names of those that were there already.

    A variable that is there already wins, so that a setting can be changed for one run. Only the CA bundle is the
    file's: many machines name their own in the environment, and the simulator's authority is not in it.

    Raises:
        CannotStart: The file is missing, or doesn't have the form of ``local.settings.json``.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CannotStart(
            f"The settings file {file} cannot be read ({error.strerror}). Copy local.settings.sample.json to "
            "local.settings.json, or name another file with --settings."
        ) from error
    try:
        content = json.loads(text)
    except ValueError as error:
        raise CannotStart(f"The settings file {file} is not JSON: {error}") from error
    values = content.get("Values") if isinstance(content, dict) else None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise CannotStart(f'The settings file {file} must be {{"Values": {{...}}}}, every value a string.')
    if content.get("IsEncrypted"):
        raise CannotStart(f"The settings file {file} is encrypted; only Core Tools on Windows can read it.")
    kept = sorted(name for name in values if name in environment and name not in _CA_BUNDLES)
    environment.update({name: value for name, value in values.items() if name not in kept})
    if "CONTAINER_NAME" not in values:  # a sign of Azure for the app, and this machine may be a container too
        environment.pop("CONTAINER_NAME", None)
    # The emulator's short form stands for any emulator, such as the one that make run started.
    return [name for name in kept if values[name].strip().rstrip(";").casefold() != "usedevelopmentstorage=true"]


def resolve(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Replace each ``%NAME%`` in a binding's property by that setting.

    Raises:
        CannotStart: That setting is missing.
    """

    def value(found: re.Match[str]) -> str:
        if found[1] not in environment:
            raise CannotStart(f"{text!r} names the setting {found[1]}, which is not set.")
        return environment[found[1]]

    return _REFERENCE.sub(value, text)
