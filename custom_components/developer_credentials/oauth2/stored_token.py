"""The token as a config entry keeps it, after its refreshes."""

from collections.abc import Mapping
from typing import Any, Final

# What is of the protocol (RFC 6749, section 5.1; OpenID Connect Core, section 3.1.3.3), and when
# Home Assistant has the token refreshed.
_KNOWN: Final = frozenset(
    {
        "access_token",
        "token_type",
        "expires_in",
        "expires_at",
        "refresh_token",
        "scope",
        "id_token",
    }
)

# Characters of all other fields together.
MAX_OTHER_FIELDS: Final = 16_384


def refreshed(token: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a token after a refresh; what the answer does not have stays.

    Servers add fields of their own, which integrations read (RFC 6749, section 5.1, has them
    ignored otherwise). Where these are too long together, the longest ones are left out, and of
    equally long ones those that the answer does not have: a server that names them anew each time
    would else let the storage grow with each refresh.

    Args:
        token: The token before.
        answer: The fields of the answer to the refresh.
    """
    merged = {**token, **answer}
    lengths = {
        name: len(name) + len(str(value)) for name, value in merged.items() if name not in _KNOWN
    }
    left = MAX_OTHER_FIELDS
    for name in sorted(lengths, key=lambda name: (lengths[name], name not in answer)):
        left -= lengths[name]
        if left < 0:
            del merged[name]
    return merged
