"""The token request that Home Assistant would make, and what the answer to it means.

The answer is given, or an exception raised, as Home Assistant would: classes of integrations look
at both. What it means is noted beside that.
"""

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, cast, override

from aiohttp import ClientError, ClientResponse, ClientResponseError, RequestInfo, hdrs
from homeassistant import exceptions
from homeassistant.exceptions import (
    OAuth2TokenRequestError,
    OAuth2TokenRequestReauthError,
    OAuth2TokenRequestTransientError,
)
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.config_entry_oauth2_flow import (
    LocalOAuth2Implementation,
)
from multidict import CIMultiDict, CIMultiDictProxy

from ..const import DOMAIN, LOGGER
from ..oauth2.client import ClientAuthMethod, DeveloperCredential
from ..oauth2.client_authentication import authenticated
from ..oauth2.errors import TokenRequestError
from ..oauth2.redaction import sent_secrets
from ..oauth2.token_response import MAX_ANSWER, parse_answer

# What Home Assistant raises where no usable answer came; it has it since 2026.10.
CONNECTION_ERROR: Final[type[exceptions.OAuth2TokenRequestConnectionError] | None] = getattr(
    exceptions, "OAuth2TokenRequestConnectionError", None
)

# The ways to authenticate that Home Assistant has.
_AUTH_METHODS: Final[tuple[ClientAuthMethod, ...]] = ("client_secret_post", "client_secret_basic")


@dataclass(repr=False)
class Asking:
    """A call that leads to token requests, and what the last one of them came to.

    Attributes:
        implementation: Whose call it is.
        domain: The integration.
        client: Client id and secret as it began.
        was_asked: Whether a request was made here.
        meaning: Why it brought no token; None where it did, or where that is not known.
        error: What was raised for it, which is what Home Assistant would raise.
    """

    implementation: LocalOAuth2Implementation
    domain: str
    client: tuple[str, str]
    was_asked: bool = False
    meaning: TokenRequestError | None = None
    error: Exception | None = None


# The call that this task is in; None outside of one.
ASKING: ContextVar[Asking | None] = ContextVar(f"{DOMAIN}_asking", default=None)


def guarded[T](domain: str, call: Callable[[], T]) -> T | None:
    """Return what a call of ours returns; None where it fails, which nobody else may notice."""
    try:
        return call()
    except Exception as err:  # noqa: BLE001 - it is a defect, and the request goes on without us
        LOGGER.warning("A token request of %s is as without us: %s", domain, type(err).__name__)
        return None


def client_of(implementation: LocalOAuth2Implementation) -> tuple[str, str]:
    """Return the client id and secret of an implementation, read as token requests do."""
    values = vars(implementation)
    return values["client_id"], values["client_secret"] or ""


class ImplementationAtTheEnd(LocalOAuth2Implementation):
    """What stands right before Home Assistant's own class."""

    @override
    async def _token_request(self, data: dict[str, Any]) -> dict[str, Any]:
        """Make Home Assistant's own request, and note what the answer means.

        Raises:
            Exception: What Home Assistant would raise, with the status of the server.
        """
        asking = ASKING.get()
        request = None
        if asking and asking.implementation is self:
            request = guarded(asking.domain, lambda: _prepared(self, data))
        if asking is None or request is None:
            return await super()._token_request(data)
        body, headers = request
        asking.was_asked, asking.meaning, asking.error = True, None, None
        try:
            response = await async_get_clientsession(self.hass).post(
                self.token_url, data=body, headers=headers
            )
            content = await _async_content(response)
            asking.meaning = guarded(
                asking.domain,
                lambda: _meaning_of(
                    asking.domain,
                    response,
                    content,
                    sent_secrets(self.token_url, body, headers.get(hdrs.AUTHORIZATION, "")),
                ),
            )
            response.raise_for_status()
            return cast(dict[str, Any], await response.json())
        except ClientError as err:
            failure = err
            if (error := guarded(asking.domain, lambda: _as_home_assistant(self, failure))) is None:
                raise
        # Not within: what is raised there keeps the request.
        asking.error = error
        raise error


def _prepared(
    implementation: LocalOAuth2Implementation, data: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, str]] | None:
    """Return body and headers of Home Assistant's request; None where they are not known here."""
    method: ClientAuthMethod | None = "client_secret_post"
    if hasattr(LocalOAuth2Implementation, "token_auth_method"):
        # Home Assistant has it since 2026.11.
        told = getattr(implementation, "token_auth_method", "")
        method = next((one for one in _AUTH_METHODS if one == told), None)
    client = client_of(implementation)
    if method is None or (method == "client_secret_basic" and not client[1]):
        return None
    try:
        credential = DeveloperCredential(*client)
    except AttributeError, TypeError, ValueError:
        return None
    if client != (credential.client_id, credential.client_secret):
        # It is sent as it is.
        return None
    return authenticated(credential, method, data)


async def _async_content(response: ClientResponse) -> bytes:
    """Return the body of an answer; nothing where it cannot be read, which who needs it notices."""
    try:
        return await response.read()
    except ClientError:
        return b""


def _meaning_of(
    domain: str, response: ClientResponse, content: bytes, sent: Iterable[str]
) -> TokenRequestError | None:
    """Return why an answer is no token; None where it is one, or where that is not known."""
    content = content if len(content) <= MAX_ANSWER else b""
    answer = parse_answer(response.status, response.headers, content, sent)
    if answer.kind is None:
        return None
    return answer.as_error(answer.kind, domain, _without_headers(response.request_info))


def _as_home_assistant(
    implementation: LocalOAuth2Implementation, err: ClientError
) -> Exception | None:
    """Return what Home Assistant makes of a failure; None where it lets it through.

    It is without the headers of the request, which may have the secret.
    """
    # The attribute is Home Assistant's own since 2026.10.
    domain = getattr(implementation, "service_domain", vars(implementation)["_domain"])
    if not isinstance(err, ClientResponseError):
        return CONNECTION_ERROR(domain=domain) if CONNECTION_ERROR else None
    if err.status < HTTPStatus.BAD_REQUEST and not CONNECTION_ERROR:
        # It is no JSON.
        return None
    kind = OAuth2TokenRequestError
    if err.status == HTTPStatus.TOO_MANY_REQUESTS or err.status in range(500, 600):
        kind = OAuth2TokenRequestTransientError
    elif err.status in range(400, 500):
        kind = OAuth2TokenRequestReauthError
    request = guarded(domain, lambda: _without_headers(err.request_info))
    return kind(
        request_info=request or err.request_info,
        history=err.history,
        status=err.status,
        message=err.message,
        headers=err.headers,
        domain=domain,
    )


def _without_headers(request: RequestInfo) -> RequestInfo:
    """Return a request as exceptions show it."""
    return request._replace(headers=CIMultiDictProxy(CIMultiDict()))
