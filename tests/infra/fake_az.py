"""An az and an azd for the hooks: they keep a directory's registrations and azd's environment in one file.

Started as ``fake_az.py STATE NAME ARGUMENTS…``; what ``fails`` in the state names ends with 1. What the hooks have no
business to ask ends with 2.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

GRAPH = "00000003-0000-0000-c000-000000000000"


def _options(arguments: list[str]) -> dict[str, str]:
    """Read ``--name value``; a value ``@file`` is that file, as az has it."""
    found = {}
    for name, value in zip(arguments[::2], arguments[1::2], strict=True):
        assert name.startswith("--"), name
        found[name] = Path(value[1:]).read_text(encoding="utf-8") if value.startswith("@") else value
    return found


def _az(state: dict[str, Any], command: str, options: dict[str, str]) -> str | None:
    registrations = state["registrations"]
    match command:
        case "account show":
            subscription = options.get("--subscription", state["subscription"])
            return str(state["subscriptions"].get(subscription) or sys.exit(f"no subscription {subscription}"))
        case "cloud show":
            return str(state["cloud"])
        case "ad sp show":
            assert options["--id"] == GRAPH
            assert "Calls.InitiateGroupCall.All" in options["--query"]
            return "role-of-inviting"
        case "ad sp list":
            client = options["--filter"].removeprefix("appId eq '").removesuffix("'")
            return "principal" if registrations.get(client, {}).get("principal") else ""
        case "ad app create":
            client = f"client-{len(registrations) + 1}"
            asked = json.loads(options["--required-resource-accesses"])
            registrations[client] = {"name": options["--display-name"], "asks": asked, "trusts": []}
            return client
        case "ad sp create":
            registrations[options["--id"]]["principal"] = True
            return None
        case "ad app federated-credential list":
            trusts = registrations[options["--id"]]["trusts"]
            return "\n".join(each["name"] for each in trusts if f"'{each['subject']}'" in options["--query"])
        case "ad app federated-credential create":
            registrations[options["--id"]]["trusts"].append(json.loads(options["--parameters"]))
            return None
    sys.stderr.write(f"az {command}: nobody asks for that\n")
    sys.exit(2)


def _main(file: Path, name: str, arguments: list[str]) -> None:
    state = json.loads(file.read_text(encoding="utf-8"))
    words = next((at for at, each in enumerate(arguments) if each.startswith("--")), len(arguments))
    command = " ".join(arguments[:words])
    state["asked"].append(f"{name} {command}")
    try:
        if f"{name} {command}".startswith(tuple(state["fails"])):
            sys.exit(f"ERROR: {name} {command} failed")
        if name == "azd":
            verb, _, rest = command.partition(" set ")
            assert verb == "env"
            variable, value = rest.split()
            state["environment"][variable] = value
        elif (answer := _az(state, command, _options(arguments[words:]))) is not None:
            sys.stdout.write(f"{answer}\n")
    finally:
        file.write_text(json.dumps(state), encoding="utf-8")


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
