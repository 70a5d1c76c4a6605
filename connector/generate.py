"""``python -m connector.generate``: writes the connector's definitions and ``docs/openapi.yaml``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from connector import openapi, swagger
from connector.routes import ROOT

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
            "tenantId": {"value": "common"},
            "resourceUri": {"value": f"api://{_PLACEHOLDER}"},
        },
    },
    "uiDefinition": {"displayName": "Sign In", "description": "Sign in with your work account."},
}
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
    return {**written, ROOT / "docs" / "openapi.yaml": openapi.written()}


def main() -> int:
    """Write the generated files."""
    for path, content in files().items():
        path.write_text(content, encoding="utf-8", newline="\n")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
