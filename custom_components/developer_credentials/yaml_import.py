"""Credentials from YAML: the `developer_credentials:` list, and integrations' own YAML.

An item of the list has `domain`, `client_id`, and optionally `client_secret` and `name`. It is
imported when it is new, and again when it has changed since; what the user edited in between
stays. A bad item is named, with its place, in the log and in a repair; the others are imported.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
import hashlib
from types import ModuleType, NoneType
from typing import Final

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
    async_update_credential,
    credential_of,
)
from .models import DeveloperCredential
from .platform import async_call, async_get_integrations

# In a subentry's data: the name, and the digest of the secret, that YAML had at the last import.
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


def _parse_items(values: list[object]) -> list[YamlItem | YamlProblem]:
    """Return what each item says, or what is wrong with it."""
    items = []
    for number, value in enumerate(values, 1):
        # Home Assistant's YAML loader notes the place of a mapping.
        place = f"{DOMAIN}, item {number}"
        if line := getattr(value, "__line__", None):
            place = f"{getattr(value, '__config_file__', place)}, line {line}"
        items.append(_parse_item(place, value))
    return items


def _parse_item(place: str, value: object) -> YamlItem | YamlProblem:
    """Return what an item says, or what is wrong with it. Its values are never part of that."""
    if not isinstance(value, dict):
        return YamlProblem(place, "not_a_mapping")
    for key in value:
        if key not in _KEYS:
            # Without a space after the colon, the value is part of the key.
            name = str(key).partition(":")[0]
            return YamlProblem(place, "unknown_key", name)
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


# Never invalid as a whole: every integration with the platform depends on this one.
CONFIG_SCHEMA = vol.Schema(
    {vol.Optional(DOMAIN): vol.All(cv.ensure_list, _parse_items)}, extra=vol.ALLOW_EXTRA
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


async def async_import_items(hass: HomeAssistant, items: Sequence[YamlItem]) -> None:
    """Import the items of the list."""
    for item in items:
        await _async_import(hass, item.domain, item.credential, take_over=True)


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
        await _async_import(hass, domain, credential)


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
    await _async_import(hass, domain, credential, auth_domain)


async def _async_import(
    hass: HomeAssistant,
    domain: str,
    credential: DeveloperCredential,
    auth_domain: str | None = None,
    *,
    take_over: bool = False,
) -> None:
    """Add the credential, or update what of it has changed in YAML since it was imported.

    A credential that the user has entered in the UI is taken over, or only known from then on.
    """
    integration = await async_get_integration(hass, domain)
    entry = await async_get_or_create_entry(hass)
    now = {CONF_CLIENT_SECRET: _digest(credential.client_secret), CONF_NAME: credential.name}
    subentry = async_find_subentry(hass, domain, credential.client_id)
    if subentry is None:
        new = async_new_subentry(hass, integration, credential, auth_domain=auth_domain or domain)
        async_add_subentry(hass, entry, {**new, "data": {**new["data"], CONF_IMPORTED: now}})
        return
    before = subentry.data.get(CONF_IMPORTED, {} if take_over else now)
    if before == now and CONF_IMPORTED in subentry.data:
        return
    changed = credential_of(subentry)
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
