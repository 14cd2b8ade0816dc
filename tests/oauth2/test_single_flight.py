"""Tests of calls that are made once for all who ask."""

import asyncio
from collections.abc import Callable, Coroutine

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant
import pytest

from custom_components.developer_credentials.oauth2 import single_flight
from custom_components.developer_credentials.oauth2.single_flight import async_join
from tests.common import SENTINEL

KEY = ("test", "key")


class Call:
    """A call that ends when a test says so, and what was kept of its results."""

    def __init__(self) -> None:
        """Initialize with nothing asked."""
        self.count = 0
        self.end = asyncio.Event()
        self.kept: list[int] = []

    async def __call__(self) -> int:
        """Count the call, wait, and return its number."""
        self.count += 1
        number = self.count
        await self.end.wait()
        return number

    def join(self, hass: HomeAssistant, key: tuple[str, ...] = KEY) -> Coroutine[None, None, int]:
        """Join the call."""
        return async_join(hass, key, self, self.kept.append)


async def _some_steps() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_joined(hass: HomeAssistant) -> None:
    """Who asks while a call is in flight is given its result; who asks later makes a new one."""
    call = Call()
    tasks = [hass.async_create_task(call.join(hass)) for _ in range(3)]
    await _some_steps()
    call.end.set()
    assert [await task for task in tasks] == [1, 1, 1]
    assert await call.join(hass) == 2
    assert call.kept == []


async def test_representation(hass: HomeAssistant) -> None:
    """The result is in no representation of the task, which asyncio's debug mode logs."""

    async def call() -> str:
        return SENTINEL

    seen: list[str] = []
    join = hass.async_create_task(async_join(hass, KEY, call))
    await asyncio.sleep(0)
    (flight,) = hass.data["developer_credentials_flights"].values()
    flight.task.add_done_callback(lambda task: seen.append(f"{task!r} {task.result()} {flight}"))
    assert await join == SENTINEL
    assert "finished" in seen[0]
    assert SENTINEL not in seen[0]


async def test_other_key(hass: HomeAssistant) -> None:
    """Calls about something else have nothing to do with it."""
    call = Call()
    call.end.set()
    results = await asyncio.gather(call.join(hass), call.join(hass, ("test", "other")))
    assert sorted(results) == [1, 2]


async def test_failure(hass: HomeAssistant) -> None:
    """All who wait learn of a failure; nothing of it is kept."""

    async def fail() -> int:
        await asyncio.sleep(0)
        raise ValueError

    kept: list[int] = []
    joins = (async_join(hass, KEY, fail, kept.append) for _ in range(3))
    results = await asyncio.gather(*joins, return_exceptions=True)
    assert [type(result) for result in results] == [ValueError] * 3
    assert kept == []


@pytest.mark.parametrize("cancelled", [1, 2, 3])
async def test_cancelled_callers(hass: HomeAssistant, cancelled: int) -> None:
    """Callers that are cancelled cancel nobody else; what none is given is kept, once."""
    call = Call()
    tasks = [hass.async_create_task(call.join(hass)) for _ in range(3)]
    await _some_steps()
    for task in tasks[:cancelled]:
        task.cancel()
    await _some_steps()
    call.end.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [result for result in results if result == 1] == [1] * (3 - cancelled)
    await hass.async_block_till_done()
    assert call.kept == ([1] if cancelled == 3 else [])


async def test_cancelled_when_it_ends(hass: HomeAssistant) -> None:
    """What comes in the moment in which all callers are cancelled is kept, once."""
    call = Call()
    tasks = [hass.async_create_task(call.join(hass)) for _ in range(3)]
    await _some_steps()
    (flight,) = hass.data["developer_credentials_flights"].values()
    flight.task.add_done_callback(lambda _: [task.cancel() for task in tasks])
    call.end.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert all(task.cancelled() for task in tasks)
    assert call.kept == [1]


@pytest.mark.parametrize("keep", [True, False])
async def test_call_is_cancelled(hass: HomeAssistant, keep: bool) -> None:
    """A call that is cancelled itself, as when Home Assistant stops, leaves nothing."""
    call = Call()
    kept: Callable[[int], None] | None = call.kept.append if keep else None
    task = hass.async_create_task(async_join(hass, KEY, call, kept))
    await _some_steps()
    (flight,) = hass.data["developer_credentials_flights"].values()
    flight.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert call.kept == []
    assert hass.data["developer_credentials_flights"] == {}
    call.end.set()
    assert await call.join(hass) == 2


async def test_joined_when_it_ends(hass: HomeAssistant) -> None:
    """Who asks between the end of a call and the moment in which it is known joins that call."""
    call = Call()
    first = hass.async_create_task(call.join(hass))
    await _some_steps()
    late: list[asyncio.Task[int]] = []
    (flight,) = hass.data["developer_credentials_flights"].values()
    flight.task.add_done_callback(lambda _: late.append(hass.async_create_task(call.join(hass))))
    call.end.set()
    assert await first == 1
    assert await late[0] == 1
    assert call.count == 1


async def test_stop_waits(hass: HomeAssistant, caplog: pytest.LogCaptureFixture) -> None:
    """A stop of Home Assistant waits for a call whose result is to be kept, and for no other."""
    call, other = Call(), Call()
    tasks = [
        hass.async_create_background_task(call.join(hass), "waits"),
        hass.async_create_background_task(async_join(hass, ("test", "other"), other), "other"),
    ]
    await _some_steps()
    hass.loop.call_later(0.2, call.end.set)
    await hass.async_stop()
    assert [task.cancelled() for task in tasks] == [False, True]
    assert tasks[0].result() == 1
    assert "without waiting any longer" not in caplog.text


async def test_nothing_to_keep(hass: HomeAssistant) -> None:
    """A call whose result is not to be kept holds up nobody who waits for Home Assistant's work."""
    call = Call()
    waiting = hass.async_create_background_task(async_join(hass, KEY, call), "waits")
    await _some_steps()
    assert call.count == 1
    async with asyncio.timeout(5):
        await hass.async_block_till_done()
    call.end.set()
    assert await waiting == 1


async def test_stop_waits_for_what_begins_meanwhile(hass: HomeAssistant) -> None:
    """A call that begins while Home Assistant waits for another one is waited for as well."""
    first, second = Call(), Call()
    tasks = [hass.async_create_background_task(first.join(hass), "first")]

    def begin_the_second() -> None:
        join = second.join(hass, ("test", "second"))
        tasks.append(hass.async_create_background_task(join, "second"))
        hass.loop.call_later(0.1, first.end.set)
        hass.loop.call_later(0.2, second.end.set)

    await _some_steps()
    hass.loop.call_later(0.1, begin_the_second)
    await hass.async_stop()
    assert [task.result() for task in tasks] == [1, 1]


async def test_stop_gives_up(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A call that goes on is given up, and that is told; what comes while others stop is kept."""
    monkeypatch.setattr(single_flight, "STOP_TIMEOUT", 0.1)
    call = Call()
    task = hass.async_create_background_task(call.join(hass), "waits")
    await _some_steps()

    async def stop_slowly(_: Event) -> None:
        await asyncio.sleep(0.1)
        call.end.set()
        await asyncio.sleep(0.1)

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, stop_slowly)
    await hass.async_stop()
    assert "Home Assistant stops without waiting any longer for 1 token requests" in caplog.text
    assert task.cancelled()
    assert call.kept == [1]
