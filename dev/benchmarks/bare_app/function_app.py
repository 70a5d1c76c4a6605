"""An app with one function that does what a finished operation costs in storage, and nothing else.

It looks at no token, no rules and no shapes: the row is read, marked and replaced under its ETag.
"""

import json
import os

import azure.functions as func
from azure.core import MatchConditions
from azure.data.tables import TableClient, UpdateMode

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
_table = TableClient.from_connection_string(os.environ["AzureWebJobsStorage"], os.environ["STATE_TABLE"])  # noqa: SIM112


@app.route("notifications", methods=["POST"])
def receive_notifications(req: func.HttpRequest) -> func.HttpResponse:
    """Mark the row of a finished operation; its keys come with the request."""
    (item,) = json.loads(req.get_body())["value"]
    entity = _table.get_entity(req.headers["x-partition"], req.headers["x-row"])
    entity["status"] = item["resourceData"]["status"]
    _table.update_entity(
        entity,
        mode=UpdateMode.REPLACE,
        etag=entity.metadata["etag"],
        match_condition=MatchConditions.IfNotModified,
    )
    return func.HttpResponse(status_code=202)
