"""An app with one function that makes a finished operation's two requests of storage, and validates nothing."""

import json
import os

import azure.functions as func
from azure.core import MatchConditions
from azure.data.tables import TableClient, UpdateMode

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
_table = TableClient.from_connection_string(os.environ["AzureWebJobsStorage"], "bare")  # noqa: SIM112


@app.route("notifications", methods=["POST"])
def receive_notifications(req: func.HttpRequest) -> func.HttpResponse:
    """Mark the row of a finished operation; its keys come with the report."""
    (item,) = json.loads(req.get_body())["value"]
    keys = {"partition": item["resourceUrl"].split("/")[3], "row": item["resourceData"]["clientContext"]}
    condition = "PartitionKey eq @partition and ( RowKey eq 'call' or RowKey eq @row )"
    (entity,) = _table.query_entities(condition, parameters=keys)
    entity["status"] = item["resourceData"]["status"]
    _table.update_entity(
        entity,
        mode=UpdateMode.REPLACE,
        etag=entity.metadata["etag"],
        match_condition=MatchConditions.IfNotModified,
    )
    return func.HttpResponse(status_code=202)
