"""Made-up alerts in the forms that their senders document.

Azure Monitor: learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema. Alertmanager:
prometheus.io/docs/alerting/latest/configuration/#webhook_config. Grafana: grafana.com/docs, *Configure webhook
notifications*. PagerDuty: developer.pagerduty.com/docs/webhooks-overview, version 3.
"""

from __future__ import annotations

from typing import Any

AZURE: dict[str, Any] = {
    "schemaId": "azureMonitorCommonAlertSchema",
    "data": {
        "essentials": {
            "alertId": "/subscriptions/s/Microsoft.AlertsManagement/alerts/0f0e0d0c-1111-4222-8333-444455556666",
            "alertRule": "Checkout is down",
            "severity": "Sev1",
            "signalType": "Metric",
            "monitorCondition": "Fired",
            "monitoringService": "Platform",
            "alertTargetIDs": ["/subscriptions/s/resourcegroups/shop/providers/microsoft.web/sites/checkout"],
            "originAlertId": "s_shop_microsoft.insights_metricalerts_checkout",
            "firedDateTime": "2026-03-01T02:03:04.5678Z",
            "description": "",
            "essentialsVersion": "1.0",
            "alertContextVersion": "1.0",
        },
        "alertContext": {"conditionType": "SingleResourceMultipleMetricCriteria", "condition": {"allOf": []}},
    },
}
_ALERT: dict[str, Any] = {
    "status": "firing",
    "labels": {"alertname": "CheckoutDown", "severity": "critical", "service": "checkout"},
    "annotations": {"summary": "Checkout is down", "description": "No request succeeds."},
    "startsAt": "2026-03-01T02:03:04.567Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus.example/graph?g0.expr=up",
    "fingerprint": "a1b2c3d4e5f60718",
}
_GROUP: dict[str, Any] = {
    "receiver": "call-invites",
    "status": "firing",
    "alerts": [{**_ALERT, "status": "resolved", "fingerprint": "ffffffffffffffff"}, _ALERT],
    "groupLabels": {"alertname": "CheckoutDown"},
    "commonLabels": {"alertname": "CheckoutDown", "service": "checkout"},
    "commonAnnotations": {},
    "externalURL": "http://alertmanager.example",
    "groupKey": '{}:{alertname="CheckoutDown"}',
    "truncatedAlerts": 0,
}
ALERTMANAGER: dict[str, Any] = {"version": "4", **_GROUP}
GRAFANA: dict[str, Any] = {
    "version": "1",
    "orgId": 1,
    "title": "[FIRING:1] Checkout is down",
    "state": "alerting",
    "message": "**Firing**",
    **_GROUP,
}
PAGERDUTY: dict[str, Any] = {
    "event": {
        "id": "01ABCDEFGHIJKLMNOPQRSTUVWX",
        "event_type": "incident.triggered",
        "resource_type": "incident",
        "occurred_at": "2026-03-01T02:03:04.567Z",
        "agent": None,
        "client": None,
        "data": {
            "id": "Q1A2B3C4D5E6F7",
            "type": "incident",
            "self": "https://api.pagerduty.com/incidents/Q1A2B3C4D5E6F7",
            "html_url": "https://example.pagerduty.com/incidents/Q1A2B3C4D5E6F7",
            "number": 2,
            "status": "triggered",
            "incident_key": "checkout",
            "title": "Checkout is down",
            "service": {"id": "PF9KMXH", "summary": "Checkout", "type": "service_reference"},
            "assignees": [{"id": "PTUXL6G", "summary": "Anna", "type": "user_reference"}],
            "priority": {"id": "PSO75BM", "summary": "P1", "type": "priority_reference"},
            "urgency": "high",
        },
    }
}
KNOWN = {"Azure Monitor": AZURE, "Alertmanager": ALERTMANAGER, "Grafana": GRAFANA, "PagerDuty": PAGERDUTY}
