"""What the servers said last, for diagnostics: a word of ours and the time, nothing of theirs."""

from datetime import datetime
from typing import Final, Literal, NamedTuple

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN

# What was asked, the integration, and its client id or auth domain.
type About = tuple[Literal["verification", "refresh"], str, str]


class LastAnswer(NamedTuple):
    """What an answer came to, and when."""

    result: str
    time: datetime


MAX_ANSWERS: Final = 2_000

_DATA_ANSWERS: HassKey[dict[About, LastAnswer]] = HassKey(f"{DOMAIN}_last_answers")


@callback
def async_note(hass: HomeAssistant, about: About, result: str) -> None:
    """Take note of an answer, in the place of the one before."""
    answers = hass.data.setdefault(_DATA_ANSWERS, {})
    answers.pop(about, None)
    answers[about] = LastAnswer(result, dt_util.utcnow())
    if len(answers) > MAX_ANSWERS:
        # The oldest one: a form may have asked about any client.
        del answers[next(iter(answers))]


@callback
def async_get(hass: HomeAssistant, about: About) -> LastAnswer | None:
    """Return the last answer, None where there was none since the start."""
    return hass.data.get(_DATA_ANSWERS, {}).get(about)
