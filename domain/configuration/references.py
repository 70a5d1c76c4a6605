"""Values that are no values: a reference that Azure did not resolve, or a placeholder that nothing filled in."""

from __future__ import annotations

import re

# https://learn.microsoft.com/azure/app-service/app-service-key-vault-references: where such a reference can't be
# resolved, the app gets its text. In quotes, or inside a longer value, Azure does not even try.
_REFERENCE = re.compile(
    r"[^A-Za-z0-9]{0,3}@\s*Microsoft\.(KeyVault|AppConfiguration)\b|\W{0,3}Microsoft\.KeyVault\s*\(", re.IGNORECASE
)
_INSIDE = re.compile(r"[=;,]@\s*Microsoft\.(KeyVault|AppConfiguration)\b", re.IGNORECASE)
_OF_VAULT = re.compile(
    r"['\"]?https://[a-z0-9-]+\.(vault|managedhsm)\.[a-z.]+/(secrets|certificates|keys)/", re.IGNORECASE
)
# As pipelines, templates and pages write what is to be filled in: ${X}, ${{ x }}, $(x), %X%, #{x}#, {{x}}, <x>, __X__.
_PLACEHOLDER = re.compile(
    r"\$\{\{?[^{}]*\}?\}|\$\([^()]*\)|%[A-Za-z_][\w.:-]*%|#\{[^{}]*\}#?|\{\{[^{}]*\}\}|<[A-Za-z][^<>]*>|__[A-Za-z]\w*__"
)


def is_reference(value: str) -> bool:
    """Return whether a value is a reference that only Azure resolves."""
    return _REFERENCE.match(value) is not None


def unresolved(name: str) -> str:
    """Return the sentence about a reference that was not resolved."""
    return (
        f"{name} is a reference that was not resolved: check its text, that the secret exists and is enabled, that the "
        "app's identity (keyVaultReferenceIdentity) may read it (Key Vault Secrets User), and the vault's firewall; "
        "on one machine nothing resolves it, so give the value itself"
    )


def unfilled(name: str, value: str) -> str | None:
    """Return the sentence about a value that stands for another one, wherever the app runs; None for any other."""
    if _INSIDE.search(value) and not is_reference(value):
        return f"{name} holds a reference inside its value, which Azure can't resolve: the vault must hold all of it"
    if _OF_VAULT.match(value):
        return (
            f"{name} is the URL of a Key Vault object and not its value: write @Microsoft.KeyVault(SecretUri=<the URL "
            "of the secret>), or give the value itself"
        )
    if _PLACEHOLDER.fullmatch(value):
        return f"{name} is a placeholder that nothing filled in: give its value, or remove the setting"
    return None
