"""Tests of the token that is kept: what stays of it, and how long it can become."""

from typing import Any

import pytest

from custom_components.developer_credentials.oauth2.stored_token import refreshed

TOKEN = {
    "access_token": "old",
    "refresh_token": "old-refresh",
    "expires_in": 60,
    "expires_at": 1.5,
    "token_type": "Bearer",
    "scope": "read",
    "user_id": 7,
    "account": {"id": "a", "site": "b"},
}


def test_merged() -> None:
    """The answer takes precedence; what it does not have stays, the server's own fields as well."""
    answer = {"access_token": "new", "expires_in": 30, "scope": "write", "site": "c"}
    assert refreshed(TOKEN, answer) == {**TOKEN, **answer}
    assert TOKEN["access_token"] == "old"


@pytest.mark.parametrize("length", [1, 500, 6_000, 60_000])
@pytest.mark.parametrize("nested", [False, True])
def test_bounded(length: int, nested: bool) -> None:
    """New fields at each refresh do not let it grow without end; the short ones stay."""
    token: dict[str, Any] = TOKEN
    for number in range(60_000 // length):
        value = "x" * length
        answer = {"access_token": f"new-{number}", f"f{number}": [value] if nested else value}
        token = refreshed(token, answer)
        if number > 100:
            break
    assert len(str(token)) < 20_000
    assert token.items() >= {"user_id": 7, "account": {"id": "a", "site": "b"}}.items()
    assert token["access_token"] == f"new-{number}"


def test_newer_ones_stay() -> None:
    """Of fields that are equally long, the ones of the last answer stay."""
    token = refreshed(TOKEN, {"first": "x" * 9_000})
    token = refreshed(token, {"third": "x" * 9_000})
    assert "third" in token
    assert "first" not in token


@pytest.mark.parametrize(
    "name", ["access_token", "refresh_token", "id_token", "scope", "token_type"]
)
def test_fields_of_the_protocol(name: str) -> None:
    """What is of the protocol always stays, however long it is, and costs the others nothing."""
    answer = {name: "x" * 50_000, "other": "y" * 10_000}
    assert refreshed(TOKEN, answer) == {**TOKEN, **answer}


def test_at_the_limit() -> None:
    """As much as is allowed stays; one character more, and the longest field goes."""
    exactly = {"a": "x" * 8_000, "b": "x" * (16_384 - 8_000 - 2)}
    assert refreshed({}, exactly) == exactly
    assert refreshed({"": ""}, {**exactly, "b": exactly["b"] + "x"}) == {
        "": "",
        "a": exactly["a"],
    }
