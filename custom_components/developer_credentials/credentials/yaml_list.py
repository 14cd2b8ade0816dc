"""The `developer_credentials:` list of configuration.yaml, read and checked.

An item has `domain`, `client_id`, and optionally `client_secret` and `name`. A bad one is told, in
the log and in a repair, by its place and a known name: nothing that stands in it, for a secret may
stand anywhere. The others are imported.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_DOMAIN, CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import issue_registry as ir
from homeassistant.loader import async_get_integrations as async_get_installed
from homeassistant.util import slugify
import voluptuous as vol

from ..const import DOMAIN, LOGGER
from ..oauth2.client import DeveloperCredential
from ..plain_text import join_surrogates, plain_line
from ..platform import async_get_integrations

_KEYS: Final = (CONF_DOMAIN, CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_NAME)
_REQUIRED_KEYS: Final = (CONF_DOMAIN, CONF_CLIENT_ID)


@dataclass(frozen=True, slots=True)
class YamlItem:
    """A credential that YAML has.

    Attributes:
        place: Its place in the files of the user; the integration for one of its own YAML.
        domain: The integration that it is for.
        credential: The credential.
        by: Whose YAML it is: our list, or that of the integration.
        auth_domain: What entries made before have as their `auth_implementation`.
    """

    place: str
    domain: str
    credential: DeveloperCredential
    by: Literal["list", "integration"]
    auth_domain: str

    @property
    def key(self) -> tuple[str, str]:
        """The integration and the client id."""
        return self.domain, self.credential.client_id


@dataclass(frozen=True, slots=True)
class YamlProblem:
    """An item of the list that cannot be imported.

    Attributes:
        place: Its place in the files of the user.
        reason: The end of the translation key `yaml_<reason>`.
        key: The key that is concerned, of those that an item may have; or the domain of an
            installed integration.
    """

    place: str
    reason: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class YamlList:
    """The items that can be imported, and whether they are the whole list."""

    items: Sequence[YamlItem]
    whole: bool


def _parse_items(values: list[object]) -> list[YamlItem | YamlProblem]:
    """Return what each item says, or what is wrong with it."""
    if values == [{}] and not hasattr(values[0], "__line__"):
        # Home Assistant makes it of a list whose items are all commented out.
        return []
    items = []
    for number, value in enumerate(values, 1):
        # Home Assistant's YAML loader notes the place of a mapping.
        place = f"{DOMAIN}, item {number}"
        if line := getattr(value, "__line__", None):
            place = f"{getattr(value, '__config_file__', place)}, line {line}"
        items.append(_parse_item(plain_line(place), value))
    return items


def _parse_item(place: str, value: object) -> YamlItem | YamlProblem:
    """Return what an item says, or what is wrong with it."""
    if not isinstance(value, dict):
        return YamlProblem(place, "not_a_mapping")
    for key in value:
        if key not in _KEYS:
            return _unknown_key(place, key)
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
    domain = join_surrogates(value[CONF_DOMAIN])
    return YamlItem(place, domain, credential, "list", domain)


def _unknown_key(place: str, key: object) -> YamlProblem:
    """Return the problem of a key that an item does not have.

    Without a space after the colon, or with another character in its place, the value is part of
    the key. What it begins with is told where that is a key.
    """
    text = key.strip().casefold() if isinstance(key, str) else ""
    known = next((known for known in _KEYS if text.startswith(known)), None)
    return (
        YamlProblem(place, "malformed_key", known) if known else YamlProblem(place, "unknown_key")
    )


# Never invalid as a whole: every integration with the platform depends on this one.
CONFIG_SCHEMA = vol.Schema(
    {vol.Optional(DOMAIN): vol.All(cv.ensure_list, _parse_items)}, extra=vol.ALLOW_EXTRA
)


async def async_check_items(
    hass: HomeAssistant, items: Sequence[YamlItem | YamlProblem]
) -> YamlList:
    """Return the items that can be imported, and report the others, in the place of older reports.

    Args:
        hass: Home Assistant.
        items: What the schema has made of the list.
    """
    for domain, issue_id in list(ir.async_get(hass).issues):
        if domain == DOMAIN and issue_id.startswith("yaml_"):
            ir.async_delete_issue(hass, DOMAIN, issue_id)
    integrations = await async_get_integrations(hass) if items else {}
    good: dict[tuple[str, str], YamlItem] = {}
    for item in items:
        if isinstance(item, YamlProblem):
            _async_report(hass, item)
        elif item.domain not in integrations:
            _async_report(hass, await _async_unknown_domain(hass, item))
        elif item.key in good:
            _async_report(hass, YamlProblem(item.place, "duplicate", CONF_CLIENT_ID))
        else:
            good[item.key] = item
    return YamlList(list(good.values()), whole=len(good) == len(items))


async def _async_unknown_domain(hass: HomeAssistant, item: YamlItem) -> YamlProblem:
    """Return the problem of a domain for which there is no platform; any other text is not told."""
    if slugify(item.domain) == item.domain:
        installed = await async_get_installed(hass, [item.domain])
        if not isinstance(installed[item.domain], Exception):
            return YamlProblem(item.place, "unsupported_integration", item.domain)
    return YamlProblem(item.place, "unknown_integration")


@callback
def _async_report(hass: HomeAssistant, problem: YamlProblem) -> None:
    """Tell that an item was skipped."""
    LOGGER.error(
        "Skipped a credential of the YAML configuration (%s): %s",
        problem.place,
        f"{problem.reason.replace('_', ' ')} {problem.key}".strip(),
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
