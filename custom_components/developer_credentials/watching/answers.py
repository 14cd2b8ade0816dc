"""What servers said last to a client, in memory: none is asked again too soon.

That a server did not answer may mean that the network is down: the next one is asked later then.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..oauth2.client import DeveloperCredential
from ..oauth2.verification import Outcome, Verification

# Seconds for which an answer is good enough for what no user has asked for.
VALID_FOR: Final = 900.0
# Seconds in which nobody is asked after a server that did not answer; twice as many each time.
FIRST_PAUSE: Final = 60.0
LONGEST_PAUSE: Final = 900.0

# An integration, and what a server knows of its client.
type Client = tuple[str, DeveloperCredential]


def client_of(domain: str, credential: DeveloperCredential) -> Client:
    """Return what is another one where a server might answer differently."""
    return domain, DeveloperCredential(credential.client_id, credential.client_secret)


class _Answer(NamedTuple):
    """An answer, when it came, and when one came last that no user had asked for."""

    time: float
    verification: Verification
    unasked: float


@dataclass(repr=False)
class _Answers:
    """The answers, how many were missing in a row, and until when to pause."""

    by_client: dict[Client, _Answer] = field(default_factory=dict)
    missing: int = 0
    pause_until: float = 0.0


_DATA_ANSWERS: HassKey[_Answers] = HassKey(f"{DOMAIN}_watching_answers")


@callback
def _async_get(hass: HomeAssistant) -> _Answers:
    if (answers := hass.data.get(_DATA_ANSWERS)) is None:
        answers = hass.data[_DATA_ANSWERS] = _Answers()
    return answers


@callback
def async_note(
    hass: HomeAssistant, client: Client, verification: Verification, *, by_user: bool
) -> None:
    """Take note of an answer, or that there was none."""
    answers, now = _async_get(hass), hass.loop.time()
    answers.by_client = {
        one: known for one, known in answers.by_client.items() if known.time + VALID_FOR > now
    }
    before = answers.by_client.get(client)
    unasked = (before.unasked if before else -VALID_FOR) if by_user else now
    answers.by_client[client] = _Answer(now, verification, unasked)
    if verification.answered:
        answers.missing, answers.pause_until = 0, 0.0
    else:
        # Beyond the limit the exponent does not matter.
        pause = min(FIRST_PAUSE * 2 ** min(answers.missing, 10), LONGEST_PAUSE)
        answers.missing, answers.pause_until = answers.missing + 1, now + pause


@callback
def async_get_recent(
    hass: HomeAssistant, client: Client, *, of_users: bool
) -> tuple[Verification, float] | None:
    """Return the last answer to a client, and for how many seconds it is good enough.

    Args:
        hass: Home Assistant.
        client: The client.
        of_users: Whether it is good enough that a user has asked for it. Something may have
            happened since; a rejection stays one, since another secret makes another client.
    """
    if (known := _async_get(hass).by_client.get(client)) is None:
        return None
    counts = of_users or known.verification.outcome is Outcome.REJECTED
    seconds = (known.time if counts else known.unasked) + VALID_FOR - hass.loop.time()
    return (known.verification, seconds) if seconds > 0 else None


@callback
def async_forget(hass: HomeAssistant, client: Client) -> None:
    """Forget the answer to a client: whoever enters it again wants it verified."""
    _async_get(hass).by_client.pop(client, None)


@callback
def async_forget_all(hass: HomeAssistant) -> None:
    """Forget all answers, as when nobody looks after application credentials any more.

    What changes from then on is not heard of.
    """
    hass.data.pop(_DATA_ANSWERS, None)


@callback
def async_get_pause(hass: HomeAssistant) -> float:
    """Return for how many seconds nobody should be asked, since the network may be down."""
    return max(0.0, _async_get(hass).pause_until - hass.loop.time())
