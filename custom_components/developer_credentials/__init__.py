"""Developer Credentials: bring your own OAuth2 client id and secret for any integration.

The names in `__all__` are the public API for integrations, and the schema of configuration.yaml,
which Home Assistant reads.
"""

from contextlib import suppress
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import SERVICE_RELOAD
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.config_entry_oauth2_flow import async_add_implementation_provider
from homeassistant.helpers.reload import async_integration_yaml_config
from homeassistant.helpers.service import async_register_admin_service
from homeassistant.helpers.typing import ConfigType
from homeassistant.util.hass_dict import HassKey

from . import provider, websocket_api, yaml_verification
from .adopting.provider import async_adopt_from_now_on
from .const import DOMAIN, LOGGER
from .credentials import damage, entry_tokens, lost_platforms, migration, orphaned_entries
from .credentials.entry_tokens import async_revoke_token
from .credentials.rejection import async_withdraw_outdated
from .credentials.store import async_forget, async_get_entry, async_get_or_create_entry
from .credentials.yaml_import import async_import_developer_credential, async_import_items
from .credentials.yaml_reader import CONFIG_SCHEMA, YamlList, async_check_items
from .flows.account import Account, account_from_jwt, async_account_from_userinfo
from .flows.credential_request import async_withdraw_offers
from .flows.flow_handler import DeveloperCredentialsFlowHandler
from .oauth2.client import DeveloperCredential
from .oauth2.errors import (
    InvalidClientError,
    InvalidGrantError,
    InvalidRedirectUriError,
    InvalidResponseError,
    InvalidScopeError,
    RefusedError,
    TokenRequestError,
    UnavailableError,
)
from .oauth2.implementation import AuthImplementation
from .oauth2.metadata import async_discover_authorization_server
from .oauth2.server import AuthorizationServer
from .oauth2.server_variable import ServerVariable
from .provider import async_provide_implementations
from .watching import deletion, watch

__all__ = [
    "CONFIG_SCHEMA",
    "Account",
    "AuthImplementation",
    "AuthorizationServer",
    "DeveloperCredential",
    "DeveloperCredentialsFlowHandler",
    "InvalidClientError",
    "InvalidGrantError",
    "InvalidRedirectUriError",
    "InvalidResponseError",
    "InvalidScopeError",
    "RefusedError",
    "ServerVariable",
    "TokenRequestError",
    "UnavailableError",
    "account_from_jwt",
    "async_account_from_userinfo",
    "async_discover_authorization_server",
    "async_import_developer_credential",
    "async_revoke_token",
]

# What the ids of issues began with that are not raised any more.
_OLD_ISSUES: Final = ("orphaned_", "own_yaml_", "rejected_", "yaml_item_gone_")

_DATA_YAML: HassKey[YamlList] = HassKey(f"{DOMAIN}_yaml")


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Offer the credentials to Home Assistant's OAuth2 flows, and read the YAML list."""
    yaml = hass.data[_DATA_YAML] = await async_check_items(hass, config.get(DOMAIN, []))
    async_add_implementation_provider(hass, DOMAIN, async_provide_implementations)
    provider.async_watch(hass)
    lost_platforms.async_watch(hass)
    orphaned_entries.async_watch(hass)
    entry_tokens.async_watch(hass)
    _forget_old_issues(hass)
    damage.async_watch(hass)
    websocket_api.async_setup(hass)

    async def reload(_: ServiceCall) -> None:
        """Read the YAML list again.

        Raises:
            ServiceValidationError: The YAML configuration cannot be read, or there is something to
                import, and the entry is disabled.
        """
        config = None
        with suppress(HomeAssistantError):
            config = await async_integration_yaml_config(hass, DOMAIN)
        if config is None:
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="yaml_invalid")
        yaml = hass.data[_DATA_YAML] = await async_check_items(hass, config.get(DOMAIN, []))
        if not _is_disabled(hass, yaml):
            new = await async_import_items(hass, yaml)
            if entry := async_get_entry(hass):
                yaml_verification.async_verify(hass, entry, new)
        elif yaml.items:
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="entry_disabled"
            )

    async_register_admin_service(hass, DOMAIN, SERVICE_RELOAD, reload)
    if not _is_disabled(hass, yaml) and yaml.items and async_get_entry(hass) is None:
        # Not awaited: the new entry waits for this set-up, which waits for the flow to begin.
        hass.async_create_task(async_get_or_create_entry(hass), f"{DOMAIN} entry for YAML")
    return True


def _forget_old_issues(hass: HomeAssistant) -> None:
    """Forget issues that older versions had; Home Assistant keeps their ids.

    Those of 0.1.0 were made of client ids.
    """
    for domain, issue_id in list(ir.async_get(hass).issues):
        if domain == DOMAIN and issue_id.startswith(_OLD_ISSUES):
            ir.async_delete_issue(hass, DOMAIN, issue_id)


def _is_disabled(hass: HomeAssistant, yaml: YamlList) -> bool:
    """Return whether the entry is disabled; where there is something to import, say so."""
    entry = async_get_entry(hass)
    if entry is None or not entry.disabled_by:
        return False
    if yaml.items:
        LOGGER.warning("The YAML configuration is not imported, since %s is disabled", entry.title)
    return True


async def async_migrate_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Bring what an older version has stored to the present form; a newer form is left alone."""
    if entry.minor_version < migration.MINOR_VERSION:
        await migration.async_migrate(hass, entry)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Look after application credentials; import the YAML list into the entry."""
    if entry is async_get_entry(hass):
        # First, to see the logins that are asked for from now on.
        entry.async_on_unload(watch.async_watch(hass))
        async_adopt_from_now_on(hass, entry)
    new = await async_import_items(hass, hass.data[_DATA_YAML])
    yaml_verification.async_verify_after_start(hass, entry, new)
    async_withdraw_offers(hass)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Unload the entry; its credentials remain available to the integrations."""
    return True


async def async_remove_entry(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Forget the credentials of the entry."""
    async_forget(hass)
    deletion.async_forget(hass)
    async_withdraw_outdated(hass)
