"""The WebSocket API: what the UI can do with credentials, for tools and panels.

Only admins may use it. A secret goes in, and never out: an answer says whether there is one. Fields
and answers are much like those of Home Assistant's `application_credentials`, less the secret, so
that a tool for the one is easily moved to the other; fields in brackets may be left out.

| command | fields | answer |
|---|---|---|
| `developer_credentials/list` | [`application_credentials`] | a list of credentials; with `application_credentials: true`, those of Home Assistant follow |
| `developer_credentials/create` | `domain`, `client_id`, [`client_secret`, `name`, `auth_domain`, `redirect_uri`, `variables`, `verify`] | the credential |
| `developer_credentials/update` | `developer_credentials_id`, [`client_id`, `client_secret`, `name`, `redirect_uri`, `variables`, `verify`] | the credential |
| `developer_credentials/delete` | `developer_credentials_id` | null |
| `developer_credentials/verify` | [`developer_credentials_id` or `application_credentials_id`], one of them | `outcome` (accepted, rejected, redirect_uri_rejected, inconclusive), and the server's words: `detail` |
| `developer_credentials/config` | | `domains` that take credentials, `integrations`: by domain, `description_placeholders`, and `variables` of the server, a list of `key`, `label`, `pattern`, `default`; and `redirect_uris` by choice |
| `developer_credentials/config_entry` | `config_entry_id` | `developer_credentials_id` of the credential that the entry uses, or nothing |
| `developer_credentials/relink` | `domain`, `auth_domain`, `developer_credentials_id` | null; the entries that name this `auth_domain` use this credential from now on, and their users log in again where it is another client |
| `developer_credentials/restore` | `domain`, `auth_domain` | the credential or application credential, which was deleted since the start of Home Assistant while entries named this `auth_domain` |
| `developer_credentials/update_application_credential` | `application_credentials_id`, [`client_id`, `client_secret`, `name`, `verify`] | the application credential of Home Assistant, after the change |
| `developer_credentials/subscribe` | | null; then events, each a list of changes: `change_type` (added, updated, removed), `developer_credentials_id`, `item`: the credential; at first all as added; it ends when its user is no longer an admin |

A credential has `id`, `domain`, `client_id`, `has_secret`, `name`, `auth_domain`, `redirect_uri`,
`token_endpoint_auth_method`, `variables` (the values of the server's variables by key, less those
that are the default), and `entries`: the ids of the config entries that use it. What is left out of
an update stays; `variables` are given as a whole. A credential is verified before it is saved, unless `verify` is false.

An application credential has `application_credential` (true), `id`, `domain`, `client_id`,
`has_secret`, `name`, `auth_domain`, `entries`, and `rejected`: whether its server is known to reject it.

Errors: `invalid_format` (a field is missing, unknown, or not of its kind; the message names it),
`not_found`, `already_configured` (the integration has the client id, at the server that the variables
decide, or the `auth_domain`, already), `in_use` (by the entries that the message names), `rejected` (by the server, whose words the message has),
`entry_disabled` (nothing is created while Developer Credentials is disabled), `platform_broken` (the
`developer_credentials.py` of the integration; the message and a repair say what is wrong).
"""  # noqa: E501 - the table

from collections.abc import Awaitable, Callable
from typing import Final

from homeassistant.components.websocket_api import async_register_command
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import async_response, require_admin
from homeassistant.components.websocket_api.messages import (
    BASE_COMMAND_MESSAGE_SCHEMA,
    event_message,
)
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_DOMAIN, CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
import voluptuous as vol

from .const import DOMAIN
from .credentials.store import CONF_AUTH_DOMAIN, CONF_REDIRECT_URI, CONF_VARIABLES
from .oauth2.client import are_variables
from .oauth2.redirect_uri import RedirectUri
from .websocket_commands import (
    CONF_APPLICATION_CREDENTIAL_ID,
    CONF_APPLICATION_CREDENTIALS,
    CONF_CREDENTIAL_ID,
    CONF_ENTRY_ID,
    CONF_VERIFY,
    CommandError,
    Fields,
    async_config,
    async_config_entry,
    async_create,
    async_delete,
    async_edit_application_credential,
    async_list,
    async_relink_entries,
    async_restore_credential,
    async_update,
    async_verify_credential,
)
from .websocket_subscription import CredentialChanges

_OPTIONAL: Final = (
    CONF_CLIENT_SECRET,
    CONF_NAME,
    CONF_REDIRECT_URI,
    CONF_VARIABLES,
    CONF_VERIFY,
)


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
        if not _IS_OF_KIND.get(name, _is_text)(value):
            raise CommandError("invalid_format", "field_invalid", field=name)
    if fields.get(CONF_REDIRECT_URI, RedirectUri.DEFAULT) not in set(RedirectUri):
        raise CommandError("invalid_format", "field_invalid", field=CONF_REDIRECT_URI)
    return fields


def _is_text(value: object) -> bool:
    return isinstance(value, str)


# The fields that are no texts: whether a value is of their kind.
_IS_OF_KIND: Final[dict[str, Callable[[object], bool]]] = {
    CONF_APPLICATION_CREDENTIALS: lambda value: isinstance(value, bool),
    CONF_NAME: lambda value: value is None or isinstance(value, str),
    CONF_VARIABLES: are_variables,
    CONF_VERIFY: lambda value: isinstance(value, bool),
}

type _Handler = Callable[[HomeAssistant, Fields], Awaitable[object]]

# By the end of the name: the handler, the fields that a message has, and those that it may have.
COMMANDS: Final[dict[str, tuple[_Handler, tuple[str, ...], tuple[str, ...]]]] = {
    "list": (async_list, (), (CONF_APPLICATION_CREDENTIALS,)),
    "create": (async_create, (CONF_DOMAIN, CONF_CLIENT_ID), (*_OPTIONAL, CONF_AUTH_DOMAIN)),
    "update": (async_update, (CONF_CREDENTIAL_ID,), (CONF_CLIENT_ID, *_OPTIONAL)),
    "delete": (async_delete, (CONF_CREDENTIAL_ID,), ()),
    "verify": (
        async_verify_credential,
        (),
        (CONF_CREDENTIAL_ID, CONF_APPLICATION_CREDENTIAL_ID),
    ),
    "config": (async_config, (), ()),
    "config_entry": (async_config_entry, (CONF_ENTRY_ID,), ()),
    "relink": (async_relink_entries, (CONF_DOMAIN, CONF_AUTH_DOMAIN, CONF_CREDENTIAL_ID), ()),
    "restore": (async_restore_credential, (CONF_DOMAIN, CONF_AUTH_DOMAIN), ()),
    "update_application_credential": (
        async_edit_application_credential,
        (CONF_APPLICATION_CREDENTIAL_ID,),
        (CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_NAME, CONF_VERIFY),
    ),
}


@callback
def _async_subscribe(hass: HomeAssistant, connection: ActiveConnection, msg: Fields) -> None:
    """Send all credentials, and then what changes, for as long as the user is an admin."""
    try:
        _checked(msg, (), ())
    except CommandError as err:
        _send_error(connection, msg, err)
        return
    told = CredentialChanges(hass)

    @callback
    def send_changes(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if not connection.user.is_admin:
            connection.subscriptions.pop(msg["id"])()
        elif found := told.async_entry_changed(change, entry):
            connection.send_message(event_message(msg["id"], found))

    connection.subscriptions[msg["id"]] = async_dispatcher_connect(
        hass, SIGNAL_CONFIG_ENTRY_CHANGED, send_changes
    )
    connection.send_result(msg["id"])
    connection.send_message(event_message(msg["id"], told.async_credentials_changed()))
