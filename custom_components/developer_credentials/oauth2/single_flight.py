"""One call in flight for each key, whoever asks: the others wait for its result.

A caller that is cancelled cancels nobody else. A call is in flight until the last one who waited
has taken its result: nobody begins it anew while another is about to store what came of it.

Home Assistant stops when the calls whose result is to be kept have ended, or after ten seconds.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.core import HassJob, HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER

# Seconds that Home Assistant's stop is held up, of the 20 that it has for that.
STOP_TIMEOUT: Final = 10.0

_DATA_FLIGHTS: HassKey[dict[tuple[str, ...], _Flight[Any]]] = HassKey(f"{DOMAIN}_flights")


@dataclass(frozen=True, repr=False)
class _Result[T]:
    """What a call came to, which may be secret: asyncio's debug mode logs the results of tasks."""

    value: T


@dataclass(repr=False)
class _Flight[T]:
    """A call, whether its result is to be kept, how many wait for it, and whether one got it."""

    task: asyncio.Task[_Result[T]]
    to_keep: bool
    waiting: int = 0
    arrived: bool = False


@callback
def _async_get_flights(hass: HomeAssistant) -> dict[tuple[str, ...], _Flight[Any]]:
    """Return the calls in flight; a stop of Home Assistant waits for them from the first one on."""
    flights: dict[tuple[str, ...], _Flight[Any]] | None = hass.data.get(_DATA_FLIGHTS)
    if flights is None:
        flights = {}
        hass.data[_DATA_FLIGHTS] = flights
        hass.async_add_shutdown_job(HassJob(_async_wait, f"{DOMAIN} calls in flight"), flights)
    return flights


async def async_join[T](
    hass: HomeAssistant,
    key: tuple[str, ...],
    call: Callable[[], Coroutine[Any, Any, T]],
    keep: Callable[[T], None] | None = None,
) -> T:
    """Return the result of the call in flight, which is begun where there is none.

    Args:
        hass: Home Assistant.
        key: What the call is about; of calls with the same key one is made.
        call: Begins the call.
        keep: Is given the result where all who waited for it were cancelled; and a stop of Home
            Assistant waits for the call.

    Raises:
        Exception: What the call raises, to all who wait for it.
    """
    flights = _async_get_flights(hass)

    @callback
    def settle(flight: _Flight[T]) -> None:
        """Forget a call that has ended, when all who waited have gone; keep what none was given."""
        if flight.waiting or not flight.task.done() or flights.get(key) is not flight:
            return
        del flights[key]
        # Asking for an exception takes note of it: that nobody waits for it is no defect.
        succeeded = not flight.task.cancelled() and flight.task.exception() is None
        if succeeded and not flight.arrived and keep:
            keep(flight.task.result().value)

    async def run() -> _Result[T]:
        return _Result(await call())

    if key not in flights:
        # A stop of Home Assistant cancels those in the background.
        create = hass.async_create_task if keep else hass.async_create_background_task
        task = create(run(), f"{DOMAIN} {key[0]}", eager_start=False)
        flight: _Flight[T] = _Flight(task, keep is not None)
        flights[key] = flight
        task.add_done_callback(lambda _: settle(flight))
    joined: _Flight[T] = flights[key]
    joined.waiting += 1
    try:
        result = await asyncio.shield(joined.task)
        joined.arrived = True
    finally:
        joined.waiting -= 1
        settle(joined)
    return result.value


async def _async_wait(flights: dict[tuple[str, ...], _Flight[Any]]) -> None:
    """Wait until no call is in flight whose result is to be kept, as long as a stop may wait."""
    tasks: list[asyncio.Task[Any]] = []
    try:
        async with asyncio.timeout(STOP_TIMEOUT):
            while tasks := [flight.task for flight in flights.values() if flight.to_keep]:
                await asyncio.wait(tasks)
    except TimeoutError:
        LOGGER.warning(
            "Home Assistant stops without waiting any longer for %s token requests", len(tasks)
        )
