"""Connection strings of storage accounts, whole and in pieces."""

from __future__ import annotations

import pytest
from azure.data.tables import TableClient

from domain.configuration.faults import Kind
from tests.configured import CONNECTION, faults, loaded

AZURITE = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;"
    "BlobEndpoint=http://127.0.0.1:1/d;QueueEndpoint=http://127.0.0.1:2/d;TableEndpoint=http://127.0.0.1:3/d"
)
SIGNED = "SharedAccessSignature=sv=2024-01-01&sig=c2ln;TableEndpoint=https://t.example;QueueEndpoint=https://q.example"


@pytest.mark.parametrize("short", ["UseDevelopmentStorage=true", "usedevelopmentstorage=TRUE;"])
def test_the_emulator_s_short_form(short: str) -> None:
    """``UseDevelopmentStorage=true`` is written out, since the table library does not know it with its blob ports."""
    text = loaded(AzureWebJobsStorage=short).storage.connection_string
    assert text is not None
    with TableClient.from_connection_string(text, "calls") as client:
        assert client.url == "http://127.0.0.1:10002/devstoreaccount1"


@pytest.mark.parametrize(
    "text",
    [
        CONNECTION,
        f"{CONNECTION};",
        CONNECTION.lower().replace("a2v5", "a2V5"),
        "AccountName=stinvites;AccountKey=a2V5",
        AZURITE,
        AZURITE.replace("127.0.0.1", "azurite"),
        SIGNED,
        "AccountName=stinvites;SharedAccessSignature=sv=2024-01-01&sig=c2ln",
        SIGNED.replace("sig=", "ss=bqt&se=2124-01-01T00:00:00Z&st=soon&sig="),
        f"{CONNECTION};BlobEndpoint=https://b.example/;BlobSecondaryEndpoint=https://s.example/",
    ],
)
def test_whole_ones(text: str) -> None:
    """What the host accepts is kept as it is."""
    assert loaded(AzureWebJobsStorage=text).storage.connection_string == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("AccountName=stinvites", "lacks AccountKey"),
        ("AccountKey=a2V5", "lacks AccountName"),
        ("AccountName=stinvites;AccountKey=", "lacks AccountKey"),
        ("DefaultEndpointsProtocol=https;EndpointSuffix=core.windows.net", "lacks AccountName and AccountKey"),
        (SIGNED.partition(";QueueEndpoint")[0], "lacks QueueEndpoint"),
        ("SharedAccessSignature=sv=2024&sig=c2ln", "lacks TableEndpoint and QueueEndpoint"),
        (f"{SIGNED};AccountKey=a2V5", "both AccountKey and SharedAccessSignature"),
        (f"{SIGNED};DefaultEndpointsProtocol=https", "has no AccountName"),
        (f"{CONNECTION};AccountName=other", "a part twice"),
        (f"{CONNECTION};Color=blue", "doesn't have"),
        ("UseDevelopmentStorage=true;AccountName=stinvites", "doesn't have"),
        ("Endpoint=sb://invites.servicebus.windows.net/;SharedAccessKeyName=k;SharedAccessKey=a2V5", "doesn't have"),
        ("https://stinvites.blob.core.windows.net", "is not a connection string"),
        ("https://stinvites.blob.core.windows.net/?sv=2024&sig=c2ln", "doesn't have"),
        ("stinvites", "is not a connection string"),
        (f"'{CONNECTION}'", "quotation mark"),
        (f'"{CONNECTION}"', "quotation mark"),
        (CONNECTION.replace("a2V5", "not/base64!"), "not Base64"),
        (CONNECTION.replace("a2V5", "a2V5a"), "not Base64"),
        (CONNECTION.replace("stinvites", "StInvites"), "an invalid AccountName"),
        (CONNECTION.replace("=https", "=ftp"), "DefaultEndpointsProtocol"),
        (CONNECTION.replace("core.windows.net", "https://core.windows.net"), "EndpointSuffix"),
        (f"{CONNECTION};QueueEndpoint=q.example", "an endpoint that is not a URL"),
        (f"{CONNECTION};QueueSecondaryEndpoint=https://q.example", "secondary endpoint"),
        ("lacking;" + CONNECTION, "is not a connection string"),
        (CONNECTION.replace(";", "; "), "doesn't have"),
        (CONNECTION.replace("AccountKey", "\nAccountKey"), "doesn't have"),
        ("AccountEndpoint=https://invites.documents.azure.com:443/;AccountKey=a2V5", "doesn't have"),
        (f"{CONNECTION};TableEndpoint=https://stone.blob.core.windows.net", "the URL of a blob service"),
        (f"{CONNECTION};QueueEndpoint=https://stone-secondary.queue.core.windows.net", "can only be read"),
        (f"{CONNECTION};TableEndpoint=https://stone.privatelink.table.core.windows.net", "private link zone"),
        (SIGNED.replace("sv=", "?sv="), "begins with a question mark"),
        (SIGNED.replace("sig=", "se=2024-06-30T12:00Z&sig="), "expired on 2024-06-30"),
        (SIGNED.replace("sig=", "se=2024-06-30&sig="), "expired on 2024-06-30"),
        (SIGNED.replace("sig=", "st=2124-06-30T12%3A00%3A00Z&sig="), "not valid before 2124-06-30 12:00"),
        (SIGNED.replace("sig=", "ss=bf&sig="), "isn't for the queue and the table service"),
        (SIGNED.replace("sig=", "ss=bq&sig="), "isn't for the table service"),
    ],
)
@pytest.mark.parametrize("name", ["AzureWebJobsStorage", "STATE_STORAGE"])
def test_parts_that_are_missing_or_wrong(name: str, text: str, words: str) -> None:
    """One sentence says which part it is, without the value."""
    (fault,) = faults(**{name: text})
    assert (fault.setting, fault.kind) == (name, Kind.INVALID)
    assert words in fault.text
    assert not any(secret in fault.text for secret in ("a2V5", "c2ln", "base64!"))


@pytest.mark.parametrize(
    "text",
    [
        "UseDevelopmentStorage=true",
        AZURITE,
        AZURITE.replace("http:", "https:"),
        CONNECTION.replace("=https", "=http"),
        f"{CONNECTION};QueueEndpoint=http://q.example",
        AZURITE.replace("127.0.0.1", "localhost"),
    ],
)
def test_the_emulator_and_plain_http_in_azure(text: str) -> None:
    """A deployed app can't reach the one and must not use the other."""
    loaded(AzureWebJobsStorage=text)
    (fault,) = faults(AzureWebJobsStorage=text, WEBSITE_INSTANCE_ID="1")
    assert fault.setting == "AzureWebJobsStorage"
