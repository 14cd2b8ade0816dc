"""Inquiries: a server is asked whether it knows the client of an application credential.

The token endpoint is sent an authorization code that nobody issued (`verification`). What no user
has asked for is not asked again for a quarter of an hour, unless the client has changed; and not at
all for a while after a server did not answer, since the network may be down.
"""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.network import NoURLAvailableError

from ..core_credentials.collection import ApplicationCredential, async_get_application_credentials
from ..core_credentials.peer_platform import async_ask_platform
from ..oauth2.client import DeveloperCredential
from ..oauth2.redirect_uri import RedirectUri, async_get_redirect_uri
from ..oauth2.single_flight import async_join
from ..oauth2.verification import (
    KNOWN,
    Outcome,
    Verification,
    async_verify_at_token_endpoint,
)
from . import answers
from .memory import async_note_accepted
from .rejection import async_judge


async def async_inquire(
    hass: HomeAssistant,
    application_credential: ApplicationCredential,
    *,
    by_user: bool = False,
    is_new: bool = False,
) -> Verification:
    """Ask the server whether it knows the client of an application credential; never raises.

    What it says is acted on: a repair is raised, or withdrawn. Of calls for one client, one is in
    flight.

    Args:
        hass: Home Assistant.
        application_credential: The application credential.
        by_user: Whether a user waits for it: else the last answer is returned where it is recent,
            and none while the network may be down.
        is_new: Whether a user has just entered it: an answer that the form has had is recent then,
            and it is asked though another server has not answered.
    """
    domain, credential = application_credential.domain, application_credential.credential
    client = answers.client_of(domain, credential)
    recent = None if by_user else answers.async_get_recent(hass, client, of_users=is_new)
    if recent:
        verification, _ = recent
    elif not (by_user or is_new) and answers.async_get_pause(hass):
        return Verification(Outcome.INCONCLUSIVE, "", credential, answered=False)
    else:
        verification = await async_join(
            hass,
            ("inquiry", domain, credential.client_id, credential.client_secret),
            lambda: _async_ask(hass, domain, credential, by_user=by_user or is_new),
        )
    async_judge(hass, application_credential, verification)
    return verification


async def _async_ask(
    hass: HomeAssistant, domain: str, credential: DeveloperCredential, *, by_user: bool
) -> Verification:
    given = await async_ask_platform(hass, domain, credential)
    redirect_uri = _async_redirect_uri(hass)
    if given is None or redirect_uri is None:
        # Nobody was asked.
        return Verification(Outcome.INCONCLUSIVE, "", credential)
    asked = DeveloperCredential(credential.client_id, given.client_secret)
    verification = await async_verify_at_token_endpoint(hass, given.server, asked, redirect_uri)
    client = answers.client_of(domain, credential)
    answers.async_note(hass, client, verification, by_user=by_user)
    return verification


@callback
def _async_redirect_uri(hass: HomeAssistant) -> str | None:
    """Return the redirect URI of a login; None where Home Assistant knows no address of its own.

    Some servers reject a client whose redirect URI is not the registered one.
    """
    try:
        return async_get_redirect_uri(hass, RedirectUri.DEFAULT)
    except NoURLAvailableError:
        return None


@callback
def async_note(
    hass: HomeAssistant, domain: str, credential: DeveloperCredential, verification: Verification
) -> None:
    """Take note of a verification that somebody else has made, as by the credential form.

    It counts as asked just now; what it means is acted on for the items that have this client.

    Args:
        hass: Home Assistant.
        domain: The integration.
        credential: What was verified; it need not be stored.
        verification: What came of it.
    """
    client = answers.client_of(domain, credential)
    answers.async_note(hass, client, verification, by_user=True)
    if verification.outcome in KNOWN:
        async_note_accepted(hass, domain, credential.client_id)
    for one in async_get_application_credentials(hass).values():
        if answers.client_of(one.domain, one.credential) == client:
            async_judge(hass, one, verification)
