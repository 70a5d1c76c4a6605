"""The app's own routes, read from ``function_app``."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import dataclass
from pathlib import Path

from azure.functions import AuthLevel, FunctionApp

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP function."""

    function: str
    method: str
    path: str
    """With a slash in front and without the prefix, such as ``/calls/{callId}``."""
    needs_key: bool

    @property
    def parameters(self) -> list[str]:
        """The names in the path, in order."""
        return re.findall(r"\{(\w+)\}", self.path)


def prefix() -> str:
    """Return the path under which the host serves every route: ``/api``."""
    options = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    return "/" + str(options["extensions"]["http"]["routePrefix"])


def routes() -> dict[str, Route]:
    """Return the HTTP functions by name."""
    found: dict[str, Route] = {}
    for function in _fresh_app().get_functions():
        trigger = function.get_trigger()
        properties = trigger.get_dict_repr() if trigger else {}
        if properties.get("type") == "httpTrigger":
            (method,) = (str(entry.value) for entry in properties["methods"])
            name = str(function.get_function_name())
            found[name] = Route(
                name, method, f"/{properties['route']}", properties["authLevel"] is not AuthLevel.ANONYMOUS
            )
    return found


def _fresh_app() -> FunctionApp:
    """Make the app anew: the library lets an app object's functions be read only once."""
    spec = importlib.util.spec_from_file_location("function_app_of_connector", ROOT / "function_app.py")
    if spec is None or spec.loader is None:
        raise ImportError("function_app.py is not there")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    app = module.app
    if not isinstance(app, FunctionApp):
        raise TypeError("function_app.app is not a FunctionApp")
    return app
