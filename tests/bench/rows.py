"""What is measured in one process: a Home Assistant with both sides."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
import gc
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
import tracemalloc

from aiohttp import ClientSession
from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlowResult
from homeassistant.helpers.config_entry_oauth2_flow import OAuth2Session
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.developer_credentials.const import DOMAIN, PEER
from custom_components.developer_credentials.core_credentials.options import (
    CONF_LOOK_AFTER,
    CONF_VERIFY,
)
from custom_components.developer_credentials.credentials.store import async_get_or_create_entry

from .home import Home, home
from .measuring import Preparation, Row, Work, in_turn, seconds_of
from .sides import Side

PROVIDING = "Providing the implementations of an integration"
SETTING_UP = "Set-up"
CHANGING = "A credential among others"
LOGIN = "A login, over HTTP"
REFRESHING = "Refreshes, over HTTP"
ROTATION = "A rotated secret, until a request uses it"


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes:
        sizes: How many credentials there are.
        rounds: How often each work is measured.
        calls: How many calls are one measurement, of the shortest work.
    """

    sizes: tuple[int, ...]
    rounds: int
    calls: int


QUICK = Effort((1, 10, 100), 5, 20)
WHOLE = Effort((1, 10, 100, 1_000), 15, 40)


async def measure(effort: Effort) -> AsyncIterator[Row]:
    """Yield the rows, one after the other."""
    for rows in (_providing, _setting_up, _changing, _logging_in, _refreshing, _rotating):
        async for row in rows(effort):
            yield row


async def _both(it: Home, *domains: str) -> None:
    """Set up both sides, with an integration of each per name: `ours_…`, `peer_…`."""
    for domain in domains:
        it.install(f"ours_{domain}", it.ours)
        it.install(f"peer_{domain}", it.peer)
    await it.set_up("http", "auth", PEER, DOMAIN)


async def _look_after(it: Home, *, wanted: bool) -> None:
    """Have ours look after the peer's, or not: its work is not to be measured as the peer's.

    Nothing is verified by itself, which would be requests at any time.
    """
    entry = await async_get_or_create_entry(it.hass)
    options = {CONF_LOOK_AFTER: wanted, CONF_VERIFY: False}
    it.hass.config_entries.async_update_entry(entry, options=options)
    await it.hass.async_block_till_done()


def _for(it: Home) -> Preparation:
    """Return what prepares a measurement: ours looks after the peer's while ours is measured."""
    return lambda is_ours: _look_after(it, wanted=is_ours)


def _once[T](values: Iterable[T]) -> T:
    """Return what is counted, which is the same each time."""
    (value,) = set(values)
    return value


async def _add(it: Home, domain: str, numbers: range) -> None:
    """Add credentials to both sides."""
    await _look_after(it, wanted=False)
    for number in numbers:
        await it.ours.add(f"ours_{domain}", f"id-{number}")
        await it.peer.add(f"peer_{domain}", f"id-{number}")
    await it.hass.async_block_till_done()


def _plural(size: int) -> str:
    return f"{size:,} credential{'' if size == 1 else 's'}"


async def _providing(effort: Effort) -> AsyncIterator[Row]:
    with TemporaryDirectory() as folder:
        async with home(Path(folder)) as it:
            await _both(it, "one", "others")
            ours, peers = it.ours.provider(), it.peer.provider()
            await _add(it, "one", range(1))
            there = 0
            for size in effort.sizes:
                await _add(it, "others", range(there, size - 1))
                there = size - 1
                for of_ours, of_peer, title in (
                    ("ours_one", "peer_one", f"that has one credential, of {size:,} in all"),
                    ("peer_one", "ours_one", f"that uses the other component, {size:,} in all"),
                ):
                    times = await in_turn(
                        lambda domain=of_ours: ours(it.hass, domain),  # type: ignore[misc]
                        lambda domain=of_peer: peers(it.hass, domain),  # type: ignore[misc]
                        rounds=effort.rounds,
                        calls=effort.calls,
                        prepare=_for(it),
                    )
                    yield Row.of(PROVIDING, title, *times)
            yield await _after_a_change(effort, it)
    for size in effort.sizes[1:]:
        yield await _own(effort, size)


async def _after_a_change(effort: Effort, it: Home) -> Row:
    """Return what the first call after a change of another credential takes."""
    numbers = count()

    async def prepare(is_ours: bool) -> None:
        await _look_after(it, wanted=is_ours)
        side, domain = (it.ours, "ours_others") if is_ours else (it.peer, "peer_others")
        await side.edit(domain, "id-1", f"secret-{next(numbers)}")
        await it.hass.async_block_till_done()

    ours, peers = it.ours.provider(), it.peer.provider()
    times = await in_turn(
        lambda: ours(it.hass, "ours_one"),
        lambda: peers(it.hass, "peer_one"),
        rounds=effort.rounds,
        prepare=prepare,
    )
    title = f"the first time after another one of {effort.sizes[-1]:,} has changed"
    return Row.of(PROVIDING, title, *times)


