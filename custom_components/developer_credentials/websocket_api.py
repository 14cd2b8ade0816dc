"""The WebSocket API: what the UI can do with credentials, for tools and panels.

Only admins may use it. A secret goes in, and never out: an answer says whether there is one. Fields
and answers are much like those of Home Assistant's `application_credentials`, less the secret, so
that a tool for the one is easily moved to the other; fields in brackets may be left out. Home
Assistant's own application credentials, and what repairs do, are left to the UI.

| command | fields | answer |
|---|---|---|
| `developer_credentials/list` | | a list of credentials |
| `developer_credentials/create` | `domain`, `client_id`, [`client_secret`, `name`, `auth_domain`, `redirect_uri`, `verify`] | the credential |
| `developer_credentials/update` | `developer_credentials_id`, [`client_id`, `client_secret`, `name`, `redirect_uri`, `verify`] | the credential |
| `developer_credentials/delete` | `developer_credentials_id` | null |
| `developer_credentials/verify` | `developer_credentials_id` | `outcome` (accepted, rejected, redirect_uri_rejected, inconclusive), and the server's words: `detail` |
| `developer_credentials/config` | | `domains` that take credentials, and `integrations`: by domain, `description_placeholders` |
| `developer_credentials/config_entry` | `config_entry_id` | `developer_credentials_id` of the credential that the entry uses, or nothing |
| `developer_credentials/subscribe` | | null; then events, each a list of changes: `change_type` (added, updated, removed), `developer_credentials_id`, `item`: the credential; at first all as added |

A credential has `id`, `domain`, `client_id`, `has_secret`, `name`, `auth_domain`, `redirect_uri`,
`token_endpoint_auth_method`, and `entries`: the ids of the config entries that use it. What is left
out of an update stays. A credential is verified before it is saved, unless `verify` is false.

Errors: `invalid_format` (a field is missing, unknown, or not of its kind), `not_found`,
`already_configured` (the integration has the client id, or the `auth_domain`, already), `in_use` (by
the entries that the message names), `rejected` (by the server, whose words the message has),
`entry_disabled` (nothing is created while Developer Credentials is disabled).
"""  # noqa: E501 - the table

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from homeassistant.components.websocket_api import async_register_command
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import async_response, require_admin
from homeassistant.components.websocket_api.messages import (
    BASE_COMMAND_MESSAGE_SCHEMA,
    event_message,
)
from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, ConfigSubentry
from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_DOMAIN, CONF_ID, CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.collection import CHANGE_ADDED, CHANGE_REMOVED, CHANGE_UPDATED
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.loader import Integration, IntegrationNotFound, async_get_integration
from homeassistant.util import slugify
import voluptuous as vol

from .const import DOMAIN
from .credential_subject import OwnCredential
from .credentials import (
    CONF_AUTH_DOMAIN,
    CONF_AUTH_METHOD,
    CONF_REDIRECT_URI,
    SUBENTRY_TYPE,
    async_add_subentry,
    async_get_entry,
    async_get_or_create_entry,
    async_get_subentries,
    async_get_users,
    async_new_subentry,
    async_update_credential,
    credential_of,
)
from .instructions import async_get_placeholders
from .models import DeveloperCredential, RedirectUri
from .platform import async_get_integrations
from .verification import Outcome

CONF_ENTRY_ID: Final = "config_entry_id"
CONF_CREDENTIAL_ID: Final = "developer_credentials_id"
CONF_VERIFY: Final = "verify"

_OPTIONAL: Final = (CONF_CLIENT_SECRET, CONF_NAME, CONF_REDIRECT_URI, CONF_VERIFY)

type Fields = dict[str, Any]


class CommandError(HomeAssistantError):
    """A command that is refused; the text names no value of a field."""

    def __init__(self, code: str, key: str, **placeholders: str) -> None:
        """Initialize with the code, and the translation key of the message."""
        super().__init__(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders=placeholders,
        )
        self.code = code


