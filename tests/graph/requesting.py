"""A request that is to fail soon."""

from __future__ import annotations

import pytest
import requests

LIMITS = (0.5, 0.5)


def failure(session: requests.Session, url: str) -> requests.RequestException:
    """Return why a POST failed."""
    with pytest.raises(requests.RequestException) as caught:
        session.post(url, json={"ring": "once"}, timeout=LIMITS)
    return caught.value
