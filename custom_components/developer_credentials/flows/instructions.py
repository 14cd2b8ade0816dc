"""What the credential form tells the user: the integration's instructions, and how to read them.

The instructions are the integration's own translation `application_credentials.description`, the
key that Home Assistant's validator allows, with the placeholders of its platform.
"""

from collections.abc import Mapping
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import http
from homeassistant.helpers.config_entry_oauth2_flow import ImplementationUnavailableError
from homeassistant.helpers.translation import async_get_translations

from ..const import DOMAIN
from ..oauth2.redirect_uri import RedirectUri
from ..plain_text import escape_markdown
from ..platform import PlatformError, async_call, async_get_platform, async_report_problem

# Characters of what a placeholder stands for.
MAX_TEXT: Final = 10_000


async def async_get_language(hass: HomeAssistant) -> str:
    """Return the language of the user whose request is being handled, else the instance's."""
    request = http.current_request.get()
    user = request.get("hass_user") if request else None
    if user is None or "frontend" not in hass.config.components:
        return hass.config.language
    # Home Assistant keeps it with the frontend, which is not there on every instance.
    from homeassistant.components.frontend.storage import async_user_store  # noqa: PLC0415

    stored = (await async_user_store(hass, user.id)).data.get("language")
    language = stored.get("language") if isinstance(stored, dict) else None
    return language if isinstance(language, str) else hass.config.language


async def async_get_instructions(hass: HomeAssistant, domain: str, redirect_uri: str) -> str:
    """Return the integration's instructions in the user's language; Markdown, or nothing.

    Args:
        hass: Home Assistant.
        domain: The integration.
        redirect_uri: What the placeholder `redirect_url` stands for, as in Home Assistant's own.
    """
    language = await async_get_language(hass)
    translations = await async_get_translations(hass, language, "application_credentials", [domain])
    text = translations.get(f"component.{domain}.application_credentials.description", "")
    placeholders = {"redirect_url": redirect_uri} | await async_get_placeholders(hass, domain)
    for name, value in placeholders.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


async def async_get_placeholders(hass: HomeAssistant, domain: str) -> dict[str, str]:
    """Return the placeholders of the integration's instructions; none where it has none."""
    try:
        platform = await async_get_platform(hass, domain)
        if platform and hasattr(platform, "async_get_description_placeholders"):
            placeholders: dict[object, object] = await async_call(
                platform, "async_get_description_placeholders", dict, hass
            )
            return {
                _text(name): _text(value)
                for name, value in placeholders.items()
                if isinstance(name, str)
            }
    except ImplementationUnavailableError:
        return {}
    except PlatformError as err:
        async_report_problem(hass, domain, err)
    return {}


def _text(value: object) -> str:
    """Return what a placeholder stands for, no longer than instructions are."""
    return str(value)[:MAX_TEXT].encode(errors="replace").decode()


async def async_describe_redirect_uris(
    hass: HomeAssistant, redirect_uris: Mapping[RedirectUri, str]
) -> str:
    """Return a list of redirect URIs with what each is called; Markdown.

    Args:
        hass: Home Assistant.
        redirect_uris: The redirect URIs by choice.
    """
    language = await async_get_language(hass)
    translations = await async_get_translations(hass, language, "selector", [DOMAIN])
    labels: dict[str, list[str]] = {}
    for choice, uri in redirect_uris.items():
        key = f"component.{DOMAIN}.selector.redirect_uri.options.{choice}"
        labels.setdefault(uri, []).append(escape_markdown(translations.get(key, choice)))
    return "\n".join(
        f"- {' / '.join(names)}:\n\n  ```\n  {uri}\n  ```" for uri, names in labels.items()
    )
