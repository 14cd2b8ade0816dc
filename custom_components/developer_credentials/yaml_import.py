"""Credentials from YAML: the `developer_credentials:` list, and integrations' own YAML.

An item of the list has `domain`, `client_id`, and optionally `client_secret` and `name`. It is
imported when it is new, and again when it has changed since; what the user edited in between
stays. A bad item is named, with its place, in the log and in a repair; the others are imported.
"""

from collections.abc import Sequence
from dataclasses import dataclass
import hashlib
import json
from types import ModuleType, NoneType
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_DOMAIN, CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import issue_registry as ir
from homeassistant.loader import async_get_integration
import voluptuous as vol

from .const import DOMAIN, LOGGER
from .credentials import (
    async_add_subentry,
    async_find_subentry,
    async_get_or_create_entry,
    async_new_subentry,
)
from .models import DeveloperCredential
from .platform import async_call, async_get_integrations

# In a subentry's data: the digest of the YAML values that it was last imported from.
CONF_IMPORTED: Final = "imported"

_KEYS: Final = (CONF_DOMAIN, CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_NAME)
_REQUIRED_KEYS: Final = (CONF_DOMAIN, CONF_CLIENT_ID)


@dataclass(frozen=True, slots=True)
class YamlItem:
    """A well-formed item of the list, and its place in the files of the user."""

    place: str
    domain: str
    credential: DeveloperCredential


@dataclass(frozen=True, slots=True)
class YamlProblem:
    """An item of the list that cannot be imported: its place, what is wrong, and with which key.

    The reason is the end of the translation key `yaml_<reason>`.
    """

    place: str
    reason: str
    key: str = ""


def _parse_item(value: object) -> YamlItem | YamlProblem:
    """Return what an item says, or what is wrong with it. Its values are never part of that."""
    place = _place(value)
    if not isinstance(value, dict):
        return YamlProblem(place, "not_a_mapping")
    for key in value:
        if key not in _KEYS:
            return YamlProblem(place, "unknown_key", str(key))
    for key in _KEYS:
        if value.get(key) is None:
            if key in _REQUIRED_KEYS:
                return YamlProblem(place, "missing_key", key)
        elif not isinstance(value[key], str):
            return YamlProblem(place, "not_text", key)
    try:
        credential = DeveloperCredential(
            value[CONF_CLIENT_ID], value.get(CONF_CLIENT_SECRET) or "", value.get(CONF_NAME)
        )
    except ValueError:
        return YamlProblem(place, "missing_key", CONF_CLIENT_ID)
    return YamlItem(place, str(value[CONF_DOMAIN]), credential)


def _place(value: object) -> str:
    """Return file and line of a value from Home Assistant's YAML loader."""
    file = getattr(value, "__config_file__", "configuration.yaml")
    line = getattr(value, "__line__", None)
    return f"{file}, line {line}" if line else str(file)


# Never invalid as a whole: every integration with the platform depends on this one.
CONFIG_SCHEMA = vol.Schema(
    {vol.Optional(DOMAIN): vol.All(cv.ensure_list, [_parse_item])}, extra=vol.ALLOW_EXTRA
)


async def async_check_items(
    hass: HomeAssistant, items: Sequence[YamlItem | YamlProblem]
) -> list[YamlItem]:
    """Return the items that can be imported, and report the others."""
    integrations = await async_get_integrations(hass) if items else {}
    good: dict[tuple[str, str], YamlItem] = {}
    for item in items:
        if isinstance(item, YamlProblem):
            _async_report(hass, item)
        elif item.domain not in integrations:
            _async_report(hass, YamlProblem(item.place, "unknown_integration", item.domain))
        elif (key := (item.domain, item.credential.client_id)) in good:
            _async_report(hass, YamlProblem(item.place, "duplicate", CONF_CLIENT_ID))
        else:
            good[key] = item
    return list(good.values())


async def async_import_items(
    hass: HomeAssistant, entry: ConfigEntry, items: Sequence[YamlItem]
) -> None:
    """Import the items of the list into the config entry."""
    for item in items:
        await _async_import(hass, entry, item.domain, item.credential)


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
        await async_import_developer_credential(hass, domain, credential)


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
    entry = await async_get_or_create_entry(hass)
    await _async_import(hass, entry, domain, credential, auth_domain)


async def _async_import(
    hass: HomeAssistant,
    entry: ConfigEntry,
    domain: str,
    credential: DeveloperCredential,
    auth_domain: str | None = None,
) -> None:
    """Add the credential, or update it where its YAML has changed since it was imported."""
    integration = await async_get_integration(hass, domain)
    digest = _digest(credential)
    if subentry := async_find_subentry(hass, domain, credential.client_id):
        if subentry.data.get(CONF_IMPORTED) == digest:
            return
        changes = {CONF_CLIENT_SECRET: credential.client_secret, CONF_IMPORTED: digest}
        hass.config_entries.async_update_subentry(
            entry, subentry, data={**subentry.data, **changes}
        )
        return
    new = async_new_subentry(hass, integration, credential, auth_domain=auth_domain or domain)
    async_add_subentry(hass, entry, {**new, "data": {**new["data"], CONF_IMPORTED: digest}})


def _digest(credential: DeveloperCredential) -> str:
    """Return what tells whether a YAML value has changed, without being it."""
    values = [credential.client_id, credential.client_secret, credential.name]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


@callback
def _async_report(hass: HomeAssistant, problem: YamlProblem) -> None:
    """Tell that an item was skipped."""
    LOGGER.error(
        "Skipped a credential of the YAML configuration (%s): %s %s",
        problem.place,
        problem.reason.replace("_", " "),
        problem.key,
    )
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"yaml_{problem.reason}_{problem.place}",
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key=f"yaml_{problem.reason}",
        translation_placeholders={"place": problem.place, "key": problem.key},
    )
