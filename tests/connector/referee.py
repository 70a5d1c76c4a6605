"""``python -m tests.connector.referee``: asks Microsoft's engine about every expression and stores its answers.

The stored table, ``referee.json``, holds each expression of the short sample flows with every kind of response that an
action can get, and a list of expressions about the language itself. An answer is ``[value]``, or ``"error"``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from connector.routes import ROOT
from tests.connector.expressions import Context
from tests.connector.workflow_engine import Engine, install

if TYPE_CHECKING:
    from collections.abc import Iterator

FLOWS = sorted((ROOT / "connector" / "flows").glob("*.json"))
# The others are long: ``test_scenarios`` runs them with each response, and with the engine.
_SHORT = {"http-webhook", "invite-and-poll", "invite-and-wait", "meeting-and-invite", "on-call-list", "p1-alert"}
SHORT = [path for path in FLOWS if path.stem in _SHORT]
FOLDER = ROOT / ".local" / "workflow-engine"
TABLE = Path(__file__).with_name("referee.json")
PEOPLE = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"]
TRIGGER: dict[str, Any] = {
    "callId": "19:a/b@thread.v2",
    "userIds": PEOPLE,
    "onCall": PEOPLE,
    "phoneNumber": "+12065550100",
    "title": "Checkout is down",
    "oncalls": [{"user": {"contact": PEOPLE[0]}}],
    "deputy": PEOPLE[1],
    "engineer": PEOPLE[0],
}
ACCEPTED: dict[str, Any] = {"identity": {"user": {"id": PEOPLE[0]}}, "status": "completed", "reason": None}
DECLINED: dict[str, Any] = {
    "identity": {"user": {"id": PEOPLE[1]}},
    "status": "failed",
    "reason": "The person declined the call. Try someone else.",
}
VARIABLES = {"index": 1, "accepted": False}
# The outputs of an action that sends a request, by what came back.
RESPONSES: dict[str, Any] = {
    "completed": {
        "statusCode": 200,
        "body": {"status": "completed", "reason": None, "joinedCount": 1, "participants": [ACCEPTED]},
    },
    "partly": {
        "statusCode": 200,
        "body": {
            "status": "partiallyCompleted",
            "reason": "1 of 2 people accepted the call.",
            "joinedCount": 0,
            "participants": [ACCEPTED, DECLINED],
        },
    },
    "failed": {"statusCode": 200, "body": {"status": "failed", "reason": "The person declined."}},
    "error": {"statusCode": 422, "body": {"error": {"code": "InvitationFailed", "message": "The person declined."}}},
    "text": {"statusCode": 503, "body": "Function host is not running."},
    "empty": {"statusCode": 502, "body": ""},
    "html": {"statusCode": 502, "body": "<html><body>Bad gateway</body></html>"},
    "list": {"statusCode": 200, "body": [{"status": "completed"}]},
    "null": {"statusCode": 200, "body": None},
    "no body": {"statusCode": 401},
    "no response": None,
}
LANGUAGE: list[Any] = [
    "plain",
    "@@x",
    "@@{1}",
    "a@@{1} b@{1}",
    "x@{1.0}y@{true}@{null}@{outputs('Settings')}",
    "@outputs('settings')?['APP']",
    "@TriggerBody()?['CALLID']",
    "@outputs('Settings')['nothing']",
    "@outputs('Settings')?['nothing']",
    "@outputs('Settings')?['app']?['x']",
    "@outputs('Settings')?['app/x']",
    "@triggerBody()?['userIds']?[0]",
    "@triggerBody()?['userIds']?[5]",
    "@triggerBody()?['userIds'][5]",
    "@null?['x']",
    "@first(skip(triggerBody()?['userIds'], 5))?['x']",
    "@first(skip(triggerBody()?['userIds'], 5))['x']",
    "@equals(1, 1.0)",
    "@equals('a', 'A')",
    "@equals(true, 'true')",
    "@equals(null, '')",
    "@concat(1.0, 'x', true, null, 1.5)",
    "@first(null)",
    "@first(skip(triggerBody()?['userIds'], 5))",
    "@skip(triggerBody()?['userIds'], 1)",
    "@length(null)",
    "@last(take(triggerBody()?['userIds'], 1))",
    "@if(true, 1, first(null))",
    "@if(1, 1, 2)",
    "@if(null, 1, 2)",
    "@and(false, first(null))",
    "@and(1, true)",
    "@or(true, first(null))",
    "@or(null, true)",
    "@not(null)",
    "@coalesce(null, 'a', first(null))",
    "@coalesce(null)",
    "@greaterOrEquals(2, 2.0)",
    "@less(1, 'a')",
    "@encodeUriComponent('a b/\u00fc+')",
    "@join(json('[\"a\", \"b\"]'), '; ')",
    "@join(json('[]'), ' ')",
    "@join(null, ' ')",
    {"if": [{"equals": ["@variables('index')", 1]}]},
    {"AND": [{"equals": ["@variables('INDEX')", 1]}, {"or": [{"not": {"equals": ["@item()", ""]}}]}]},
    {"equals": ["@variables('accepted')", False]},
    {"and": ["@variables('index')"]},
    {"and": ["true"]},
    {"not": {"equals": [1, 1.0]}},
    "@add(1, 2)",
    "@addDays('2026-02-28T12:00:00Z', -2, 'yyyy-MM-ddTHH:mm:ssZ')",
    "@addMinutes('2026-03-01T12:00:00.0000000', 3, 'yyyy-MM-ddTHH:mm:ssZ')",
    "@addMinutes(null, 3, 'yyyy')",
    "@chunk(json('[1, 2, 3]'), 2)",
    "@chunk(json('[]'), 2)",
    "@contains(createArray('a'), 'a')",
    "@contains(createArray('a'), null)",
    "@contains('Abc', 'b')",
    "@contains(null, 'b')",
    "@createArray(1, 'a')",
    "@replace('a\nb', decodeUriComponent('%0A'), ' ')",
    "@replace(null, 'a', 'b')",
    "@empty(null)",
    "@empty('')",
    "@empty(json('[]'))",
    "@empty(1)",
    "@first(json('[]'))?['x']",
    "@formatDateTime('2026-01-01T12:00:00+02:00', 'yyyy-MM-ddTHH:mm:ssZ')",
    "@formatDateTime('2026-01-01T12:00:00.0000000', 'HH:mm:ss')",
    "@formatDateTime('2026-01-01T12:00:00Z', 'dddd')",
    "@formatDateTime('x', 'yyyy')",
    "@formatDateTime(null, 'yyyy')",
    "@greater('b', 'a')",
    "@greater(2, '1')",
    "@item()?['x']",
    "@items('Loop')?['id']",
    "@last(split('/a/b', '/'))",
    "@lessOrEquals('2026-01-01T12:00:00Z', '2026-01-01T12:00:00Z')",
    "@setProperty(json('{}'), 'id', null)",
    '@sort(json(\'[{"s": "b"}, {"s": "a"}]\'), \'s\')',
    "@sort(json('[]'), 's')",
    "@split('a;b;', ';')",
    "@split('', ';')",
    "@split(null, ';')",
    "@startsWith(null, 'a')",
    "@startsWith('Ab', 'a')",
    "@string(json('[{\"a\": 1}]'))",
    "@string(null)",
    "@string(true)",
    "@sub(5, 2)",
    "@take('abc', 5)",
    "@take('abc', 0)",
    "@toLower('ABC')",
    "@toLower(null)",
    "@triggerOutputs()?['body/callId/x/y']",
    "@union(json('[1, 1, 2]'), json('[2, 3]'))",
    "@variables('nothing')",
]


class Referee(Protocol):
    """What evaluates: Microsoft's engine, or the interpreter of the tests."""

    def evaluate(self, value: Any, context: Context, /) -> Any:
        """Return a value with its expressions evaluated, or raise ValueError."""

    def holds(self, expression: Any, context: Context, /) -> bool:
        """Return whether a condition holds, or raise ValueError."""


