"""The token endpoint: one request, and what its answer says (RFC 6749, sections 2.3.1, 3.2, 5).

The client authenticates with `client_secret_post` (id and secret in the body) or with
`client_secret_basic` (both form-encoded in an Authorization header); a client without a secret
names its id in the body. Redirects are not followed, since the body has secrets. An answer is
read to 64 KiB. It is JSON, whatever its content type says, or form-encoded, as older servers do.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
import re
from typing import Any, Final
from urllib.parse import parse_qsl, quote_plus

from aiohttp import ClientError, ClientTimeout, RequestInfo, StreamReader, hdrs
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.json import json_loads_object
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from .errors import InvalidResponseError, UnavailableError, error_class
from .models import ClientAuthMethod, DeveloperCredential

DEFAULT_AUTH_METHOD: Final = "client_secret_post"

REDACTED: Final = "**REDACTED**"

# Seconds for a whole request; characters of an answer, of a code and of a description.
TIMEOUT: Final = 30.0
MAX_ANSWER: Final = 65_536
MAX_TEXT: Final = 300
# Seconds. A server that means "never" may say any number; Home Assistant stores 64 bits.
MAX_EXPIRES_IN: Final = 2**31 - 1

_SECRET_FIELDS: Final = ("code", "code_verifier", "refresh_token")
_USUAL_CODE: Final = re.compile(r"[a-z_]{1,60}")


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
        auth_method: How a client with a secret authenticates.
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
            raise error_class(answer.status, answer.error)(
                domain=self.domain,
                request_info=self.request_info,
                status=answer.status,
                error=answer.error,
                error_description=answer.error_description,
            )
        if not answer.fields:
            raise InvalidResponseError(
                domain=self.domain, request_info=self.request_info, status=answer.status
            )
        return dict(answer.fields)

    def checked(
        self, fields: Mapping[str, Any], default_expires_in: object = None
    ) -> dict[str, Any]:
        """Return fields that are a token, their `expires_in` a number (RFC 6749, section 5.1).

        Args:
            fields: The fields of an answer.
            default_expires_in: The lifetime in seconds, where the server does not tell.

        Raises:
            InvalidResponseError: They are no token, or nothing is known of its lifetime.
        """
        access_token = fields.get("access_token")
        expires_in = _seconds(fields.get("expires_in", default_expires_in))
        if not isinstance(access_token, str) or not access_token or expires_in is None:
            raise InvalidResponseError(domain=self.domain, request_info=self.request_info)
        return {**fields, "expires_in": expires_in}

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
                fields = _fields(await _read(response.content))
        except (ClientError, TimeoutError) as err:
            raise UnavailableError(
                domain=self.domain,
                request_info=self.request_info,
                error_description=type(err).__name__,
            ) from None
        secrets = [self.credential.client_secret, *(data.get(name, "") for name in _SECRET_FIELDS)]
        sent = {text for secret in secrets if secret for text in (secret, quote_plus(secret))}
        sent.add(headers.get(hdrs.AUTHORIZATION, REDACTED).removeprefix("Basic "))
        return Answer(
            status=response.status,
            fields=fields,
            error=_code(fields.get("error"), sent),
            error_description=_plain(fields.get("error_description"), sent),
        )


def _authenticated(
    credential: DeveloperCredential, auth_method: ClientAuthMethod, data: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return body and headers of a request that the client makes (RFC 6749, section 2.3.1)."""
    headers: dict[str, str] = {hdrs.ACCEPT: "application/json"}
    if not credential.client_secret:
        return {**data, "client_id": credential.client_id}, headers
    if auth_method == "client_secret_basic":
        pair = f"{quote_plus(credential.client_id)}:{quote_plus(credential.client_secret)}"
        headers[hdrs.AUTHORIZATION] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return dict(data), headers
    return {
        **data,
        "client_id": credential.client_id,
        "client_secret": credential.client_secret,
    }, headers


async def _read(stream: StreamReader) -> bytes:
    """Return an answer, cut off where it is too long to be one."""
    answer = b""
    async for chunk in stream.iter_chunked(MAX_ANSWER):
        answer += chunk
        if len(answer) > MAX_ANSWER:
            break
    return answer[:MAX_ANSWER]


def _fields(answer: bytes) -> Mapping[str, Any]:
    """Return the fields of an answer; none where it cannot be read."""
    try:
        fields = json_loads_object(answer)
    except HomeAssistantError, ValueError:
        try:
            pairs = dict(parse_qsl(answer.decode(), max_num_fields=50))
        except ValueError:
            return {}
        return pairs if pairs.keys() & {"access_token", "error"} else {}
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


def _code(value: object, sent: set[str]) -> str:
    """Return an error code; one of the usual form as it is, though a secret may be a part of it."""
    usual = isinstance(value, str) and value not in sent and _USUAL_CODE.fullmatch(value)
    return str(value) if usual else _plain(value, sent)


def _plain(value: object, sent: Iterable[str]) -> str:
    """Return a text of the server as one short line, without what was sent to it."""
    if not isinstance(value, str):
        return ""
    # The longest first: one may be a part of another.
    for secret in sorted(sent, key=len, reverse=True):
        value = value.replace(secret, REDACTED)
    line = " ".join("".join(char if char.isprintable() else " " for char in value).split())
    return line if len(line) <= MAX_TEXT else f"{line[: MAX_TEXT - 1]}…"
