"""What the token endpoint says: a token, or an error (RFC 6749, section 5).

An answer is read to 64 KiB. It is JSON, whatever its content type says, or form-encoded, as older
servers do. What it says of an error is found by `error_response`, judged by `error_codes`, and told
by `redaction`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
import re
import time
from typing import Any, Final
from urllib.parse import parse_qsl

from aiohttp import ClientError, ClientResponse, RequestInfo, StreamReader, hdrs
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.json import JSON_DECODE_EXCEPTIONS, json_loads

from .backoff import parse_retry_after
from .error_codes import error_class, is_name, kind_of
from .error_response import ErrorResponse, has_basic_challenge, parse_error
from .errors import TokenRequestError
from .redaction import given_secrets, redact
from .server import MAX_EXPIRES_IN

# Bytes of an answer.
MAX_ANSWER: Final = 65_536
# Seconds that a token is good for whose lifetime is told, and makes no sense.
FALLBACK_EXPIRES_IN: Final = 3_600

_CHARSET: Final = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)
_USUAL_NAME: Final = re.compile(r"[\w.\-\[\]]+")
# RFC 6749, appendix A.12.
_ACCESS_TOKEN: Final = re.compile(r"[\x20-\x7e]+")
# What servers call the time of expiry, or a lifetime, where they have no `expires_in`; a number of
# more than ten years is a time, in seconds since 1970.
_OTHER_LIFETIMES: Final = ("expires_on", "expires_at", "expires")
_TEN_YEARS: Final = 10 * 365 * 24 * 60 * 60


@dataclass(frozen=True, repr=False)
class Answer:
    """What a token endpoint said.

    Attributes:
        status: The HTTP status.
        fields: The fields of the answer; empty where it has none that can be read.
        error: The error code, plain and short; empty without one.
        error_description: The explanation, likewise.
        kind: What an error means; None where the server did what it was asked for.
        retry_after: The seconds that the server wants to be left alone for, where it says so.
    """

    status: int
    fields: Mapping[str, Any]
    error: str = ""
    error_description: str = ""
    kind: type[TokenRequestError] | None = None
    retry_after: float | None = None

    def as_error[E: TokenRequestError](
        self, kind: type[E], domain: str, request_info: RequestInfo
    ) -> E:
        """Return what to raise for the answer, which is an error.

        Args:
            kind: What the error means.
            domain: Who asked, for Home Assistant's messages.
            request_info: The request, without what is secret.
        """
        error = kind(
            domain=domain,
            request_info=request_info,
            status=self.status,
            error=self.error,
            error_description=self.error_description,
        )
        error.retry_after = self.retry_after
        return error


def parse_answer(
    status: int, headers: Mapping[str, str], content: bytes, sent: Iterable[str]
) -> Answer:
    """Return what an answer says.

    Args:
        status: The HTTP status.
        headers: The headers of the answer.
        content: Its body.
        sent: What of the request is in no text (`redaction.sent_secrets`).
    """
    text = _decode(content, headers.get(hdrs.CONTENT_TYPE, ""))
    body = _parse(text)
    fields: Mapping[str, Any] = body if isinstance(body, dict) else {}
    says_error = isinstance(fields.get("error"), str) and bool(fields["error"])
    if _is_good(status) and fields.get("access_token") and not says_error:
        # Most are, and nothing is looked for in them.
        return Answer(status, fields)
    challenge = headers.get(hdrs.WWW_AUTHENTICATE, "")
    response = parse_error(body, text, challenge)
    if (kind := _kind(status, fields, response, challenge)) is None:
        return Answer(status, fields)
    secrets = [*sent, *given_secrets(fields)]
    return Answer(
        status,
        fields,
        # A known name is told though a secret may be a part of it.
        response.code if is_name(response.code) else redact(response.code, secrets),
        redact(response.words, secrets),
        kind,
        parse_retry_after(status, headers.get(hdrs.RETRY_AFTER)),
    )


def _is_good(status: int) -> bool:
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def _kind(
    status: int, fields: Mapping[str, Any], response: ErrorResponse, challenge: str
) -> type[TokenRequestError] | None:
    """Return what an answer means as an error, None where it is none.

    Some servers say with a good status that something went wrong (GitHub, Slack, WeChat).
    """
    if _is_good(status) and not fields.get("access_token"):
        is_error = response.is_said or kind_of(response.code) is not None
        if not is_error:
            return None
    return error_class(
        status,
        response.code,
        says_error=response.is_said,
        basic_challenge=has_basic_challenge(challenge),
    )


def parse_token(
    fields: Mapping[str, Any], default_expires_in: object = None
) -> dict[str, Any] | None:
    """Return fields that are a token, their `expires_in` a number (RFC 6749, section 5.1).

    None where they are no token that a request could have, or nothing is known of its lifetime. A
    refresh token that is none (null, an empty text, another type) is left out.

    Args:
        fields: The fields of an answer.
        default_expires_in: The lifetime in seconds, where the server does not tell it.
    """
    access_token, seconds = fields.get("access_token"), _lifetime(fields, default_expires_in)
    if (
        not isinstance(access_token, str)
        or not _ACCESS_TOKEN.fullmatch(access_token)
        or seconds is None
    ):
        return None
    token = {**fields, "expires_in": seconds}
    refresh_token = token.get("refresh_token")
    if not isinstance(refresh_token, str) or not refresh_token:
        token.pop("refresh_token", None)
    return token


def _lifetime(fields: Mapping[str, Any], default: object) -> int | None:
    """Return the lifetime of a token in seconds, None where nothing is known of it."""
    told = _seconds(fields.get("expires_in"))
    if told is not None and told >= 0:
        return int(told)
    for name in _OTHER_LIFETIMES:
        if (other := _seconds(fields.get(name))) is not None and other > 0:
            return int(other - time.time() if other > _TEN_YEARS else other)
    if (known := _seconds(default)) is not None and known >= 0:
        return int(known)
    return None if told is None else FALLBACK_EXPIRES_IN


def _seconds(value: object) -> float | None:
    """Return a number of seconds, None where there is none in the value."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except OverflowError, ValueError:
        return None
    return None if seconds != seconds else min(seconds, MAX_EXPIRES_IN)  # noqa: PLR0124 - not a number


