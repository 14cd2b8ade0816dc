"""One call in flight for each key, whoever asks: the others wait for its result.

A caller that is cancelled cancels nobody else. A call is in flight until the last one who waited
has taken its result: nobody begins it anew while another is about to store what came of it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN

_DATA_FLIGHTS: HassKey[dict[tuple[str, ...], _Flight[Any]]] = HassKey(f"{DOMAIN}_flights")


@dataclass(slots=True, repr=False)
class _Flight[T]:
    """A call, how many wait for it, and whether one of them was given its result."""

    task: asyncio.Task[T]
    waiting: int = 0
    arrived: bool = False


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
        keep: Is given the result where all who waited for it were cancelled.

    Raises:
        Exception: What the call raises, to all who wait for it.
    """
    flights = hass.data.setdefault(_DATA_FLIGHTS, {})

    @callback
    def settle(flight: _Flight[T]) -> None:
        """Forget a call that has ended, when all who waited have gone; keep what none was given."""
        if flight.waiting or not flight.task.done() or flights.get(key) is not flight:
            return
        del flights[key]
        # Asking for an exception takes note of it: that nobody waits for it is no defect.
        succeeded = not flight.task.cancelled() and flight.task.exception() is None
        if succeeded and not flight.arrived and keep:
            keep(flight.task.result())

    if key not in flights:
        task = hass.async_create_task(call(), f"{DOMAIN} {key[0]}", eager_start=False)
        flight: _Flight[T] = _Flight(task)
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
    return result
