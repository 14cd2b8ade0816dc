"""What the commands of the WebSocket API do, and the errors by which they are refused.

The contract stands at the top of `websocket_api.py`, which has checked the fields.
"""

from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_DOMAIN, CONF_ID, CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.network import NoURLAvailableError
from homeassistant.loader import Integration, IntegrationNotFound, async_get_integration
from homeassistant.util import slugify

from .const import DOMAIN
from .core_credentials.collection import ApplicationCredential
from .core_credentials.editing import (
    async_get_editable_application_credentials,
    async_update_application_credential,
)
from .core_credentials.users import async_get_application_credential_users
from .credentials.orphaned_entries import async_relink, async_restore
from .credentials.store import (
    CONF_AUTH_DOMAIN,
    CONF_AUTH_METHOD,
    CONF_REDIRECT_URI,
    CONF_VARIABLES,
    async_add_subentry,
    async_get_all_subentries,
    async_get_entry,
    async_get_or_create_entry,
    async_get_subentries,
    async_get_users,
    async_new_subentry,
    async_remove_subentry,
    async_update_credential,
    credential_of,
)
from .credentials.stored_credential import stored_of
from .flows.credential_subject import CredentialSubject, OwnCredential, PeerCredential
from .flows.instructions import async_get_placeholders
from .oauth2.client import DeveloperCredential, misplaced_field
from .oauth2.redirect_uri import RedirectUri, async_get_redirect_uris
from .oauth2.server_variable import unfit_variables, without_defaults
from .oauth2.verification import Outcome
from .plain_text import plain_line
from .platform import async_get_integrations, async_get_variables
from .watching import deletion
from .watching.rejection import async_get_core_rejections

CONF_APPLICATION_CREDENTIAL_ID: Final = "application_credentials_id"
# In a command, whether they are wanted; in an item, that it is one.
CONF_APPLICATION_CREDENTIALS: Final = "application_credentials"
CONF_APPLICATION_CREDENTIAL: Final = "application_credential"
CONF_ENTRY_ID: Final = "config_entry_id"
CONF_CREDENTIAL_ID: Final = "developer_credentials_id"
CONF_VERIFY: Final = "verify"

# Characters of what is told in an error: many entries may use a credential.
MAX_TEXT: Final = 1_000

type Fields = dict[str, Any]


class CommandError(HomeAssistantError):
    """A command that is refused; the text names no value of a field."""

    def __init__(self, code: str, key: str, **placeholders: str) -> None:
        """Initialize with the code, and the translation key of the message."""
        super().__init__(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders={
                name: plain_line(text, MAX_TEXT) for name, text in placeholders.items()
            },
        )
        self.code = code


async def async_list(hass: HomeAssistant, fields: Fields) -> list[Fields]:
    """Return all credentials, and the application credentials where they are wanted."""
    items = [item_of(hass, subentry) for subentry in async_get_all_subentries(hass).values()]
    if fields.get(CONF_APPLICATION_CREDENTIALS, False):
        found = await async_get_editable_application_credentials(hass)
        items += [_application_credential_of(hass, one) for one in found.values()]
    return items


async def async_create(hass: HomeAssistant, fields: Fields) -> Fields:
    """Add a credential, and return it."""
    domain, auth_domain = fields[CONF_DOMAIN], fields.get(CONF_AUTH_DOMAIN)
    if auth_domain is not None and slugify(auth_domain) != auth_domain:
        raise CommandError("invalid_format", "field_invalid", field=CONF_AUTH_DOMAIN)
    if (integration := (await async_get_integrations(hass)).get(domain)) is None:
        raise CommandError("invalid_format", "no_platform", domain=domain)
    subject = OwnCredential(hass, integration)
    _refuse_obstacle(subject)
    wanted = await _async_fitting(subject, _merged(DeveloperCredential("-"), fields), fields)
    await _async_refuse_broken_platform(subject, wanted)
    credential = await _async_verified(subject, wanted, fields)
    _refuse_obstacle(subject)
    entry = await async_get_or_create_entry(hass)
    # Nothing is awaited from here on: of two commands for one client, the second is refused.
    auth_domains = {one.data[CONF_AUTH_DOMAIN] for one in async_get_subentries(hass, domain)}
    if subject.is_taken(credential) or auth_domain in auth_domains:
        raise CommandError("already_configured", "already_configured")
    new = async_new_subentry(hass, integration, credential, auth_domain=auth_domain)
    return item_of(hass, async_add_subentry(hass, entry, new))


async def async_update(hass: HomeAssistant, fields: Fields) -> Fields:
    """Change what is named of a credential, and return it."""
    subentry = _subentry(hass, fields)
    integration = await _async_integration(hass, subentry.data[CONF_DOMAIN])
    subject = OwnCredential(hass, integration, subentry)
    fitting = await _async_fitting(subject, _merged(credential_of(subentry), fields), fields)
    await _async_refuse_broken_platform(subject, fitting)
    if CONF_VARIABLES in fields:
        # As they are stored.
        fields = {**fields, CONF_VARIABLES: fitting.variables}
    wanted: DeveloperCredential | None = None
    credential = fitting
    while wanted != (now := _merged(credential_of(subentry), fields)):
        # What else was changed while the server was asked is kept, and verified as well.
        wanted = now
        credential = await _async_verified(subject, wanted, fields)
        _refuse_obstacle(subject)
    if subject.is_taken(credential):
        raise CommandError("already_configured", "already_configured")
    async_update_credential(hass, subentry, integration, credential)
    return item_of(hass, subentry)


