"""Credentials from YAML: the `developer_credentials:` list, and integrations' own YAML.

A credential is imported when it is new, and again when it has changed since; what the user edited
in between stays. A credential whose item is gone stays, which is told once.
"""

from dataclasses import replace
import hashlib
from types import ModuleType, NoneType
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_DOMAIN, CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.loader import Integration, async_get_integration

from ..const import DOMAIN, LOGGER
from ..oauth2.client import DeveloperCredential
from ..plain_text import escape_markdown, plain_line
from ..platform import async_call, async_get_integrations
from .store import (
    CONF_AUTH_DOMAIN,
    async_add_subentry,
    async_find_subentry,
    async_get_entry,
    async_get_or_create_entry,
    async_get_subentries,
    async_new_subentry,
    async_update_credential,
    credential_of,
)
from .yaml_list import YamlItem, YamlList

# In a subentry's data: whose YAML it came from, and what that had at the last import, with a digest
# in the place of the secret.
CONF_IMPORTED: Final = "imported"


async def async_import_items(hass: HomeAssistant, yaml: YamlList) -> None:
    """Import the items of the list, and tell of credentials whose item is gone."""
    entry = await async_get_or_create_entry(hass) if yaml.items else async_get_entry(hass)
    if entry is None:
        return
    integrations = await async_get_integrations(hass)
    # Nothing is awaited from here on, so that nothing comes in between.
    imported = {
        (subentry.data[CONF_DOMAIN], str(origin[CONF_CLIENT_ID])): subentry
        for subentry in entry.subentries.values()
        if (origin := subentry.data.get(CONF_IMPORTED, {})).get("by") == "list"
    }
    new = []
    # An item finds its credential by the client id that this has, else by the one that YAML had.
    there = {item: async_find_subentry(hass, *item.key) for item in yaml.items}
    claimed = {subentry.subentry_id for subentry in there.values() if subentry}
    imported = {
        key: subentry for key, subentry in imported.items() if subentry.subentry_id not in claimed
    }
    for item, subentry in there.items():
        if found := subentry or imported.pop(item.key, None):
            _async_import(hass, integrations[item.domain], item, found)
        else:
            new.append(item)
    for item in new:
        # One item gone and one come, for the same integration: it has another client id.
        gone = [key for key in imported if key[0] == item.domain]
        come = [other for other in new if other.domain == item.domain]
        subentry = imported.pop(gone[0]) if yaml.whole and len(gone) == len(come) == 1 else None
        _async_import(hass, integrations[item.domain], item, subentry)
    if yaml.whole:
        for subentry in imported.values():
            _async_release(hass, entry, subentry)


@callback
def _async_release(hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry) -> None:
    """Tell, once, that a credential stays though its item is gone."""
    LOGGER.warning("The credential %s is not in the YAML configuration any more", subentry.title)
    data = {key: value for key, value in subentry.data.items() if key != CONF_IMPORTED}
    hass.config_entries.async_update_subentry(entry, subentry, data=data)
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"yaml_item_gone_{subentry.subentry_id}",
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key="yaml_item_gone",
        translation_placeholders={"credential": escape_markdown(subentry.title)},
    )


async def async_import_from_platform(
    hass: HomeAssistant, domain: str, platform: ModuleType
) -> None:
    """Import the credential from the integration's own YAML, where its platform has one.

    Raises:
        PlatformError: The platform has the function, and it is broken.
    """
    if not hasattr(platform, "async_get_developer_credential"):
        return
    credential: DeveloperCredential | None = await async_call(
        platform, "async_get_developer_credential", (DeveloperCredential, NoneType), hass
    )
    if credential:
        await _async_import_own(hass, domain, credential, domain)
    else:
        ir.async_delete_issue(hass, DOMAIN, f"integration_yaml_{domain}")


async def async_import_developer_credential(
    hass: HomeAssistant,
    domain: str,
    credential: DeveloperCredential,
    auth_domain: str | None = None,
) -> None:
    """Import a credential from an integration's own YAML, when it is new or has changed.

    Args:
        hass: Home Assistant.
        domain: The integration that the credential is for.
        credential: The credential.
        auth_domain: What the integration's existing config entries have as their
            `auth_implementation`; its domain by default.

    Raises:
        ValueError: This integration is not set up; the manifest of the calling one lacks it among
            its dependencies.
        IntegrationNotFound: No integration has that domain.
    """
    if DOMAIN not in hass.config.components:
        raise ValueError(f"{domain} must have {DOMAIN} among the dependencies of its manifest")
    await _async_import_own(hass, domain, credential, auth_domain or domain)


async def _async_import_own(
    hass: HomeAssistant, domain: str, credential: DeveloperCredential, auth_domain: str
) -> None:
    """Import a credential from an integration's own YAML, and tell that the lines can go."""
    integration = await async_get_integration(hass, domain)
    await async_get_or_create_entry(hass)
    subentry = async_find_subentry(hass, domain, credential.client_id)
    if subentry is None:
        # The client id that YAML had at the last import may have been another one.
        subentry = next(
            (
                other
                for other in async_get_subentries(hass, domain)
                if (imported := other.data.get(CONF_IMPORTED, {})).get("by") == "integration"
                and imported.get(CONF_AUTH_DOMAIN) == auth_domain
            ),
            None,
        )
    item = YamlItem(domain, domain, credential, "integration", auth_domain)
    _async_import(hass, integration, item, subentry)
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"integration_yaml_{domain}",
        is_fixable=False,
        issue_domain=domain,
        severity=ir.IssueSeverity.WARNING,
        translation_key="own_yaml",
        translation_placeholders={
            "domain": domain,
            "integration": escape_markdown(integration.name),
            # In the title, which is no Markdown.
            "name": plain_line(integration.name),
        },
    )


@callback
def _async_import(
    hass: HomeAssistant,
    integration: Integration,
    item: YamlItem,
    subentry: ConfigSubentry | None,
) -> None:
    """Add the credential, or update what of it has changed in YAML since it was imported.

    A credential that the user has entered in the UI is taken over by the list, and only known from
    then on by an integration's own YAML.
    """
    credential = item.credential
    (entry,) = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    now = {
        "by": item.by,
        CONF_AUTH_DOMAIN: item.auth_domain,
        CONF_CLIENT_ID: credential.client_id,
        CONF_CLIENT_SECRET: _digest(credential.client_secret),
        CONF_NAME: credential.name,
    }
    if subentry is None:
        new = async_new_subentry(hass, integration, credential, auth_domain=item.auth_domain)
        async_add_subentry(hass, entry, {**new, "data": {**new["data"], CONF_IMPORTED: now}})
        return
    before = subentry.data.get(CONF_IMPORTED, {} if item.by == "list" else now)
    if before == now and CONF_IMPORTED in subentry.data:
        return
    if item.by == "integration" and before["by"] == "list":
        # Of two that say something, the list is what the user writes for us.
        return
    changed = credential_of(subentry)
    if before.get(CONF_CLIENT_ID, credential.client_id) != credential.client_id:
        changed = replace(changed, client_id=credential.client_id)
    if before.get(CONF_CLIENT_SECRET) != now[CONF_CLIENT_SECRET]:
        changed = replace(changed, client_secret=credential.client_secret)
    if credential.name and before.get(CONF_NAME) != credential.name:
        changed = replace(changed, name=credential.name)
    async_update_credential(hass, subentry, integration, changed)
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, CONF_IMPORTED: now}
    )


def _digest(secret: str) -> str:
    """Return what tells whether a secret has changed, without being it."""
    return hashlib.sha256(secret.encode()).hexdigest()
