"""``python -m connector.solution``: unmanaged Power Platform solutions, and the legacy package of each sample flow.

    solution.xml, customizations.xml, [Content_Types].xml
    Connector/<connector>_openapidefinition.json and _connectionparameters, _policytemplateinstances, _iconblob
    environmentvariabledefinitions/<variable>/environmentvariabledefinition.xml
    Workflows/<flow>-<GUID>.json

The form is that of exported solutions. A connector has to be registered before a flow can use it, so there is a
solution for each, and one with both. The ids are the same each time, so a later import updates an earlier one.
"""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from connector import package
from connector.customizations import (
    CONNECTOR,
    CONNECTOR_ID,
    FOLDER,
    PREFIX,
    REFERENCES,
    TITLE,
    VERSION,
    XSI,
    Flow,
    connector_files,
    customizations,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROOT_ATTRIBUTES = f'version="9.2.0.0" SolutionPackageVersion="9.2" languagecode="1033" generatedBy="CrmLive" {XSI}'
_CONTENT_TYPES = (
    '\ufeff<?xml version="1.0" encoding="utf-8"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    + "".join(
        f'<Default Extension="{name}" ContentType="application/octet-stream" />' for name in ("xml", "json", "Png")
    )
    + "</Types>"
)


def solution(name: str, *, connector: bool, flows: Sequence[Flow] = ()) -> bytes:
    """Return a solution as a ZIP file, the same for the same content.

    Args:
        name: the end of its unique name.
        connector: whether the connector and its environment variable are in it.
        flows: what else is in it, with their connection references.
    """
    files: dict[str, bytes | str] = {
        "[Content_Types].xml": _CONTENT_TYPES,
        "solution.xml": _manifest(name, connector=connector, flows=flows),
        "customizations.xml": customizations(connector=connector, flows=flows),
    }
    if connector:
        files |= connector_files()
    files |= {flow.file: flow.written() for flow in flows}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return packed.getvalue()


def _manifest(name: str, *, connector: bool, flows: Sequence[Flow]) -> str:
    roots = [f'<RootComponent type="29" id="{{{flow.id}}}" behavior="0" />' for flow in flows]
    needs = []
    if connector:
        roots.append(f'<RootComponent type="372" id="{{{CONNECTOR_ID}}}" schemaName="{CONNECTOR}" behavior="0" />')
    else:
        reference = REFERENCES["shared_callinvites"]
        logical = f'displayName="{reference}" id.connectionreferencelogicalname="{reference}"'
        needs = [f'<Dependent type="connectionreference" {logical} />']
        own = [flow for flow in flows if "shared_callinvites" in flow.connections]
        needs += [f'<Dependent type="29" displayName={quoteattr(flow.name)} id="{{{flow.id}}}" />' for flow in own]
    required = (
        f'<Required type="372" schemaName="{CONNECTOR}" displayName="{TITLE}"'
        f' solution="CallInvitesConnector ({VERSION})" id="{{{CONNECTOR_ID}}}" />'
    )
    missing = "".join(f"<MissingDependency>{required}{dependent}</MissingDependency>" for dependent in needs)
    return (
        f"<ImportExportXml {_ROOT_ATTRIBUTES}><SolutionManifest><UniqueName>CallInvites{name}</UniqueName>"
        f"{_names(f'{TITLE}: {name}')}<Descriptions /><Version>{VERSION}</Version><Managed>0</Managed>"
        f"<Publisher><UniqueName>callinvites</UniqueName>{_names('Call Invites')}<Descriptions />"
        '<EMailAddress xsi:nil="true" /><SupportingWebsiteUrl xsi:nil="true" />'
        f"<CustomizationPrefix>{PREFIX}</CustomizationPrefix>"
        "<CustomizationOptionValuePrefix>31700</CustomizationOptionValuePrefix><Addresses /></Publisher>"
        f"<RootComponents>{''.join(roots)}</RootComponents>"
        f"<MissingDependencies>{missing}</MissingDependencies></SolutionManifest></ImportExportXml>"
    )


def _names(name: str) -> str:
    return f'<LocalizedNames><LocalizedName description={quoteattr(name)} languagecode="1033" /></LocalizedNames>'


def solutions() -> dict[str, bytes]:
    """Return the three solutions by file name."""
    paths = sorted((FOLDER / "flows").glob("*.json"))
    flows = [flow for flow in map(Flow.read, paths) if "shared_callinvites" in flow.connections]
    return {
        "call-invites-connector.zip": solution("Connector", connector=True),
        "call-invites-flows.zip": solution("Flows", connector=False, flows=flows),
        "call-invites-all.zip": solution("All", connector=True, flows=flows),
    }


def main() -> int:
    """Write the solutions, and a legacy package for each flow."""
    parser = argparse.ArgumentParser(prog="python -m connector.solution", description="Package connector and flows.")
    parser.add_argument("--out", type=Path, default=Path(".local/packages"), help="folder (default: .local/packages)")
    out = parser.parse_args().out
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in solutions().items():
            (out / name).write_bytes(content)
            sys.stdout.write(f"{out / name}\n")
        package.write(sorted((FOLDER / "flows").glob("*.json")), out)
    except OSError as error:
        parser.exit(1, f"{error.filename} can't be written ({error.strerror}).\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
