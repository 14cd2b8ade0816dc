"""The values of the platform: the server of an integration, the credential of its user."""

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from typing import Literal, override

from homeassistant.util.network import is_local
from yarl import URL

# Spaces and joiners, marks of direction, the soft hyphen, the byte order mark.
_ZERO_WIDTH = dict.fromkeys(
    [0xAD, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
)

# Names that no public DNS serves (RFC 6761, RFC 6762, RFC 8375, ICANN's resolution on .internal).
_LOCAL_SUFFIXES = (".localhost", ".local", ".home.arpa", ".internal")


# How a client with a secret authenticates at the token endpoint (RFC 6749, section 2.3.1).
type ClientAuthMethod = Literal["client_secret_post", "client_secret_basic"]


class RedirectUri(StrEnum):
    """Which redirect URI the login comes back to (RFC 6749, section 3.1.2)."""

    DEFAULT = "default"
    """What Home Assistant takes: My Home Assistant where it is loaded, else this instance."""
    OWN = "own"
    """This instance itself, at the address by which the user has opened it."""
    MY = "my"
    """My Home Assistant, which leads the browser on to the instance that it knows."""


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """The OAuth2 authorization server of an integration (RFC 6749, section 3).

    Attributes:
        authorize_url: The authorization endpoint, where the user logs in and consents.
        token_url: The token endpoint, where codes and refresh tokens become access tokens.

    Raises:
        ValueError: An endpoint is not an absolute URL, has a fragment (RFC 6749, sections 3.1
            and 3.2), or speaks plain http to a host that is not local. The text names the field.
    """

    authorize_url: str
    token_url: str

    def __post_init__(self) -> None:
        """Check the endpoints."""
        _check_endpoint("authorize_url", self.authorize_url)
        _check_endpoint("token_url", self.token_url)


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
            another way than `client_secret_post`.

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


def _check_endpoint(name: str, value: str) -> None:
    """Raise ValueError, naming the field, where a URL cannot be an endpoint."""
    try:
        url = URL(value)
    except (TypeError, ValueError) as err:
        raise ValueError(f"{name} is not a URL") from err
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"{name} is not an absolute http or https URL")
    if url.fragment or "#" in value:
        raise ValueError(f"{name} has a fragment")
    if url.scheme == "http" and not _is_local_host(url.host):
        raise ValueError(f"{name} must use https, since {url.host} is not a local host")


def _is_local_host(host: str) -> bool:
    """Return whether a host is this machine or one in its local network."""
    try:
        return is_local(ip_address(host))
    except ValueError:
        return "." not in host or host.endswith(_LOCAL_SUFFIXES)
