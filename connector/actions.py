"""``docs/actions.md``: each action of the connector, its fields and return values, with the designer's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector import swagger
from connector.words import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connector.schema import Schema

_HEAD = """# Actions

The connector's actions, with the names that the designer shows. [makers.md](makers.md) explains which to use. The
tables have the IDs of users and phones only; the designer also has those of
[guests, bots and others](makers.md#people). Generated: `python -m connector.generate`.

In an expression, write `body/`, then the path of the output with slashes for its dots, and your action's name:
`outputs('Invite_people')?['body/joinedCount']`. In a path, `[]` stands for a list. In an *Apply to each* over
that list, write what follows: over *People*, `items('Apply_to_each')?['identity/user/id']`."""
_OTHER_KINDS = {name for name, kind in KINDS.items() if kind.words.visibility == "advanced"}
_PERSON = "A person"


def written() -> str:
    """Return the page."""
    definition = swagger.definition()
    parts, person = [_HEAD], _Person()
    for path in definition["paths"].values():
        outcome = path.get("x-ms-notification-content")
        for operation in path.values():
            if "operationId" in operation and operation.get("x-ms-visibility") != "internal":
                parts += ["", *_action(operation, outcome, person)]
    parts += ["", f"## {_PERSON}", "", *_table("field", (_field(each) for _, each in _leaves(person.schema, "")))]
    parts += ["", "# Return values"]
    for name, schema in definition["definitions"].items():
        rows = (f"{each['x-ms-summary']} | `{path}` | {_text(each)}" for path, each in _leaves(schema, ""))
        parts += ["", f"## {_title(name)}", "", *_table("output | path", rows)]
    return "\n".join(parts) + "\n"


class _Person:
    """What a person in a list of people is in most actions, so that the page has it once."""

    def __init__(self) -> None:
        self.schema: Schema = {}

    def is_this(self, schema: Schema) -> bool:
        """Return whether a list holds such persons; the first that is asked for is the one."""
        self.schema = self.schema or schema
        return self.schema == schema


def _action(operation: Schema, outcome: Schema | None, person: _Person) -> Iterator[str]:
    yield from (f"## {operation['summary']}", "", operation["description"])
    rows = [row for parameter in operation["parameters"] for row in _inputs(parameter, person)]
    if rows:
        yield from ("", *_table("field", rows))
    answers = [outcome] if outcome else [each for each in operation["responses"].values() if "schema" in each]
    yield ""
    yield f"Returns {_link(answers[0]['schema'])}." if answers else "Returns nothing."


def _inputs(parameter: Schema, person: _Person) -> Iterator[str]:
    if parameter["in"] != "body":
        yield _field(parameter, "" if parameter.get("required") else " (optional)")
        return
    people = ""
    for path, each in _leaves(parameter["schema"], ""):
        if people and path.startswith(people):
            continue
        step = " in each step" if path.startswith("steps[]") else ""
        is_people = path.endswith("participants") and person.is_this(each["items"])
        people = f"{path}[]." if is_people else ""
        yield _field(each, step) + (f" Each is [{_PERSON.lower()}](#{_anchor(_PERSON)})." if is_people else "")


def _leaves(schema: Schema, above: str) -> Iterator[tuple[str, Schema]]:
    """Yield the properties that hold a value, with their paths; a list is followed by what is in its items."""
    for name, inner in schema.get("properties", {}).items():
        path = f"{above}{name}"
        if inner.get("x-ms-visibility") == "internal" or (name in _OTHER_KINDS and "properties" in inner):
            continue
        if "properties" in inner:
            yield from _leaves(inner, f"{path}.")
            continue
        yield path, inner
        if inner.get("type") == "array":
            yield from _leaves(inner["items"], f"{path}[].")


def _field(schema: Schema, more: str = "") -> str:
    return f"{schema['x-ms-summary']}{more} | {_text(schema)}"


def _text(schema: Schema) -> str:
    values = f" ({', '.join(f'`{value}`' for value in schema['enum'])})" if "enum" in schema else ""
    items = f" Each is {_link(schema['items'])}." if "$ref" in schema.get("items", {}) else ""
    return f"{schema['description']}{values}{items}"


def _table(columns: str, rows: Iterator[str] | list[str]) -> Iterator[str]:
    head = f"| {columns} | value |"
    yield from (head, "|" + "---|" * (head.count("|") - 1), *(f"| {row} |" for row in rows))


def _link(reference: Schema) -> str:
    title = _title(reference["$ref"].rpartition("/")[2])
    return f"[{title}](#{_anchor(title)})"


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _title(name: str) -> str:
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return words.strip().capitalize()
