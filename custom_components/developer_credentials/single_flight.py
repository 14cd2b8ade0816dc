"""One call in flight for each key, whoever asks: the others wait for its result.

A caller that is cancelled cancels nobody else.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN

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
    if key not in flights:
        task = hass.async_create_task(call(), f"{DOMAIN} {key[0]}", eager_start=False)
        flights[key] = _Flight(task)
        task.add_done_callback(lambda _: _settle(flights.pop(key), keep))
    flight: _Flight[T] = flights[key]
    flight.waiting += 1
    try:
        result = await asyncio.shield(flight.task)
        flight.arrived = True
    finally:
        flight.waiting -= 1
        _settle(flight, keep)
    return result


def _settle[T](flight: _Flight[T], keep: Callable[[T], None] | None) -> None:
    """Keep the result of a call that has ended, where it arrived nowhere and nobody waits."""
    if flight.arrived or flight.waiting or not flight.task.done() or flight.task.cancelled():
        return
    # An exception that nobody waits for is nobody's; asking for it is what takes note of it.
    if flight.task.exception() is None and keep:
        flight.arrived = True
        keep(flight.task.result())
