"""What the token endpoint says: a token, or an error (RFC 6749, section 5).

An answer is read to 64 KiB. It is JSON, whatever its content type says, or form-encoded, as older
servers do. What it says in words is told by `redaction`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
import re
from typing import Any, Final
from urllib.parse import parse_qsl

from aiohttp import StreamReader
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.json import json_loads_object

from .errors import CLASSES
from .redaction import given_secrets, redact
from .server import MAX_EXPIRES_IN

# Bytes of an answer.
MAX_ANSWER: Final = 65_536

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


def parse_answer(status: int, content: bytes, sent: Iterable[str]) -> Answer:
    """Return what an answer says.

    Args:
        status: The HTTP status.
        content: The body of the answer.
        sent: What of the request is in no text (`redaction.sent_secrets`).
    """
    fields = _fields(content)
    secrets = [*sent, *given_secrets(fields)]
    return Answer(
        status=status,
        fields=fields,
        error=_code(fields.get("error"), secrets),
        error_description=_words(fields.get("error_description"), secrets),
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


def _code(value: object, secrets: Iterable[str]) -> str:
    """Return an error code; a known one as it is, though a secret may be a part of it."""
    return value if isinstance(value, str) and value in CLASSES else _words(value, secrets)


def _words(value: object, secrets: Iterable[str]) -> str:
    """Return what the server says, where it is text."""
    return redact(value, secrets) if isinstance(value, str) else ""
