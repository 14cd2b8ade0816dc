"""Application credentials that their server rejects, told in a repair.

Home Assistant asks for a login then, which cannot help: another secret or client id can. The repair
goes when the server accepts the client, and when the credential is another one or is gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry, ConfigEntryState
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER
from ..core_credentials.collection import ApplicationCredential, async_get_application_credentials
from ..core_credentials.naming import async_get_title
from ..core_credentials.users import async_get_application_credential_users
from ..credentials.store import Key
from ..oauth2.errors import InvalidClientError, InvalidGrantError, TokenRequestError
from ..oauth2.verification import KNOWN, Outcome, Verification
from . import answers, logins
from .memory import (
    async_get_issue_key,
    async_has_had_token,
    async_note_accepted,
    async_note_token,
    async_was_accepted,
)

KIND: Final = "application_credential_rejected"

_FAILED: Final = frozenset({ConfigEntryState.SETUP_ERROR, ConfigEntryState.SETUP_RETRY})


class CoreRejection(NamedTuple):
    """An application credential that is rejected.

    Attributes:
        application_credential: As it was rejected.
        since: Since when.
        answer: The server's words, for admins.
        proven: Whether a server has accepted the same client id before, asked in the same way, so
            that no login can help.
        issue_key: The random key by which the issue is about it.
    """

    application_credential: ApplicationCredential
    since: datetime
    answer: str
    proven: bool
    issue_key: str


@dataclass
class _Told:
    """What is told, by item; and what entries name of the rejected items that were deleted."""

    rejections: dict[str, CoreRejection] = field(default_factory=dict)
    deleted: set[Key] = field(default_factory=set)


# There while application credentials are watched.
_DATA_TOLD: HassKey[_Told] = HassKey(f"{DOMAIN}_core_rejections")


def issue_id_of(issue_key: str) -> str:
    """Return the id of the issue about an application credential; every user can read it."""
    return f"{KIND}_{issue_key}"


@callback
def async_begin(hass: HomeAssistant) -> CALLBACK_TYPE:
    """Tell of rejections from now on; return what ends that, and takes back what was told."""
    hass.data[_DATA_TOLD] = _Told()

    @callback
    def end() -> None:
        for item_id in list(async_get_core_rejections(hass)):
            async_withdraw(hass, item_id)
        del hass.data[_DATA_TOLD]

    return end


@callback
def async_get_core_rejections(hass: HomeAssistant) -> Mapping[str, CoreRejection]:
    """Return the rejected application credentials, by item."""
    told = hass.data.get(_DATA_TOLD)
    return told.rejections if told else {}


@callback
def async_judge(
    hass: HomeAssistant, application_credential: ApplicationCredential, verification: Verification
) -> None:
    """Act on what came of the verification of an application credential.

    There are servers that reject a client for a code that nobody issued. Where none has accepted it
    before, that counts for nothing as long as all who use it work.
    """
    domain, credential = application_credential.domain, application_credential.credential
    if verification.outcome in KNOWN:
        async_note_accepted(hass, domain, credential.client_id)
        _async_accept(hass, application_credential)
    elif verification.outcome is Outcome.REJECTED:
        users = async_get_application_credential_users(hass, application_credential)
        was_accepted = async_was_accepted(hass, domain, credential.client_id)
        if (
            was_accepted
            or not any(user.state is ConfigEntryState.LOADED for user in users)
            or any(is_in_trouble(hass, user) for user in users)
        ):
            async_report(hass, application_credential, verification.detail, proven=was_accepted)
        else:
            async_withdraw(hass, application_credential.item_id)


@callback
def is_in_trouble(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Return whether an entry has failed, or is asked for a login."""
    return entry.state in _FAILED or any(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))


