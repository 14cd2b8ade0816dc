"""Tests of the memory of what the servers said last."""

from homeassistant.core import HomeAssistant
import pytest

from custom_components.developer_credentials.credentials import last_answers
from custom_components.developer_credentials.credentials.last_answers import async_get, async_note


async def test_the_last_one_counts(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer answer takes the place of an older one; of too many, the oldest goes."""
    assert async_get(hass, ("refresh", "acme", "a")) is None
    monkeypatch.setattr(last_answers, "MAX_ANSWERS", 2)
    async_note(hass, ("refresh", "acme", "a"), "accepted")
    async_note(hass, ("verification", "acme", "a"), "rejected")
    async_note(hass, ("refresh", "acme", "a"), "invalid_client")
    async_note(hass, ("refresh", "acme", "b"), "accepted")
    first = async_get(hass, ("refresh", "acme", "a"))
    assert first is not None
    assert first.result == "invalid_client"
    assert async_get(hass, ("verification", "acme", "a")) is None
    assert async_get(hass, ("refresh", "acme", "b")) is not None
