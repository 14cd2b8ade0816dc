"""Application credentials are taken over where their integration has moved to our platform."""

from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.loader import Integration, async_get_integration
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER, PEER
from ..credentials.store import (
    async_add_subentry,
    async_find_subentry,
    async_get_by_key,
    async_get_entry,
    async_get_or_create_entry,
    async_new_subentry,
)
from ..private_api import async_is_set_up
from .collection import ApplicationCredential, async_get_application_credentials

# In our entry's data: the ids of the items that were taken over, each once.
CONF_TAKEN_OVER: Final = "taken_over"

# The integrations whose items were looked at since the start.
_DATA_LOOKED_AT: HassKey[set[str]] = HassKey(f"{DOMAIN}_taken_over")


async def async_take_over(hass: HomeAssistant, domain: str) -> None:
    """Take over the application credentials of an integration that has moved to our platform.

    It has moved where it has `application_credentials.py` no more, unless it overrides a built-in
    integration, whose credentials they may be. Each item is taken over once, with the key that the
    integration's entries refer to, and stays where it is: whoever installs an older version of the
    integration finds it there.
    """
    looked_at = hass.data.setdefault(_DATA_LOOKED_AT, set())
    if domain in looked_at:
        return
    integration = await async_get_integration(hass, domain)
    if integration.platforms_exists((PEER,)) or integration.manifest["overwrites_built_in"]:
        return
    entry = async_get_entry(hass)
    if not async_is_set_up(hass) or (entry and entry.disabled_by):
        return
    if _new(hass, integration, entry):
        _async_take_over(hass, integration, await async_get_or_create_entry(hass))
    looked_at.add(domain)


def _new(
    hass: HomeAssistant, integration: Integration, entry: ConfigEntry | None
) -> list[ApplicationCredential]:
    """Return the application credentials of an integration that were not taken over yet."""
    taken_over = _taken_over(entry)
    return [
        one
        for item_id, one in async_get_application_credentials(hass).items()
        if one.domain == integration.domain and item_id not in taken_over
    ]


@callback
def _async_take_over(hass: HomeAssistant, integration: Integration, entry: ConfigEntry) -> None:
    """Take over what is new, in one step: of several that ask at a time, the first one does it."""
    new = _new(hass, integration, entry)
    for one in new:
        key = one.domain, one.auth_domain
        known = async_find_subentry(hass, one.domain, one.credential.client_id)
        if known is None and async_get_by_key(hass, key) is None:
            subentry = async_new_subentry(
                hass, integration, one.credential, auth_domain=one.auth_domain
            )
            async_add_subentry(hass, entry, subentry)
            LOGGER.info("Took over the application credential %s", one.item_id)
    ids = [*_taken_over(entry), *(one.item_id for one in new)]
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_TAKEN_OVER: ids})


def _taken_over(entry: ConfigEntry | None) -> list[str]:
    """Return the ids of the items that were taken over; none where that is damaged."""
    ids = entry.data.get(CONF_TAKEN_OVER) if entry else None
    return ids if isinstance(ids, list) else []
