"""The client: an application of the user at the provider (RFC 6749, section 2)."""

from dataclasses import dataclass, field
from typing import Final, Literal, override

from .redirect_uri import RedirectUri

# Spaces and joiners, marks of direction, the soft hyphen, the byte order mark.
_ZERO_WIDTH = dict.fromkeys(
    [0xAD, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
)

# How a client authenticates at the token endpoint (RFC 7591, section 2; RFC 6749, section 2.3.1).
type ClientAuthMethod = Literal[
    "client_secret_post", "client_secret_basic", "client_secret_basic_unencoded", "none"
]
AUTH_METHODS: Final[tuple[ClientAuthMethod, ...]] = (
    "client_secret_post",
    "client_secret_basic",
    # For servers that do not decode what RFC 6749, section 2.3.1, has encoded.
    "client_secret_basic_unencoded",
    "none",
)


@dataclass(frozen=True, slots=True)
class DeveloperCredential:
    """A client id and secret, as the provider gave them to the user (RFC 6749, section 2.2).

    White space around id and secret and zero-width characters anywhere in them, the traces of
    copying from a web page, are removed. The representation leaves the secret out.

    Attributes:
        client_id: The client identifier.
        client_secret: The client secret; empty for a public client (RFC 6749, section 2.1).
        name: What the user calls the credential; None where the client id has to do.
        redirect_uri: The redirect URI that is registered with the provider.
        token_endpoint_auth_method: How the server accepts this client, where that was found to be
            another way than the declared one.

    Raises:
        ValueError: The client id is empty.
    """

    client_id: str
    client_secret: str = field(default="", repr=False)
    name: str | None = None
    redirect_uri: RedirectUri = field(default=RedirectUri.DEFAULT, kw_only=True)
    token_endpoint_auth_method: ClientAuthMethod | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Clean the values and check the client id."""
        object.__setattr__(self, "client_id", _clean(self.client_id))
        object.__setattr__(self, "client_secret", _clean(self.client_secret))
        object.__setattr__(self, "name", (self.name or "").strip() or None)
        if not self.client_id:
            raise ValueError("client_id is empty")

    @override
    def __str__(self) -> str:
        """Return what a person knows the credential by."""
        return self.name or self.client_id


def _clean(text: str) -> str:
    """Remove the white space around a pasted text, and the zero-width characters in it."""
    return text.translate(_ZERO_WIDTH).strip()
