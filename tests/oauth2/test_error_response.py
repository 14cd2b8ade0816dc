"""Tests of error answers in any shape: the code and the words are found."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import pytest

from custom_components.developer_credentials.oauth2.error_response import (
    has_basic_challenge,
    parse_error,
)
from tests.common import seconds_of


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"error": "invalid_grant", "error_description": "old"}, "invalid_grant", "old"),
        ({"error": "invalid_request", "message": "uri missing"}, "invalid_request", "uri missing"),
        ({"code": "invalid_request", "description": "why"}, "invalid_request", "why"),
        ({"errorCode": "invalid_client", "errorSummary": "who"}, "invalid_client", "who"),
        (
            {"ErrorCode": "invalid_client", "Error": "ClientId is Invalid"},
            "invalid_client",
            "ClientId is Invalid",
        ),
        ({"error": {"code": "invalid_client", "message": "unknown"}}, "invalid_client", "unknown"),
        (
            {"error": {"message": "Error validating client secret.", "type": "Odd", "code": 1}},
            "Error validating client secret.",
            "",
        ),
        (
            {"errors": [{"errorType": "invalid_client", "message": "No."}], "success": False},
            "invalid_client",
            "No.",
        ),
        (
            {
                "message": "Bad Request",
                "errors": [{"resource": "R", "field": "client_id", "code": "invalid"}],
            },
            "client_id invalid",
            "Bad Request",
        ),
        (
            {"errors": [{"status": "400", "code": "invalid_grant", "detail": "It is old."}]},
            "invalid_grant",
            "It is old.",
        ),
        ({"errors": ["invalid_client", "b"]}, "invalid_client", "b"),
        (
            {"fault": {"faultstring": "No.", "detail": {"errorcode": "oauth.v2.Odd"}}},
            "oauth.v2.Odd",
            "No.",
        ),
        ({"status": 403, "message": "invalid client secret"}, "invalid client secret", ""),
        ({"status": "BAD_CLIENT_ID", "message": "unknown"}, "BAD_CLIENT_ID", "unknown"),
        ({"errcode": 10001, "errmsg": "refresh token invalid"}, "refresh token invalid", ""),
        ({"type": "about:blank", "title": "No", "detail": "Really"}, "about:blank", "Really"),
        (
            {"error": "access_denied", "error_description": "Rate limit exceeded: wait"},
            "Rate limit exceeded: wait",
            "access_denied",
        ),
        ({"error": 7, "status": 400}, "", ""),
        ({"error": None, "errors": [], "fault": 1}, "", ""),
        ({"error": [[[[{"error": "a"}]]]]}, "", ""),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_shapes(fields: dict[str, Any], code: str, words: str) -> None:
    """Wherever a server puts the code and the words, they are found; a known code goes first."""
    assert parse_error(fields, json.dumps(fields), "")[:2] == (code, words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("403/ bad auth", "403/ bad auth"),
        ("<html>no</html>", ""),
        (" \n<!DOCTYPE html>", ""),
        ('{"cut off', ""),
        ("", ""),
    ],
)
def test_plain_text(text: str, words: str) -> None:
    """Plain text is what the server says; a page or the rest of an object is not."""
    assert parse_error(None, text, "")[:2] == ("", words)


def test_plain_text_with_a_code() -> None:
    """Plain text may be a code, or begin with one."""
    assert parse_error(None, "invalid_client: no", "").code == "invalid_client: no"


@pytest.mark.parametrize(
    ("challenge", "code", "words", "basic"),
    [
        ('Bearer error="invalid_client", error_description="no"', "invalid_client", "no", False),
        ('Basic realm="x"', "", "", True),
        ("basic", "", "", True),
        ('Bearer realm="a", Basic realm="b"', "", "", True),
        ('Bearer realm="no basic access"', "", "", False),
        ("BasicAuth", "", "", False),
        ("", "", "", False),
    ],
)
def test_challenge(challenge: str, code: str, words: str, basic: bool) -> None:
    """The header WWW-Authenticate may have the error, or ask for the client's authentication."""
    assert parse_error(None, "", challenge)[:2] == (code, words)
    assert has_basic_challenge(challenge) is basic


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"error": "a"}, True),
        ({"Error_Code": 7}, True),
        ({"errors": [1]}, True),
        ({"error": None}, False),
        ({"errcode": 0, "errors": []}, False),
        ({"status": "ok", "message": "fine", "type": "Bearer", "name": "José"}, False),
    ],
)
def test_is_said(fields: dict[str, Any], said: bool) -> None:
    """A field that stands for an error says that there is one; a status or a message does not."""
    assert parse_error(fields, "", "").is_said is said


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["error", "errors", "code", "message", "fault", "detail", "data"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=30,
)


@given(fields=st.dictionaries(st.text(max_size=8), VALUES), text=st.text(), challenge=st.text())
def test_anything(fields: dict[str, Any], text: str, challenge: str) -> None:
    """Whatever a server says, there are two texts."""
    code, words, _ = parse_error(fields, text, challenge)
    assert isinstance(code, str)
    assert isinstance(words, str)
    has_basic_challenge(challenge)


def test_hostile_shapes() -> None:
    """A wide and deep answer costs milliseconds."""
    wide: Any = {"error": "a"}
    for _ in range(6):
        wide = {"error": [wide] * 50, "errors": [wide] * 50, "data": wide, "fault": wide}
    assert seconds_of(lambda: parse_error(wide, "", 'basic error="' * 5_000)) < 0.1