@callback
def async_setup(hass: HomeAssistant) -> None:
    """Register the commands."""
    for name, (handler, required, optional) in COMMANDS.items():
        # Fields are checked here: Home Assistant would log the values of bad ones.
        schema = BASE_COMMAND_MESSAGE_SCHEMA.extend(
            {vol.Required("type"): f"{DOMAIN}/{name}"}, extra=vol.ALLOW_EXTRA
        )
        run = require_admin(async_response(_handler(handler, required, optional)))
        async_register_command(hass, f"{DOMAIN}/{name}", run, schema)
    schema = BASE_COMMAND_MESSAGE_SCHEMA.extend(
        {vol.Required("type"): f"{DOMAIN}/subscribe"}, extra=vol.ALLOW_EXTRA
    )
    subscribe = require_admin(_async_subscribe)
    async_register_command(hass, f"{DOMAIN}/subscribe", subscribe, schema)


def _handler(
    handler: Callable[[HomeAssistant, Fields], Awaitable[object]],
    required: tuple[str, ...],
    optional: tuple[str, ...],
) -> Callable[[HomeAssistant, ActiveConnection, Fields], Awaitable[None]]:
    """Return a handler of messages for a handler of fields."""

    async def handle(hass: HomeAssistant, connection: ActiveConnection, msg: Fields) -> None:
        try:
            result = await handler(hass, _checked(msg, required, optional))
        except CommandError as err:
            _send_error(connection, msg, err)
        else:
            connection.send_result(msg["id"], result)

    return handle


def _send_error(connection: ActiveConnection, msg: Fields, err: CommandError) -> None:
    connection.send_error(
        msg["id"],
        err.code,
        str(err),
        translation_domain=err.translation_domain,
        translation_key=err.translation_key,
        translation_placeholders=err.translation_placeholders,
    )


def _checked(msg: Fields, required: tuple[str, ...], optional: tuple[str, ...]) -> Fields:
    """Return the fields of a message.

    Raises:
        CommandError: One is missing, unknown, or not of its kind.
    """
    fields = {name: value for name, value in msg.items() if name not in {"id", "type"}}
    for name in required:
        if name not in fields:
            raise CommandError("invalid_format", "field_missing", field=name)
    for name, value in fields.items():
        if name not in required + optional:
            # Without a name of its own, a value may have become one.
            raise CommandError("invalid_format", "field_unknown")
        kind = bool if name == CONF_VERIFY else str
        if not isinstance(value, kind) and not (name == CONF_NAME and value is None):
            raise CommandError("invalid_format", "field_invalid", field=name)
    if fields.get(CONF_REDIRECT_URI, RedirectUri.DEFAULT) not in set(RedirectUri):
        raise CommandError("invalid_format", "field_invalid", field=CONF_REDIRECT_URI)
    return fields


async def _async_list(hass: HomeAssistant, fields: Fields) -> list[Fields]:
    return list(_items(hass).values())


async def _async_create(hass: HomeAssistant, fields: Fields) -> Fields:
    domain, auth_domain = fields[CONF_DOMAIN], fields.get(CONF_AUTH_DOMAIN)
    if auth_domain is not None and slugify(auth_domain) != auth_domain:
        raise CommandError("invalid_format", "field_invalid", field=CONF_AUTH_DOMAIN)
    if (entry := async_get_entry(hass)) and entry.disabled_by:
        raise CommandError("entry_disabled", "entry_disabled")
    if (integration := (await async_get_integrations(hass)).get(domain)) is None:
        raise CommandError("invalid_format", "no_platform", domain=domain)
    subject = OwnCredential(hass, integration)
    credential = await _async_verified(subject, _merged(None, fields), fields)
    entry = await async_get_or_create_entry(hass)
    # Nothing is awaited from here on: of two commands for one client, the second is refused.
    auth_domains = {one.data[CONF_AUTH_DOMAIN] for one in async_get_subentries(hass, domain)}
    if subject.is_taken(credential.client_id) or auth_domain in auth_domains:
        raise CommandError("already_configured", "already_configured")
    new = async_new_subentry(hass, integration, credential, auth_domain=auth_domain)
    return _item(hass, async_add_subentry(hass, entry, new))


