from __future__ import annotations

import pytest

from domain.clouds import CLOUDS, UNSUPPORTED_CLOUDS

_US_GOV = ["us-gov-l4", "us-gov-l5"]


@pytest.mark.parametrize(
    ("name", "endpoint", "authority"),
    [
        ("global", "https://graph.microsoft.com", "https://login.microsoftonline.com"),
        ("us-gov-l4", "https://graph.microsoft.us", "https://login.microsoftonline.us"),
        ("us-gov-l5", "https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
    ],
)
def test_each_cloud_has_its_own_hosts(name: str, endpoint: str, authority: str) -> None:
    """A token of one cloud opens no other, so hosts and scope belong together."""
    cloud = CLOUDS[name]
    assert (cloud.name, cloud.endpoint, cloud.authority_host) == (name, endpoint, authority)
    assert cloud.scope == f"{endpoint}/.default"


@pytest.mark.parametrize("name", _US_GOV)
def test_the_us_government_clouds_lack_members(name: str) -> None:
    """Their schema declares ``identity`` and ``replacesCallId`` alone, and none of the derived identities."""
    cloud = CLOUDS[name]
    assert cloud.lacking_members == {"participantId", "hidden", "removeFromDefaultAudioRoutingGroup"}
    assert "communicationsPhoneIdentity" in cloud.lacking_identity_types
    assert "identity" not in cloud.lacking_identity_types


def test_the_global_cloud_lacks_nothing() -> None:
    """Whatever Graph documents can be sent there."""
    assert not CLOUDS["global"].lacking_members
    assert not CLOUDS["global"].lacking_identity_types


def test_china_is_known_and_not_supported() -> None:
    """It is refused with its reason instead of being taken for a typing error."""
    assert "china" not in CLOUDS
    assert "no calls" in UNSUPPORTED_CLOUDS["china"]
