"""Error codes: what servers call what went wrong, and what that means (RFC 6749, section 5.2).

A known code decides, whatever the status of the answer; only a server that says by its status that
it cannot answer now is believed first. Where no code is known, the status decides, as in Home
Assistant, and a refusal that need not be the authorization server's own is tried again.
"""

from http import HTTPStatus
import re
from typing import Final

from .errors import (
    InvalidClientError,
    InvalidGrantError,
    InvalidRedirectUriError,
    InvalidResponseError,
    InvalidScopeError,
    RefusedError,
    TokenRequestError,
    UnavailableError,
)

# By meaning: the names of the RFCs (6749, 6750, 7591, 8628) first, then those that servers have for
# it, each with where it was seen. They are compared by their letters and digits alone.
_NAMES: Final[dict[type[TokenRequestError], tuple[str, ...]]] = {
    InvalidClientError: (
        "invalid_client",
        "unauthorized_client",
        "application_cannot_be_found",  # Shopify
        "bad_client_id",  # HubSpot
        "bad_client_secret",  # HubSpot, Slack
        "Client Authentication failed",  # PayPal, in its message
        "client_id invalid",  # Strava, of a field and a code
        "client_secret invalid",  # Strava; Fitbit, in its message
        "deleted_client",  # Google
        "disabled_client",  # Google
        "Error validating application",  # Facebook, in its message
        "Error validating client secret",  # Facebook, in its message
        "incorrect_client_credentials",  # GitHub
        "Invalid client or Invalid client credentials",  # Keycloak, in its description
        "Invalid platform app",  # Instagram, in its message
        "InvalidClientIdentifier",  # Apigee
        "invalid_client_id",  # LinkedIn, Salesforce, Slack
        "invalid_client_secret",  # Twitch, in its message
        "invalid_client_credentials",
        "Missing authorization header",  # a server that wants client_secret_basic
    ),
    InvalidGrantError: (
        "invalid_grant",
        "expired_token",
        "bad_auth_code",  # HubSpot
        "bad_refresh_token",  # GitHub, HubSpot
        "bad_verification_code",  # GitHub
        "code invalid",  # Strava
        "code_already_used",  # Slack
        "expired_auth_code",  # HubSpot
        "invalid_authorization_code",
        "invalid_code",  # Slack; Withings, in its message
        "invalid_refresh_token",  # Apigee, Slack; Twitch, in its message
        "refresh_token invalid",  # Strava
        "This authorization code has been used",  # Facebook, in its message
    ),
    InvalidRedirectUriError: (
        "invalid_redirect_uri",
        "bad_redirect_uri",  # Slack
        "Mismatching redirect URI",  # oauthlib, in its description
        "redirect_uri invalid",  # Strava
        "redirect_uri_mismatch",  # GitHub, Google
    ),
    InvalidScopeError: (
        "invalid_scope",
        "scope invalid",  # Strava
    ),
    UnavailableError: (
        "server_error",
        "slow_down",
        "temporarily_unavailable",
        "internal_server_error",
        "rate_limit_exceeded",  # Salesforce; Exact, in its description
        "rate_limited",  # Slack
        "request_limit_exceeded",  # Salesforce
        "service_unavailable",
        "too_many_requests",
    ),
}
_NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9]")
# What stands between the parts of a code: "oauth.v2.InvalidClientIdentifier", "invalid_code: ...".
_BETWEEN_PARTS: Final = re.compile(r"[:.]")


def _key(name: str) -> str:
    return _NOT_IN_A_NAME.sub("", name.lower())


_KINDS: Final = {_key(name): kind for kind, names in _NAMES.items() for name in names}
# Characters of a text in which a code is looked for.
_MAX_CODE: Final = 200

# Client errors that are an answer of the authorization server only where they say which error.
_REFUSED_WITH_ERROR: Final = frozenset(
    {HTTPStatus.FORBIDDEN, HTTPStatus.GONE, HTTPStatus.UNPROCESSABLE_ENTITY}
)
_REFUSED: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED})


def kind_of(error: str) -> type[TokenRequestError] | None:
    """Return what an error code means, None where it is not known.

    Args:
        error: The code; also a sentence that begins or ends with one.
    """
    if len(error) > _MAX_CODE:
        return None
    for part in (error, *_BETWEEN_PARTS.split(error)):
        if kind := _KINDS.get(_key(part)):
            return kind
    return None


def is_name(error: str) -> bool:
    """Return whether an error code is one of the known names, in whatever case."""
    return len(error) <= _MAX_CODE and _key(error) in _KINDS


def error_class(
    status: int, error: str, *, says_error: bool = False, basic_challenge: bool = False
) -> type[TokenRequestError]:
    """Return the class for an answer that is no token.

    Args:
        status: The HTTP status.
        error: The error code, empty where the answer has none.
        says_error: Whether the answer is an object that says which error it is.
        basic_challenge: Whether it asks for the client's authentication in an Authorization header,
            which with 401 answers a failed one (RFC 6749, section 5.2).
    """
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UnavailableError
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return InvalidResponseError
    if kind := kind_of(error):
        return kind
    if status == HTTPStatus.UNAUTHORIZED and basic_challenge:
        return InvalidClientError
    if (
        status < HTTPStatus.MULTIPLE_CHOICES
        or status in _REFUSED
        or (says_error and status in _REFUSED_WITH_ERROR)
    ):
        return RefusedError
    # A firewall's page, a proxy's time-out: the grant may be as good as before.
    return UnavailableError