async def _async_update(hass: HomeAssistant, fields: Fields) -> Fields:
    subentry = _subentry(hass, fields)
    integration = await _async_integration(hass, subentry)
    subject = OwnCredential(hass, integration, subentry)
    wanted: DeveloperCredential | None = None
    while wanted != (now := _merged(subentry, fields)):
        # What else was changed while the server was asked is kept, and verified as well.
        wanted = now
        credential = await _async_verified(subject, wanted, fields)
        if not subject.is_there:
            raise CommandError("not_found", "credential_not_found")
    if subject.is_taken(credential.client_id):
        raise CommandError("already_configured", "already_configured")
    async_update_credential(hass, subentry, integration, credential)
    return _item(hass, subentry)


async def _async_delete(hass: HomeAssistant, fields: Fields) -> None:
    subentry = _subentry(hass, fields)
    if users := async_get_users(hass, subentry):
        entries = ", ".join(f"{user.title} ({user.entry_id})" for user in users)
        raise CommandError("in_use", "in_use", entries=entries)
    (entry,) = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)


async def _async_verify(hass: HomeAssistant, fields: Fields) -> Fields:
    subentry = _subentry(hass, fields)
    subject = OwnCredential(hass, await _async_integration(hass, subentry), subentry)
    verification = await subject.async_verify(credential_of(subentry))
    return {"outcome": verification.outcome.value, "detail": verification.detail}


async def _async_config(hass: HomeAssistant, fields: Fields) -> Fields:
    integrations = {
        domain: {"description_placeholders": await async_get_placeholders(hass, domain)}
        for domain in await async_get_integrations(hass)
    }
    return {"domains": list(integrations), "integrations": integrations}


async def _async_config_entry(hass: HomeAssistant, fields: Fields) -> Fields:
    if (entry := hass.config_entries.async_get_entry(fields[CONF_ENTRY_ID])) is None:
        raise CommandError("not_found", "config_entry_not_found")
    for subentry in async_get_subentries(hass, entry.domain):
        if entry in async_get_users(hass, subentry):
            return {CONF_CREDENTIAL_ID: subentry.subentry_id}
    return {}


type _Handler = Callable[[HomeAssistant, Fields], Awaitable[object]]

# By the end of the name: the handler, the fields that a message has, and those that it may have.
COMMANDS: Final[dict[str, tuple[_Handler, tuple[str, ...], tuple[str, ...]]]] = {
    "list": (_async_list, (), ()),
    "create": (_async_create, (CONF_DOMAIN, CONF_CLIENT_ID), (*_OPTIONAL, CONF_AUTH_DOMAIN)),
    "update": (_async_update, (CONF_CREDENTIAL_ID,), (CONF_CLIENT_ID, *_OPTIONAL)),
    "delete": (_async_delete, (CONF_CREDENTIAL_ID,), ()),
    "verify": (_async_verify, (CONF_CREDENTIAL_ID,), ()),
    "config": (_async_config, (), ()),
    "config_entry": (_async_config_entry, (CONF_ENTRY_ID,), ()),
}


