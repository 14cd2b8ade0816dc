"""Two sides measured in turn, so that whatever else the machine does concerns both."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
import time

type Work = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Figures:
    """What was measured of one side, in seconds or bytes.

    Attributes:
        median: The median.
        low: The first quartile.
        high: The third quartile.
    """

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figures:
        """Return the figures of some values."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, _, high = quantiles(values, n=4, method="inclusive")
        return cls(median(values), low, high)


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        key: What the row is called by, for its reason.
        group: What it belongs to.
        title: What both sides do.
        unit: What the figures are: "s" of processor time, "B" of memory, or "n" things.
        ours: What was measured of ours.
        peers: What was measured of the peer.
        ratio: Ours by the peer's, the median of the rounds.
        counted: What was counted: requests, writes, reloads.
    """

    key: str
    group: str
    title: str
    unit: str
    ours: Figures
    peers: Figures
    ratio: float
    counted: str = ""

    @classmethod
    def of(
        cls,
        key: str,
        group: str,
        title: str,
        ours: Sequence[float],
        peers: Sequence[float],
        *,
        unit: str = "s",
        counted: str = "",
    ) -> Row:
        """Return the row for what was measured in turn."""
        ratio = median(one / other for one, other in zip(ours, peers, strict=True))
        return cls(key, group, title, unit, Figures.of(ours), Figures.of(peers), ratio, counted)


async def seconds_of(work: Work, calls: int = 1) -> float:
    """Return the seconds of processor time that a call takes, of several in a row.

    The processor's time, since the clock would also count what others do meanwhile.
    """
    began = time.process_time()
    for _ in range(calls):
        await work()
    return (time.process_time() - began) / calls


async def in_turn(
    ours: Work, peers: Work, *, rounds: int, calls: int = 1
) -> tuple[list[float], list[float]]:
    """Return what each side takes, measured in turn, after a first time that does not count."""
    await ours()
    await peers()
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        taken[0].append(await seconds_of(ours, calls))
        taken[1].append(await seconds_of(peers, calls))
    return taken
