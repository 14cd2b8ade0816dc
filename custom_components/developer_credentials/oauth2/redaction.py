"""Redaction: what a server says is told without what is secret, by one rule for all of its words.

Secret is every value that was sent, unless it is a word of the protocol, and every token that was
given. Servers repeat what they got, and escape it: for a URL, a form, HTML or JSON, more than once
at times, in upper or lower case. A text is therefore looked at as it came and after each decoding.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from itertools import groupby
from operator import itemgetter
import re
from sys import maxunicode
from typing import Final
from unicodedata import category

from yarl import URL

from ..plain_text import join_surrogates, plain_line

REDACTED: Final = "**REDACTED**"

# Parameters whose values are told: names of the protocol, and what users have to compare.
_HARMLESS_NAMES: Final = frozenset(
    {"client_id", "grant_type", "redirect_uri", "response_type", "scope", "token_type_hint"}
)
# Words of the protocol, whatever parameter has them (RFC 6749; OpenID Connect Core, section 3.1.2).
_HARMLESS_WORDS: Final = frozenset(
    {
        "access_token",
        "authorization_code",
        "bearer",
        "client_credentials",
        "code",
        "email",
        "false",
        "id_token",
        "jwt",
        "offline_access",
        "openid",
        "password",
        "profile",
        "refresh_token",
        "token",
        "true",
    }
)
_TOKEN_NAME: Final = re.compile(r"(token|secret|assertion)$", re.IGNORECASE)

# Tokens that an answer gives, at the most; usual are three.
_MAX_TOKENS: Final = 16
# Characters of a text that are looked at, and how often it may be escaped.
_WINDOW: Final = 2_048
_MAX_ESCAPED: Final = 4
# Characters that make a value worth finding within a word.
_MIN_LENGTH: Final = 5
# Characters at the end of a text that was cut, which may be the half of something; and those by
# which the beginning of a secret is known.
_TAIL: Final = 40
_HEAD: Final = 8

# Each stands for one character: in a URL (two bytes or more are UTF-8), in HTML, in JSON.
_ESCAPE: Final = re.compile(
    r"""%[c-f][0-9a-f](?:%[89ab][0-9a-f])+|%[0-9a-f]{2}
    |&(?:\#[0-9]{1,8}|\#x[0-9a-f]{1,8}|[a-z][a-z0-9]{1,31});?
    |\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|\\[/"'\\bfnrt]""",
    re.IGNORECASE | re.VERBOSE,
)

# A text as it is compared, and where each of its characters stands in the text it was made of.
type _Place = tuple[int, int]
type _Level = tuple[str, list[_Place]]


def sent_secrets(url: str, body: Mapping[str, str], authorization: str) -> list[str]:
    """Return what of a request is in no text.

    Args:
        url: Its address.
        body: Its form.
        authorization: Its Authorization header; empty without one.
    """
    values = [
        value
        for name, value in (*URL(url).query.items(), *body.items())
        if name not in _HARMLESS_NAMES
    ]
    return [*values, authorization.rpartition(" ")[2]]


def given_secrets(fields: Mapping[str, object]) -> list[str]:
    """Return what an answer gives as tokens, however deep, the first of very many."""
    found: list[str] = []
    waiting = deque(fields.items())
    while waiting and len(found) < _MAX_TOKENS:
        name, value = waiting.popleft()
        if isinstance(value, Mapping):
            waiting.extend(value.items())
        elif isinstance(value, list):
            waiting.extend((name, one) for one in value)
        elif isinstance(value, str) and _TOKEN_NAME.search(name):
            found.append(value)
    return found


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return a text as one short line (`plain_line`) without what is secret.

    A very short value is hidden where it stands as a word of its own.

    Args:
        text: What a server said, of any length.
        secrets: What of the request and of the answer is in no text.
    """
    needles = {needle for secret in secrets for needle in _needles(secret)}
    line = plain_line(text[:_WINDOW], _WINDOW)
    levels = list(_levels(line))
    if len(levels) > _MAX_ESCAPED + 1:
        # Nobody would know it as the server's words.
        return REDACTED
    hidden = bytearray(len(line))
    for level, places in levels:
        for start, end in _find(level, needles):
            _set(hidden, places[start][0], places[end - 1][1])
        if level and len(text) > _WINDOW:
            _set(hidden, places[_end_of_whole(level, needles)][0], len(line))
    shown = (
        REDACTED if is_hidden else "".join(char for char, _ in group)
        for is_hidden, group in groupby(zip(line, hidden, strict=True), itemgetter(1))
    )
    return plain_line("".join(shown))


def _needles(secret: str) -> set[str]:
    """Return a secret in the forms that are looked for: as it is, and without its own escapes."""
    if secret.lower() in _HARMLESS_WORDS:
        return set()
    return {needle for level, _ in _levels(secret[:_WINDOW]) if (needle := level.strip())}


def _levels(text: str) -> Iterator[_Level]:
    """Yield a text as it is compared, and after each decoding, once more than it may be escaped."""
    level, places = _comparable((char, (index, index + 1)) for index, char in enumerate(text))
    yield level, places
    for _ in range(_MAX_ESCAPED + 1):
        before = level
        level, places = _decode(level, places)
        if level == before:
            return
        yield level, places


def _comparable(chars: Iterable[tuple[str, _Place]]) -> _Level:
    """Return characters as they are compared: without case, white space and plus (in a form) alike.

    What is not seen does not count, as in `plain_line`.
    """
    level: list[str] = []
    places: list[_Place] = []
    for char, place in chars:
        if char == "+" or not char.isprintable():
            seen = "" if category(char) == "Cf" else " "
        else:
            seen = char.casefold()
        if seen != " " or (level and level[-1] != " "):
            level += seen
            places += [place] * len(seen)
    return "".join(level), places


def _decode(text: str, places: list[_Place]) -> _Level:
    """Return a text with each of its escapes decoded once."""
    if not _ESCAPE.search(text):
        return text, places
    decoded: list[tuple[str, _Place]] = []
    position = 0
    for escape in _ESCAPE.finditer(text):
        start, end = escape.span()
        decoded += zip(text[position:start], places[position:start], strict=True)
        place = places[start][0], places[end - 1][1]
        decoded += ((char, place) for char in _decode_one(escape[0]))
        position = end
    decoded += zip(text[position:], places[position:], strict=True)
    return _comparable(decoded)


def _decode_one(escape: str) -> str:
    """Return what an escape stands for."""
    if escape.startswith("%"):
        data = bytes.fromhex(escape.replace("%", ""))
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data.decode("latin-1")
    if escape.startswith("&#"):
        # HTML knows no control characters; a secret may have some.
        digits = escape[2:].rstrip(";")
        code = int(digits[1:], 16) if digits.startswith("x") else int(digits)
        return chr(code) if code <= maxunicode else ""
    if escape.startswith("&"):
        return unescape(escape)
    if escape[1] in "ux":
        # Halves of surrogate pairs, where there are two.
        return join_surrogates("".join(chr(int(code, 16)) for code in escape[2:].split("\\u")))
    return escape[1] if escape[1] in "/\"'\\" else " "


def _find(text: str, needles: set[str]) -> Iterator[tuple[int, int]]:
    """Yield where needles stand in a text; they may overlap."""
    for needle in needles:
        if needle not in text:
            continue
        pattern = re.escape(needle)
        if len(needle) < _MIN_LENGTH:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        # Looking ahead finds those that overlap.
        for found in re.finditer(f"(?={pattern})", text):
            yield found.start(), found.start() + len(needle)


def _end_of_whole(text: str, needles: set[str]) -> int:
    """Return where the end of a text begins that may be the first part of a needle."""
    end = max(0, len(text) - _TAIL)
    for needle in needles:
        start = text.find(needle[:_HEAD], max(0, len(text) - 2 * _TAIL - len(needle)))
        end = end if start < 0 else min(end, start)
    return end


def _set(hidden: bytearray, start: int, end: int) -> None:
    """Note that a part of a text is hidden."""
    hidden[start:end] = b"\1" * (end - start)
