"""Rejected credentials: what the server does not accept any more, told in a repair.

A server that refuses a refresh because of the client (RFC 6749, section 5.2, `invalid_client` and
its kin) wants another secret or id. The integrations keep their refresh tokens meanwhile, and go on
with them once the credential is right. The repair goes when a later request succeeds, or when the
credential is another one.

A credential that the user saved although the server rejects it is one, too: what the server had
against it is stored with it (`DeveloperCredential.objection`), until the server accepts it.
"""

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER
from ..oauth2.client import DeveloperCredential, Objection
from ..oauth2.errors import InvalidClientError, InvalidGrantError, TokenRequestError
from ..oauth2.redirect_uri import RedirectUri
from ..plain_text import plain_line
from .last_answers import async_note
from .store import (
    Key,
    async_get_all_subentries,
    async_get_by_key,
    async_get_stored_by_key,
    async_get_users,
    async_update_subentry,
    credential_of,
    key_of,
)
from .stored_credential import data_of


class Rejection(NamedTuple):
    """A credential as it was rejected, its subentry's id, since when, and the server's words."""

    credential: DeveloperCredential
    subentry_id: str
    since: datetime
    answer: str


_DATA_REJECTIONS: HassKey[dict[Key, Rejection]] = HassKey(f"{DOMAIN}_rejections")
_DATA_INSISTED: HassKey[set[Key]] = HassKey(f"{DOMAIN}_insisted")


def issue_id_of(subentry_id: str) -> str:
    """Return the id of the issue about a credential; every user can read it."""
    return f"credential_rejected_{subentry_id}"


@callback
def async_note_answer(hass: HomeAssistant, key: Key, error: TokenRequestError | None) -> None:
    """Take note of what the server said to a client.

    Args:
        hass: Home Assistant.
        key: The client's credential.
        error: Why a token request brought no token; None where it did.
    """
    async_note(hass, ("refresh", *key), error.reason if error else "accepted")
    if isinstance(error, InvalidClientError):
        answer = ": ".join(text for text in (error.error, error.error_description) if text)
        async_report(hass, key, answer)
    elif error is None:
        async_note_accepted(hass, key)
    elif isinstance(error, InvalidGrantError):
        # A server that looks at the grant has accepted the client, whatever its redirect URI.
        async_note_accepted(hass, key, but_for="redirect_uri_rejected")


@callback
def async_note_accepted(hass: HomeAssistant, key: Key, *, but_for: Objection | None = None) -> None:
    """Take back what was told and stored against a credential that the server accepts.

    Args:
        hass: Home Assistant.
        key: The credential.
        but_for: What the server may still have against it.
    """
    _async_withdraw(hass, key)
    subentry, stored = async_get_by_key(hass, key), async_get_stored_by_key(hass, key)
    if subentry and stored and stored.credential.objection not in (None, but_for):
        data = data_of(stored.credential.with_objection(None), subentry.data)
        async_update_subentry(hass, subentry, data, subentry.title, subentry.unique_id)


@callback
def async_get_rejected(hass: HomeAssistant) -> set[Key]:
    """Return the credentials that are not accepted, as far as is known."""
    objected = {
        key_of(subentry)
        for subentry in async_get_all_subentries(hass).values()
        if credential_of(subentry).objection
    }
    return objected | async_get_rejections(hass).keys()


@callback
def async_insist(hass: HomeAssistant, key: Key) -> None:
    """Let one login begin although the server rejects its credential: the user wants that."""
    hass.data.setdefault(_DATA_INSISTED, set()).add(key)


@callback
def async_takes_insistence(hass: HomeAssistant, key: Key) -> bool:
    """Return whether the user wants this login anyway; the next one is another question."""
    insisted = hass.data.get(_DATA_INSISTED, set())
    if key not in insisted:
        return False
    insisted.remove(key)
    return True


@callback
def async_withdraw_outdated(hass: HomeAssistant) -> None:
    """Take back what was told of credentials that are others now, are gone, or are not used."""
    for key, rejection in list(async_get_rejections(hass).items()):
        subentry = async_get_by_key(hass, key)
        if (
            subentry is None
            or client_of(credential_of(subentry)) != client_of(rejection.credential)
            or not (credential_of(subentry).objection or async_get_users(hass, subentry))
        ):
            _async_withdraw(hass, key)


def client_of(credential: DeveloperCredential) -> DeveloperCredential:
    """Return what the token endpoint knows of a credential."""
    return replace(credential, name=None, redirect_uri=RedirectUri.DEFAULT)


@callback
def async_get_rejections(hass: HomeAssistant) -> dict[Key, Rejection]:
    """Return the rejected credentials."""
    return hass.data.setdefault(_DATA_REJECTIONS, {})


@callback
def async_report(hass: HomeAssistant, key: Key, answer: str) -> None:
    """Tell, once, that the server rejects a credential.

    Args:
        hass: Home Assistant.
        key: The credential.
        answer: What the server said of it.
    """
    if (subentry := async_get_by_key(hass, key)) is None:
        return
    rejections = async_get_rejections(hass)
    if key not in rejections:
        rejections[key] = Rejection(
            credential_of(subentry), subentry.subentry_id, dt_util.now(), answer
        )
        LOGGER.warning("The server rejects the credential %s: %s", subentry.title, answer)
    # What the server said, and to whom it matters, the repair tells admins.
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id_of(subentry.subentry_id),
        data={"subentry_id": subentry.subentry_id},
        is_fixable=True,
        issue_domain=key[0],
        severity=ir.IssueSeverity.ERROR,
        translation_key="credential_rejected",
        translation_placeholders={"credential": plain_line(subentry.title)},
    )


@callback
def _async_withdraw(hass: HomeAssistant, key: Key) -> None:
    if rejection := async_get_rejections(hass).pop(key, None):
        ir.async_delete_issue(hass, DOMAIN, issue_id_of(rejection.subentry_id))
