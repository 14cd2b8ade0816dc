"""Rejected credentials: what the server does not accept any more, told in a repair.

A server that refuses a refresh because of the client (RFC 6749, section 5.2, `invalid_client` and
its kin) wants another secret or id. The integrations keep their refresh tokens meanwhile, and go on
with them once the credential is right. The repair goes when a later request succeeds, or when the
credential is another one.
"""

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER, NOTHING
from .credentials import async_get_entry, async_get_users, credential_of
from .errors import InvalidClientError, InvalidGrantError, TokenRequestError
from .instructions import escape_markdown
from .models import DeveloperCredential, RedirectUri


class Rejection(NamedTuple):
    """A credential as it was rejected, since when, and the server's words."""

    credential: DeveloperCredential
    since: datetime
    answer: str


_DATA_REJECTIONS: HassKey[dict[str, Rejection]] = HassKey(f"{DOMAIN}_rejections")


@callback
def async_note_answer(
    hass: HomeAssistant, subentry_id: str, error: TokenRequestError | None
) -> None:
    """Take note of what the server said to a client.

    Args:
        hass: Home Assistant.
        subentry_id: The subentry of the client's credential.
        error: Why a token request brought no token; None where it did.
    """
    if isinstance(error, InvalidClientError):
        _async_report(hass, subentry_id, error)
    elif error is None or isinstance(error, InvalidGrantError):
        # A server that looks at the grant has accepted the client.
        _async_withdraw(hass, subentry_id)


@callback
def async_withdraw_outdated(hass: HomeAssistant) -> None:
    """Take back what was told of credentials that have changed since, or are gone."""
    entry = async_get_entry(hass)
    for subentry_id, rejection in list(async_get_rejections(hass).items()):
        subentry = entry.subentries.get(subentry_id) if entry else None
        if subentry is None or _client(credential_of(subentry)) != _client(rejection.credential):
            _async_withdraw(hass, subentry_id)


def _client(credential: DeveloperCredential) -> DeveloperCredential:
    """Return what the token endpoint knows of a credential."""
    return replace(credential, name=None, redirect_uri=RedirectUri.DEFAULT)


@callback
def async_get_rejections(hass: HomeAssistant) -> dict[str, Rejection]:
    """Return the rejected credentials by subentry."""
    return hass.data.setdefault(_DATA_REJECTIONS, {})


@callback
def _async_report(hass: HomeAssistant, subentry_id: str, error: InvalidClientError) -> None:
    entry = async_get_entry(hass)
    subentry = entry.subentries.get(subentry_id) if entry else None
    if subentry is None:
        return
    rejections = async_get_rejections(hass)
    if subentry_id not in rejections:
        answer = ": ".join(text for text in (error.error, error.error_description) if text)
        rejections[subentry_id] = Rejection(credential_of(subentry), dt_util.now(), answer)
        LOGGER.warning("The server does not accept the credential %s any more", subentry.title)
    rejection = rejections[subentry_id]
    users = ", ".join(escape_markdown(user.title) for user in async_get_users(hass, subentry))
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"rejected_{subentry_id}",
        data={"subentry_id": subentry_id},
        is_fixable=True,
        issue_domain=subentry.data["domain"],
        severity=ir.IssueSeverity.ERROR,
        translation_key="credential_rejected",
        translation_placeholders={
            "answer": escape_markdown(rejection.answer) or NOTHING,
            # In the title, which is no Markdown.
            "credential": subentry.title,
            "entries": users or NOTHING,
            "since": f"{rejection.since:%Y-%m-%d %H:%M}",
        },
    )


@callback
def _async_withdraw(hass: HomeAssistant, subentry_id: str) -> None:
    if async_get_rejections(hass).pop(subentry_id, None):
        ir.async_delete_issue(hass, DOMAIN, f"rejected_{subentry_id}")
