"""Tests of the client: what is pasted is clean, and the secret is not shown."""

from typing import cast

import pytest

from custom_components.developer_credentials import DeveloperCredential
from custom_components.developer_credentials.oauth2.client import MAX_NAME, ClientAuthMethod
from custom_components.developer_credentials.oauth2.redirect_uri import RedirectUri
from tests.common import SENTINEL


@pytest.mark.parametrize(
    ("pasted", "clean"),
    [
        (" id ", "id"),
        ("\tid\r\n", "id"),
        ("\u200bid\ufeff", "id"),
        ("i\u200dd", "id"),
        ("\u2060 id \u00ad", "id"),
        ("\u00a0id\u3000", "id"),
        ("i d", "i d"),
        ("ünï-日本", "ünï-日本"),
        ("wrapped\r\nin two", "wrappedin two"),
        ("nul\x00 esc\x1b tab\t del\x7f next\x85", "nul esc tab del next"),
        (" \x00 id \x00 ", "id"),
        ("line\u2028paragraph\u2029", "lineparagraph"),
        ("\ud83d\ude00", "😀"),
        ("half\ud83d, \ude00half", "half, half"),
    ],
    ids=ascii,
)
def test_pasted_values(pasted: str, clean: str) -> None:
    """What copying from a web page leaves around and in an id and a secret is removed."""
    assert DeveloperCredential(pasted, pasted) == DeveloperCredential(clean, clean)


@pytest.mark.parametrize("secret", ["%&+='\"\\ü日本", "a b", "a\u0600b", "s" * 4096, ""])
def test_secrets_stay_as_they_are(secret: str) -> None:
    """Nothing else of a secret is changed."""
    assert DeveloperCredential("id", secret).client_secret == secret


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        (" My *app* ü日本\n", "My *app* ü日本"),
        ("two\nlines\x00", "two lines"),
        ("\u202eppa\u202c in\u200bvisible", "ppa invisible"),
        ("My app \ud83d\ude00\ud83d", "My app 😀"),
        ("x" * 5_000, "x" * (MAX_NAME - 1) + "…"),
        ("\u200b \x00", None),
        (" ", None),
        (None, None),
    ],
    ids=lambda name: ascii(name)[:20],
)
def test_names_are_plain(name: str | None, plain: str | None) -> None:
    """A name is one line of what is written, of a length that can be shown."""
    assert DeveloperCredential("id", name=name).name == plain


def test_values_of_enumerations() -> None:
    """A redirect URI may be named by its value; one that there is not is refused."""
    named = DeveloperCredential("id", redirect_uri=cast(RedirectUri, "own"))
    assert named.redirect_uri is RedirectUri.OWN
    with pytest.raises(ValueError, match="RedirectUri"):
        DeveloperCredential("id", redirect_uri=cast(RedirectUri, "another"))
    with pytest.raises(ValueError, match="token_endpoint_auth_method is unknown"):
        DeveloperCredential("id", token_endpoint_auth_method=cast(ClientAuthMethod, "another"))


@pytest.mark.parametrize("client_id", ["", "  ", "\u200b", "\x00", "\ud83d"], ids=ascii)
def test_empty_client_id(client_id: str) -> None:
    """A credential has a client id."""
    with pytest.raises(ValueError, match="client_id is empty"):
        DeveloperCredential(client_id, "secret")


def test_secret_is_not_shown() -> None:
    """Neither the representation nor the text of a credential has the secret."""
    credential = DeveloperCredential("id", SENTINEL, "My app")
    assert SENTINEL not in repr(credential)
    assert str(credential) == "My app"
    assert str(DeveloperCredential("id", SENTINEL, " ")) == "id"