@callback
def _async_subscribe(hass: HomeAssistant, connection: ActiveConnection, msg: Fields) -> None:
    """Send all credentials, and then what changes."""
    try:
        _checked(msg, (), ())
    except CommandError as err:
        _send_error(connection, msg, err)
        return
    # With what is stored: a new secret is a change, too.
    known: dict[str, tuple[Fields, Fields]] = {}

    @callback
    def changes() -> list[Fields]:
        entry = async_get_entry(hass)
        stored = entry.subentries if entry else {}
        now = {one: (item, dict(stored[one].data)) for one, item in _items(hass).items()}
        found = [
            *((CHANGE_REMOVED, known[one]) for one in known.keys() - now.keys()),
            *((CHANGE_ADDED, now[one]) for one in now if one not in known),
            *((CHANGE_UPDATED, now[one]) for one in now if known.get(one, now[one]) != now[one]),
        ]
        known.clear()
        known.update(now)
        return [
            {"change_type": change, CONF_CREDENTIAL_ID: item[CONF_ID], "item": item}
            for change, (item, _) in found
        ]

    @callback
    def send_changes(*_: object) -> None:
        if found := changes():
            connection.send_message(event_message(msg["id"], found))

    connection.subscriptions[msg["id"]] = async_dispatcher_connect(
        hass, SIGNAL_CONFIG_ENTRY_CHANGED, send_changes
    )
    connection.send_result(msg["id"])
    connection.send_message(event_message(msg["id"], changes()))


def _items(hass: HomeAssistant) -> dict[str, Fields]:
    """Return what is told of each credential, by its id."""
    entry = async_get_entry(hass)
    subentries = entry.get_subentries_of_type(SUBENTRY_TYPE) if entry else []
    return {subentry.subentry_id: _item(hass, subentry) for subentry in subentries}


def _item(hass: HomeAssistant, subentry: ConfigSubentry) -> Fields:
    """Return what is told of a credential: everything but the secret."""
    told = (CONF_DOMAIN, CONF_CLIENT_ID, CONF_NAME, CONF_AUTH_DOMAIN)
    return {
        CONF_ID: subentry.subentry_id,
        **{name: subentry.data[name] for name in (*told, CONF_REDIRECT_URI, CONF_AUTH_METHOD)},
        "has_secret": bool(subentry.data[CONF_CLIENT_SECRET]),
        "entries": [user.entry_id for user in async_get_users(hass, subentry)],
    }


def _subentry(hass: HomeAssistant, fields: Fields) -> ConfigSubentry:
    """Return the credential that a command names."""
    entry = async_get_entry(hass)
    subentry = entry.subentries.get(fields[CONF_CREDENTIAL_ID]) if entry else None
    if subentry is None:
        raise CommandError("not_found", "credential_not_found")
    return subentry


async def _async_integration(hass: HomeAssistant, subentry: ConfigSubentry) -> Integration:
    """Return the integration of a credential."""
    domain = subentry.data[CONF_DOMAIN]
    try:
        return await async_get_integration(hass, domain)
    except IntegrationNotFound as err:
        raise CommandError("not_found", "integration_not_found", domain=domain) from err


def _merged(subentry: ConfigSubentry | None, fields: Fields) -> DeveloperCredential:
    """Return a credential as a command wants it."""
    stored = credential_of(subentry) if subentry else DeveloperCredential("-")
    names = (CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_NAME)
    changes: Fields = {name: fields[name] for name in names if name in fields}
    if CONF_REDIRECT_URI in fields:
        changes[CONF_REDIRECT_URI] = RedirectUri(fields[CONF_REDIRECT_URI])
    try:
        return replace(stored, **changes)
    except ValueError as err:
        raise CommandError("invalid_format", "field_invalid", field=CONF_CLIENT_ID) from err


async def _async_verified(
    subject: OwnCredential, credential: DeveloperCredential, fields: Fields
) -> DeveloperCredential:
    """Return the credential, with the way by which the server accepts it."""
    if subject.is_taken(credential.client_id):
        raise CommandError("already_configured", "already_configured")
    if not fields.get(CONF_VERIFY, True):
        return credential
    verification = await subject.async_verify(credential)
    if verification.outcome in {Outcome.REJECTED, Outcome.REDIRECT_URI_REJECTED}:
        answer = verification.detail or verification.outcome.value
        raise CommandError("rejected", "rejected", answer=answer)
    return verification.credential
