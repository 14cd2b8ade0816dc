"""What can go wrong at the token endpoint, and what that means for the user and the entry.

One class for each kind of answer that is told apart (RFC 6749, section 5.2). All are Home
Assistant's own exceptions for token requests, so that coordinators and OAuth2Session do the right
thing without knowing these: a transient one is tried again, a reauth one has the user log in. So
does the set-up of an entry, also in Home Assistant 2026.9, whose exceptions do not say so yet.
"""

from http import HTTPStatus
from typing import ClassVar

from aiohttp import RequestInfo
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    ConfigEntryNotReady,
    OAuth2TokenRequestError,
    OAuth2TokenRequestReauthError,
    OAuth2TokenRequestTransientError,
)
from multidict import CIMultiDict, CIMultiDictProxy

from ..const import DOMAIN


class InvalidServerError(ValueError):
    """A server that cannot be as it is declared; the text names the field, and has no secret."""


class TokenRequestError(OAuth2TokenRequestError):
    """A token request that brought no token.

    Integrations judge by `status` as well. It follows the effect where the server's does not: a
    rejected client, which is a 400 or 401, must not look like a refused login.

    Its text may become the reason of an entry, which every user can read: it has words of ours, and
    of the request the method and the address without its query. The translation, which the frontend
    shows in its place, says what is to be done.

    Attributes:
        reason: The kind of failure, the end of the translation key for the user.
        http_status: The HTTP status of the server; 0 without an answer.
        error: The error code of the server, or an empty text.
        error_description: The server's explanation, or an empty text. Like the code it is plain,
            short, and free of what was sent. Without an answer it is ours: what failed.
        retry_after: The seconds that the server wants to be left alone for; None where it did not
            say so.
    """

    reason: ClassVar[str] = "refused"
    effects: ClassVar[range]
    """The statuses that have the effect; the first one stands for all others."""

    def __init__(
        self,
        *,
        domain: str,
        request_info: RequestInfo,
        status: int = 0,
        error: str = "",
        error_description: str = "",
    ) -> None:
        """Initialize with the answer of the server."""
        # Every user may read it as the reason of an entry; the server's words are for admins.
        message = self.reason
        if not status and error_description:
            message = f"{message}: {error_description}"
        url = request_info.real_url.with_query(None)
        super().__init__(
            domain=domain,
            request_info=RequestInfo(
                url, request_info.method, CIMultiDictProxy(CIMultiDict()), url
            ),
            status=status if status in self.effects else self.effects.start,
            message=message,
        )
        self.translation_domain = DOMAIN
        self.translation_key = f"token_{self.reason}"
        self.translation_placeholders = None
        self.http_status = status
        self.error = error
        self.error_description = error_description
        self.retry_after: float | None = None


class _TransientError(TokenRequestError, OAuth2TokenRequestTransientError, ConfigEntryNotReady):
    """It may succeed later."""

    effects = range(HTTPStatus.INTERNAL_SERVER_ERROR, 600)


class _ReauthError(TokenRequestError, OAuth2TokenRequestReauthError, ConfigEntryAuthFailed):
    """It succeeds after another login."""

    effects = range(HTTPStatus.BAD_REQUEST, HTTPStatus.TOO_MANY_REQUESTS)


class UnavailableError(_TransientError):
    """The server did not answer, or said that it cannot now (429, 5xx)."""

    reason = "unavailable"


class InvalidResponseError(_TransientError):
    """The answer is neither a token nor an error (RFC 6749, section 5.1)."""

    reason = "invalid_response"


class InvalidClientError(_TransientError):
    """The server does not accept the client: its id, its secret, or how it authenticates.

    Logging in again cannot help, so the integration keeps its refresh token and tries again.
    """

    reason = "invalid_client"


class InvalidGrantError(_ReauthError):
    """The code or refresh token has expired, was revoked, or is another client's."""

    reason = "invalid_grant"


class InvalidRedirectUriError(_ReauthError):
    """The redirect URI is not registered for the client."""

    reason = "invalid_redirect_uri"


class InvalidScopeError(_ReauthError):
    """The application may not have what the integration asks for (RFC 6749, section 5.2)."""

    reason = "invalid_scope"


class RefusedError(_ReauthError):
    """The server refused for another reason; Home Assistant has the user log in again."""
