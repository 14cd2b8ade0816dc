"""Tests of the options flow: what is done for application credentials."""

from typing import Any
from unittest.mock import patch

from homeassistant.components import application_credentials
from homeassistant.config_entries import ConfigEntry, ConfigEntryDisabler, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest

from custom_components.developer_credentials.core_credentials.options import (
    Options,
    async_get_options,
)
from custom_components.developer_credentials.credentials.store import async_get_or_create_entry
from tests.common import SENTINEL

pytestmark = pytest.mark.usefixtures("setup")


@pytest.fixture
async def entry(hass: HomeAssistant) -> ConfigEntry:
    """Set up Developer Credentials."""
    return await async_get_or_create_entry(hass)


@pytest.fixture
async def items(hass: HomeAssistant) -> None:
    """Have application credentials of two integrations."""
    assert await async_setup_component(hass, "application_credentials", {})
    stored = hass.data[application_credentials.DATA_COMPONENT].data
    for domain in ("spotify", "fitbit"):
        for number in range(2):
            item_id = f"{domain}_{number}"
            item = {"id": item_id, "domain": domain, "client_id": "id", "client_secret": SENTINEL}
            stored[item_id] = item


async def _submit(
    hass: HomeAssistant, step: ConfigFlowResult, values: dict[str, Any]
) -> ConfigFlowResult:
    result = await hass.config_entries.options.async_configure(step["flow_id"], values)
    await hass.async_block_till_done()
    return result


def _choices(step: ConfigFlowResult, field: str) -> list[Any]:
    assert step["data_schema"] is not None
    (selector,) = [one for name, one in step["data_schema"].schema.items() if name == field]
    return list(selector.config["options"])


def _defaults(step: ConfigFlowResult) -> dict[str, Any]:
    assert step["data_schema"] is not None
    return {str(marker): marker.default() for marker in step["data_schema"].schema}


@pytest.mark.usefixtures("items")
async def test_as_installed(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """All is on but what is experimental; submitting that changes nothing."""
    step = await hass.config_entries.options.async_init(entry.entry_id)
    assert step["step_id"] == "init"
    assert _defaults(step) == {"look_after": True, "verify": True, "adopt": "none"}
    assert _choices(step, "adopt") == ["none", "chosen", "all"]
    before = async_get_options(hass)
    result = await _submit(hass, step, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert async_get_options(hass) == before == Options()


@pytest.mark.usefixtures("items")
async def test_changes_act_at_once(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """What was chosen is in force; the entry is not reloaded, by which logins would come back."""
    manager = hass.config_entries
    with patch.object(manager, "async_schedule_reload") as reload:
        step = await hass.config_entries.options.async_init(entry.entry_id)
        values = {"look_after": False, "verify": False, "adopt": "all"}
        await _submit(hass, step, values)
        assert async_get_options(hass) == Options(look_after=False, verify=False, adopt="all")
        step = await hass.config_entries.options.async_init(entry.entry_id)
        assert _defaults(step) == values
        reload.assert_not_called()


@pytest.mark.usefixtures("items")
async def test_chosen(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Integrations are chosen among those that have application credentials, by their names."""
    step = await hass.config_entries.options.async_init(entry.entry_id)
    step = await _submit(hass, step, {"look_after": True, "verify": False, "adopt": "chosen"})
    assert step["step_id"] == "adopted"
    assert _choices(step, "adopted") == [
        {"value": "fitbit", "label": "Fitbit"},
        {"value": "spotify", "label": "Spotify"},
    ]
    assert _defaults(step) == {"adopted": []}
    step = await _submit(hass, step, {"adopted": []})
    assert step["errors"] == {"adopted": "adopted_empty"}
    result = await _submit(hass, step, {"adopted": ["spotify"]})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    chosen = frozenset({"spotify"})
    assert async_get_options(hass) == Options(verify=False, adopt="chosen", adopted=chosen)

    # What was chosen is remembered while it is not in force.
    step = await hass.config_entries.options.async_init(entry.entry_id)
    await _submit(hass, step, {"look_after": True, "verify": True, "adopt": "none"})
    assert async_get_options(hass) == Options(adopted=chosen)
    assert not async_get_options(hass).adopts("spotify")
    # And can be taken back although its credentials have gone.
    hass.data[application_credentials.DATA_COMPONENT].data.clear()
    step = await hass.config_entries.options.async_init(entry.entry_id)
    step = await _submit(hass, step, {"adopt": "chosen"})
    assert _choices(step, "adopted") == [{"value": "spotify", "label": "Spotify"}]
    assert _defaults(step) == {"adopted": ["spotify"]}


async def test_nothing_to_choose(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Without an application credential there is none to choose; all that come can be."""
    step = await hass.config_entries.options.async_init(entry.entry_id)
    assert _choices(step, "adopt") == ["none", "all"]


async def test_while_disabled(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """What is chosen is shown as it is, also while nothing is done."""
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    step = await hass.config_entries.options.async_init(entry.entry_id)
    assert _defaults(step) == {"look_after": True, "verify": True, "adopt": "none"}
