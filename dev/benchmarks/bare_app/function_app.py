"""An app that makes the storage requests of a finished operation and of a poll, and validates nothing."""

import json
import os
import uuid

import azure.functions as func
from azure.core import MatchConditions
from azure.data.tables import TableClient, TableEntity, UpdateMode

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
_table = TableClient.from_connection_string(os.environ["AzureWebJobsStorage"], "bare")  # noqa: SIM112


def _row(call_id: str, row: str) -> TableEntity:
    condition = "PartitionKey eq @partition and ( RowKey eq 'call' or RowKey eq @row )"
    (entity,) = _table.query_entities(condition, parameters={"partition": call_id, "row": row})
    return entity


@app.route("notifications", methods=["POST"])
def receive_notifications(req: func.HttpRequest) -> func.HttpResponse:
    """Mark the row of a finished operation, and add an event; the keys come with the report."""
    (item,) = json.loads(req.get_body())["value"]
    entity = _row(item["resourceUrl"].split("/")[3], item["resourceData"]["clientContext"])
    entity["status"] = item["resourceData"]["status"]
    event = {"PartitionKey": entity["PartitionKey"], "RowKey": uuid.uuid4().hex, "document": entity["document"]}
    guarded = {
        "mode": UpdateMode.REPLACE,
        "etag": entity.metadata["etag"],
        "match_condition": MatchConditions.IfNotModified,
    }
    _table.submit_transaction([("update", entity, guarded), ("create", event)])
    return func.HttpResponse(status_code=202)


@app.route("rows/{call}/{row}", methods=["GET"])
def read_row(req: func.HttpRequest) -> func.HttpResponse:
    """Return what a row holds."""
    entity = _row(req.route_params["call"], req.route_params["row"])
    return func.HttpResponse(json.dumps(dict(entity)), mimetype="application/json")