@callback
def async_note_answer(
    hass: HomeAssistant,
    application_credential: ApplicationCredential,
    error: TokenRequestError | None,
) -> bool:
    """Take note of what the server said to a token request.

    Args:
        hass: Home Assistant.
        application_credential: Whose client the request had.
        error: Why it brought no token; None where it did.

    Returns:
        Whether the server has accepted this client before.
    """
    domain, credential = application_credential.domain, application_credential.credential
    client = answers.client_of(domain, credential)
    was_accepted = any(
        known(hass, domain, credential.client_id)
        for known in (async_was_accepted, async_has_had_token)
    )
    if isinstance(error, InvalidClientError):
        words = ": ".join(text for text in (error.error, error.error_description) if text)
        rejected = Verification(Outcome.REJECTED, words, credential)
        answers.async_note(hass, client, rejected, by_user=False)
        async_report(hass, application_credential, words, proven=was_accepted)
        if was_accepted and _DATA_TOLD in hass.data:
            # Who asked waits for the right client, and asks for no login.
            logins.async_withhold(hass, application_credential)
    elif error is None or isinstance(error, InvalidGrantError):
        # A server that looks at the grant has accepted the client.
        accepted = Verification(Outcome.ACCEPTED, "", credential)
        answers.async_note(hass, client, accepted, by_user=True)
        async_note_token(hass, domain, credential.client_id)
        _async_accept(hass, application_credential)
    return was_accepted


@callback
def async_report(
    hass: HomeAssistant,
    application_credential: ApplicationCredential,
    answer: str,
    *,
    proven: bool = False,
) -> None:
    """Tell that a server rejects an application credential, unless it is another one by now.

    Args:
        hass: Home Assistant.
        application_credential: As it was rejected.
        answer: The server's words.
        proven: Whether it is certain that no login can help.
    """
    item_id, domain = application_credential.item_id, application_credential.domain
    told = hass.data.get(_DATA_TOLD)
    if told is None or item_id in told.rejections or _is_outdated(hass, application_credential):
        return
    key = async_get_issue_key(hass, item_id)
    told.rejections[item_id] = CoreRejection(
        application_credential, dt_util.now(), answer, proven, key
    )
    title = async_get_title(hass, application_credential)
    LOGGER.warning("The server does not accept the application credential %s", title)
    # What the server said, and to whom it matters, the repair tells admins.
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id_of(key),
        data={"kind": KIND, "key": key},
        is_fixable=True,
        issue_domain=domain,
        severity=ir.IssueSeverity.ERROR,
        translation_key="application_credential_rejected",
        translation_placeholders={"credential": title},
    )


@callback
def async_withdraw(hass: HomeAssistant, item_id: str) -> None:
    """Take back what was told of an application credential."""
    told = hass.data.get(_DATA_TOLD)
    if told and (rejection := told.rejections.pop(item_id, None)):
        ir.async_delete_issue(hass, DOMAIN, issue_id_of(rejection.issue_key))


@callback
def async_withdraw_outdated(hass: HomeAssistant) -> None:
    """Take back what was told of application credentials that are others now, or are gone."""
    items = async_get_application_credentials(hass)
    for item_id, rejection in list(async_get_core_rejections(hass).items()):
        one = rejection.application_credential
        if not _is_outdated(hass, one):
            continue
        async_withdraw(hass, item_id)
        users = async_get_application_credential_users(hass, one)
        if item_id in items:
            # Who has changed it has its users go on.
            logins.async_forget(hass, users)
        else:
            logins.async_forget_requests(hass, users)
            hass.data[_DATA_TOLD].deleted.add((one.domain, one.auth_domain))


@callback
def _async_accept(hass: HomeAssistant, application_credential: ApplicationCredential) -> None:
    """Where a client was rejected that is accepted now, its users go on."""
    told = hass.data.get(_DATA_TOLD)
    if told is None or _is_outdated(hass, application_credential):
        return
    key = application_credential.domain, application_credential.auth_domain
    is_mended = application_credential.item_id in told.rejections
    is_back = key in told.deleted
    async_withdraw(hass, application_credential.item_id)
    told.deleted.discard(key)
    users = async_get_application_credential_users(hass, application_credential)
    taken_back = logins.async_forget(hass, users)
    for user in users:
        waits = user in taken_back or (is_mended and is_in_trouble(hass, user))
        if (
            (user.state in _FAILED and (waits or is_back))
            # A coordinator that was refused asks no more.
            or (user.state is ConfigEntryState.LOADED and waits)
        ) and not logins.async_is_attended(hass, user):
            hass.config_entries.async_schedule_reload(user.entry_id)


@callback
def _is_outdated(hass: HomeAssistant, application_credential: ApplicationCredential) -> bool:
    """Return whether an application credential is gone, or another client now."""
    now = async_get_application_credentials(hass).get(application_credential.item_id)
    return now is None or answers.client_of(now.domain, now.credential) != answers.client_of(
        application_credential.domain, application_credential.credential
    )
