"""What is measured in one process: a Home Assistant with both sides."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
import tracemalloc

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlowResult
from homeassistant.helpers.config_entry_oauth2_flow import OAuth2Session
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.developer_credentials.const import DOMAIN, PEER
from custom_components.developer_credentials.core_credentials.options import CONF_LOOK_AFTER
from custom_components.developer_credentials.credentials.store import async_get_or_create_entry

from .home import Home, home
from .measuring import Row, in_turn, seconds_of
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


QUICK = Effort((1, 10, 100), 7, 20)
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
    """Have ours look after the peer's, or not: its work is not to be measured as the peer's."""
    entry = await async_get_or_create_entry(it.hass)
    it.hass.config_entries.async_update_entry(entry, options={CONF_LOOK_AFTER: wanted})
    await it.hass.async_block_till_done()


async def _add(it: Home, domain: str, numbers: range) -> None:
    """Add credentials to both sides."""
    await _look_after(it, wanted=False)
    for number in numbers:
        await it.ours.add(f"ours_{domain}", f"id-{number}")
        await it.peer.add(f"peer_{domain}", f"id-{number}")
    await it.hass.async_block_till_done()


async def _providing(effort: Effort) -> AsyncIterator[Row]:
    with TemporaryDirectory() as folder:
        async with home(Path(folder)) as it:
            own = [f"own_{size}" for size in effort.sizes]
            await _both(it, "one", "others", *own)
            ours, peers = it.ours.provider(), it.peer.provider()
            await _add(it, "one", range(1))
            there = 0
            for size in effort.sizes:
                await _add(it, "others", range(there, size - 1))
                there = size - 1
                times = await in_turn(
                    lambda: ours(it.hass, "ours_one"),
                    lambda: peers(it.hass, "peer_one"),
                    rounds=effort.rounds,
                    calls=effort.calls,
                )
                title = f"that has one credential, of {size:,} that there are"
                yield Row.of(f"one of {size}", PROVIDING, title, *times)
                await _look_after(it, wanted=True)
                times = await in_turn(
                    lambda: ours(it.hass, "peer_one"),
                    lambda: peers(it.hass, "ours_one"),
                    rounds=effort.rounds,
                    calls=effort.calls,
                )
                title = f"of the other side, with {size:,} credentials"
                yield Row.of(f"foreign {size}", PROVIDING, title, *times)
            await _look_after(it, wanted=False)
            yield await _after_a_change(effort, it)
            for size, domain in zip(effort.sizes, own, strict=True):
                await _add(it, domain, range(size))
                times = await in_turn(
                    lambda domain=domain: ours(it.hass, f"ours_{domain}"),  # type: ignore[misc]
                    lambda domain=domain: peers(it.hass, f"peer_{domain}"),  # type: ignore[misc]
                    rounds=effort.rounds,
                    calls=max(1, effort.calls // size),
                )
                yield Row.of(f"own {size}", PROVIDING, f"that has {size:,} credentials", *times)


async def _after_a_change(effort: Effort, it: Home) -> Row:
    """Return what the first call after a change of another credential takes."""
    times: list[list[float]] = [[], []]
    for number in range(effort.rounds):
        for side, own, taken in zip((it.ours, it.peer), ("ours", "peer"), times, strict=True):
            await side.edit(f"{own}_others", "id-1", f"secret-{number}")
            await it.hass.async_block_till_done()
            provide = side.provider()
            taken.append(await seconds_of(lambda: provide(it.hass, f"{own}_one")))  # noqa: B023
    title = f"the first time after another one of {effort.sizes[-1]:,} has changed"
    return Row.of("after a change", PROVIDING, title, times[0], times[1])


async def _setting_up(effort: Effort) -> AsyncIterator[Row]:
    for size in (0, *(one for one in effort.sizes if one in {10, 100, 1_000})):
        if size == 100 and effort is WHOLE:
            continue
        with TemporaryDirectory() as folder:
            async with home(Path(folder)) as it:
                await _both(it, "one")
                await _add(it, "one", range(size))
            for unit, rounds in (("s", min(effort.rounds, 5)), ("B", 1)):
                taken: list[list[float]] = [[], []]
                for _ in range(rounds):
                    for component, values in zip((DOMAIN, PEER), taken, strict=True):
                        values.append(await _set_up_once(Path(folder), component, unit))
                title = f"with {size:,} credentials: {'time' if unit == 's' else 'memory'}"
                key = f"set-up {size} {unit}"
                yield Row.of(key, SETTING_UP, title, taken[0], taken[1], unit=unit)


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
            before, _ = tracemalloc.get_traced_memory()
            await set_up()
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

            def edit(side: Side, domain: str) -> Callable[[], Awaitable[None]]:
                return lambda: side.edit(domain, "new", f"secret-{next(numbers)}")

            async def change(what: str, side: Side, domain: str) -> tuple[float, int]:
                """Return what a change takes, and how many files are written for it."""
                work: dict[str, Callable[[], Awaitable[object]]] = {
                    "added": lambda: side.add(domain, "new"),
                    "edited": edit(side, domain),
                    "deleted": lambda: side.delete(domain, "new"),
                }

                async def settled() -> None:
                    await work[what]()
                    await it.hass.async_block_till_done()

                await it.flush()
                return await seconds_of(settled), await it.flush()

            taken: dict[str, list[tuple[tuple[float, int], tuple[float, int]]]] = {}
            for _ in range(min(effort.rounds, 15)):
                for what in ("added", "edited", "deleted"):
                    ours = await change(what, it.ours, "ours_one")
                    peers = await change(what, it.peer, "peer_one")
                    taken.setdefault(what, []).append((ours, peers))
            for what, pairs in taken.items():
                title = f"{what}, with {size:,} others"
                times = [ours[0] for ours, _ in pairs], [peers[0] for _, peers in pairs]
                (_, written), (_, by_peer) = pairs[-1]
                counted = f"files written: {written} and {by_peer}"
                yield Row.of(what, CHANGING, title, *times, counted=counted)


async def _logging_in(effort: Effort) -> AsyncIterator[Row]:
    with TemporaryDirectory() as folder:
        async with home(Path(folder)) as it:
            await _both(it, "one")
            await _add(it, "one", range(1))
            begun: tuple[list[float], list[float]] = ([], [])
            done: tuple[list[float], list[float]] = ([], [])
            requests = [0, 0]
            async with it.browser() as browser:
                for round_ in range(min(effort.rounds, 15) + 1):
                    for side, domain in enumerate(("ours_one", "peer_one")):
                        steps: list[ConfigFlowResult] = []

                        async def login() -> None:
                            steps.append(await it.login(domain))  # noqa: B023

                        start = await seconds_of(login)
                        asked = len(it.server.requests)
                        finish = await seconds_of(lambda: it.finish(steps[0], browser))  # noqa: B023
                        requests[side] += len(it.server.requests) - asked
                        if round_:
                            begun[side].append(start)
                            done[side].append(finish)
            rounds = min(effort.rounds, 15) + 1
            counted = " and ".join(f"{one // rounds}" for one in requests)
            yield Row.of("login begun", LOGIN, "from its start to the external step", *begun)
            yield Row.of(
                "login done",
                LOGIN,
                "from the callback to the entry",
                *done,
                counted=f"requests: {counted}",
            )


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

            def refresh(side: int, sessions: int, tokens: int) -> Callable[[], Awaitable[None]]:
                async def work() -> None:
                    used = entries[side][:tokens]
                    for number, entry in enumerate(used):
                        it.expire(entry, number)
                    holders = [used[number % tokens] for number in range(sessions)]
                    held = [
                        OAuth2Session(it.hass, one, one.runtime_data.implementation)
                        for one in holders
                    ]
                    await asyncio.gather(*(one.async_ensure_token_valid() for one in held))

                return work

            for sessions, tokens, title in (
                (1, 1, "one"),
                (100, 1, "100 sessions with one token"),
                (100, 100, "100 sessions with a token each"),
            ):
                asked = []
                for whose in (0, 1):
                    before = len(it.server.requests)
                    await refresh(whose, sessions, tokens)()
                    asked.append(len(it.server.requests) - before)
                times = await in_turn(
                    refresh(0, sessions, tokens),
                    refresh(1, sessions, tokens),
                    rounds=effort.rounds,
                    calls=max(1, 5 // sessions),
                )
                counted = f"requests: {asked[0]} and {asked[1]}"
                yield Row.of(title, REFRESHING, title, *times, counted=counted)


async def _rotating(effort: Effort) -> AsyncIterator[Row]:
    with TemporaryDirectory() as folder:
        async with home(Path(folder)) as it:
            await _both(it, "one")
            await _add(it, "one", range(1))
            times: list[list[float]] = [[], []]
            logins = [0, 0]
            async with it.browser() as browser:
                for side, own in enumerate((it.ours, it.peer)):
                    domain = ("ours_one", "peer_one")[side]
                    entry = await it.finish(await it.login(domain), browser)
                    for number in range(min(effort.rounds, 9)):

                        async def rotate() -> ConfigEntry:
                            secret = f"secret-{number}"  # noqa: B023
                            now = entry  # noqa: B023
                            if not await own.rotate(now, "id-0", secret):  # noqa: B023
                                logins[side] += 1  # noqa: B023
                                now = await it.finish(await it.login(domain), browser)  # noqa: B023
                            it.expire(now)
                            await now.runtime_data.async_ensure_token_valid()
                            assert it.server.requests[-1].body["client_secret"] == secret
                            return now

                        times[side].append(await seconds_of(rotate))
                        (entry,) = it.hass.config_entries.async_entries(domain)
            rounds = min(effort.rounds, 9)
            counted = f"logins: {logins[0] // rounds} and {logins[1] // rounds}"
            title = "changed, and sent with the next refresh"
            yield Row.of("rotation", ROTATION, title, times[0], times[1], counted=counted)