def expressions(flow: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Go through the expressions of a flow, each with its place; conditions are whole."""
    yield from _inside(flow["definition"]["actions"], "")


def _inside(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "expression":
                yield f"{place}/expression", inner
            elif name != "runAfter":
                yield from _inside(inner, f"{place}/{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _inside(inner, f"{place}/{number}")
    elif isinstance(value, str) and "@" in value and "utcNow(" not in value:  # another answer each time
        yield place, value


def context(flow: dict[str, Any], response: Any, expression: Any = None) -> Context:
    """Return what an expression of a flow can refer to, once every request has had this response."""
    actions: dict[str, Any] = {}
    for name, action in _actions(flow["definition"]["actions"]):
        kind = action["type"]
        if kind == "Compose":
            actions[name] = action["inputs"]
        elif kind == "Query":
            actions[name] = {"body": [DECLINED]}
        elif kind == "Select":
            actions[name] = {
                "body": ["b: declined"] if isinstance(action["inputs"]["select"], str) else [{"identity": {}}]
            }
        else:
            actions[name] = response
    item = DECLINED if isinstance(expression, str) and "item()?" in expression else PEOPLE[0]
    return Context(actions, TRIGGER, VARIABLES, item, callback_url="https://flow.example/run")


def _actions(actions: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, action in actions.items():
        yield name, action
        yield from _actions(action.get("actions", {}))
        yield from _actions(action.get("else", {}).get("actions", {}))


def answer(referee: Referee, expression: Any, known: Context) -> Any:
    """Return the value of an expression, or that it fails."""
    try:
        is_condition = isinstance(expression, dict)
        return [referee.holds(expression, known) if is_condition else referee.evaluate(expression, known)]
    except ValueError:
        return "error"


def table(referee: Referee) -> dict[str, Any]:
    """Return all answers of a referee."""
    made: dict[str, Any] = {}
    for path in SHORT:
        flow = json.loads(path.read_text(encoding="utf-8"))
        for place, expression in expressions(flow):
            answers = {
                kind: answer(referee, expression, context(flow, found, expression)) for kind, found in RESPONSES.items()
            }
            same = all(entry == answers["completed"] for entry in answers.values())
            made[path.stem + place] = {
                "expression": expression,
                "answers": {"any": answers["completed"]} if same else answers,
            }
    loops = {"Loop": {"id": PEOPLE[0]}}
    known = Context({"Settings": {"app": "https://a", "key": "k"}}, TRIGGER, VARIABLES, PEOPLE[0], loops)
    language = [{"expression": entry, "answer": answer(referee, entry, known)} for entry in LANGUAGE]
    return {"samples": made, "language": language}


def _line(entry: Any) -> str:
    return json.dumps(entry, ensure_ascii=False)


def main() -> int:
    """Store the engine's answers."""
    install(FOLDER)
    with Engine(FOLDER) as engine:
        made = table(engine)
    samples = ",\n".join(f"{json.dumps(place)}: {_line(entry)}" for place, entry in made["samples"].items())
    language = ",\n".join(map(_line, made["language"]))
    text = f'{{"samples": {{\n{samples}\n}},\n"language": [\n{language}\n]}}\n'
    TABLE.write_text(text, encoding="utf-8", newline="\n")
    sys.stdout.write(f"{len(made['samples'])} expressions of the samples, {len(LANGUAGE)} of the language\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
