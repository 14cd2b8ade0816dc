"""The values of the platform: the server of an integration, the credential of its user."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from ipaddress import ip_address
import re
from typing import Final, Literal, TypedDict, override

from homeassistant.util.network import is_local
from yarl import URL

# Spaces and joiners, marks of direction, the soft hyphen, the byte order mark.
_ZERO_WIDTH = dict.fromkeys(
    [0xAD, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
)

# Names that no public DNS serves (RFC 6761, RFC 6762, RFC 8375, ICANN's resolution on .internal).
_LOCAL_SUFFIXES = (".localhost", ".local", ".home.arpa", ".internal")

_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)

# RFC 6749, section 3.3.
_SCOPE_TOKEN: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")

# What a request says by itself; another value would break it (RFC 6749, RFC 7636).
_AUTHORIZE_PARAMS: Final = frozenset(
    {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
    }
)
_TOKEN_PARAMS: Final = frozenset(
    {
        "grant_type",
        "client_id",
        "client_secret",
        "code",
        "code_verifier",
        "redirect_uri",
        "refresh_token",
    }
)

# Seconds. A server that means "never" may say any number; Home Assistant stores 64 bits.
MAX_EXPIRES_IN: Final = 2**31 - 1

# How a client authenticates at the token endpoint (RFC 7591, section 2; RFC 6749, section 2.3.1).
type ClientAuthMethod = Literal["client_secret_post", "client_secret_basic", "none"]
AUTH_METHODS: Final[tuple[ClientAuthMethod, ...]] = (
    "client_secret_post",
    "client_secret_basic",
    "none",
)


class RedirectUri(StrEnum):
    """Which redirect URI the login comes back to (RFC 6749, section 3.1.2)."""

    DEFAULT = "default"
    """What Home Assistant takes: My Home Assistant where it is loaded, else this instance."""
    OWN = "own"
    """This instance itself, at the address by which the user has opened it."""
    MY = "my"
    """My Home Assistant, which leads the browser on to the instance that it knows."""


class InvalidServerError(ValueError):
    """A server that cannot be as it is declared; the text names the field, and has no secret."""


class ServerFields(TypedDict, total=False):
    """The fields of an `AuthorizationServer` by name."""

    authorize_url: str
    token_url: str
    scopes: Sequence[str]
    pkce: bool | None
    token_endpoint_auth_method: ClientAuthMethod
    authorize_params: Mapping[str, str]
    token_params: Mapping[str, str]
    default_expires_in: int | None
    revocation_url: str | None
    device_authorization_url: str | None
    registration_url: str | None


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """The OAuth2 authorization server of an integration, and what it wants (RFC 6749).

    Attributes:
        authorize_url: The authorization endpoint, where the user logs in and consents. A query
            that it has survives (RFC 6749, section 3.1).
        token_url: The token endpoint, where codes and refresh tokens become access tokens.
        scopes: What the application asks for (RFC 6749, section 3.3).
        pkce: Whether a login is bound to this instance by a code challenge, S256 (RFC 7636). None
            is for clients that have no secret to send.
        token_endpoint_auth_method: How a client with a secret authenticates (RFC 6749, section
            2.3.1); "none" sends no secret even where there is one (RFC 7591, section 2).
        authorize_params: What the authorize URL has besides.
        token_params: What requests to the token endpoint have besides.
        default_expires_in: The lifetime of access tokens, in seconds, where the server does not
            tell it (RFC 6749, section 5.1).
        revocation_url: The revocation endpoint (RFC 7009).
        device_authorization_url: The device authorization endpoint (RFC 8628).
        registration_url: The client registration endpoint (RFC 7591).

    Raises:
        InvalidServerError: A ValueError. A field has a value that cannot be: an endpoint is not an
            absolute URL, has a fragment (RFC 6749, sections 3.1 and 3.2), or speaks plain http to
            a host that is not local; a scope is not one; a parameter is one that a request has by
            itself. The text names the field.
    """

    authorize_url: str
    token_url: str
    _: KW_ONLY
    scopes: Sequence[str] = ()
    pkce: bool | None = None
    token_endpoint_auth_method: ClientAuthMethod = "client_secret_post"  # noqa: S105 - no secret
    authorize_params: Mapping[str, str] = field(default_factory=dict, hash=False)
    token_params: Mapping[str, str] = field(default_factory=dict, hash=False)
    default_expires_in: int | None = None
    revocation_url: str | None = None
    device_authorization_url: str | None = None
    registration_url: str | None = None

    def __post_init__(self) -> None:
        """Check the fields, and keep what may be changed elsewhere as it is now."""
        check_endpoint("authorize_url", self.authorize_url)
        check_endpoint("token_url", self.token_url)
        for name in ("revocation_url", "device_authorization_url", "registration_url"):
            if (url := getattr(self, name)) is not None:
                check_endpoint(name, url)
        object.__setattr__(self, "scopes", _checked_scopes(self.scopes))
        for name, own in (("authorize_params", _AUTHORIZE_PARAMS), ("token_params", _TOKEN_PARAMS)):
            params = _checked_params(name, getattr(self, name), own)
            object.__setattr__(self, name, params)
        if self.pkce is not None and not isinstance(self.pkce, bool):
            raise InvalidServerError("pkce is neither True, False nor None")
        if self.token_endpoint_auth_method not in AUTH_METHODS:
            raise InvalidServerError(
                f"token_endpoint_auth_method is none of {', '.join(AUTH_METHODS)}"
            )
        seconds = self.default_expires_in
        if seconds is not None and (type(seconds) is not int or not 0 < seconds <= MAX_EXPIRES_IN):
            raise InvalidServerError("default_expires_in is not a number of seconds")

    def auth_method_of(self, credential: DeveloperCredential) -> ClientAuthMethod:
        """Return how a client authenticates at the token endpoint."""
        if not credential.client_secret:
            return "none"
        return credential.token_endpoint_auth_method or self.token_endpoint_auth_method

    def uses_pkce(self, credential: DeveloperCredential) -> bool:
        """Return whether the logins of a client have a code challenge."""
        if self.pkce is None:
            return self.auth_method_of(credential) == "none"
        return self.pkce

    @property
    def extra_authorize_data(self) -> dict[str, str]:
        """What the authorize URL has besides the client and the state."""
        scope = {"scope": " ".join(self.scopes)} if self.scopes else {}
        return {**scope, **self.authorize_params}


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


def check_endpoint(name: str, value: str) -> None:
    """Raise InvalidServerError, naming the field, where a URL cannot be an endpoint."""
    try:
        url = URL(value)
    except (TypeError, ValueError) as err:
        raise InvalidServerError(f"{name} is not a URL") from err
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidServerError(f"{name} is not an absolute http or https URL")
    if url.raw_user is not None or url.raw_password is not None:
        raise InvalidServerError(f"{name} has a user name or password")
    if url.fragment or "#" in value:
        raise InvalidServerError(f"{name} has a fragment")
    if url.scheme == "http" and not _is_local_host(url.host):
        raise InvalidServerError(f"{name} must use https, since {url.host} is not a local host")


def _checked_scopes(scopes: Sequence[str]) -> tuple[str, ...]:
    """Return the scopes, each one a scope."""
    if isinstance(scopes, str) or not isinstance(scopes, Sequence):
        raise InvalidServerError("scopes is not a list")
    for scope in scopes:
        if not isinstance(scope, str) or not _SCOPE_TOKEN.fullmatch(scope):
            raise InvalidServerError(f"scopes has {scope!r}, which is no scope")
    return tuple(scopes)


def _checked_params(name: str, params: Mapping[str, str], own: frozenset[str]) -> Mapping[str, str]:
    """Return a copy of parameters, none of which is one that the request has by itself."""
    if not isinstance(params, Mapping):
        raise InvalidServerError(f"{name} is not a mapping")
    for key, value in params.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise InvalidServerError(f"{name} has {key!r}, which is not text")
        if key in own:
            raise InvalidServerError(f"{name} has {key!r}, which the request has by itself")
    return dict(params)


def _is_local_host(host: str) -> bool:
    """Return whether a host is this machine or one in its local network."""
    try:
        return is_local(ip_address(host))
    except ValueError:
        # A number is an address as well (WHATWG URL, section 3.5).
        return ("." not in host and not _NUMBER.fullmatch(host)) or host.endswith(_LOCAL_SUFFIXES)