async def _own(effort: Effort, size: int) -> Row:
    """Return what an integration takes that has all the credentials that there are."""
    with TemporaryDirectory() as folder:
        async with home(Path(folder)) as it:
            await _both(it, "one")
            await _add(it, "one", range(size))
            ours, peers = it.ours.provider(), it.peer.provider()
            times = await in_turn(
                lambda: ours(it.hass, "ours_one"),
                lambda: peers(it.hass, "peer_one"),
                rounds=effort.rounds,
                calls=max(1, effort.calls // size),
                prepare=_for(it),
            )
            return Row.of(PROVIDING, f"that has {_plural(size)}, which are all", *times)


async def _setting_up(effort: Effort) -> AsyncIterator[Row]:
    for size in (0, 10, effort.sizes[-1]):
        with TemporaryDirectory() as folder:
            async with home(Path(folder)) as it:
                await _both(it, "one")
                await _add(it, "one", range(size))
                await _look_after(it, wanted=True)
            for unit, rounds in (("s", min(effort.rounds // 2, 5)), ("B", 1)):
                taken: list[list[float]] = [[], []]
                for _ in range(rounds + 1):
                    for component, values in zip((DOMAIN, PEER), taken, strict=True):
                        values.append(await _set_up_once(Path(folder), component, unit))
                title = f"with {_plural(size)}: {'time' if unit == 's' else 'memory'}"
                # The first one does not count.
                yield Row.of(SETTING_UP, title, taken[0][1:], taken[1][1:], unit=unit)


async def _set_up_once(folder: Path, component: str, unit: str) -> float:
    """Return what the set-up of one side from what is stored takes, of time or of memory."""
    async with home(folder) as it:
        await it.set_up("http", "auth", "repairs")

        async def set_up() -> None:
            if component == DOMAIN:
                # Where ours are stored.
                await it.hass.config_entries.async_initialize()
            await it.set_up(component)

        if unit == "s":
            return await seconds_of(set_up)
        tracemalloc.start()
        try:
            gc.collect()
            before, _ = tracemalloc.get_traced_memory()
            await set_up()
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        return float(max(1, after - before))


async def _changing(effort: Effort) -> AsyncIterator[Row]:
    size = effort.sizes[-1]
    with TemporaryDirectory() as folder:
        async with home(Path(folder)) as it:
            await _both(it, "one", "others")
            await _add(it, "others", range(size))
            numbers = count()

            async def change(what: str, side: Side, domain: str) -> tuple[float, int, int]:
                """Return what a change takes, and how many files and reloads it comes to."""
                work: dict[str, Callable[[], Awaitable[object]]] = {
                    "added": lambda: side.add(domain, "new"),
                    "edited": lambda: side.edit(domain, "new", f"secret-{next(numbers)}"),
                    "deleted": lambda: side.delete(domain, "new"),
                }
                await _look_after(it, wanted=side is it.ours)
                await it.flush()
                reloads, written = it.reloads, list[int]()

                async def settled() -> None:
                    await work[what]()
                    await it.hass.async_block_till_done()
                    written.append(await it.flush())

                return await seconds_of(settled), written[0], it.reloads - reloads

            taken: dict[str, list[tuple[tuple[float, int, int], ...]]] = {}
            for _ in range(min(effort.rounds, 15) + 1):
                for what in ("added", "edited", "deleted"):
                    ours = await change(what, it.ours, "ours_one")
                    peers = await change(what, it.peer, "peer_one")
                    taken.setdefault(what, []).append((ours, peers))
            for what, (_, *pairs) in taken.items():
                times = [[pair[side][0] for pair in pairs] for side in (0, 1)]
                files, reloads = (
                    " and ".join(str(_once(pair[side][of] for pair in pairs)) for side in (0, 1))
                    for of in (1, 2)
                )
                yield Row.of(
                    CHANGING,
                    f"{what} and written, with {size:,} others",
                    times[0],
                    times[1],
                    counted=f"files written: {files}; reloads: {reloads}",
                )


async def _logging_in(effort: Effort) -> AsyncIterator[Row]:
    with TemporaryDirectory() as folder:
        async with home(Path(folder)) as it:
            await _both(it, "one")
            await _add(it, "one", range(1))
            begun: tuple[list[float], list[float]] = ([], [])
            done: tuple[list[float], list[float]] = ([], [])
            requests: tuple[list[int], list[int]] = ([], [])
            async with it.browser() as browser:
                for round_ in range(min(effort.rounds, 15) + 1):
                    for side, domain in enumerate(("ours_one", "peer_one")):
                        await _look_after(it, wanted=side == 0)
                        steps: list[ConfigFlowResult] = []

                        async def login() -> None:
                            steps.append(await it.login(domain))  # noqa: B023

                        start = await seconds_of(login)
                        asked = len(it.server.requests)
                        finish = await seconds_of(lambda: it.finish(steps[0], browser))  # noqa: B023
                        requests[side].append(len(it.server.requests) - asked)
                        if round_:
                            begun[side].append(start)
                            done[side].append(finish)
            yield Row.of(LOGIN, "from its start to the external step", *begun)
            counted = f"requests: {_once(requests[0])} and {_once(requests[1])}"
            yield Row.of(LOGIN, "from the callback to the entry", *done, counted=counted)


async def _account(it: Home, domain: str, auth_domain: str) -> ConfigEntry:
    """Return an entry that is set up, with a token that has expired."""
    data = {"auth_implementation": auth_domain, "token": {}}
    mock = MockConfigEntry(domain=domain, data=data)
    mock.add_to_hass(it.hass)
    entry: ConfigEntry = mock
    it.expire(entry)
    await it.hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    return entry


async def _refreshing(effort: Effort) -> AsyncIterator[Row]:
    with TemporaryDirectory() as folder:
        async with home(Path(folder)) as it:
            await _both(it, "one")
            await _look_after(it, wanted=False)
            entries: list[list[ConfigEntry]] = []
            for side, domain in ((it.ours, "ours_one"), (it.peer, "peer_one")):
                auth_domain = await side.add(domain, "id-0")
                entries.append([await _account(it, domain, auth_domain) for _ in range(100)])
            for sessions, tokens, title in (
                (1, 1, "one"),
                (100, 1, "100 sessions with one token"),
                (100, 100, "100 sessions with a token each"),
            ):
                yield await _refresh(effort, it, entries, sessions, tokens, title)


async def _refresh(
    effort: Effort,
    it: Home,
    entries: list[list[ConfigEntry]],
    sessions: int,
    tokens: int,
    title: str,
) -> Row:
    """Return what so many sessions take that refresh so many tokens at a time."""
    held: list[OAuth2Session] = []
    requests: tuple[list[int], list[int]] = ([], [])

    async def prepare(is_ours: bool) -> None:
        await _look_after(it, wanted=is_ours)
        used = entries[0 if is_ours else 1][:tokens]
        for number, entry in enumerate(used):
            it.expire(entry, number)
        await it.hass.async_block_till_done()
        holders = [used[number % tokens] for number in range(sessions)]
        held[:] = [OAuth2Session(it.hass, one, one.runtime_data.implementation) for one in holders]

    def refresh(side: int) -> Work:
        async def work() -> None:
            before = len(it.server.requests)
            await asyncio.gather(*(one.async_ensure_token_valid() for one in held))
            requests[side].append(len(it.server.requests) - before)

        return work

    rounds = effort.rounds * (4 if sessions == 1 else 1)
    times = await in_turn(refresh(0), refresh(1), rounds=rounds, prepare=prepare)
    counted = f"requests: {_once(requests[0])} and {_once(requests[1])}"
    return Row.of(REFRESHING, title, *times, counted=counted)


async def _rotating(effort: Effort) -> AsyncIterator[Row]:
    with TemporaryDirectory() as folder:
        async with home(Path(folder)) as it:
            await _both(it, "one")
            await _add(it, "one", range(1))
            taken: tuple[list[float], list[float]] = ([], [])
            counts: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
            async with it.browser() as browser:
                for domain in ("ours_one", "peer_one"):
                    await it.finish(await it.login(domain), browser)
                for number in range(min(effort.rounds, 9) + 1):
                    for side, own in enumerate((it.ours, it.peer)):
                        await _look_after(it, wanted=side == 0)
                        seconds, *counted = await _rotate(it, own, browser, f"secret-{number}")
                        if number:
                            taken[side].append(seconds)
                            counts[side].append((counted[0], counted[1]))
            logins, reloads = (
                " and ".join(str(_once(one[of] for one in counts[side])) for side in (0, 1))
                for of in (0, 1)
            )
            title = "changed, and sent with the next refresh"
            counted_text = f"logins: {logins}; reloads: {reloads}"
            yield Row.of(ROTATION, title, *taken, counted=counted_text)


async def _rotate(
    it: Home, side: Side, browser: ClientSession, secret: str
) -> tuple[float, int, int]:
    """Return what a rotated secret takes of one side, and how many logins and reloads."""
    domain = "ours_one" if side is it.ours else "peer_one"
    logins, reloads = 0, it.reloads
    (entry,) = it.hass.config_entries.async_entries(domain)

    async def rotate() -> None:
        nonlocal entry, logins
        if not await side.rotate(entry, "id-0", secret):
            logins += 1
            entry = await it.finish(await it.login(domain), browser)
        it.expire(entry)
        await entry.runtime_data.async_ensure_token_valid()
        assert it.server.requests[-1].body["client_secret"] == secret

    return await seconds_of(rotate), logins, it.reloads - reloads
