"""Credentials from YAML: the `developer_credentials:` list, and what integrations have themselves.

A credential is imported when it is new, and again when it has changed since; what the user edited
in between stays. A credential whose item is gone stays, which is told once.
"""

from collections.abc import Mapping
from dataclasses import replace
import hashlib
from types import ModuleType, NoneType
from typing import Literal

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.loader import Integration, async_get_integration

from ..const import DOMAIN, LOGGER
from ..oauth2.client import DeveloperCredential, Identity, misplaced_field
from ..plain_text import escape_markdown, join_surrogates, plain_line
from ..platform import PlatformError, async_call, async_get_integrations
from .rejection import client_of
from .store import (
    CONF_AUTH_DOMAIN,
    Key,
    async_add_subentry,
    async_find_subentry,
    async_get_all_stored,
    async_get_by_key,
    async_get_entry,
    async_get_or_create_entry,
    async_get_subentries,
    async_new_subentry,
    async_update_credential,
)
from .stored_credential import CONF_IMPORTED, CONF_VARIABLES, stored_of
from .titles import name_from_yaml
from .yaml_reader import YamlItem, YamlList

# The credentials that the list has brought, by integration and the client that it had.
type _Imported = dict[tuple[str, Identity], ConfigSubentry]


async def async_import_items(hass: HomeAssistant, yaml: YamlList) -> list[Key]:
    """Import the items of the list, and tell of credentials whose item is gone.

    Returns:
        The credentials that are new to their servers.
    """
    entry = await async_get_or_create_entry(hass) if yaml.items else async_get_entry(hass)
    if entry is None:
        return []
    integrations = await async_get_integrations(hass)
    # Nothing is awaited from here on, so that nothing comes in between.
    imported = _async_imported_by_the_list(hass)
    matches, new = _match_known(hass, yaml, imported)
    matches += _match_changed_client_ids(yaml, new, imported)
    before = _async_get_clients(hass) if matches else {}
    for item, subentry in matches:
        _async_import(hass, entry, integrations[item.domain], item, subentry)
    if yaml.whole:
        for subentry in imported.values():
            _async_release(hass, entry, subentry)
    now = _async_get_clients(hass) if matches else {}
    return [key for key, client in now.items() if before.get(key) != client]


@callback
def _async_get_clients(hass: HomeAssistant) -> dict[Key, DeveloperCredential]:
    """Return what servers know of the credentials."""
    return {key: client_of(stored.credential) for key, stored in async_get_all_stored(hass).items()}


@callback
def _async_imported_by_the_list(hass: HomeAssistant) -> _Imported:
    """Return the credentials that the list has brought, those without an item among them."""
    return {
        (stored.domain, _imported_client(stored.imported)): subentry
        for key, stored in async_get_all_stored(hass).items()
        if stored.imported.get("by") == "list" and (subentry := async_get_by_key(hass, key))
    }


def _imported_client(imported: Mapping[str, object]) -> Identity:
    """Return the client that YAML had at the last import."""
    variables = imported.get(CONF_VARIABLES)
    values = variables.items() if isinstance(variables, Mapping) else ()
    return str(imported.get(CONF_CLIENT_ID)), frozenset(values)


@callback
def _match_known(
    hass: HomeAssistant, yaml: YamlList, imported: _Imported
) -> tuple[list[tuple[YamlItem, ConfigSubentry | None]], list[YamlItem]]:
    """Return the items whose credential is known by a client id, each with it, and the others.

    It is known by the client id that it has, else by the one that the list had. What an item has
    found is taken out of `imported`.
    """
    there = {item: _async_find(hass, item.domain, item.credential) for item in yaml.items}
    claimed = {subentry.subentry_id for subentry in there.values() if subentry}
    for key, subentry in list(imported.items()):
        if subentry.subentry_id in claimed:
            del imported[key]
    known: list[tuple[YamlItem, ConfigSubentry | None]] = []
    new = []
    for item, there_is in there.items():
        if found := there_is or imported.pop(item.key, None):
            known.append((item, found))
        else:
            new.append(item)
    return known, new


@callback
def _async_find(
    hass: HomeAssistant, domain: str, credential: DeveloperCredential
) -> ConfigSubentry | None:
    """Return the subentry of the same client, None where there is none."""
    return async_find_subentry(hass, domain, credential.client_id, credential.variables)


def _match_changed_client_ids(
    yaml: YamlList, new: list[YamlItem], imported: _Imported
) -> list[tuple[YamlItem, ConfigSubentry | None]]:
    """Return each new item with the credential whose client id it changes, None for another one.

    Where one item of an integration is gone and one has come, it is the same credential. It is
    taken out of `imported` then.
    """
    matches = []
    for item in new:
        gone = [key for key in imported if key[0] == item.domain]
        come = [other for other in new if other.domain == item.domain]
        same = yaml.whole and len(gone) == len(come) == 1
        matches.append((item, imported.pop(gone[0]) if same else None))
    return matches


@callback
def _async_release(hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry) -> None:
    """Tell, once, that a credential stays though its item is gone."""
    LOGGER.warning(
        "The credential %s was removed from the YAML configuration; it stays until it is deleted"
        " under Developer Credentials",
        subentry.title,
    )
    data = {key: value for key, value in subentry.data.items() if key != CONF_IMPORTED}
    hass.config_entries.async_update_subentry(entry, subentry, data=data)


