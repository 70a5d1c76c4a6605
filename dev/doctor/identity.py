"""Whether a managed identity can be used where this process runs."""

from __future__ import annotations

from msal import managed_identity

_ELSEWHERE = frozenset({managed_identity.DEFAULT_TO_VM, managed_identity.CLOUD_SHELL})


def is_within_reach() -> bool:
    """Tell whether Azure gave this process an identity to ask for; nothing is asked of the network.

    A virtual machine and Cloud Shell have identities of their own, which are not the function app's.
    """
    return managed_identity.get_managed_identity_source() not in _ELSEWHERE
