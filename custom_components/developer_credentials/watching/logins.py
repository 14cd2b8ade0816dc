"""Logins that cannot help are taken back, and come back.

Home Assistant asks for one where a server rejects the client, however often the user logs in. It is
taken back then, unless somebody has opened it. After a day in which nothing was mended it comes
back, and stays; and so do all of them when application credentials are not looked after any more.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER
from ..core_credentials.collection import ApplicationCredential
from ..core_credentials.users import async_get_application_credential_users
from ..credentials.store import async_start_reauth
from ..private_api import async_get_current_step
from .memory import async_get_logins, async_set_logins

# Seconds after which a login comes back.
COMES_BACK_AFTER: Final = 86_400.0


@dataclass
class _Logins:
    """What is known of logins.

    Attributes:
        is_needed: Whether the login of an entry is to come back.
        first_steps: By flow, the step that it had when it began.
        waiting: By entry, what ends the wait for the day.
        withheld: The entries whose logins were not asked for, and so not taken back: they go on.
    """

    is_needed: Callable[[ConfigEntry], bool]
    first_steps: dict[str, object] = field(default_factory=dict)
    waiting: dict[str, CALLBACK_TYPE] = field(default_factory=dict)
    withheld: set[str] = field(default_factory=set)


# There while application credentials are watched.
_DATA_LOGINS: HassKey[_Logins] = HassKey(f"{DOMAIN}_watching_logins")


@callback
def async_begin(hass: HomeAssistant, is_needed: Callable[[ConfigEntry], bool]) -> CALLBACK_TYPE:
    """Be ready to take logins back; those that were taken back before wait for `async_started`.

    Args:
        hass: Home Assistant.
        is_needed: Whether the login of an entry is to come back after a day.

    Returns:
        What ends that: they come back then at once.
    """
    hass.data[_DATA_LOGINS] = _Logins(is_needed)

    @callback
    def end() -> None:
        logins = hass.data.pop(_DATA_LOGINS)
        for cancel in logins.waiting.values():
            cancel()
        taken_back = async_get_logins(hass)
        async_set_logins(hass, {})
        for entry_id, time in taken_back.items():
            entry = hass.config_entries.async_get_entry(entry_id)
            if entry and time is not None:
                async_start_reauth(hass, entry)

    return end


@callback
def async_started(hass: HomeAssistant) -> None:
    """Have the logins come back in time that were taken back before; by now entries are set up."""
    for entry_id, taken_back in async_get_logins(hass).items():
        if taken_back is not None and entry_id not in hass.data[_DATA_LOGINS].waiting:
            _async_wait(hass, entry_id, taken_back)


@callback
def async_flow_began(hass: HomeAssistant, flow_id: str) -> None:
    """Take note of a login as it was asked for: nobody has opened it yet."""
    hass.data[_DATA_LOGINS].first_steps[flow_id] = async_get_current_step(hass, flow_id)


@callback
def async_flow_ended(hass: HomeAssistant, flow_id: str) -> None:
    """Forget a login that has ended."""
    hass.data[_DATA_LOGINS].first_steps.pop(flow_id, None)


@callback
def _is_untouched(hass: HomeAssistant, flow_id: str) -> bool:
    """Return whether certainly nobody has opened a login."""
    first = hass.data[_DATA_LOGINS].first_steps.get(flow_id)
    return first is not None and async_get_current_step(hass, flow_id) is first


@callback
def async_is_attended(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Return whether an entry has a login that somebody may have opened."""
    return any(
        not _is_untouched(hass, flow["flow_id"])
        for flow in entry.async_get_active_flows(hass, {SOURCE_REAUTH})
    )


@callback
def async_take_back(hass: HomeAssistant, application_credential: ApplicationCredential) -> None:
    """Take back the logins of its users that nobody has opened; they come back after a day.

    The logins of an entry are left alone once one has come back, or the user has asked for one.
    """
    taken_back = dict(async_get_logins(hass))
    for user in async_get_application_credential_users(hass, application_credential):
        if taken_back.get(user.entry_id, 0.0) is None:
            continue
        flows = [
            flow["flow_id"]
            for flow in user.async_get_active_flows(hass, {SOURCE_REAUTH})
            if _is_untouched(hass, flow["flow_id"])
        ]
        for flow_id in flows:
            hass.config_entries.flow.async_abort(flow_id)
            hass.data[_DATA_LOGINS].withheld.discard(user.entry_id)
        if flows and user.entry_id not in taken_back:
            LOGGER.info("A login of %s cannot help, and is taken back", user.domain)
            taken_back[user.entry_id] = _async_wait_from_now(hass, user)
    async_set_logins(hass, taken_back)


