"""Tests of what a subentry holds: whole, older than a key, and damaged."""

from dataclasses import replace
import json
from types import MappingProxyType
from typing import Any, cast

from homeassistant.config_entries import ConfigSubentry
import pytest

from custom_components.developer_credentials import DeveloperCredential
from custom_components.developer_credentials.credentials.stored_credential import (
    credential_of,
    data_of,
    mended_data_of,
    stored_of,
)
from custom_components.developer_credentials.oauth2.client import Objection
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
    assert stored_of(_subentry(SOUND)).named.name == "My app"
    assert stored_of(_subentry({**SOUND, "name": None}, "Acme 2")).named.name == "Acme 2"


REMEMBERED: dict[str, object] = {
    "registered_uri": "https://home.example/auth/external/callback",
    "objection": ["rejected", "digest"],
}


def test_what_is_remembered_besides() -> None:
    """The registered redirect URI and an objection are kept, and read again as they were."""
    credential = stored_of(_subentry(SOUND)).credential
    known = replace(credential.with_objection("rejected"), registered_uri="https://a.example")
    assert known == credential
    # As JSON has it.
    stored = json.loads(json.dumps(data_of(known, SOUND)))
    again = stored_of(_subentry(stored)).credential
    assert (again.objection, again.registered_uri) == ("rejected", "https://a.example")
    assert SENTINEL not in str(stored["objection"])
    # Few credentials have any of it.
    assert data_of(credential, stored).keys() == SOUND.keys()


@pytest.mark.parametrize(
    ("change", "objection", "stays"),
    [
        ({"name": "Other"}, "rejected", True),
        ({"client_id": "other"}, "rejected", False),
        ({"client_secret": f"{SENTINEL}-2"}, "rejected", False),
        ({"variables": {"tenant": "office"}}, "rejected", False),
        ({"redirect_uri": RedirectUri.MY}, "rejected", True),
        ({"redirect_uri": RedirectUri.MY}, "redirect_uri_rejected", False),
        ({"client_id": "other"}, "redirect_uri_rejected", False),
    ],
)
def test_objection_to_another_client(
    change: dict[str, Any], objection: Objection, stays: bool
) -> None:
    """What the server had against a client says nothing of another one, whoever changes it.

    That may be YAML, a command, or an older version, which keeps the keys that it does not know.
    """
    credential = stored_of(_subentry(SOUND)).credential.with_objection(objection)
    changed = replace(credential, **change)
    assert bool(changed.objection) is stays
    assert ("objection" in data_of(changed)) is stays
    older = {**data_of(changed, SOUND), "objection": list(credential.objected or ())}
    assert bool(credential_of(_subentry(older)).objection) is stays


@pytest.mark.parametrize("key", list(REMEMBERED))
@pytest.mark.parametrize("value", [None, 3, "", [], ["rejected"], ["other", "x"], [3, 4], {}, "ab"])
def test_damage_of_what_is_remembered(key: str, value: object) -> None:
    """What is only remembered damages no credential."""
    credential = credential_of(_subentry({**SOUND, key: value}))
    assert credential.objection is None
    assert isinstance(credential.registered_uri, str)
    assert credential.client_id == "id"
    assert data_of(credential)["client_id"] == "id"
