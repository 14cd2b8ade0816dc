"""Tests of the client: what is pasted is clean, and the secret is not shown."""

import pytest

from custom_components.developer_credentials import DeveloperCredential
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
    ],
)
def test_pasted_values(pasted: str, clean: str) -> None:
    """White space around id and secret, and zero-width characters in them, are removed."""
    assert DeveloperCredential(pasted, pasted) == DeveloperCredential(clean, clean)


@pytest.mark.parametrize("secret", ["%&+='\"\\ü日本", "a b", "a\u0600b", "s" * 4096, ""])
def test_secrets_stay_as_they_are(secret: str) -> None:
    """Nothing else of a secret is changed."""
    assert DeveloperCredential("id", secret).client_secret == secret


def test_names_stay_as_they_are() -> None:
    """A name may have any character; only white space around it is removed."""
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467 family"
    assert DeveloperCredential("id", name=f" {family}\n").name == family


@pytest.mark.parametrize("client_id", ["", "  ", "\u200b"])
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