async def async_delete(hass: HomeAssistant, fields: Fields) -> None:
    """Delete a credential that is not used."""
    subentry = _subentry(hass, fields)
    if users := async_get_users(hass, subentry):
        entries = ", ".join(f"{user.title} ({user.entry_id})" for user in users)
        raise CommandError("in_use", "in_use", entries=entries)
    async_remove_subentry(hass, subentry)


async def async_verify_credential(hass: HomeAssistant, fields: Fields) -> Fields:
    """Return whether the server knows a credential, or an application credential."""
    if CONF_APPLICATION_CREDENTIAL_ID not in fields:
        if CONF_CREDENTIAL_ID not in fields:
            raise CommandError("invalid_format", "field_missing", field=CONF_CREDENTIAL_ID)
        subentry = _subentry(hass, fields)
        integration = await _async_integration(hass, subentry.data[CONF_DOMAIN])
        subject: CredentialSubject = OwnCredential(hass, integration, subentry)
        credential = credential_of(subentry)
    elif CONF_CREDENTIAL_ID in fields:
        raise CommandError("invalid_format", "field_invalid", field=CONF_APPLICATION_CREDENTIAL_ID)
    else:
        peer = await _async_peer(hass, fields)
        subject, credential = peer, peer.stored
    verification = await subject.async_verify(credential)
    return {"outcome": verification.outcome.value, "detail": verification.detail}


async def async_config(hass: HomeAssistant, fields: Fields) -> Fields:
    """Return what a form for a credential has to show."""
    integrations = {
        domain: {
            "description_placeholders": await async_get_placeholders(hass, domain),
            CONF_VARIABLES: [asdict(one) for one in await async_get_variables(hass, domain) or ()],
        }
        for domain in await async_get_integrations(hass)
    }
    redirect_uris: dict[RedirectUri, str] = {}
    with suppress(NoURLAvailableError):
        redirect_uris = async_get_redirect_uris(hass)
    return {
        "domains": list(integrations),
        "integrations": integrations,
        "redirect_uris": {choice.value: uri for choice, uri in redirect_uris.items()},
    }


async def async_config_entry(hass: HomeAssistant, fields: Fields) -> Fields:
    """Return which credential an integration's entry uses."""
    if (entry := hass.config_entries.async_get_entry(fields[CONF_ENTRY_ID])) is None:
        raise CommandError("not_found", "config_entry_not_found")
    for subentry in async_get_subentries(hass, entry.domain):
        if entry in async_get_users(hass, subentry):
            return {CONF_CREDENTIAL_ID: subentry.subentry_id}
    return {}


async def async_relink_entries(hass: HomeAssistant, fields: Fields) -> None:
    """Let entries use another credential."""
    subentry = _subentry(hass, fields)
    key = fields[CONF_DOMAIN], fields[CONF_AUTH_DOMAIN]
    if subentry.data[CONF_DOMAIN] != key[0]:
        raise CommandError("not_found", "credential_not_found")
    auth_domain, client_id = subentry.data[CONF_AUTH_DOMAIN], subentry.data[CONF_CLIENT_ID]
    await async_relink(hass, key, auth_domain, client_id)


async def async_restore_credential(hass: HomeAssistant, fields: Fields) -> Fields:
    """Restore a credential that was deleted while it was used, and return it."""
    key = fields[CONF_DOMAIN], fields[CONF_AUTH_DOMAIN]
    if (entry := async_get_entry(hass)) and entry.disabled_by:
        raise CommandError("entry_disabled", "entry_disabled")
    if subentry := await async_restore(hass, key):
        return item_of(hass, subentry)
    if one := await deletion.async_restore(hass, key):
        return _application_credential_of(hass, one)
    raise CommandError("not_found", "credential_not_found")


async def async_edit_application_credential(hass: HomeAssistant, fields: Fields) -> Fields:
    """Change an application credential of Home Assistant, and return it."""
    subject = await _async_peer(hass, fields)
    found = subject.application_credential
    wanted: DeveloperCredential | None = None
    while wanted != (now := _merged(subject.stored, fields)):
        wanted = now
        await _async_verified(subject, wanted, fields)
    if not await async_update_application_credential(hass, found, now):
        raise CommandError("not_found", "credential_not_found")
    return _application_credential_of(hass, replace(found, credential=now))


async def _async_peer(hass: HomeAssistant, fields: Fields) -> PeerCredential:
    """Return the application credential that a command names."""
    found = (await async_get_editable_application_credentials(hass)).get(
        fields[CONF_APPLICATION_CREDENTIAL_ID]
    )
    if found is None:
        raise CommandError("not_found", "credential_not_found")
    return PeerCredential(hass, await _async_integration(hass, found.domain), found)


