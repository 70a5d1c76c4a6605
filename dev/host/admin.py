"""``/admin/functions``: the functions listed as the real host lists them, and run by hand.

https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from dev.host.app_model import HttpFunction
from dev.host.http_server import HttpAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dev.host.app_model import App, Declared
    from dev.host.http_server import HttpMessage

_SCRIPT = "function_app.py"


class Admin:
    """Responds to requests that have the key; ``run`` has, by name, how to run the functions without a route."""

    def __init__(self, app: App, address: str, prefix: str, run: Mapping[str, Callable[[str], object]]) -> None:
        self._functions = sorted(app, key=lambda function: function.name)
        self._address = address
        self._prefix = prefix
        self._run = run

    def answer(self, request: HttpMessage, name: str) -> HttpAnswer:
        """List all functions, describe the one of this name, or start it."""
        found = [function for function in self._functions if function.name.lower() == name.lower()]
        if request.method == "GET" and not name:
            return _json([self._described(function) for function in self._functions])
        if request.method == "GET" and found:
            return _json(self._described(found[0]))
        run = self._run.get(found[0].name) if found else None
        if run is None or request.method != "POST":
            return HttpAnswer(HTTPStatus.NOT_FOUND)
        try:
            given = json.loads(request.body or b"{}").get("input", "")
        except (ValueError, AttributeError):
            return HttpAnswer(HTTPStatus.BAD_REQUEST)
        run(given if isinstance(given, str) else json.dumps(given))
        return HttpAnswer(HTTPStatus.ACCEPTED)

    def _described(self, function: Declared) -> dict[str, Any]:
        url = None
        if isinstance(function, HttpFunction):
            url = "/".join(part for part in (self._address, self._prefix, function.template.text) if part).lower()
        return {
            "name": function.name,
            "script_root_path_href": f"{self._address}/admin/vfs/{function.name}/",
            "script_href": f"{self._address}/admin/vfs/{_SCRIPT}",
            "config_href": f"{self._address}/admin/vfs/{function.name}/function.json",
            "test_data_href": None,
            "href": f"{self._address}/admin/functions/{function.name}",
            "invoke_url_template": url,
            "language": "python",
            "config": {
                "name": function.name,
                "entryPoint": function.call.__name__,
                "scriptFile": _SCRIPT,
                "language": "python",
                "bindings": function.bindings,
            },
            "files": None,
            "test_data": None,
            "isDisabled": function.is_disabled,
            "isDirect": False,
            "isProxy": False,
        }


def _json(content: Any) -> HttpAnswer:
    body = json.dumps(content).encode()
    return HttpAnswer(HTTPStatus.OK, (("Content-Type", "application/json; charset=utf-8"),), body)
