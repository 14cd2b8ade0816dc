"""Tests of what a subentry holds: whole, older than a key, and damaged."""

from types import MappingProxyType
from typing import Any, cast

from homeassistant.config_entries import ConfigSubentry
import pytest

from custom_components.developer_credentials import DeveloperCredential
from custom_components.developer_credentials.credentials.stored_credential import (
    credential_of,
    data_of,
    mended_data_of,
    named_credential_of,
    stored_of,
)
from custom_components.developer_credentials.oauth2.redirect_uri import RedirectUri
from tests.common import SENTINEL

SOUND: dict[str, Any] = {
    "domain": "acme",
    "auth_domain": "acme_id",
    "client_id": "id",
    "client_secret": SENTINEL,
    "name": "My app",
    "redirect_uri": "own",
    "token_endpoint_auth_method": "none",
    "imported": {"by": "list"},
    "variables": {"tenant": "home"},
}

# By key: what it may be damaged to.
CORE: dict[str, list[object]] = {
    "domain": [None, "", 3, [], {}, ["acme"]],
    "auth_domain": [None, "", 3, ["acme_id"]],
    "client_id": [None, "", 3, {}, "\u200b"],
    "client_secret": [None, 3, ["s"], False],
}
DEFAULTED: dict[str, list[object]] = {
    "name": [3, ["x"], {}],
    "redirect_uri": [None, "another", 3, ["own"], {}],
    "token_endpoint_auth_method": ["another", 3, [], {}],
    "imported": [None, "list", 3, [["by", "list"]]],
    "variables": [None, "home", 3, ["tenant"], {"tenant": 3}, {"Tenant": "home"}],
}


def _subentry(data: dict[str, Any], title: object = "Acme: My app") -> ConfigSubentry:
    return ConfigSubentry(
        data=MappingProxyType(data),
        subentry_type="credential",
        title=cast(str, title),
        unique_id="acme.id",
    )


def test_whole() -> None:
    """What is stored is what was entered; the representation has no secret."""
    stored = stored_of(_subentry(SOUND))
    assert stored.key == ("acme", "acme_id")
    assert stored.imported == {"by": "list"}
    assert stored.credential == DeveloperCredential(
        "id",
        SENTINEL,
        "My app",
        redirect_uri=RedirectUri.OWN,
        token_endpoint_auth_method="none",
        variables={"tenant": "home"},
    )
    assert SENTINEL not in repr(stored)


def test_older_than_the_newer_keys() -> None:
    """A key that was not there yet when the credential was stored has its default."""
    old = {key: value for key, value in SOUND.items() if key not in DEFAULTED}
    stored = stored_of(_subentry(old))
    assert stored.credential == DeveloperCredential("id", SENTINEL)
    assert stored.imported == {}


def test_variables_that_are_gone() -> None:
    """A credential without variables has no key for them; what else is there, stays."""
    before = {**SOUND, "another": 3}
    data = data_of(DeveloperCredential("id", SENTINEL), before)
    assert data.keys() == before.keys() - {"variables"}
    assert data["another"] == 3


def test_key_of_a_newer_version() -> None:
    """A key that is not known is none of our business."""
    assert stored_of(_subentry({**SOUND, "another": 3})) == stored_of(_subentry(SOUND))


@pytest.mark.parametrize("key", CORE)
def test_damaged(key: str) -> None:
    """Without what makes it a credential it is none, and cannot be mended."""
    without = _subentry({name: value for name, value in SOUND.items() if name != key})
    for damaged in (without, *(_subentry({**SOUND, key: value}) for value in CORE[key])):
        with pytest.raises(ValueError, match=key) as raised:
            credential_of(damaged)
        assert SENTINEL not in str(raised.value)
        assert mended_data_of(damaged) is None


@pytest.mark.parametrize("key", DEFAULTED)
def test_mended(key: str) -> None:
    """What is told again by a default is mended with it; the rest stays."""
    for value in DEFAULTED[key]:
        damaged = _subentry({**SOUND, key: value})
        with pytest.raises(ValueError, match=f"{key} is damaged"):
            credential_of(damaged)
        mended = mended_data_of(damaged)
        assert mended is not None
        without = {name: value for name, value in SOUND.items() if name != key}
        assert stored_of(_subentry(mended)) == stored_of(_subentry(without))


def test_damaged_title() -> None:
    """A title is text."""
    with pytest.raises(ValueError, match="title is damaged"):
        stored_of(_subentry(SOUND, None))


def test_name_for_people() -> None:
    """Implementations are called by the credential's name, else by its title."""
    assert named_credential_of(_subentry(SOUND)).name == "My app"
    assert named_credential_of(_subentry({**SOUND, "name": None}, "Acme 2")).name == "Acme 2"
