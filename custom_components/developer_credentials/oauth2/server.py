"""The authorization server: what it is, and what it wants (RFC 6749, section 1.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
import re
from typing import Final, TypedDict

from .client import AUTH_METHODS, ClientAuthMethod, DeveloperCredential
from .endpoint_url import check_endpoint
from .errors import InvalidServerError

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
