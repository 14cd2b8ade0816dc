"""What the credential form tells the user: the integration's instructions, and how to read them.

The instructions are the integration's own translation `application_credentials.description`, the
key that Home Assistant's validator allows, with the placeholders of its platform.
"""

import asyncio
from collections.abc import Mapping
import re
from typing import Final

from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.core import HomeAssistant
from homeassistant.helpers import http
from homeassistant.helpers.config_entry_oauth2_flow import (
    MY_AUTH_CALLBACK_PATH,
    ImplementationUnavailableError,
)
from homeassistant.helpers.translation import async_get_translations
from homeassistant.loader import async_get_integration

from ..const import DOMAIN, LOGGER, PEER
from ..platform import PlatformError, async_call, async_get_platform, async_report_problem
from ..private_api import async_get_language_of

# Characters of what a placeholder stands for.
MAX_TEXT: Final = 10_000
# Seconds for an integration to tell its placeholders.
TIMEOUT: Final = 10.0
# Links that an application is reached by.
MAX_LINKS: Final = 5

_LINK: Final = re.compile(r"\[[^\[\]]+\]\(https?://[^\s()]+\)")


async def async_get_language(hass: HomeAssistant) -> str:
    """Return the language of the user whose request is being handled, else the instance's."""
    request = http.current_request.get()
    user = request.get(KEY_HASS_USER) if request else None
    language = await async_get_language_of(hass, user.id) if user else None
    return language or hass.config.language


async def async_get_texts(hass: HomeAssistant, selector: str) -> dict[str, str]:
    """Return texts of ours that forms are composed of, in the user's language, by their keys.

    Args:
        hass: Home Assistant.
        selector: The selector in whose translations they stand.
    """
    language = await async_get_language(hass)
    translations = await async_get_translations(hass, language, "selector", [DOMAIN])
    start = f"component.{DOMAIN}.selector.{selector}.options."
    return {
        key.removeprefix(start): text for key, text in translations.items() if key.startswith(start)
    }


async def async_get_instructions(hass: HomeAssistant, domain: str, redirect_uri: str) -> str:
    """Return the integration's instructions in the user's language; Markdown, or nothing.

    Args:
        hass: Home Assistant.
        domain: The integration.
        redirect_uri: What the placeholder `redirect_url` stands for, as in Home Assistant's own,
            and any that has the redirect URI of My Home Assistant; empty where it is not known.
    """
    language = await async_get_language(hass)
    translations = await async_get_translations(hass, language, "application_credentials", [domain])
    text = translations.get(f"component.{domain}.application_credentials.description", "")
    placeholders = {"redirect_url": redirect_uri} | await async_get_placeholders(hass, domain)
    for name, value in placeholders.items():
        # Some integrations take for granted that My Home Assistant is used.
        is_my = value == MY_AUTH_CALLBACK_PATH and bool(redirect_uri)
        text = text.replace(f"{{{name}}}", redirect_uri if is_my else value)
    return text


async def async_get_placeholders(hass: HomeAssistant, domain: str) -> dict[str, str]:
    """Return the placeholders of the integration's instructions; none where it has none.

    They are those of its `developer_credentials.py`, else of its `application_credentials.py`.
    """
    try:
        platform = await async_get_platform(hass, domain)
        if platform is None:
            return await _async_get_placeholders_of_peer(hass, domain)
        if hasattr(platform, "async_get_description_placeholders"):
            placeholders: dict[object, object] = await async_call(
                platform, "async_get_description_placeholders", dict, hass
            )
            return _texts(placeholders)
    except ImplementationUnavailableError:
        return {}
    except PlatformError as err:
        async_report_problem(hass, domain, err)
    return {}


async def _async_get_placeholders_of_peer(hass: HomeAssistant, domain: str) -> dict[str, str]:
    """Return the placeholders that Home Assistant's own form asks an integration for."""
    try:
        integration = await async_get_integration(hass, domain)
        if not integration.platforms_exists((PEER,)):
            return {}
        platform = await integration.async_get_platform(PEER)
        if not hasattr(platform, "async_get_description_placeholders"):
            return {}
        async with asyncio.timeout(TIMEOUT):
            return _texts(await platform.async_get_description_placeholders(hass))
    except Exception as err:  # noqa: BLE001 - whatever it is, the form is shown
        LOGGER.debug("The placeholders of %s are not known: %s", domain, type(err).__name__)
        return {}


def _texts(placeholders: Mapping[object, object]) -> dict[str, str]:
    return {
        _text(name): _text(value) for name, value in placeholders.items() if isinstance(name, str)
    }


def _text(value: object) -> str:
    """Return what a placeholder stands for, no longer than instructions are."""
    return str(value)[:MAX_TEXT].encode(errors="replace").decode()


def links_in(instructions: str) -> list[str]:
    """Return the links in instructions, each once, as Markdown.

    Whoever has an application needs the way to it, not how it is made.
    """
    return list(dict.fromkeys(match[0] for match in _LINK.finditer(instructions)))[:MAX_LINKS]
