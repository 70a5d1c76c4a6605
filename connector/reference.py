"""``docs/openapi.html``: the description of the API as one page that loads and runs nothing."""

from __future__ import annotations

from html import escape
from itertools import chain
from typing import TYPE_CHECKING, Any

from connector import openapi

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from connector.schema import Schema

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: light-dark(#0b6a5b, #5cc9b5); }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; } h2 { margin-top: 3rem; } a { color: var(--accent); }
h3 { border-top: 1px solid var(--line); margin: 2.5rem 0 .25rem; padding-top: 1.25rem; overflow-wrap: anywhere; }
code { background: var(--soft); border-radius: .25rem; font-size: .875em; padding: .1em .3em; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
caption { font-weight: 600; padding: 1rem 0 .25rem; text-align: left; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .75rem .35rem 0; text-align: left; vertical-align: top; }
th[scope=row] { font-weight: 400; white-space: nowrap; } nav ul { columns: 22rem; list-style: none; padding: 0; }
.more { opacity: .75; } .method { color: var(--accent); font-weight: 700; }
@media (max-width: 40rem) { th[scope=row] { white-space: normal; } }
"""
_LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minProperties": "at least {} properties",
    "maxProperties": "at most {} properties",
}


def written() -> str:
    """Return the page."""
    document = openapi.document()
    operations = [
        (method, path, operation) for path, item in document["paths"].items() for method, operation in item.items()
    ]
    info, (server,) = document["info"], document["servers"]
    parts = [
        "<!doctype html>",
        "<!-- Generated from the code: python -m connector.generate -->",
        '<html lang="en">',
        '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<title>{escape(info['title'])}: API</title><style>{_STYLE}</style></head>",
        "<body>",
        f"<h1>{escape(info['title'])}: API</h1>",
        f"<p>{escape(info['summary'])} {escape(info['description'])}</p>",
        f"<p>Version {escape(info['version'])}. All paths begin with <code>{escape(server['url'])}</code>.",
        "An operation with a key wants the function key in the header <code>x-functions-key</code>.</p>",
        "<nav><ul>",
        *(f'<li><a href="#{each["operationId"]}">{escape(each["summary"])}</a></li>' for _, _, each in operations),
        "</ul></nav>",
        "<main>",
        "<h2>Operations</h2>",
        *chain.from_iterable(_operation(document, *each) for each in operations),
        "<h2>Objects</h2>",
        *chain.from_iterable(_object(name, schema) for name, schema in document["components"]["schemas"].items()),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _operation(document: Schema, method: str, path: str, operation: Schema) -> Iterator[str]:
    yield f'<h3 id="{operation["operationId"]}">{escape(operation["summary"])}</h3>'
    yield f'<p><span class="method">{method.upper()}</span> <code>{escape(path)}</code> <span class="more">'
    yield f"{_who(operation)}</span></p>"
    yield f"<p>{escape(operation['description'])}</p>"
    parameters = [_found(document, each) for each in operation.get("parameters", [])]
    if parameters:
        rows = ((each["name"], f"{each['in']}, {_type(each['schema'])}", each) for each in parameters)
        yield from _table("Parameters", ((name, kind, _words(each)) for name, kind, each in rows))
    if "requestBody" in operation:
        yield f"<p>Body: {_content(operation['requestBody'])}</p>"
    answers = ((status, _found(document, each)) for status, each in operation["responses"].items())
    yield from _table("Responses", ((status, _content(each), escape(each["description"])) for status, each in answers))
    for callback in operation.get("callbacks", {}).values():
        for address, item in callback.items():
            post = item["post"]
            yield f"<p>Later, a POST to <code>{escape(address)}</code> with {_content(post['requestBody'])}."
            yield f"{escape(post['summary'])}.</p>"


def _who(operation: Schema) -> str:
    if "security" not in operation:
        return "with a key"
    return "with Graph's signed token" if operation["security"] else "without a key"


def _found(document: Schema, each: Schema) -> Schema:
    """Follow a reference to a parameter or a response."""
    found: Any = each
    for name in each.get("$ref", "").split("/")[1:]:
        found = (document if found is each else found)[name]
    return dict(found)


def _content(body: Schema) -> str:
    kinds = [_type(media["schema"]) for media in body.get("content", {}).values()]
    return " or ".join(kinds) or '<span class="more">no body</span>'


def _object(name: str, schema: Schema) -> Iterator[str]:
    yield f'<h3 id="{name}">{name}</h3>'
    if "properties" not in schema:
        yield f"<p>{_type(schema)}</p>"
        return
    required = schema.get("required", [])
    rows = (
        (member, _type(inner) + ("" if member in required else ', <span class="more">optional</span>'), _words(inner))
        for member, inner in schema["properties"].items()
    )
    yield from _table("Properties", rows)


def _words(schema: Schema) -> str:
    return escape(str(schema.get("description", "")))


def _type(schema: Schema) -> str:
    """Describe a schema in words, with a link to the object that it refers to."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    kinds = schema.get("type", "any")
    text = " or ".join([kinds] if isinstance(kinds, str) else kinds)
    if "items" in schema:
        text = f"{text} of {_type(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), dict):
        text = f"{text} of {_type(schema['additionalProperties'])}"
    limits = [words.format(schema[name]) for name, words in _LIMITS.items() if name in schema]
    limits += [schema["format"]] if "format" in schema else []
    return f'{text} <span class="more">{", ".join(limits)}</span>' if limits else text


def _table(caption: str, rows: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    yield f"<table><caption>{caption}</caption>"
    for name, kind, text in rows:
        yield f'<tr><th scope="row"><code>{escape(name)}</code></th><td>{kind}</td><td>{text}</td></tr>'
    yield "</table>"