async def async_import_from_platform(
    hass: HomeAssistant, domain: str, platform: ModuleType
) -> None:
    """Import the credential from the integration's own YAML, where its platform has one.

    Raises:
        PlatformError: The platform has the function, and it is broken; or the credential is none.
    """
    if not hasattr(platform, "async_get_developer_credential"):
        return
    credential: DeveloperCredential | None = await async_call(
        platform, "async_get_developer_credential", (DeveloperCredential, NoneType), hass
    )
    if credential and misplaced_field(credential):
        raise PlatformError("function_raised", "async_get_developer_credential, ValueError")
    if credential:
        await _async_import_own(hass, domain, credential, domain, from_yaml=True)
    else:
        ir.async_delete_issue(hass, DOMAIN, f"integration_yaml_{domain}")


async def async_import_developer_credential(
    hass: HomeAssistant,
    domain: str,
    credential: DeveloperCredential,
    auth_domain: str | None = None,
    *,
    from_yaml: bool = True,
) -> str:
    """Import a credential that an integration has, when it is new or has changed.

    It comes from the integration's own YAML; or from its config entries, or with its code.

    Args:
        hass: Home Assistant.
        domain: The integration that the credential is for.
        credential: The credential.
        auth_domain: What the integration's existing config entries have as their
            `auth_implementation`; its domain by default.
        from_yaml: Whether it stands in YAML, whose lines can go, as a repair tells then.

    Returns:
        The `auth_implementation` of entries that use it: another one than `auth_domain` where the
        integration had a credential of this client before.

    Raises:
        ValueError: This integration is not set up; the manifest of the calling one lacks it among
            its dependencies. Or a field of the credential has more than its value, such as the
            file that the provider offers for download.
        IntegrationNotFound: No integration has that domain.
    """
    if DOMAIN not in hass.config.components:
        raise ValueError(f"{domain} must have {DOMAIN} among the dependencies of its manifest")
    if field := misplaced_field(credential):
        raise ValueError(f"{field} has more than its value")
    subentry = await _async_import_own(
        hass, domain, credential, join_surrogates(auth_domain or domain), from_yaml=from_yaml
    )
    return stored_of(subentry).auth_domain


async def _async_import_own(
    hass: HomeAssistant,
    domain: str,
    credential: DeveloperCredential,
    auth_domain: str,
    *,
    from_yaml: bool,
) -> ConfigSubentry:
    """Import a credential that an integration has; tell that its lines in YAML can go."""
    integration = await async_get_integration(hass, domain)
    entry = await async_get_or_create_entry(hass)
    subentry = _async_find(hass, domain, credential)
    if subentry is None:
        # The client id that it had at the last import may have been another one.
        subentry = next(
            (
                other
                for other in async_get_subentries(hass, domain)
                if (imported := stored_of(other).imported).get("by") in {"integration", "import"}
                and imported.get(CONF_AUTH_DOMAIN) == auth_domain
            ),
            None,
        )
    by: Literal["integration", "import"] = "integration" if from_yaml else "import"
    item = YamlItem(domain, domain, credential, by, auth_domain)
    if from_yaml:
        _async_tell_own_yaml(hass, integration)
    return _async_import(hass, entry, integration, item, subentry)


@callback
def _async_tell_own_yaml(hass: HomeAssistant, integration: Integration) -> None:
    """Tell that the lines of an integration's own YAML can go."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"integration_yaml_{integration.domain}",
        is_fixable=False,
        issue_domain=integration.domain,
        severity=ir.IssueSeverity.WARNING,
        translation_key="own_yaml",
        translation_placeholders={
            "domain": integration.domain,
            "integration": escape_markdown(integration.name),
            # In the title, which is no Markdown.
            "name": plain_line(integration.name),
        },
    )


@callback
def _async_import(
    hass: HomeAssistant,
    entry: ConfigEntry,
    integration: Integration,
    item: YamlItem,
    subentry: ConfigSubentry | None,
) -> ConfigSubentry:
    """Add the credential, or update what of it has changed since it was imported; return it.

    A credential that the user has entered in the UI is taken over by the list, and only known from
    then on by an integration's own YAML.
    """
    credential = item.credential
    now: dict[str, object] = {
        "by": item.by,
        CONF_AUTH_DOMAIN: item.auth_domain,
        CONF_CLIENT_ID: credential.client_id,
        CONF_CLIENT_SECRET: _digest(credential.client_secret),
        CONF_NAME: credential.name,
    }
    if credential.variables:
        now[CONF_VARIABLES] = dict(credential.variables)
    if subentry is None:
        name = None if item.by == "import" else name_from_yaml(integration.name)
        named = replace(credential, name=credential.name or name)
        new = async_new_subentry(hass, integration, named, auth_domain=item.auth_domain)
        data = {**new["data"], CONF_IMPORTED: now}
        return async_add_subentry(hass, entry, {**new, "data": data})
    stored = stored_of(subentry)
    if stored.imported == now:
        return subentry
    if item.by != "list" and stored.imported.get("by") == "list":
        # Of two that say something, the list is what the user writes for us.
        return subentry
    before = stored.imported or ({} if item.by == "list" else now)
    changed = stored.credential
    if before.get(CONF_CLIENT_ID, credential.client_id) != credential.client_id:
        changed = replace(changed, client_id=credential.client_id)
    if before and before.get(CONF_VARIABLES, {}) != credential.variables:
        changed = replace(changed, variables=credential.variables)
    if before.get(CONF_CLIENT_SECRET) != now[CONF_CLIENT_SECRET]:
        changed = replace(changed, client_secret=credential.client_secret)
    if credential.name and before.get(CONF_NAME) != credential.name:
        changed = replace(changed, name=credential.name)
    async_update_credential(hass, subentry, integration, changed)
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, CONF_IMPORTED: now}
    )
    return subentry


def _digest(secret: str) -> str:
    """Return what tells whether a secret has changed, without being it."""
    return hashlib.sha256(secret.encode()).hexdigest()
