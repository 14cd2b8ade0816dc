"""What the credential form says first: the state of what is there, and the redirect URI."""

from collections.abc import Mapping
from datetime import datetime

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util
from yarl import URL

from ..const import DOMAIN, NOTHING
from ..credentials.last_answers import async_get
from ..credentials.rejection import Rejection, async_get_rejected, async_get_rejections
from ..credentials.store import key_of, unique_id_of
from ..oauth2.errors import InvalidGrantError
from ..oauth2.redirect_uri import REGISTERED
from ..oauth2.verification import Outcome
from ..plain_text import escape_markdown, plain_line
from ..platform import PlatformError, async_describe_problem
from ..watching.rejection import CoreRejection, async_get_core_rejections
from .credential_fields import Fields, shortened
from .credential_subject import CredentialSubject, OwnCredential, PeerCredential
from .instructions import async_get_language

# What says that the server knows the client.
_ACCEPTED = {Outcome.ACCEPTED.value, Outcome.REDIRECT_URI_REJECTED.value, InvalidGrantError.reason}


@callback
def async_describe(
    hass: HomeAssistant,
    subject: CredentialSubject,
    texts: Mapping[str, str],
    problem: str = "",
) -> str:
    """Return the state of the credential that is there; Markdown.

    Args:
        hass: Home Assistant.
        subject: What the form is about.
        texts: The texts of the selector `situation`.
        problem: What is wrong with the integration, as `async_get_problem_text`.
    """
    entries = ", ".join(escape_markdown(user.title) for user in subject.users)
    lines = [texts["used_by"].format(entries=entries) if entries else texts["unused"]]
    if isinstance(subject, OwnCredential):
        lines = [*_async_state(hass, subject, texts), *lines]
    elif isinstance(subject, PeerCredential) and (
        rejection := async_get_core_rejections(hass).get(subject.application_credential.item_id)
    ):
        lines = [_rejected(subject, rejection, texts), *lines]
    return "\n\n".join(text for text in (problem, " ".join(lines)) if text)


@callback
def async_is_rejected(hass: HomeAssistant, subject: CredentialSubject) -> bool:
    """Return whether it is known that the server rejects the credential that is there."""
    if isinstance(subject, PeerCredential):
        return subject.application_credential.item_id in async_get_core_rejections(hass)
    return (
        isinstance(subject, OwnCredential)
        and subject.subentry is not None
        and key_of(subject.subentry) in async_get_rejected(hass)
    )


async def async_get_problem_text(hass: HomeAssistant, domain: str, problem: PlatformError) -> str:
    """Return what the repair says that is wrong with an integration, in the user's language."""
    language = await async_get_language(hass)
    texts = await async_get_translations(hass, language, "issues", [DOMAIN])
    text = texts[f"component.{DOMAIN}.issues.platform_{problem.reason}.description"]
    return text.format(**async_describe_problem(hass, domain, problem))


def _rejected(
    subject: CredentialSubject,
    rejection: Rejection | CoreRejection,
    texts: Mapping[str, str],
) -> str:
    """Return since when the server rejects a credential, and its words."""
    return texts["rejected"].format(
        integration=escape_markdown(subject.integration.name),
        since=time_of(rejection.since),
        answer=escape_markdown(rejection.answer) or NOTHING,
    )


def _async_state(
    hass: HomeAssistant, subject: OwnCredential, texts: Mapping[str, str]
) -> list[str]:
    """Return what is known of a credential of ours: whether it is accepted, and its refreshes."""
    subentry, stored = subject.subentry, subject.stored
    if subentry is None or stored is None:
        return []
    integration, key = escape_markdown(subject.integration.name), key_of(subentry)
    refresh = async_get(hass, ("refresh", *key))
    verified = async_get(hass, ("verification", key[0], unique_id_of(key[0], stored)))
    accepted = [one.time for one in (refresh, verified) if one and one.result in _ACCEPTED]
    if rejection := async_get_rejections(hass).get(key):
        state = _rejected(subject, rejection, texts)
    elif stored.objection:
        state = texts[f"saved_{stored.objection}"].format(integration=integration)
    elif accepted:
        state = texts["accepted"].format(integration=integration, time=time_of(max(accepted)))
    else:
        state = texts["unchecked"].format(integration=integration)
    refreshed = []
    if subject.users and refresh and refresh.result == Outcome.ACCEPTED.value:
        refreshed = [texts["refreshed"].format(time=time_of(refresh.time))]
    return [state, *refreshed]


def describe_redirect_uri(
    fields: Fields,
    choice: str,
    texts: Mapping[str, str],
    *,
    is_stored: bool,
    instructions: str = "",
) -> str:
    """Return which redirect URI to register, or is registered; Markdown.

    Args:
        fields: The fields of the form.
        choice: The redirect URI that is chosen of them.
        texts: The texts of the selector `situation`.
        is_stored: Whether it is that of a credential that is there.
        instructions: The integration's, which may say it.
    """
    uri = fields.redirect_uris.get(choice, "")
    if not uri or f"`{uri}`" in instructions:
        return ""
    if choice == REGISTERED:
        address = plain_line(str(URL(uri).origin()))
        registered, elsewhere = texts["redirect_uri_registered"], texts["elsewhere"]
        return f"{registered.format(uri=code(uri))}\n\n{elsewhere.format(address=address)}"
    key = "redirect_uri_registered" if is_stored and not fields.expanded else "redirect_uri"
    return texts[key].format(uri=code(uri))


def describe_shortened(fields: Fields, labels: Mapping[str, str]) -> str:
    """Return the redirect URIs to choose from whose labels do not have all of them; Markdown.

    Whoever chooses one has to register it. In what stands at a field, only an alert wraps it.

    Args:
        fields: The fields of the form.
        labels: What the redirect URIs are called, by choice.
    """
    if len(fields.redirect_uris) < 2:  # noqa: PLR2004 - no choice
        return ""
    return "".join(
        f"\n\n<ha-alert>{labels[choice]}: {code(uri)}</ha-alert>"
        for choice, uri in fields.redirect_uris.items()
        if uri != shortened(uri)
    )


def code(text: str) -> str:
    """Return a text as inline code, which a phone wraps."""
    return f"`{plain_line(text).replace('`', '')}`"


def time_of(time: datetime) -> str:
    """Return a time as people read it."""
    return f"{dt_util.as_local(time):%Y-%m-%d %H:%M}"
