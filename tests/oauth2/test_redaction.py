"""Tests of redaction: what servers repeat, in whatever way they escape it."""

import base64
from collections.abc import Callable, Iterable
from html import escape
import json
from urllib.parse import quote, quote_plus

import pytest

from custom_components.developer_credentials.oauth2.redaction import (
    REDACTED,
    given_secrets,
    redact,
    sent_secrets,
)
from tests.common import seconds_of

SECRETS = [
    "plain-secret-1",
    "a/b+c==d",
    "with space & <more> \"quotes\" 'too'",
    "Größe-ß-😀-key",
    "100%25-literal%2f",
    "back\\slash\\u0041/",
    "&amp;already&#43;",
    "two  spaces",
    "ends with %",
    "plus+and++plus",
    "x" * 1_500,
]


def _lower_escapes(text: str) -> str:
    return quote(text, safe="").replace("%2F", "%2f").replace("%2B", "%2b")


def _every_character(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


ESCAPES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case": str.upper,
    "percent": lambda text: quote(text, safe=""),
    "percent, lower case": _lower_escapes,
    "every byte": _every_character,
    "form": quote_plus,
    "html": escape,
    "html, decimal": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "html, hexadecimal": lambda text: "".join(f"&#x{ord(char):X};" for char in text),
    "html, no semicolon": lambda text: text.replace("&", "&#38").replace("+", "&#43"),
    "json": lambda text: json.dumps(text)[1:-1],
    "json with slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json, every character": lambda text: "".join(
        f"\\u{int.from_bytes(pair):04x}"
        for pair in zip(*[iter(text.encode("utf-16-be"))] * 2, strict=True)
    ),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "form in html": lambda text: escape(quote_plus(text)).replace("+", "&#43;"),
    "html in json": lambda text: json.dumps(escape(text))[1:-1],
    "html in percent": lambda text: quote(escape(text)),
    "zero-width in between": "\u200b".join,
    "latin-1": lambda text: quote(text.encode("latin-1", "replace")),
}


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: secret[:20])
@pytest.mark.parametrize("name", ESCAPES)
def test_escapes(secret: str, name: str) -> None:
    """A secret is hidden, however it was escaped, and what stands around it is not."""
    if name == "latin-1" and not secret.isascii():
        secret = "Größe-ß-key"
    escaped = ESCAPES[name](secret)
    told = redact(f"no, {escaped}, never", [secret])
    assert told == f"no, {REDACTED}" + (", never" if len(escaped) < 2_000 else "")
    assert redact(escaped, [secret]) == REDACTED


@pytest.mark.parametrize(
    ("text", "secrets", "told"),
    [
        ("not secret-ab nor secret-abc", ["secret-ab", "secret-abc"], f"not {REDACTED} nor _"),
        ("one-two-three", ["one-two", "two-three"], REDACTED),
        ("aXaXaXa", ["aXaXa"], REDACTED),
        ("first,second", ["first", "second"], f"{REDACTED},{REDACTED}"),
        ("50%41bcdefgh", ["41bcdefgh"], f"50%{REDACTED}"),
        ("a+b-secret and a b-secret", ["a b-secret"], f"{REDACTED} and {REDACTED}"),
        ("client-secret is bad", ["client-secret", ""], f"{REDACTED} is bad"),
    ],
)
def test_overlaps(text: str, secrets: list[str], told: str) -> None:
    """Secrets may be parts of one another, overlap, repeat themselves, or follow an escape."""
    assert redact(text, secrets) == told.replace("_", REDACTED)


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("Client x is unknown to the box", ["a", "b", "o"]),
        ("invalid_1 is no user42", ["1", "42", "use"]),
        ("E" * 200, ["E"]),
        ("C++ &amp; 100%, a%20b \\n", ["secret"]),
        ("The scope openid needs a refresh_token", ["openid", "refresh_token", "Token"]),
        ("", ["secret"]),
        ("words", []),
        ("words", ["", " ", "+", "\u200b"]),
    ],
)
def test_words_stay(text: str, secrets: list[str]) -> None:
    """Short values do not tear words apart, and what has nothing to hide stays as it was said."""
    assert redact(text, secrets) == text