def _application_credential_of(hass: HomeAssistant, one: ApplicationCredential) -> Fields:
    """Return what is told of an application credential: everything but the secret."""
    return {
        CONF_APPLICATION_CREDENTIAL: True,
        CONF_ID: one.item_id,
        CONF_DOMAIN: one.domain,
        CONF_CLIENT_ID: one.credential.client_id,
        CONF_NAME: one.credential.name,
        CONF_AUTH_DOMAIN: one.auth_domain,
        "has_secret": bool(one.credential.client_secret),
        "entries": [user.entry_id for user in async_get_application_credential_users(hass, one)],
        "rejected": one.item_id in async_get_core_rejections(hass),
    }


def item_of(hass: HomeAssistant, subentry: ConfigSubentry) -> Fields:
    """Return what is told of a credential: everything but the secret."""
    stored = stored_of(subentry)
    credential = stored.credential
    return {
        CONF_ID: subentry.subentry_id,
        CONF_DOMAIN: stored.domain,
        CONF_CLIENT_ID: credential.client_id,
        CONF_NAME: credential.name,
        CONF_AUTH_DOMAIN: stored.auth_domain,
        CONF_REDIRECT_URI: credential.redirect_uri.value,
        CONF_AUTH_METHOD: credential.token_endpoint_auth_method,
        CONF_VARIABLES: dict(credential.variables),
        "has_secret": bool(credential.client_secret),
        "entries": [user.entry_id for user in async_get_users(hass, subentry)],
    }


def _subentry(hass: HomeAssistant, fields: Fields) -> ConfigSubentry:
    """Return the credential that a command names."""
    if (subentry := async_get_all_subentries(hass).get(fields[CONF_CREDENTIAL_ID])) is None:
        raise CommandError("not_found", "credential_not_found")
    return subentry


def _refuse_obstacle(subject: CredentialSubject) -> None:
    """Refuse what cannot be saved now."""
    match subject.obstacle:
        case "entry_disabled":
            raise CommandError("entry_disabled", "entry_disabled")
        case "credential_gone":
            raise CommandError("not_found", "credential_not_found")


async def _async_refuse_broken_platform(
    subject: OwnCredential, credential: DeveloperCredential
) -> None:
    """Refuse a credential that could not be used; a repair says what is wrong."""
    if problem := await subject.async_get_problem(credential):
        key, domain = f"platform_{problem.reason}", subject.integration.domain
        raise CommandError("platform_broken", key, integration=domain, detail=problem.detail)


async def _async_integration(hass: HomeAssistant, domain: str) -> Integration:
    """Return the integration of a credential."""
    try:
        return await async_get_integration(hass, domain)
    except IntegrationNotFound as err:
        raise CommandError("not_found", "integration_not_found", domain=domain) from err


def _merged(stored: DeveloperCredential, fields: Fields) -> DeveloperCredential:
    """Return a credential as a command wants it."""
    names = (CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_NAME, CONF_VARIABLES)
    changes: Fields = {name: fields[name] for name in names if name in fields}
    if CONF_REDIRECT_URI in fields:
        changes[CONF_REDIRECT_URI] = RedirectUri(fields[CONF_REDIRECT_URI])
        # Which one the user has registered is not told.
        changes["registered_uri"] = ""
    try:
        merged = replace(stored, **changes)
    except ValueError as err:
        raise CommandError("invalid_format", "field_invalid", field=CONF_CLIENT_ID) from err
    if field := misplaced_field(merged, stored):
        raise CommandError("invalid_format", "field_not_a_value", field=field)
    return merged


async def _async_fitting(
    subject: CredentialSubject, credential: DeveloperCredential, fields: Fields
) -> DeveloperCredential:
    """Return the credential with the values that its server's variables need, as they are stored.

    Where the integration cannot tell now which there are, they are what the command says.
    """
    if (variables := await subject.async_get_variables()) is None:
        return credential
    if fields.get(CONF_VARIABLES, {}).keys() - {one.key for one in variables}:
        raise CommandError("invalid_format", "field_invalid", field=CONF_VARIABLES)
    for unfit in unfit_variables(variables, credential.variables):
        raise CommandError("invalid_format", "variable_invalid", variable=unfit.key)
    return replace(credential, variables=without_defaults(variables, credential.variables))


async def _async_verified(
    subject: CredentialSubject, credential: DeveloperCredential, fields: Fields
) -> DeveloperCredential:
    """Return the credential, with the way by which the server accepts it."""
    if subject.is_taken(credential):
        raise CommandError("already_configured", "already_configured")
    if not fields.get(CONF_VERIFY, True):
        return credential
    verification = await subject.async_verify(credential)
    if verification.outcome in {Outcome.REJECTED, Outcome.REDIRECT_URI_REJECTED}:
        answer = verification.detail or verification.outcome.value
        raise CommandError("rejected", "rejected", answer=answer)
    return verification.credential
