"""``python -m connector.generate``: writes the connector's definitions, and the pages and pictures made from code."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from connector import actions, openapi, reference, swagger
from connector.drawing import picture
from connector.package import title
from connector.routes import ROOT
from flows.codes import ADVICE, When

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "connector"
_PLACEHOLDER = "00000000-0000-0000-0000-000000000000"
_SIGN_IN: dict[str, Any] = {
    "type": "oauthSetting",
    "oAuthSettings": {
        "identityProvider": "aad",
        "clientId": _PLACEHOLDER,
        "scopes": [],
        "redirectMode": "Global",
        "redirectUrl": "https://global.consent.azure-apim.net/redirect",
        "properties": {
            "IsFirstParty": "False",
            "AzureActiveDirectoryResourceId": f"api://{_PLACEHOLDER}",
            "IsOnbehalfofLoginSupported": True,
        },
        "customParameters": {
            "loginUri": {"value": "https://login.microsoftonline.com"},
            # Never "common": the app accepts the tokens of its own tenant alone.
            "tenantId": {"value": swagger.TENANT},
            "resourceUri": {"value": f"api://{_PLACEHOLDER}"},
        },
    },
    "uiDefinition": {"displayName": "Sign In", "description": "Sign in with your work account."},
}
_CODES_HEAD = """# Graph's codes

What the app reports for the codes of Microsoft Graph: here `code/subcode`, in the designer *Result Code* and *Result
Subcode*, in the API `resultInfo`. The message is *Reason* (`reason`). A refused request has one code: `innerError.code`
of a 422 or 404. A code that is not listed is named in the message; look it up in Microsoft's
[list of call end codes](https://learn.microsoft.com/azure/communication-services/resources/troubleshooting/voice-video-calling/troubleshooting-codes).
Generated from `flows/codes.py`: `python -m connector.generate`."""
# With Entra ID the security definition no longer sends the key, and the functions still require it.
_SEND_KEY = {
    "templateId": "setheader",
    "title": "Send the function key of the connection",
    "parameters": {
        "x-ms-apimTemplateParameter.name": "x-functions-key",
        "x-ms-apimTemplateParameter.value": "@connectionParameters('api_key')",
        "x-ms-apimTemplateParameter.existsAction": "override",
        "x-ms-apimTemplate-policySection": "Request",
    },
}


def _with_sign_in() -> Any:
    document = json.loads((FOLDER / "apiProperties.json").read_text(encoding="utf-8"))
    properties = document["properties"]
    properties["connectionParameters"] = {"token": _SIGN_IN, **properties["connectionParameters"]}
    properties["policyTemplateInstances"].append(_SEND_KEY)
    return document


def files() -> dict[Path, str]:
    """Return every generated file and its content."""
    documents = {
        FOLDER / "apiDefinition.swagger.json": swagger.definition(),
        FOLDER / "entra" / "apiDefinition.swagger.json": swagger.definition(swagger.ENTRA_ID),
        FOLDER / "entra" / "apiProperties.json": _with_sign_in(),
    }
    written = {path: json.dumps(made, indent=2, ensure_ascii=False) + "\n" for path, made in documents.items()}
    docs = ROOT / "docs"
    pages = {"openapi.yaml": openapi.written(), "openapi.html": reference.written()}
    pages |= {"actions.md": actions.written(), "codes.md": _codes()}
    return {**written, **{docs / name: page for name, page in pages.items()}, **_pictures()}


def _pictures() -> dict[Path, str]:
    """Return the pictures of the sample flows that have a page."""
    pages = sorted((ROOT / "docs" / "flows").glob("*.md"))
    flows = {page: FOLDER / "flows" / f"{page.stem}.json" for page in pages}
    return {
        page.with_suffix(".svg"): picture(json.loads(flow.read_text(encoding="utf-8")), title(flow))
        for page, flow in flows.items()
    }


def _codes() -> str:
    """Return the page of Graph's codes, which a refusal and a *Reason* explain."""
    parts = [_CODES_HEAD]
    for when in When:
        parts += ["", f"## {when}".replace("## a", "## A", 1), "", "| code | message |", "|---|---|"]
        for advice in ADVICE:
            if advice.when is when:
                codes = advice.codes.replace("HTTP", "HTTP&nbsp;").replace("*/", "any/").replace(" ", ", ")
                parts.append(f"| {codes} | {advice.text} |")
    return "\n".join(parts) + "\n"


def main() -> int:
    """Write the generated files."""
    argparse.ArgumentParser(prog="python -m connector.generate", description="Writes the generated files.").parse_args()
    for path, content in files().items():
        path.write_text(content, encoding="utf-8", newline="\n")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
