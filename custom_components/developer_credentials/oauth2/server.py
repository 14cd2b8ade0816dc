"""The authorization server: what it is, and what it wants (RFC 6749, section 1.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
import re
from typing import Any, Final, Literal, TypedDict

from .client import AUTH_METHODS, ClientAuthMethod, DeveloperCredential
from .endpoint_url import check_endpoint
from .errors import InvalidServerError
from .server_variable import (
    ServerVariable,
    checked_variables,
    fill,
    unfit_variables,
    unknown_placeholders,
)

# How a request to the token endpoint has its parameters: as RFC 6749 has it, or as JSON.
type TokenRequestFormat = Literal["form", "json"]

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
# By field: those parameters, and the value of one that may be repeated.
_PARAMS: Final[dict[str, tuple[frozenset[str], dict[str, str]]]] = {
    "authorize_params": (_AUTHORIZE_PARAMS, {"response_type": "code"}),
    "token_params": (_TOKEN_PARAMS, {}),
    "code_params": (_TOKEN_PARAMS, {"grant_type": "authorization_code"}),
    "refresh_params": (_TOKEN_PARAMS, {"grant_type": "refresh_token"}),
}
# The fields that are URLs; of these, only the token endpoint has to be there.
_URLS: Final = (
    "authorize_url",
    "token_url",
    "refresh_url",
    "revocation_url",
    "device_authorization_url",
    "registration_url",
)
# A value that makes an endpoint of any template, for its check.
_ANY_VALUE: Final = "localhost"

# Seconds. A server that means "never" may say any number; Home Assistant stores 64 bits.
MAX_EXPIRES_IN: Final = 2**31 - 1


class ServerFields(TypedDict, total=False):
    """The fields of an `AuthorizationServer` by name."""

    authorize_url: str | None
    token_url: str
    scopes: Sequence[str]
    scope_separator: str
    pkce: bool | None
    token_endpoint_auth_method: ClientAuthMethod
    token_request_format: TokenRequestFormat
    authorize_params: Mapping[str, str]
    token_params: Mapping[str, str]
    code_params: Mapping[str, str]
    refresh_params: Mapping[str, str]
    default_expires_in: int | None
    refresh_url: str | None
    revocation_url: str | None
    device_authorization_url: str | None
    registration_url: str | None
    variables: Sequence[ServerVariable]


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """The OAuth2 authorization server of an integration, and what it wants (RFC 6749).

    `{key}` in a URL or in the value of a parameter stands for the user's value of a variable.

    Attributes:
        authorize_url: The authorization endpoint, where the user logs in and consents. A query
            that it has survives (RFC 6749, section 3.1). None where there is no login page, for
            grants without one.
        token_url: The token endpoint, where codes and refresh tokens become access tokens.
        scopes: What the application asks for (RFC 6749, section 3.3).
        scope_separator: What stands between the scopes; a space, unless the server wants another.
        pkce: Whether a login is bound to this instance by a code challenge, S256 (RFC 7636). None
            is for clients that have no secret to send.
        token_endpoint_auth_method: How a client with a secret authenticates (RFC 6749, section
            2.3.1); "none" sends no secret even where there is one (RFC 7591, section 2);
            "client_secret_basic_unencoded" is for servers that do not decode the Authorization
            header.
        token_request_format: Whether requests to the token endpoint are forms, or JSON.
        authorize_params: What the authorize URL has besides.
        token_params: What requests to the token endpoint have besides.
        code_params: What only those for a code have besides.
        refresh_params: What only refreshes have besides.
        default_expires_in: The lifetime of access tokens, in seconds, where the server does not
            tell it (RFC 6749, section 5.1); one of more than 68 years is taken for that.
        refresh_url: Where tokens are refreshed, if not at the token endpoint.
        revocation_url: The revocation endpoint (RFC 7009).
        device_authorization_url: The device authorization endpoint (RFC 8628).
        registration_url: The client registration endpoint (RFC 7591).
        variables: What of the server only the user knows.

    Raises:
        InvalidServerError: A ValueError. A field has a value that cannot be: an endpoint is not an
            absolute URL, has a fragment (RFC 6749, sections 3.1 and 3.2), or speaks plain http to
            a host that is not local; a scope is not one; a parameter is one that a request has by
            itself. The text names the field.
    """

    authorize_url: str | None
    token_url: str
    _: KW_ONLY
    scopes: Sequence[str] = ()
    scope_separator: str = " "
    pkce: bool | None = None
    token_endpoint_auth_method: ClientAuthMethod = "client_secret_post"  # noqa: S105 - no secret
    token_request_format: TokenRequestFormat = "form"  # noqa: S105 - no secret
    authorize_params: Mapping[str, str] = field(default_factory=dict, hash=False)
    token_params: Mapping[str, str] = field(default_factory=dict, hash=False)
    code_params: Mapping[str, str] = field(default_factory=dict, hash=False)
    refresh_params: Mapping[str, str] = field(default_factory=dict, hash=False)
    default_expires_in: int | None = None
    refresh_url: str | None = None
    revocation_url: str | None = None
    device_authorization_url: str | None = None
    registration_url: str | None = None
    variables: Sequence[ServerVariable] = ()

    def __post_init__(self) -> None:
        """Check the fields, and keep what may be changed elsewhere as it is now."""
        self._check_collections()
        for name in _URLS:
            if (url := getattr(self, name)) is not None or name == "token_url":
                self._check_url(name, url)
        if self.pkce is not None and not isinstance(self.pkce, bool):
            raise InvalidServerError("pkce is neither True, False nor None")
        if not isinstance(self.scope_separator, str) or not self.scope_separator:
            raise InvalidServerError("scope_separator is not text")
        if self.token_endpoint_auth_method not in AUTH_METHODS:
            raise InvalidServerError(
                f"token_endpoint_auth_method is none of {', '.join(AUTH_METHODS)}"
            )
        if self.token_request_format not in {"form", "json"}:
            raise InvalidServerError("token_request_format is neither form nor json")
        seconds = self.default_expires_in
        if seconds is not None and (type(seconds) is not int or seconds <= 0):
            raise InvalidServerError("default_expires_in is not a number of seconds")
        if seconds is not None:
            object.__setattr__(self, "default_expires_in", min(seconds, MAX_EXPIRES_IN))

    def _check_collections(self) -> None:
        """Check what is given of the fields that are lists or mappings."""
        if self.variables != ():
            object.__setattr__(self, "variables", checked_variables(self.variables))
        if self.scopes != ():
            object.__setattr__(self, "scopes", _checked_scopes(self.scopes))
        for name in _PARAMS:
            params = getattr(self, name)
            object.__setattr__(self, name, {} if params == {} else _checked_params(name, params))

    def _check_url(self, name: str, url: object) -> None:
        if not self.variables or not isinstance(url, str):
            check_endpoint(name, url)
            return
        for unknown in unknown_placeholders(url, self.variables):
            raise InvalidServerError(f"{name} has {{{unknown}}}, which is none of the variables")
        check_endpoint(name, fill(url, {one.key: _ANY_VALUE for one in self.variables}))

    def with_values(self, values: Mapping[str, str]) -> AuthorizationServer:
        """Return the server with the user's values in the place of its variables.

        Args:
            values: The values by key; a variable that is not among them has its default.

        Raises:
            InvalidServerError: A variable has no value, or one that it does not accept, or what
                comes of the values cannot be an endpoint. The text has no value.
        """
        if not self.variables:
            return self
        for variable in unfit_variables(self.variables, values):
            raise InvalidServerError(f"variables has no valid value for {variable.key!r}")
        known = {one.key: values.get(one.key) or one.default or "" for one in self.variables}
        # The fields are of two types, which a name does not tell.
        filled: dict[str, Any] = {"variables": ()}
        for name in _URLS:
            if (url := getattr(self, name)) is not None:
                filled[name] = fill(url, known)
        for name in _PARAMS:
            params = getattr(self, name)
            filled[name] = {key: fill(value, known) for key, value in params.items()}
        return replace(self, **filled)

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
        scope = {"scope": self.scope_separator.join(self.scopes)} if self.scopes else {}
        return {**scope, **self.authorize_params}

    def token_request_params(self, grant_type: str) -> dict[str, str]:
        """Return what a request to the token endpoint has besides the grant and the client."""
        of_grant = {
            "authorization_code": self.code_params,
            "refresh_token": self.refresh_params,
        }.get(grant_type, {})
        return {**self.token_params, **of_grant}


def _checked_scopes(scopes: Sequence[str]) -> tuple[str, ...]:
    """Return the scopes, each one a scope."""
    if isinstance(scopes, str):
        raise InvalidServerError(f"scopes is a text; write a list of texts: {scopes.split()!r}")
    if not isinstance(scopes, Sequence):
        raise InvalidServerError("scopes is not a list")
    for scope in scopes:
        if not isinstance(scope, str) or not _SCOPE_TOKEN.fullmatch(scope):
            raise InvalidServerError(f"scopes has {scope!r}, which is no scope")
    return tuple(scopes)


def _checked_params(name: str, params: Mapping[str, str]) -> dict[str, str]:
    """Return a copy of parameters, none of which the request has by itself in another way."""
    own, repeated = _PARAMS[name]
    if not isinstance(params, Mapping):
        raise InvalidServerError(f"{name} is not a mapping")
    for key, value in params.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise InvalidServerError(f"{name} has {key!r}, which is not text")
        if key in own and repeated.get(key) != value:
            raise InvalidServerError(f"{name} has {key!r}, which the request has by itself")
    return dict(params)
