"""Runs the sample flows as written, in time that passes faster: only the kinds of action that they use.

How actions follow each other is from Microsoft's documentation. Expressions are evaluated by ``expressions``, or by
Microsoft's own engine.
"""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import jsonschema

from tests.connector import expressions, loops
from tests.connector.engine_http import Reply
from tests.connector.expressions import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.connector.connections import Connection
    from tests.connector.engine_http import Callbacks, Gateway, Wire
    from tests.connector.referee import Referee

Action = dict[str, Any]


class TriggerRefused(Exception):
    """The trigger checks its schema and answers 400: the flow doesn't run."""


SUCCEEDED, FAILED, SKIPPED, TIMED_OUT = "Succeeded", "Failed", "Skipped", "TimedOut"


@dataclass(frozen=True, slots=True)
class Step:
    """One action that ran, or was skipped."""

    name: str
    status: str
    code: int | None
    seconds: float
    """Since the run began."""


@dataclass(slots=True)
class _Result:
    status: str
    outputs: Any = None


@dataclass(slots=True)
class Run:
    """One run of a flow.

    Args:
        flow: the file's content.
        trigger_body: what the flow is started with.
        wire: sends its requests.
        gateway: the connector with its connection.
        callbacks: where its waiting actions are called back.
        longest: seconds of this machine after which an action times out, in place of its own limit.
        referee: evaluates expressions.
        connections: those to Microsoft's connectors, by their keys in the flow.
    """

    flow: dict[str, Any]
    trigger_body: dict[str, Any]
    wire: Wire
    gateway: Gateway
    callbacks: Callbacks
    longest: float = 30.0
    referee: Referee = expressions
    connections: Mapping[str, Connection] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    id: str = field(default_factory=lambda: "0858" + uuid.uuid4().hex.upper())
    _results: dict[str, _Result] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    items: dict[str, Any] = field(default_factory=dict)
    waited: list[float] = field(default_factory=list)
    """The seconds of its delays."""
    _began: float = field(default_factory=time.monotonic)

    def start(self) -> str:
        """Run the flow to its end and return its status.

        Raises:
            TriggerRefused: the trigger refuses the body.
        """
        definition = self.flow["definition"]
        (trigger,) = definition["triggers"].values()
        validator = jsonschema.Draft7Validator(trigger["inputs"].get("schema", {}))
        if trigger.get("operationOptions") == "EnableSchemaValidation" and not validator.is_valid(self.trigger_body):
            raise TriggerRefused
        return self.run_all(definition["actions"])

    def outputs(self, name: str) -> Any:
        """Return what an action returned."""
        return self._results[name].outputs

    def status(self, name: str) -> str:
        """Return how an action ended; ``Skipped`` if it never ran."""
        return self._results[name].status if name in self._results else SKIPPED

    def run_all(self, actions: dict[str, Action]) -> str:
        """Run actions after those that they wait for; the last ones of every branch decide on success."""
        for name in _names(actions):
            self._results.pop(name, None)
        waiting = dict(actions)
        while waiting:
            ready = next(name for name, action in waiting.items() if not waiting.keys() & action["runAfter"].keys())
            action = waiting.pop(ready)
            may_run = all(
                self.status(before).casefold() in (status.casefold() for status in wanted)
                for before, wanted in action["runAfter"].items()
            )
            result = self._run(ready, action) if may_run else _Result(SKIPPED)
            self._results[ready] = result
            code = result.outputs.get("statusCode") if isinstance(result.outputs, dict) else None
            self.steps.append(Step(ready, result.status, code, time.monotonic() - self._began))
        last = actions.keys() - {before for action in actions.values() for before in action["runAfter"]}
        return FAILED if any(self._leaf_failed(name, actions) for name in last) else SUCCEEDED

    def _leaf_failed(self, name: str, actions: dict[str, Action]) -> bool:
        """Return whether a last action fails the whole; those before a skipped one decide in its place."""
        if self.status(name) == SKIPPED:
            return any(self._leaf_failed(before, actions) for before in actions[name]["runAfter"])
        return self.status(name) in (FAILED, TIMED_OUT)

    def _run(self, name: str, action: Action) -> _Result:
        try:
            return _KINDS[action["type"]](self, name, action)
        except ValueError:  # an expression fails
            return _Result(FAILED)

    def context(self, **more: Any) -> Context:
        """Return what an expression can refer to now."""
        outputs = {name: result.outputs for name, result in self._results.items()}
        here: dict[str, Any] = {"item": next(reversed(self.items.values()), None), "items": self.items} | more
        return Context(outputs, self.trigger_body, self.variables, **here)

    def value(self, value: Any, **more: Any) -> Any:
        """Return a value of the definition with its expressions evaluated."""
        return self.referee.evaluate(value, self.context(**more))

    def _headers(self, name: str) -> dict[str, str]:
        return {
            "x-ms-workflow-id": "w",
            "x-ms-workflow-run-id": self.id,
            "x-ms-workflow-operation-name": name,
            "x-ms-client-tracking-id": self.id,
            "User-Agent": "azure-logic-apps/1.0 (workflow w; version 1) microsoft-flow/1.0",
        }

    def _deadline(self) -> float:
        return time.monotonic() + self.longest

    def _compose(self, _: str, action: Action) -> _Result:
        return _Result(SUCCEEDED, self.value(action["inputs"]))

    def _select(self, _: str, action: Action) -> _Result:
        entries = self.value(action["inputs"]["from"])
        if not isinstance(entries, list):
            return _Result(FAILED)
        return _Result(SUCCEEDED, {"body": [self.value(action["inputs"]["select"], item=entry) for entry in entries]})

    def _query(self, _: str, action: Action) -> _Result:
        entries = self.value(action["inputs"]["from"])
        if not isinstance(entries, list):
            return _Result(FAILED)
        where = action["inputs"]["where"]
        return _Result(SUCCEEDED, {"body": [entry for entry in entries if self.value(where, item=entry) is True]})

    def _initialize(self, _: str, action: Action) -> _Result:
        loops.initialize(self, action)
        return _Result(SUCCEEDED)

    def _append(self, _: str, action: Action) -> _Result:
        loops.append(self, action)
        return _Result(SUCCEEDED)

    def _set(self, _: str, action: Action) -> _Result:
        self.variables[action["inputs"]["name"]] = self.value(action["inputs"]["value"])
        return _Result(SUCCEEDED)

    def _increment(self, _: str, action: Action) -> _Result:
        loops.increment(self, action)
        return _Result(SUCCEEDED)

    def _wait(self, _: str, action: Action) -> _Result:
        loops.wait(self, action, lambda: datetime.now(UTC))
        return _Result(SUCCEEDED)

    def _for_each(self, name: str, action: Action) -> _Result:
        return _Result(loops.for_each(self, name, action))

    def _if(self, _: str, action: Action) -> _Result:
        branch = action if self.referee.holds(action["expression"], self.context()) else action.get("else", {})
        return _Result(self.run_all(branch.get("actions", {})))

    def _until(self, _: str, action: Action) -> _Result:
        return _Result(loops.until(self, action))

    def _http(self, name: str, action: Action) -> _Result:
        inputs = self.value(action["inputs"])
        headers = self._headers(name)
        deadline = self._deadline()
        reply = self.wire.request(inputs["method"], inputs["uri"], {**inputs["headers"], **headers}, inputs["body"])
        # The strictest reading of what is known: polls carry nothing of the maker's headers.
        return _ended(self.wire.polled(reply, lambda url: self.wire.request("GET", url, headers), deadline))

    def _connection(self, name: str, action: Action) -> _Result:
        inputs = self.value(action["inputs"])
        connection = self.connections.get(inputs["host"]["connectionName"])
        if connection is not None:
            return _ended(connection.call(inputs["host"]["operationId"], inputs["parameters"]))
        headers = self._headers(name)
        deadline = self._deadline()
        reply = self.gateway.call(inputs["host"]["operationId"], inputs["parameters"], headers)
        return _ended(self.wire.polled(reply, lambda url: self.gateway.follow("GET", url, headers), deadline))

    def _connection_webhook(self, name: str, action: Action) -> _Result:
        inputs = self.value(action["inputs"])
        url = self.callbacks.new_url()
        headers = self._headers(name)
        reply = self.gateway.call(inputs["host"]["operationId"], inputs["parameters"], headers, url)
        result = self._called_back(url, reply)
        if result.status == TIMED_OUT:
            self.gateway.follow("DELETE", reply.headers["Location"], headers)
        return result

    def _webhook(self, name: str, action: Action) -> _Result:
        url = self.callbacks.new_url()
        subscribe = self.value(action["inputs"]["subscribe"], callback_url=url)
        headers = {**subscribe["headers"], **self._headers(name)}
        reply = self.wire.request(subscribe["method"], subscribe["uri"], headers, subscribe["body"])
        assert action["inputs"]["unsubscribe"] == {}, "no other is used"
        return self._called_back(url, reply)

    def _called_back(self, url: str, reply: Reply) -> _Result:
        if reply.status is None or not 200 <= reply.status < 300:
            return _ended(reply)
        body = self.callbacks.outcome(url, self.longest)
        return _ended(None if body is None else Reply(200, {}, body))


