"""The token endpoint: one request, and what its answer says (RFC 6749, sections 2.3.1, 3.2, 5).

The client authenticates with `client_secret_post` (id and secret in the body), with
`client_secret_basic` (both form-encoded in an Authorization header), or with `none` (its id in the
body). Redirects are not followed, since the body has secrets. An answer is read to 64 KiB. It is
JSON, whatever its content type says, or form-encoded, as older servers do. The revocation endpoint
is asked the same way (RFC 7009, section 2.1).
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
import re
from typing import Any, Final
from urllib.parse import parse_qsl, quote, quote_plus

from aiohttp import ClientError, ClientTimeout, RequestInfo, StreamReader, hdrs
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.json import json_loads_object
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from ..const import LOGGER
from .errors import CLASSES, InvalidResponseError, UnavailableError, error_class
from .server import MAX_EXPIRES_IN, ClientAuthMethod, DeveloperCredential

REDACTED: Final = "**REDACTED**"

# Seconds for a whole request, within the 30 that Home Assistant's flows wait.
TIMEOUT: Final = 20.0
# Bytes of an answer; characters of an error description.
MAX_ANSWER: Final = 65_536
MAX_TEXT: Final = 300

# What must be in no text: of the body that is sent, and of the answer.
_SENT_SECRETS: Final = ("code", "code_verifier", "refresh_token", "token")
_GIVEN_SECRETS: Final = ("access_token", "refresh_token", "id_token")
_USUAL_NAME: Final = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What a token endpoint said.

    Attributes:
        status: The HTTP status.
        fields: The fields of the answer; empty where it has none that can be read.
        error: The error code, plain and short; empty without one.
        error_description: The explanation, likewise.
    """

    status: int
    fields: Mapping[str, Any]
    error: str
    error_description: str


@dataclass(frozen=True, slots=True, repr=False)
class TokenEndpoint:
    """A token endpoint, and the client that speaks to it.

    Attributes:
        hass: Home Assistant.
        url: The address.
        credential: The client.
        auth_method: How the client authenticates.
        domain: Who asks, for Home Assistant's messages.
    """

    hass: HomeAssistant
    url: str
    credential: DeveloperCredential
    auth_method: ClientAuthMethod
    domain: str

    async def async_request_token(self, data: Mapping[str, str]) -> dict[str, Any]:
        """Return the fields of the answer to a grant, unless they are an error.

        Args:
            data: The grant: the body without what is of the client.

        Raises:
            TokenRequestError: The answer is an error, or none; the class says why.
        """
        answer = await self.async_post(data)
        if answer.error or not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            kind = error_class(answer.status, answer.error)
            LOGGER.debug(
                "Token request for %s failed: %s (%s %s)",
                self.domain,
                kind.reason,
                answer.status,
                answer.error,
            )
            raise kind(
                domain=self.domain,
                request_info=self.request_info,
                status=answer.status,
                error=answer.error,
                error_description=answer.error_description,
            )
        return dict(answer.fields)

    def checked(
        self, fields: Mapping[str, Any], default_expires_in: object = None
    ) -> dict[str, Any]:
        """Return fields that are a token, their `expires_in` a number (RFC 6749, section 5.1).

        A refresh token that is none, null or an empty text, is left out.

        Args:
            fields: The fields of an answer.
            default_expires_in: The lifetime in seconds, where the server does not tell it.

        Raises:
            InvalidResponseError: They are no token, or nothing is known of its lifetime.
        """
        access_token, expires_in = fields.get("access_token"), fields.get("expires_in")
        seconds = _seconds(default_expires_in if expires_in is None else expires_in)
        if not isinstance(access_token, str) or not access_token or seconds is None:
            raise InvalidResponseError(domain=self.domain, request_info=self.request_info)
        token = {**fields, "expires_in": seconds}
        if not token.get("refresh_token"):
            token.pop("refresh_token", None)
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
        body, headers = _authenticated(self.credential, self.auth_method, data)
        try:
            async with async_get_clientsession(self.hass).post(
                self.url,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=ClientTimeout(total=TIMEOUT),
            ) as response:
                fields = _fields(await async_read(response.content))
        except (ClientError, TimeoutError) as err:
            raise UnavailableError(
                domain=self.domain,
                request_info=self.request_info,
                error_description=type(err).__name__,
            ) from None
        secrets = [
            self.credential.client_secret,
            *(data.get(name) for name in _SENT_SECRETS),
            *(fields.get(name) for name in _GIVEN_SECRETS),
        ]
        secret_texts = {
            text
            for secret in secrets
            if isinstance(secret, str) and secret
            for text in (secret, quote_plus(secret), quote(secret, safe=""), escape(secret))
        }
        secret_texts.add(headers.get(hdrs.AUTHORIZATION, REDACTED).removeprefix("Basic "))
        return Answer(
            status=response.status,
            fields=fields,
            error=_code(fields.get("error"), secret_texts),
            error_description=_plain(fields.get("error_description"), secret_texts),
        )


def _authenticated(
    credential: DeveloperCredential, auth_method: ClientAuthMethod, data: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return body and headers of a request that the client makes (RFC 6749, section 2.3.1)."""
    if auth_method == "none" or not credential.client_secret:
        return {**data, "client_id": credential.client_id}, {}
    if auth_method == "client_secret_basic":
        pair = f"{quote_plus(credential.client_id)}:{quote_plus(credential.client_secret)}"
        basic = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return dict(data), {hdrs.AUTHORIZATION: basic}
    return {
        **data,
        "client_id": credential.client_id,
        "client_secret": credential.client_secret,
    }, {}


async def async_read(stream: StreamReader) -> bytes:
    """Return an answer, nothing where it is too long to be one."""
    answer = b""
    async for chunk in stream.iter_chunked(MAX_ANSWER):
        answer += chunk
        if len(answer) > MAX_ANSWER:
            return b""
    return answer


def _fields(answer: bytes) -> Mapping[str, Any]:
    """Return the fields of an answer; none where it cannot be read."""
    try:
        fields = json_loads_object(answer)
    except HomeAssistantError, ValueError:
        try:
            pairs = dict(parse_qsl(answer.decode()))
        except ValueError:
            return {}
        # A page of HTML may have links with a query.
        return pairs if all(_USUAL_NAME.fullmatch(name) for name in pairs) else {}
    return fields


def _seconds(value: object) -> int | None:
    """Return a lifetime in seconds, None where there is none in the value."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except ValueError:
        return None
    return int(min(seconds, MAX_EXPIRES_IN)) if seconds >= 0 else None


def _code(value: object, secret_texts: set[str]) -> str:
    """Return an error code; a known one as it is, though a secret may be a part of it."""
    return value if isinstance(value, str) and value in CLASSES else _plain(value, secret_texts)


def _plain(value: object, secret_texts: Iterable[str]) -> str:
    """Return a text of the server as one short line, without what is secret."""
    if not isinstance(value, str):
        return ""
    # The longest first: one may be a part of another.
    for secret in sorted(secret_texts, key=len, reverse=True):
        value = value.replace(secret, REDACTED)
    line = " ".join("".join(char if char.isprintable() else " " for char in value).split())
    return line if len(line) <= MAX_TEXT else f"{line[: MAX_TEXT - 1]}…"