@pytest.mark.parametrize("pin", ["7", "1234", "a b", "ü"])
def test_short_values(pin: str) -> None:
    """A short value is hidden where it is a word of its own."""
    for text in ("{} is wrong", "wrong: {}", "pin={}&code=x", "'{}'"):
        assert redact(text.format(pin), [pin]) == text.format(REDACTED)
    assert redact(pin, [pin]) == REDACTED
    assert redact(f"a{pin}b {pin}b", [pin]) == f"a{pin}b {pin}b"


def test_what_is_sent() -> None:
    """Sent is the query, the body and the header, but for the protocol's own and the client id."""
    basic = base64.b64encode(b"id:secret").decode()
    body = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "client_id": "my-client",
        "scope": "openid things:read",
        "redirect_uri": "https://a.example/callback",
        "response_type": "code",
        "token_type_hint": "refresh_token",
        "client_secret": "the-secret",
        "password": "the-password",
        "device_code": "the-device-code",
        "anything": "the-thing",
    }
    url = "https://a.example/token?key=the%2Fkey&scope=things:read"
    assert sent_secrets(url, body, f"Basic {basic}") == [
        "the/key",
        "the-secret",
        "the-password",
        "the-device-code",
        "the-thing",
        basic,
    ]
    secrets = sent_secrets(url, body, "")
    words = (
        "Unknown client my-client: openid and things:read of grant-type:device_code are not for "
        "https://a.example/callback, send a refresh_token or code"
    )
    assert redact(words, secrets) == words


def test_what_is_given() -> None:
    """Given is what an answer names a token, at any depth, and no more than a few."""
    fields: dict[str, object] = {
        "access_token": "one",
        "token_type": "Bearer",
        "error": {"token": "two", "code": 1, "details": [{"idToken": "three"}]},
        "body": {"refresh_token": ["four", 5, None]},
        "client_secret": "six",
        "scope": "openid",
    }
    assert sorted(given_secrets(fields)) == ["four", "one", "six", "three", "two"]
    many: dict[str, object] = {"list": [{"token": f"token-{number}"} for number in range(5_000)]}
    assert len(given_secrets(many | {"access_token": "first"})) == 16
    assert "first" in given_secrets(many | {"access_token": "first"})


@pytest.mark.parametrize("length", [30, 300, 1_900, 5_000])
@pytest.mark.parametrize("name", ["as it is", "every byte", "json, every character"])
def test_cut(length: int, name: str) -> None:
    """Where a long text is cut, no first part of a secret remains, nor one that moves forward."""
    secret = "".join(chr(97 + number * number % 26) for number in range(length))
    escaped = ESCAPES[name](secret)
    for text in (
        "a" * 250 + escaped * 100,
        f"{escaped} " * 100,
        " " * 2_000 + escaped * 100,
        "&#00000065;" * 180 + escaped * 100,
    ):
        assert secret[:8] not in redact(text, [secret]).casefold()


def test_length() -> None:
    """What is told is a line of 300 characters at the most, also where it has to be cut."""
    assert redact("a" * 300, ["secret"]) == "a" * 300
    for text in ("a" * 301, "a" * 5_000, "ab-cd " * 1_000, "secret " * 200, "%61" * 5_000):
        told = redact(text, ["secret"])
        assert len(told) <= 300
        assert told.isprintable()


def test_escaped_without_end() -> None:
    """A text that is escaped more often than anybody would read it is not told."""
    text = "&" + "amp;" * 400 + "#43;"
    assert redact(text, ["secret"]) == REDACTED


WORST: dict[str, tuple[str, Iterable[str]]] = {
    "one character": ("E" * 64_000, ["E", "e", "x"]),
    "spaces": ("E " * 32_000, ["E", " "]),
    "prefixes": ("E" * 64_000, ["E" * length for length in range(1, 26)]),
    "escapes": ("%2525" * 13_000, ["%", "25", "%25"]),
    "ampersands": ("&amp;" * 13_000, ["&", "amp;", "&amp;"]),
    "long ampersand": ("&" + "amp;" * 16_000, ["&", "amp;"]),
    "backslashes": ("\\" * 64_000, ["\\", "\\\\"]),
    "long secrets": ("E" * 64_000, ["E" * 64_000, "E" * 2_000, "E" * 1_000]),
    "white space": (" \u200b" * 32_000, ["E"]),
}


@pytest.mark.parametrize(("text", "secrets"), WORST.values(), ids=list(WORST))
def test_time(text: str, secrets: list[str]) -> None:
    """The worst of texts and secrets cost milliseconds."""
    assert seconds_of(lambda: redact(text, secrets)) < 0.1
