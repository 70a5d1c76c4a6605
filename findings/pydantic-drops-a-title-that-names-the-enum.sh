#!/bin/sh
# pydantic 2.14.3 (pydantic-core of the same release), Python 3.11 to 3.13.
#
# Expected: Field(title=...) stands in the JSON schema of each field, as its description does.
# Seen: the title of a field whose type is an enum is left out where it equals the name of the enum's class. Its
# description is kept, and so is any other title. A form that shows titles (here: the outputs of a connector) then shows
# the bare name of the property for this one field. json_schema_extra={"title": ...} keeps it.
#
# Output seen:
#   status, title "Status": None
#   status, title "Delivery Status": Delivery Status
#   status, title "Status" in json_schema_extra: None
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pydantic==2.14.3
cat > "$folder/titles.py" <<'PY'
from enum import Enum
from typing import Annotated

from pydantic import BaseModel, Field


class Status(Enum):
    OPEN = "open"
    DONE = "done"


class Parcel(BaseModel):
    same: Annotated[Status, Field(title="Status", description="Where it is.")]
    other: Annotated[Status, Field(title="Delivery Status", description="Where it is.")]
    extra: Annotated[Status, Field(description="Where it is.", json_schema_extra={"title": "Status"})]


properties = Parcel.model_json_schema()["properties"]
same, other, extra = (properties[name].get("title") for name in ("same", "other", "extra"))
print(f'status, title "Status": {same}')
print(f'status, title "Delivery Status": {other}')
print(f'status, title "Status" in json_schema_extra: {extra}')
assert [one["description"] for one in properties.values()] == ["Where it is."] * 3
assert (same, other, extra) == (None, "Delivery Status", None)
PY
"$folder/venv/bin/python" "$folder/titles.py"
