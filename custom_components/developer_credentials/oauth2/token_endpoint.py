"""The token endpoint: one request (RFC 6749, sections 2.3 and 3.2).

Redirects are not followed, since the body has secrets. The revocation endpoint is asked the same
way (RFC 7009, section 2.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import ClientError, ClientTimeout, RequestInfo, hdrs
from homeassistant.core import HomeAssistant
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from ..const import LOGGER
from .client import ClientAuthMethod, DeveloperCredential
from .client_authentication import authenticated
from .errors import InvalidResponseError, UnavailableError
from .http_session import async_get_session
from .redaction import sent_secrets
from .server import TokenRequestFormat
from .token_response import Answer, async_content, parse_answer, parse_token

# Seconds for a whole request, within the 30 that Home Assistant's flows wait.
TIMEOUT: Final = 20.0


@dataclass(frozen=True, repr=False)
class TokenEndpoint:
    """A token endpoint, and the client that speaks to it.

    Attributes:
        hass: Home Assistant.
        url: The address.
        credential: The client.
        auth_method: How the client authenticates.
        domain: Who asks, for Home Assistant's messages.
        request_format: Whether requests are forms, or JSON.
    """

    hass: HomeAssistant
    url: str
    credential: DeveloperCredential
    auth_method: ClientAuthMethod
    domain: str
    request_format: TokenRequestFormat = "form"

    async def async_request_token(self, data: Mapping[str, str]) -> dict[str, Any]:
        """Return the fields of the answer to a grant, unless they are an error.

        Args:
            data: The grant: the body without what is of the client.

        Raises:
            TokenRequestError: The answer is an error, or none; the class says why.
        """
        answer = await self.async_post(data)
        if answer.kind:
            LOGGER.debug(
                "Token request for %s failed: %s (%s %s)",
                self.domain,
                answer.kind.reason,
                answer.status,
                answer.error,
            )
            raise answer.as_error(answer.kind, self.domain, self.request_info)
        return dict(answer.fields)

    def checked(
        self, fields: Mapping[str, Any], default_expires_in: object = None
    ) -> dict[str, Any]:
        """Return fields that are a token, their `expires_in` a number (RFC 6749, section 5.1).

        Args:
            fields: The fields of an answer.
            default_expires_in: The lifetime in seconds, where the server does not tell it.

        Raises:
            InvalidResponseError: They are no token, or nothing is known of its lifetime.
        """
        if (token := parse_token(fields, default_expires_in)) is None:
            raise InvalidResponseError(domain=self.domain, request_info=self.request_info)
        return token

    @property
    def request_info(self) -> RequestInfo:
        """The request, for exceptions; without headers, which they show."""
        url = URL(self.url)
        return RequestInfo(url, hdrs.METH_POST, CIMultiDictProxy(CIMultiDict()), url)

    async def async_post(self, data: Mapping[str, str]) -> Answer:
        """Send a request and return what the endpoint says.

        Args:
            data: The body without what is of the client.

        Raises:
            UnavailableError: There is no answer.
        """
        body, headers = authenticated(self.credential, self.auth_method, data)
        sent = sent_secrets(self.url, body, headers.get(hdrs.AUTHORIZATION, ""))
        try:
            async with async_get_session(self.hass).post(
                self.url,
                data=None if self.request_format == "json" else body,
                json=body if self.request_format == "json" else None,
                headers=headers,
                allow_redirects=False,
                timeout=ClientTimeout(total=TIMEOUT),
            ) as response:
                return parse_answer(
                    response.status,
                    response.headers,
                    await async_content(response),
                    [self.credential.client_secret, *sent],
                )
        except (ClientError, TimeoutError) as err:
            failure = type(err).__name__
        # Not within: what is raised there keeps the request.
        raise UnavailableError(
            domain=self.domain, request_info=self.request_info, error_description=failure
        )