@callback
def async_withhold(hass: HomeAssistant, application_credential: ApplicationCredential) -> None:
    """Have the logins of its users come after a day that are not even asked for meanwhile."""
    taken_back = async_get_logins(hass)
    new = {
        user.entry_id: _async_wait_from_now(hass, user)
        for user in async_get_application_credential_users(hass, application_credential)
        if user.entry_id not in taken_back and not user.disabled_by
    }
    hass.data[_DATA_LOGINS].withheld.update(new)
    async_set_logins(hass, {**taken_back, **new})


@callback
def _async_wait_from_now(hass: HomeAssistant, user: ConfigEntry) -> float:
    now = dt_util.utcnow().timestamp()
    _async_wait(hass, user.entry_id, now)
    return now


@callback
def _async_wait(hass: HomeAssistant, entry_id: str, taken_back: float) -> None:
    """Have a login come back a day after it was taken back; of a clock that went wrong, in time."""
    age = dt_util.utcnow().timestamp() - taken_back
    seconds = min(max(COMES_BACK_AFTER - age, 0.0), COMES_BACK_AFTER)

    @callback
    def come_back(_: datetime) -> None:
        del hass.data[_DATA_LOGINS].waiting[entry_id]
        _async_come_back(hass, entry_id)

    hass.data[_DATA_LOGINS].waiting[entry_id] = async_call_later(
        hass, seconds, HassJob(come_back, cancel_on_shutdown=True)
    )


@callback
def _async_come_back(hass: HomeAssistant, entry_id: str) -> None:
    taken_back = dict(async_get_logins(hass))
    entry = hass.config_entries.async_get_entry(entry_id)
    if entry and hass.data[_DATA_LOGINS].is_needed(entry):
        taken_back[entry_id] = None
        async_set_logins(hass, taken_back)
        async_start_reauth(hass, entry)
    else:
        taken_back.pop(entry_id, None)
        async_set_logins(hass, taken_back)


@callback
def async_log_in_again(
    hass: HomeAssistant, application_credential: ApplicationCredential
) -> list[ConfigEntry]:
    """Have the users of an application credential log in again; return those that can.

    These logins stay, as long as the server rejects this client.
    """
    users = [
        user
        for user in async_get_application_credential_users(hass, application_credential)
        if not user.disabled_by
    ]
    _async_stop_waiting(hass, users)
    async_set_logins(hass, {**async_get_logins(hass), **{one.entry_id: None for one in users}})
    for user in users:
        async_start_reauth(hass, user)
    return users


@callback
def async_forget(hass: HomeAssistant, entries: Iterable[ConfigEntry]) -> list[ConfigEntry]:
    """Forget the logins of entries that are mended; return those whose login was taken back."""
    logins, entries = async_get_logins(hass), list(entries)
    _async_stop_waiting(hass, entries)
    mended = {one.entry_id for one in entries}
    async_set_logins(hass, {key: time for key, time in logins.items() if key not in mended})
    withheld = hass.data[_DATA_LOGINS].withheld & mended
    hass.data[_DATA_LOGINS].withheld -= mended
    return [
        one
        for one in entries
        if logins.get(one.entry_id) is not None and one.entry_id not in withheld
    ]


@callback
def async_forget_requests(hass: HomeAssistant, entries: Iterable[ConfigEntry]) -> None:
    """Have the logins of entries not left alone any more, for their client is another one."""
    logins, others = async_get_logins(hass), {one.entry_id for one in entries}
    async_set_logins(
        hass,
        {key: time for key, time in logins.items() if time is not None or key not in others},
    )


@callback
def _async_stop_waiting(hass: HomeAssistant, entries: Iterable[ConfigEntry]) -> None:
    for entry in entries:
        if cancel := hass.data[_DATA_LOGINS].waiting.pop(entry.entry_id, None):
            cancel()
