"""What the token endpoint says: a token, or an error (RFC 6749, section 5).

An answer is read to 64 KiB. It is JSON, whatever its content type says, or form-encoded, as older
servers do. No secret of the request or of the answer is in a text of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
import re
from typing import Any, Final
from urllib.parse import parse_qsl, quote, quote_plus

from aiohttp import StreamReader
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.json import json_loads_object

from .errors import CLASSES
from .server import MAX_EXPIRES_IN

REDACTED: Final = "**REDACTED**"

# Bytes of an answer; characters of an error description.
MAX_ANSWER: Final = 65_536
MAX_TEXT: Final = 300

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
        retry_after: The seconds that the server wants to be left alone for, where it says so.
    """

    status: int
    fields: Mapping[str, Any]
    error: str
    error_description: str
    retry_after: float | None = None

    @property
    def is_error(self) -> bool:
        """Whether the server did not do what it was asked for."""
        return bool(self.error) or not HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


def parse_answer(status: int, content: bytes, sent_secrets: Iterable[str | None]) -> Answer:
    """Return what an answer says.

    Args:
        status: The HTTP status.
        content: The body of the answer.
        sent_secrets: What of the request must be in no text.
    """
    fields = _fields(content)
    secrets = [*sent_secrets, *(fields.get(name) for name in _GIVEN_SECRETS)]
    secret_texts = {
        text
        for secret in secrets
        if isinstance(secret, str) and secret
        for text in (secret, quote_plus(secret), quote(secret, safe=""), escape(secret))
    }
    return Answer(
        status=status,
        fields=fields,
        error=_code(fields.get("error"), secret_texts),
        error_description=_plain(fields.get("error_description"), secret_texts),
    )


def parse_token(
    fields: Mapping[str, Any], default_expires_in: object = None
) -> dict[str, Any] | None:
    """Return fields that are a token, their `expires_in` a number (RFC 6749, section 5.1).

    None where they are no token, or nothing is known of its lifetime. A refresh token that is none,
    null or an empty text, is left out.

    Args:
        fields: The fields of an answer.
        default_expires_in: The lifetime in seconds, where the server does not tell it.
    """
    access_token, expires_in = fields.get("access_token"), fields.get("expires_in")
    seconds = _seconds(default_expires_in if expires_in is None else expires_in)
    if not isinstance(access_token, str) or not access_token or seconds is None:
        return None
    token = {**fields, "expires_in": seconds}
    if not token.get("refresh_token"):
        token.pop("refresh_token", None)
    return token


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