def _names(actions: dict[str, Action]) -> Iterator[str]:
    """Go through the names of actions and of those inside them."""
    for name, action in actions.items():
        yield name
        yield from _names(action.get("actions", {}))
        yield from _names(action.get("else", {}).get("actions", {}))


def _ended(reply: Reply | None) -> _Result:
    if reply is None:
        return _Result(TIMED_OUT)
    if reply.status is None:
        return _Result(FAILED)
    status = SUCCEEDED if 200 <= reply.status < 300 else FAILED
    return _Result(status, {"statusCode": reply.status, "headers": dict(reply.headers), "body": reply.body})


_KINDS: dict[str, Callable[[Run, str, Action], _Result]] = {
    "AppendToArrayVariable": Run._append,
    "AppendToStringVariable": Run._append,
    "Compose": Run._compose,
    "Foreach": Run._for_each,
    "Http": Run._http,
    "HttpWebhook": Run._webhook,
    "If": Run._if,
    "IncrementVariable": Run._increment,
    "InitializeVariable": Run._initialize,
    "OpenApiConnection": Run._connection,
    "OpenApiConnectionWebhook": Run._connection_webhook,
    "Query": Run._query,
    "Select": Run._select,
    "SetVariable": Run._set,
    "Until": Run._until,
    "Wait": Run._wait,
}


def with_settings(flow: dict[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a flow in which a maker has filled in *Settings*, the one thing that its page says to fill in."""
    actions = dict(flow["definition"]["actions"])
    if "Settings" in actions:
        inputs = actions["Settings"]["inputs"]
        known = {name: value for name, value in settings.items() if name in inputs}
        actions["Settings"] = {**actions["Settings"], "inputs": {**inputs, **known}}
    return {**flow, "definition": {**flow["definition"], "actions": actions}}


def printed(run: Run) -> str:
    """Return a run as a list of its actions with statuses and times."""
    lines = [f"{step.seconds:7.3f} s  {step.status:<9}  {step.code or '':>3}  {step.name}" for step in run.steps]
    return "\n".join(re.sub(r"\s+$", "", line) for line in lines)
