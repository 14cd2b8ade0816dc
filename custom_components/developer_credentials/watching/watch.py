"""Application credentials are looked after: what happens to them, and what is done about it.

One that is added or changed is verified. So is one whose users fail or are asked for a login: is it
rejected, the repair is raised, and a login that cannot help is taken back. While a repair stands,
the client is verified once an hour. One that was never seen is verified once, minutes after the
start. All of that is done one after the other, in a background task, once Home Assistant has
started.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Flag, auto
from typing import Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    SOURCE_REAUTH,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.collection import CollectionChange
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.helpers.start import async_at_started

from ..const import DOMAIN, LOGGER
from ..core_credentials.collection import (
    ApplicationCredential,
    async_get_application_credentials,
    async_listen,
)
from ..core_credentials.options import async_get_options
from ..core_credentials.users import async_get_application_credential_users, async_learn_users
from ..credentials.store import async_get_users_of
from . import answers, deletion, logins, rejection
from .inquiries import async_inquire
from .memory import async_get_logins, async_was_accepted

# Seconds after the start at which what was never seen is verified.
FIRST_SEEN_AFTER: Final = 300.0
# How often what is rejected is verified.
INTERVAL: Final = timedelta(hours=1)

_FAILED: Final = {ConfigEntryState.SETUP_ERROR, ConfigEntryState.SETUP_RETRY}


class _Why(Flag):
    """Why an application credential is looked at."""

    USERS = auto()
    """It is to be learned who uses it."""
    TROUBLE = auto()
    """Entries fail, or are asked for a login, that may use it."""
    FIRST_SEEN = auto()
    """It may never have been verified."""
    AGAIN = auto()
    """It is rejected and may have been mended; or it was new, and its server did not answer."""
    NEW = auto()
    """It is new, or another client."""


@callback
def async_watch(hass: HomeAssistant) -> CALLBACK_TYPE:
    """Look after application credentials whenever the user lets us; return what ends that.

    Then all is as if they had never been looked after: repairs go, logins come back.
    """
    watch: _Watch | None = None

    @callback
    def adapt() -> None:
        nonlocal watch
        wanted = async_get_options(hass).look_after
        if wanted and watch is None:
            watch = _Watch(hass)
        elif not wanted and watch:
            # What it does changes our entry.
            ended, watch = watch, None
            ended.stop()

    @callback
    def entry_changed(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain == DOMAIN:
            adapt()

    stop_hearing = async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, entry_changed)
    adapt()

    @callback
    def end() -> None:
        stop_hearing()
        if watch:
            watch.stop()

    return end


class _Watch:
    """Hears of what happens, and looks at one application credential after the other."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin."""
        self._hass = hass
        self._queue: dict[str, _Why] = {}
        # Those whose server did not answer.
        self._unanswered: dict[str, _Why] = {}
        # What ends the wait of those that are looked at again.
        self._later: dict[str, CALLBACK_TYPE] = {}
        self._task: asyncio.Task[None] | None = None
        self._end_pause: CALLBACK_TYPE | None = None
        self._is_started = False
        self._clients = self._current_clients()
        # In the order in which they are ended.
        self._stops: list[CALLBACK_TYPE] = [
            async_listen(hass, self._collection_changed),
            hass.config_entries.flow.async_subscribe_flow(self._flow_changed),
            async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._entry_changed),
            async_track_time_interval(hass, self._ask_again, INTERVAL, cancel_on_shutdown=True),
            rejection.async_begin(hass),
            logins.async_begin(hass, self._is_login_needed),
            deletion.async_watch(hass),
        ]
        self._stops.append(async_at_started(hass, self._started))

    @callback
    def stop(self) -> None:
        """End; nothing is done after that."""
        self._is_started = False
        self._queue.clear()
        if self._task:
            self._task.cancel()
        if self._end_pause:
            self._end_pause()
        for stop in (*self._later.values(), *self._stops):
            stop()
        answers.async_forget_all(self._hass)

    @callback
    def _call_later(self, seconds: float, action: Callable[[datetime], None]) -> CALLBACK_TYPE:
        """Do something later; return what ends that, as does the stop of Home Assistant."""
        return async_call_later(self._hass, seconds, HassJob(action, cancel_on_shutdown=True))

    @callback
    def _started(self, _: HomeAssistant) -> None:
        """Begin to ask; look at what has happened by now."""
        self._is_started = True
        self._clients = self._current_clients()
        logins.async_started(self._hass)
        self._stops.append(self._call_later(FIRST_SEEN_AFTER, self._see_all))
        for one in async_get_application_credentials(self._hass).values():
            if one.auth_domain != one.domain and async_get_users_of(
                self._hass, one.domain, one.domain
            ):
                self._look_at(one.item_id, _Why.USERS)
        for entry in self._hass.config_entries.async_entries():
            if rejection.is_in_trouble(self._hass, entry):
                self._see_trouble(entry)
        self._go_on()

    @callback
    def _see_all(self, _: datetime) -> None:
        for item_id in async_get_application_credentials(self._hass):
            self._look_at(item_id, _Why.FIRST_SEEN)

    @callback
    def _ask_again(self, _: datetime) -> None:
        """Verify what is rejected, and what its server did not answer to."""
        unanswered, self._unanswered = self._unanswered, {}
        for item_id, why in unanswered.items():
            self._look_at(item_id, why)
        for item_id in rejection.async_get_core_rejections(self._hass):
            self._look_at(item_id, _Why.AGAIN)

    def _current_clients(self) -> dict[str, answers.Client]:
        return {
            item_id: answers.client_of(one.domain, one.credential)
            for item_id, one in async_get_application_credentials(self._hass).items()
        }

    @callback
    def _collection_changed(self, change: CollectionChange) -> None:
        """Verify what is new to its server, but for a new name."""
        rejection.async_withdraw_outdated(self._hass)
        before, self._clients = self._clients, self._current_clients()
        item_id = change.item_id
        if item_id in before and item_id not in self._clients:
            answers.async_forget(self._hass, before[item_id])
        if (
            item_id in self._clients
            and self._clients[item_id] != before.get(item_id)
            and async_get_options(self._hass).verify
        ):
            self._look_at(item_id, _Why.NEW)

    @callback
    def _entry_changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.state in _FAILED and change is not ConfigEntryChange.REMOVED:
            self._see_trouble(entry)

    @callback
    def _flow_changed(self, change: str, flow_id: str) -> None:
        """See that a login is asked for; what is raised here would be raised in Home Assistant."""
        try:
            if change != "added":
                logins.async_flow_ended(self._hass, flow_id)
                return
            context = self._hass.config_entries.flow.async_get(flow_id)["context"]
            if context.get("source") != SOURCE_REAUTH:
                return
            logins.async_flow_began(self._hass, flow_id)
            self._see_trouble(self._hass.config_entries.async_get_known_entry(context["entry_id"]))
        except Exception as err:  # noqa: BLE001 - see above
            LOGGER.error("A login that was asked for was missed: %s", type(err).__name__)

    @callback
    def _see_trouble(self, entry: ConfigEntry) -> None:
        """Look at the application credentials that an entry may use."""
        if not isinstance(entry.data.get("auth_implementation"), str):
            return
        rejections = rejection.async_get_core_rejections(self._hass)
        for one in async_get_application_credentials(self._hass).values():
            if one.domain != entry.domain:
                continue
            if one.item_id not in rejections:
                self._look_at(one.item_id, _Why.TROUBLE)
            elif entry in async_get_application_credential_users(self._hass, one):
                # Home Assistant is not yet done with beginning the flow.
                self._hass.loop.call_soon(self._take_back, one.item_id)

    @callback
    def _take_back(self, item_id: str) -> None:
        """Take back the logins that cannot help, as the server has proven."""
        known = rejection.async_get_core_rejections(self._hass).get(item_id)
        if known and known.proven:
            logins.async_take_back(self._hass, known.application_credential)

    @callback
    def _is_login_needed(self, entry: ConfigEntry) -> bool:
        """Return whether an entry does not work by now, or its server rejects its client."""
        return entry.state is not ConfigEntryState.LOADED or any(
            entry in async_get_application_credential_users(self._hass, one.application_credential)
            for one in rejection.async_get_core_rejections(self._hass).values()
        )

    @callback
    def _look_at(self, item_id: str, why: _Why) -> None:
        """Put an application credential in the queue."""
        self._queue[item_id] = why | self._queue.get(item_id, why)
        self._go_on()

    @callback
    def _look_later(self, one: ApplicationCredential) -> None:
        """Look at one in trouble again when its server may be asked again, if it was just asked."""
        client = answers.client_of(one.domain, one.credential)
        recent = answers.async_get_recent(self._hass, client, of_users=False)

        @callback
        def look(_: datetime) -> None:
            del self._later[one.item_id]
            self._look_at(one.item_id, _Why.TROUBLE)

        if recent and one.item_id not in self._later:
            _, seconds = recent
            self._later[one.item_id] = self._call_later(seconds, look)

    @callback
    def _go_on(self, _: datetime | None = None) -> None:
        """Look at what is in the queue, unless that is being done."""
        if self._end_pause:
            self._end_pause()
        if self._is_started and self._queue and self._task is None:
            # Not eagerly: whoever is at work now goes first.
            self._task = self._hass.async_create_background_task(
                self._work(), f"{DOMAIN} inquiries", eager_start=False
            )

    async def _work(self) -> None:
        """Look at what is in the queue, one after the other, as long as servers answer."""
        pause = 0.0
        try:
            while item_id := self._next():
                why = self._queue.pop(item_id)
                try:
                    await self._see(item_id, why)
                except Exception as err:  # noqa: BLE001 - the others have their turn
                    LOGGER.error(
                        "An application credential was not looked at: %s", type(err).__name__
                    )
        finally:
            self._task = None
        if self._queue:
            pause = answers.async_get_pause(self._hass)
            self._end_pause = self._call_later(pause, self._go_on)

    def _next(self) -> str | None:
        """Return which one has its turn: while the network may be down, what was just entered."""
        is_paused = answers.async_get_pause(self._hass) > 0
        return next(
            (one for one, why in self._queue.items() if not is_paused or _Why.NEW in why), None
        )

    async def _see(self, item_id: str, why: _Why) -> None:
        """Look at an application credential; ask its server where there is reason to."""
        if (one := async_get_application_credentials(self._hass).get(item_id)) is None:
            return
        await async_learn_users(self._hass, one)
        users = async_get_application_credential_users(self._hass, one)
        is_in_trouble = _Why.TROUBLE in why and any(
            rejection.is_in_trouble(self._hass, user) for user in users
        )
        if is_in_trouble:
            self._look_later(one)
        elif not why & (_Why.NEW | _Why.AGAIN) and not (
            _Why.FIRST_SEEN in why and self._is_unsure(one, users)
        ):
            return
        verification = await async_inquire(self._hass, one, is_new=_Why.NEW in why)
        if not verification.answered:
            self._unanswered[item_id] = _Why.AGAIN if _Why.NEW in why else why
        self._take_back(item_id)

    def _is_unsure(self, one: ApplicationCredential, users: list[ConfigEntry]) -> bool:
        """Return whether a client was never accepted, or a login of its users was taken back."""
        taken_back = {
            entry_id for entry_id, time in async_get_logins(self._hass).items() if time is not None
        }
        return not async_was_accepted(
            self._hass, one.domain, one.credential.client_id
        ) or not taken_back.isdisjoint(user.entry_id for user in users)
