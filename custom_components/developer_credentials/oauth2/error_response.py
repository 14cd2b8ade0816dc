"""Error answers, in whatever shape: which code, and which words (RFC 6749, section 5.2).

The RFC has `{"error": code, "error_description": words}`. Servers have objects within, lists,
envelopes, other names and plain text. Here is where they put what they say: the places, and the
names in them, as data; a new shape is another place or name.

What is returned is the server's: nothing is redacted yet.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
import re
from typing import Final, NamedTuple

from .error_codes import kind_of

# Where an object with an error stands within another one, outermost first.
_PLACES: Final = ("error", "errors", "fault", "detail", "details", "data", "body")
# How deep, and how many of them; a hostile answer may be anything.
_MAX_DEPTH: Final = 4
_MAX_OBJECTS: Final = 20

# The names of codes and words, without regard to case, hyphens and underscores.
_CODE_NAMES: Final = (
    "error",  # RFC 6749
    "errorcode",  # Apigee, Okta
    "errortype",  # Fitbit, Instagram
    "errcode",  # WeChat
    "code",
    "type",  # Facebook
    "status",  # HubSpot
    "name",  # PayPal
    "reason",
)
_WORD_NAMES: Final = (
    "errordescription",  # RFC 6749
    "message",  # Facebook, Fitbit, GitHub, HubSpot, Strava, Twitch
    "errormessage",  # Instagram
    "description",
    "detail",  # RFC 9457, JSON:API
    "errorsummary",  # Okta
    "faultstring",  # Apigee
    "errmsg",  # WeChat
    "msg",
    "reason",  # Zoom
    "title",  # RFC 9457, JSON:API
    "error",  # Apigee, beside an ErrorCode
)
# Names that stand for an error by themselves; a good answer may have a "status" or a "message".
_ERROR_NAMES: Final = frozenset({"error", "errors", "errorcode", "errortype", "errcode", "fault"})
_HAS_LETTERS: Final = re.compile(r"[^\W\d_]")
_NAME_SEPARATORS: Final = str.maketrans("", "", "-_ ")

# RFC 9110, section 11.6.1: a challenge's scheme, and RFC 6750, section 3: its error.
_BASIC: Final = re.compile(r"(?:^|,)\s*basic(?=[\s,]|$)", re.IGNORECASE)
_CHALLENGE_PARAM: Final = re.compile(r'\b(error|error_description)\s*=\s*"([^"]*)"', re.IGNORECASE)


class ErrorResponse(NamedTuple):
    """What an answer says of an error.

    Attributes:
        code: The error code, empty without one; a known one where there are several.
        words: The explanation, empty without one.
        is_said: Whether the answer has a field that stands for an error.
    """

    code: str
    words: str
    is_said: bool


def parse_error(body: object, text: str, challenge: str) -> ErrorResponse:
    """Return what an answer says of an error, as the server has it.

    Args:
        body: What the body is as JSON or a form; None where it is neither.
        text: The body as text.
        challenge: The header WWW-Authenticate, empty without one.
    """
    codes: list[str] = []
    words: list[str] = []
    for place in islice(_objects(body), _MAX_OBJECTS):
        names = {_name(key): value for key, value in place.items()}
        codes += _texts(names, _CODE_NAMES)
        # Strava names the field, and what is wrong with it.
        if (field := names.get("field")) and (code := names.get("code")):
            codes.append(f"{field} {code}")
        words += _texts(names, _WORD_NAMES)
    for name, value in _CHALLENGE_PARAM.findall(challenge):
        (codes if name.lower() == "error" else words).append(value)
    # Not a page, the rest of an object, or what is no text at all.
    if body is None and "\ufffd" not in text and not text.lstrip().startswith(("<", "{", "[")):
        words.append(text)
    known = next((one for one in (*codes, *words) if kind_of(one)), None)
    code = known or next(iter(codes), "")
    return ErrorResponse(
        code,
        next((one for one in words if one != code), ""),
        is_said=isinstance(body, Mapping)
        and any(value and _name(key) in _ERROR_NAMES for key, value in body.items()),
    )


def has_basic_challenge(challenge: str) -> bool:
    """Return whether a server asks for the client's authentication (RFC 7617, section 2)."""
    return bool(_BASIC.search(challenge))


def _objects(value: object, depth: int = 0) -> Iterator[Mapping[str, object]]:
    """Return an answer and the objects in it that may have an error, outermost first."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in value[:_MAX_OBJECTS]:
            yield from _objects({"error": item} if isinstance(item, str) else item, depth + 1)
    elif isinstance(value, Mapping):
        yield value
        for key, inner in value.items():
            if _name(key) in _PLACES:
                yield from _objects(inner, depth + 1)


def _name(key: object) -> str:
    return str(key).translate(_NAME_SEPARATORS).lower()


def _texts(names: Mapping[str, object], wanted: tuple[str, ...]) -> list[str]:
    """Return the values of names that say something."""
    values = (names.get(name) for name in wanted)
    return [value for value in values if isinstance(value, str) and _HAS_LETTERS.search(value)]
