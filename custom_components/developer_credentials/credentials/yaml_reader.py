"""The `developer_credentials:` list of configuration.yaml, read and checked.

An item has `domain`, `client_id`, and optionally `client_secret`, `name`, and `variables`: the
values of the server's variables by key. A bad one is told, in the log and in a repair, by its place
and a known name: nothing that stands in it, for a secret may stand anywhere. The others are
imported.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final, Literal, NamedTuple

from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_DOMAIN, CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import issue_registry as ir
from homeassistant.loader import async_get_integrations as async_get_installed
from homeassistant.util import slugify
import voluptuous as vol

from ..const import DOMAIN, LOGGER, NOTHING
from ..oauth2.client import DeveloperCredential, Identity, are_variables, misplaced_field
from ..oauth2.server_variable import ServerVariable, unfit_variables, without_defaults
from ..plain_text import join_surrogates, plain_line
from ..platform import async_get_integrations, async_get_variables
from .stored_credential import CONF_VARIABLES
from .yaml_scalars import scalars_at

_TEXT_KEYS: Final = (CONF_DOMAIN, CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_NAME)
_KEYS: Final = (*_TEXT_KEYS, CONF_VARIABLES)
_REQUIRED_KEYS: Final = (CONF_DOMAIN, CONF_CLIENT_ID)

# Seconds for the platforms to say which variables their servers have.
TIMEOUT: Final = 5.0


@dataclass(frozen=True)
class YamlItem:
    """A credential that YAML has.

    Attributes:
        place: Its place in the files of the user; the integration for one of its own YAML.
        domain: The integration that it is for.
        credential: The credential.
        by: Whose YAML it is: our list, or that of the integration; "import" for one that the
            integration has elsewhere.
        auth_domain: What entries made before have as their `auth_implementation`.
        source: The file and the line, where that is known.
        numbers: The keys whose values YAML has read as numbers, with the texts that these are.
    """

    place: str
    domain: str
    credential: DeveloperCredential
    by: Literal["list", "integration", "import"]
    auth_domain: str
    source: tuple[str, int] | None = None
    numbers: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> tuple[str, Identity]:
        """The integration and the client."""
        return self.domain, self.credential.identity


class YamlProblem(NamedTuple):
    """An item of the list that cannot be imported.

    Attributes:
        place: Its place in the files of the user.
        reason: The end of the translation key `yaml_<reason>`.
        key: The key that is concerned, of those that an item may have, or of a variable; or the
            domain of an installed integration.
    """

    place: str
    reason: str
    key: str = ""


class YamlList(NamedTuple):
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
    texts: dict[str, str] = {}
    for key in _KEYS:
        if value.get(key) is None:
            if key in _REQUIRED_KEYS:
                return YamlProblem(place, "missing_key", key)
        elif key in _TEXT_KEYS:
            if (text := _text(key, value[key])) is None:
                return YamlProblem(place, "not_text", key)
            texts[key] = text
    variables = value.get(CONF_VARIABLES) or {}
    item = _parse_values(place, texts, variables)
    file, line = getattr(value, "__config_file__", None), getattr(value, "__line__", None)
    if isinstance(item, YamlItem) and file and line:
        values = {key: value.get(key) for key in (CONF_CLIENT_ID, CONF_CLIENT_SECRET)} | variables
        numbers = [(key, str(one)) for key, one in values.items() if type(one) is int]
        item = replace(item, source=(file, line), numbers=tuple(numbers))
    return item


def _parse_values(
    place: str, texts: Mapping[str, str], variables: object
) -> YamlItem | YamlProblem:
    """Return what the values of an item say, or what is wrong with them."""
    if isinstance(variables, Mapping):
        variables = {key: _text(CONF_VARIABLES, one) for key, one in variables.items()}
    if not are_variables(variables):
        return YamlProblem(place, "not_variables", CONF_VARIABLES)
    try:
        credential = DeveloperCredential(
            texts[CONF_CLIENT_ID],
            texts.get(CONF_CLIENT_SECRET, ""),
            texts.get(CONF_NAME),
            variables=variables,
        )
    except ValueError:
        return YamlProblem(place, "missing_key", CONF_CLIENT_ID)
    if misplaced := misplaced_field(credential):
        return YamlProblem(place, "not_a_value", misplaced)
    domain = join_surrogates(texts[CONF_DOMAIN])
    return YamlItem(place, domain, credential, "list", domain)


async def _async_as_written(hass: HomeAssistant, item: YamlItem) -> YamlItem | YamlProblem:
    """Return an item whose numbers are written as the texts that they are taken for."""
    if item.source and item.numbers:
        file, line = item.source
        written = await hass.async_add_executor_job(
            scalars_at, Path(hass.config.config_dir), Path(file), line
        )
        for key, text in item.numbers:
            if text not in written.get(key, ()):
                return YamlProblem(item.place, "not_text", key)
    return item


def _text(key: str, value: object) -> str | None:
    """Return the text that a value stands for, None where that cannot be told.

    A whole number is its digits, where it was written by them (`_async_as_written`). What else YAML
    has read as no text, such as 1e5, may have been written in several ways; of a name, each of them
    will do.
    """
    if isinstance(value, str):
        return value
    is_whole = type(value) is int and value >= 0 and key != CONF_DOMAIN
    is_name = key == CONF_NAME and isinstance(value, int | float | date)
    return str(value) if is_whole or (is_name and not isinstance(value, bool)) else None


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
    domains = {item.domain for item in items if isinstance(item, YamlItem)} & integrations.keys()
    variables = await _async_get_variables(hass, sorted(domains))
    good: dict[tuple[str, Identity], YamlItem] = {}
    for one in items:
        item = one
        if isinstance(item, YamlItem):
            item = await _async_unknown_domain(hass, item) if item.domain not in domains else item
        if isinstance(item, YamlItem):
            item = await _async_as_written(hass, item)
        if isinstance(item, YamlItem):
            item = _with_variables(item, variables.get(item.domain))
        if isinstance(item, YamlProblem):
            _async_report(hass, item)
        elif item.key in good:
            _async_report(hass, YamlProblem(item.place, "duplicate", CONF_CLIENT_ID))
        else:
            good[item.key] = item
    return YamlList(list(good.values()), whole=len(good) == len(items))


async def _async_get_variables(
    hass: HomeAssistant, domains: Sequence[str]
) -> dict[str, Sequence[ServerVariable] | None]:
    """Return the variables of integrations' servers, None for one that cannot tell in time."""

    async def get(domain: str) -> Sequence[ServerVariable] | None:
        try:
            async with asyncio.timeout(TIMEOUT):
                return await async_get_variables(hass, domain)
        except TimeoutError:
            return None

    found = await asyncio.gather(*(get(domain) for domain in domains))
    return dict(zip(domains, found, strict=True))


def _with_variables(
    item: YamlItem, variables: Sequence[ServerVariable] | None
) -> YamlItem | YamlProblem:
    """Return an item with the values of its variables as they are stored, or what is wrong."""
    if variables is None:
        return item
    values = item.credential.variables
    if values.keys() - {variable.key for variable in variables}:
        keys = ", ".join(variable.key for variable in variables) or NOTHING
        return YamlProblem(item.place, "unknown_variable", keys)
    for unfit in unfit_variables(variables, values):
        return YamlProblem(item.place, "bad_variable", unfit.key)
    stored = without_defaults(variables, values)
    return replace(item, credential=replace(item.credential, variables=stored))


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
