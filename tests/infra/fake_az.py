"""An az and an azd for the hooks: they keep a directory's registrations and azd's environment in one file.

Started as ``fake_az.py STATE NAME ARGUMENTS…``. A command that begins with a key of the state's ``fails`` prints that
text and ends with 1, as often as the state has it. A command that no hook should call ends with 2.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

GRAPH = "00000003-0000-0000-c000-000000000000"


def _options(arguments: list[str]) -> dict[str, str]:
    """Read ``--name value`` and ``--flag``; a value ``@file`` is that file, as az has it."""
    found, name = {}, ""
    for each in arguments:
        if each.startswith("--"):
            name = each
            found[name] = ""
        else:
            found[name] = Path(each[1:]).read_text(encoding="utf-8") if each.startswith("@") else each
    return found


def _azure(state: dict[str, Any], command: str, options: dict[str, str]) -> list[str] | None:
    """Answer what is asked of a subscription; None for another command."""
    match command:
        case "account show":
            subscription = options.get("--subscription", state["subscription"])
            return [state["subscriptions"].get(subscription) or sys.exit(f"no subscription {subscription}")]
        case "cloud show":
            return [state["cloud"]]
        case "functionapp list-flexconsumption-locations":
            return list(state["regions"])
        case "provider show":
            return [state["provider"]]
        case "provider register":
            assert "--wait" in options
            state["provider"] = "Registered"
            return []
    return None


def _directory(state: dict[str, Any], command: str, options: dict[str, str]) -> list[str] | None:
    """Answer what is asked of the directory; None for another command."""
    registrations = state["registrations"]
    one = registrations.get(options.get("--id", ""), {})
    match command:
        case "ad sp show":
            assert options["--id"] == GRAPH
            return [f"{name}\trole-{name}" for name in state["roles"]]
        case "ad app list":
            return [client for client, each in registrations.items() if f"'{each['name']}'" in options["--filter"]]
        case "ad sp list":
            client = options["--filter"].removeprefix("appId eq '").removesuffix("'")
            return ["principal"] if registrations.get(client, {}).get("principal") else []
        case "ad app federated-credential list":
            return [f"{each['subject']}\t{each['name']}" for each in one["trusts"]]
        case "ad app credential list":
            return list(one["secrets"][:-1] if "[:-1]" in options["--query"] else one["secrets"])
    return None


def _change(state: dict[str, Any], command: str, options: dict[str, str]) -> list[str] | None:
    """Change the directory; None for another command."""
    registrations = state["registrations"]
    match command:
        case "rest":
            assert (options["--method"], options["--url"]) == ("post", f"{state['graph']}/v1.0/applications")
            asked = json.loads(options["--body"])
            client = f"client-{len(registrations) + 1}"
            registrations[client] = {"name": asked.pop("displayName"), "asked": asked, "trusts": [], "secrets": []}
            return [client]
        case "ad sp create":
            registrations[options["--id"]]["principal"] = True
            return []
        case "ad app federated-credential create":
            registrations[options["--id"]]["trusts"].append(json.loads(options["--parameters"]))
            return []
    return None


def _az(state: dict[str, Any], command: str, options: dict[str, str]) -> list[str]:
    for answer in (_azure, _directory, _change):
        if (lines := answer(state, command, options)) is not None:
            return lines
    sys.stderr.write(f"az {command}: no hook should call this\n")
    sys.exit(2)


def _main(file: Path, name: str, arguments: list[str]) -> None:
    state = json.loads(file.read_text(encoding="utf-8"))
    words = next((at for at, each in enumerate(arguments) if each.startswith("--")), len(arguments))
    command = " ".join(arguments[:words])
    state["asked"].append(f"{name} {command}")
    try:
        for begin, failure in state["fails"].items():
            if f"{name} {command}".startswith(begin) and failure["times"]:
                failure["times"] -= 1
                sys.exit(failure["message"])
        if name == "azd":
            verb, _, rest = command.partition(" set ")
            assert verb == "env"
            variable, value = rest.split()
            state["environment"][variable] = value
        elif name == "az":
            sys.stdout.write("".join(f"{line}\n" for line in _az(state, command, _options(arguments[words:]))))
    finally:
        file.write_text(json.dumps(state), encoding="utf-8")


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
