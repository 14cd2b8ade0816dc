"""Credentials of the YAML list are verified, for no form has done that.

At a reload at once, after the start some minutes later; one after the other.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.start import async_at_started
from homeassistant.loader import IntegrationNotFound, async_get_integration

from .const import DOMAIN
from .credentials.rejection import async_report
from .credentials.store import Key, async_get_by_key, async_update_subentry, credential_of
from .credentials.stored_credential import data_of
from .flows.credential_subject import OwnCredential
from .oauth2.verification import Outcome

# Seconds after the start.
DELAY: Final = 300.0


@callback
def async_verify_after_start(hass: HomeAssistant, entry: ConfigEntry, keys: list[Key]) -> None:
    """Verify credentials some minutes after Home Assistant has started.

    Args:
        hass: Home Assistant.
        entry: Our entry; when it is unloaded, they are not verified.
        keys: The credentials.
    """

    @callback
    def begin(_: datetime) -> None:
        async_verify(hass, entry, keys)

    @callback
    def started(_: HomeAssistant) -> None:
        entry.async_on_unload(
            async_call_later(hass, DELAY, HassJob(begin, cancel_on_shutdown=True))
        )

    if keys:
        entry.async_on_unload(async_at_started(hass, started))


@callback
def async_verify(hass: HomeAssistant, entry: ConfigEntry, keys: Iterable[Key]) -> None:
    """Begin to verify credentials; a repair tells of those that their server rejects."""
    entry.async_create_background_task(hass, _async_verify(hass, keys), f"{DOMAIN} YAML")


async def _async_verify(hass: HomeAssistant, keys: Iterable[Key]) -> None:
    for key in keys:
        if (subentry := async_get_by_key(hass, key)) is None:
            continue
        try:
            integration = await async_get_integration(hass, key[0])
        except IntegrationNotFound:
            # The others have their turn.
            continue
        asked = credential_of(subentry)
        verification = await OwnCredential(hass, integration, subentry).async_verify(asked)
        subentry = async_get_by_key(hass, key)
        if subentry is None or credential_of(subentry) != asked:
            # It was changed meanwhile, and is another question.
            continue
        data = data_of(verification.credential, subentry.data)
        async_update_subentry(hass, subentry, data, subentry.title, subentry.unique_id)
        if verification.outcome is Outcome.REJECTED:
            async_report(hass, key, verification.detail)
