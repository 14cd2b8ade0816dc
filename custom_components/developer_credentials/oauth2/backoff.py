"""Exponential backoff: a server that did not answer a refresh is not asked for it again at once.

Whoever asks within the time is given the same error, without a request. It is 10 seconds, then 20,
up to 5 minutes, or what the server says in `Retry-After`, where that is longer. An answer of any
other kind ends it, and so does another credential. All of it is in memory only.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, NamedTuple

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from .client import DeveloperCredential
from .errors import UnavailableError

# Seconds.
FIRST_WAIT: Final = 10.0
LONGEST_WAIT: Final = 300.0
LONGEST_RETRY_AFTER: Final = 3_600.0
# How long a failure counts after its wait, and how many are known at once.
KEPT_FOR: Final = 3_600.0
MAX_FAILURES: Final = 1_000


class RefreshGrant(NamedTuple):
    """What is asked for: a token of a server, by the refresh token of a client."""

    token_url: str
    client_id: str
    refresh_token: str


@dataclass(frozen=True, repr=False)
class _Failure:
    """The last failure of a grant, with which credential, the how many-th, and until when."""

    error: UnavailableError
    credential: DeveloperCredential
    count: int
    until: float


_DATA_FAILURES: HassKey[dict[RefreshGrant, _Failure]] = HassKey(f"{DOMAIN}_failures")


@callback
def async_get_error(
    hass: HomeAssistant, grant: RefreshGrant, credential: DeveloperCredential
) -> UnavailableError | None:
    """Return the error of a grant that is not to be asked for yet, None where it may be.

    Args:
        hass: Home Assistant.
        grant: The grant.
        credential: The client as it is now.
    """
    failure = hass.data.get(_DATA_FAILURES, {}).get(grant)
    if failure is None or failure.credential != credential or hass.loop.time() >= failure.until:
        return None
    # The same one, raised again, would gather the tracebacks of all who asked.
    error = UnavailableError(
        domain=failure.error.domain,
        request_info=failure.error.request_info,
        status=failure.error.http_status,
        error=failure.error.error,
        error_description=failure.error.error_description,
    )
    error.retry_after = failure.error.retry_after
    return error


@contextmanager
def async_noting_failure(
    hass: HomeAssistant, grant: RefreshGrant, credential: DeveloperCredential
) -> Iterator[None]:
    """Note within the context whether the server answers a request for a grant.

    Args:
        hass: Home Assistant.
        grant: The grant.
        credential: The client as it is when the request is made.
    """
    failures = hass.data.setdefault(_DATA_FAILURES, {})
    try:
        yield
    except UnavailableError as err:
        now = hass.loop.time()
        before = failures.pop(grant, None)
        count = before.count + 1 if before and before.credential == credential else 1
        # Beyond the limit the exponent does not matter.
        wait = min(FIRST_WAIT * 2 ** min(count - 1, 10), LONGEST_WAIT)
        until = now + max(wait, err.retry_after or 0)
        failures[grant] = _Failure(err, credential, count, until)
        _forget_old(failures, now)
        raise
    except Exception:
        failures.pop(grant, None)
        raise
    failures.pop(grant, None)


@callback
def async_forget(hass: HomeAssistant, refresh_token: str) -> None:
    """Forget the failures of a refresh token: who holds it wants to try again now."""
    failures = hass.data.get(_DATA_FAILURES, {})
    for grant in [grant for grant in failures if grant.refresh_token == refresh_token]:
        del failures[grant]


def _forget_old(failures: dict[RefreshGrant, _Failure], now: float) -> None:
    """Forget what counts no more, and the oldest ones where there are too many."""
    for grant, failure in list(failures.items()):
        if failure.until + KEPT_FOR < now or len(failures) > MAX_FAILURES:
            del failures[grant]


def parse_retry_after(status: int, value: str | None) -> float | None:
    """Return the seconds that a server wants to be left alone for (RFC 9110, section 10.2.3).

    Args:
        status: The HTTP status of its answer; only those that this header is for count.
        value: The header; anything that is neither seconds nor a date says nothing.
    """
    if status not in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE} or not value:
        return None
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(value)
    except ValueError, OverflowError:
        return None
    seconds = (_aware(date) - dt_util.utcnow()).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def _aware(date: datetime) -> datetime:
    """Return a date of HTTP, which is in UTC (RFC 9110, section 5.6.7)."""
    return date if date.tzinfo else date.replace(tzinfo=UTC)
