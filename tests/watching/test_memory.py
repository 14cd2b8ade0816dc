"""Tests of what is remembered of application credentials over restarts."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.developer_credentials.core_credentials.options import CONF_LOOK_AFTER
from custom_components.developer_credentials.watching.memory import (
    CONF_WATCHED,
    async_get_issue_key,
    async_get_logins,
    async_has_had_token,
    async_note_accepted,
    async_note_token,
    async_set_logins,
    async_was_accepted,
)
from tests.watching.cloud import SECRET, Cloud, add_entry, enter, look_after

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")


async def test_without_entry(hass: HomeAssistant) -> None:
    """Without our entry nothing is remembered."""
    async_note_accepted(hass, "acme", "id")
    async_set_logins(hass, {"entry": 1.0})
    assert not async_was_accepted(hass, "acme", "id")
    assert async_get_issue_key(hass, "acme_id") != async_get_issue_key(hass, "acme_id")
    assert dict(async_get_logins(hass)) == {}


async def test_not_looked_after(hass: HomeAssistant) -> None:
    """While application credentials are not looked after, nothing is noted."""
    entry = await look_after(hass)
    hass.config_entries.async_update_entry(entry, options={CONF_LOOK_AFTER: False})
    async_note_accepted(hass, "acme", "id")
    assert not async_was_accepted(hass, "acme", "id")


async def test_given_token(hass: HomeAssistant, cloud: Cloud) -> None:
    """That a client was given a token is remembered apart, once, and while we look after it."""
    ours = await look_after(hass)
    await enter(hass, client_id="second")
    for _ in range(2):
        async_note_token(hass, "acme", "second")
    assert async_has_had_token(hass, "acme", "second")
    assert not async_was_accepted(hass, "acme", "second")
    assert len(ours.data[CONF_WATCHED]["given_token"]) == 1
    async_note_token(hass, "acme", "other")
    async_note_accepted(hass, "acme", "id")
    assert not async_has_had_token(hass, "acme", "other")
    hass.config_entries.async_update_entry(ours, options={CONF_LOOK_AFTER: False})
    async_note_token(hass, "acme", "other")
    assert not async_has_had_token(hass, "acme", "other")


async def test_accepted(hass: HomeAssistant, cloud: Cloud) -> None:
    """A client is remembered by a salted digest, of its integration; nothing of it is stored."""
    ours = await look_after(hass)
    async_note_accepted(hass, "acme", "client")
    modified_at = ours.modified_at
    async_note_accepted(hass, "acme", "client")
    assert ours.modified_at == modified_at
    assert async_was_accepted(hass, "acme", "client")
    assert not async_was_accepted(hass, "other", "client")
    assert not async_was_accepted(hass, "acme", "clien")
    assert "client" not in str(ours.data[CONF_WATCHED])


async def test_issue_key(hass: HomeAssistant, cloud: Cloud) -> None:
    """A key is random, stays the same, and is another one for each item."""
    await look_after(hass)
    for client_id in ("id", "second"):
        await enter(hass, client_id=client_id)
    key = async_get_issue_key(hass, "acme_id")
    assert async_get_issue_key(hass, "acme_second") != key
    assert async_get_issue_key(hass, "acme_id") == key
    assert "id" not in key


async def test_forgotten(hass: HomeAssistant, cloud: Cloud) -> None:
    """What is of no item and no entry any more is forgotten with the next change."""
    ours = await look_after(hass)
    await enter(hass, SECRET)
    entry = await add_entry(hass, lazy=True)
    async_get_issue_key(hass, "acme_id")
    async_set_logins(hass, {entry.entry_id: 1.0})
    for value in (2.0, 3.0):
        watched = ours.data[CONF_WATCHED]
        assert len(watched["accepted"]) == len(watched["issue_keys"]) == 1
        async_set_logins(hass, {entry.entry_id: value})
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.data["application_credentials"].async_delete_item("acme_id")
    await enter(hass, SECRET, "second")
    cloud.secrets["second"] = SECRET
    async_note_accepted(hass, "acme", "second")
    watched = ours.data[CONF_WATCHED]
    assert len(watched["accepted"]) == 1
    assert async_was_accepted(hass, "acme", "second")
    assert (watched["issue_keys"].get("acme_id"), watched["logins"]) == (None, {})


async def test_collection_is_not_there(hass: HomeAssistant) -> None:
    """Where application credentials are not set up yet, nothing is forgotten."""
    await look_after(hass)
    async_note_accepted(hass, "acme", "id")
    async_get_issue_key(hass, "acme_id")
    async_note_accepted(hass, "acme", "second")
    assert async_was_accepted(hass, "acme", "id")


@pytest.mark.parametrize(
    "damaged",
    [
        None,
        [],
        {},
        {"salt": 1},
        {"salt": "salt", "accepted": None, "issue_keys": [], "logins": 1},
        {"salt": "salt", "accepted": [1], "issue_keys": {"acme_id": 1}, "logins": {"one": "x"}},
    ],
)
async def test_damaged(hass: HomeAssistant, cloud: Cloud, damaged: Any) -> None:  # noqa: ANN401
    """What is damaged of it is forgotten, and all works."""
    ours = await look_after(hass)
    hass.config_entries.async_update_entry(ours, data={**ours.data, CONF_WATCHED: damaged})
    assert not async_was_accepted(hass, "acme", "id")
    assert dict(async_get_logins(hass)) == {}
    await enter(hass)
    assert async_was_accepted(hass, "acme", "id")
    assert async_get_issue_key(hass, "acme_id") == async_get_issue_key(hass, "acme_id")