async def async_read(stream: StreamReader) -> bytes:
    """Return an answer, nothing where it is too long to be one."""
    answer = b""
    async for chunk in stream.iter_chunked(MAX_ANSWER):
        answer += chunk
        if len(answer) > MAX_ANSWER:
            return b""
    return answer


async def async_content(response: ClientResponse) -> bytes:
    """Return the body of an answer; of a refusal, nothing where it cannot be read.

    Its status has arrived, which is all that Home Assistant judges by.
    """
    try:
        return await async_read(response.content)
    except ClientError, TimeoutError:
        if HTTPStatus.BAD_REQUEST <= response.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return b""
        raise


def _decode(content: bytes, content_type: str) -> str:
    """Return an answer as text; what is not in its charset does not spoil the rest."""
    charset = _CHARSET.search(content_type)
    try:
        text = content.decode(charset[1] if charset else "utf-8", "replace")
    except LookupError, ValueError:
        # Not a charset, or none of texts.
        text = content.decode(errors="replace")
    # RFC 8259, section 8.1, lets a byte order mark be ignored.
    return text.removeprefix("\ufeff")


def _parse(text: str) -> object:
    """Return what a text is as JSON or a form; None where it is neither."""
    try:
        return json_loads(text)
    except (HomeAssistantError, *JSON_DECODE_EXCEPTIONS):
        pairs = dict(parse_qsl(text))
        # A page of HTML may have links with a query.
        return pairs if pairs and all(_USUAL_NAME.fullmatch(name) for name in pairs) else None
