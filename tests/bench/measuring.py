"""Two sides measured in turn, so that whatever else the machine does concerns both."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
import time

type Work = Callable[[], Awaitable[object]]
# Prepares a measurement, of ours or else of the peer's.
type Preparation = Callable[[bool], Awaitable[object]]


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
        group: What it belongs to.
        title: What both sides do.
        unit: What the figures are: "s" of processor time, "B" of memory, or "n" things.
        ours: What was measured of ours.
        peers: What was measured of the peer.
        ratio: Ours by the peer's, the median of the rounds.
        counted: What was counted: requests, writes, reloads.
    """

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
        return cls(group, title, unit, Figures.of(ours), Figures.of(peers), ratio, counted)


async def seconds_of(work: Work, calls: int = 1) -> float:
    """Return the seconds of processor time that a call takes, of several in a row.

    The processor's time, since the clock would also count what others do meanwhile.
    """
    began = time.process_time()
    for _ in range(calls):
        await work()
    return (time.process_time() - began) / calls


async def in_turn(
    ours: Work, peers: Work, *, rounds: int, calls: int = 1, prepare: Preparation | None = None
) -> tuple[list[float], list[float]]:
    """Return what each side takes, measured in turn, after a first time that does not count.

    Args:
        ours: What ours does.
        peers: What the peer does.
        rounds: How often both are measured.
        calls: How many calls are one measurement.
        prepare: What has to be done before each measurement, and is none of it.
    """
    taken: tuple[list[float], list[float]] = ([], [])
    for round_ in range(rounds + 1):
        for is_ours, work, values in ((True, ours, taken[0]), (False, peers, taken[1])):
            if prepare:
                await prepare(is_ours)
            seconds = await seconds_of(work, calls)
            if round_:
                values.append(seconds)
    return taken
