"""System health: how many credentials there are, and whether their servers can be reached."""

from typing import Any

from homeassistant.components.system_health import (
    SystemHealthRegistration,
    async_check_can_reach_url,
)
from homeassistant.core import HomeAssistant, callback
from yarl import URL

from .credential_subject import OwnCredential
from .credentials import async_get_entry, async_get_subentries, credential_of
from .platform import async_get_integrations, async_get_problems
from .rejection import async_get_rejections


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Register the information."""
    register.async_register_info(async_get_info)


async def async_get_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return the information, and for each host of a token endpoint a check to wait for."""
    entry = async_get_entry(hass)
    integrations = await async_get_integrations(hass)
    info: dict[str, Any] = {
        "credentials": len(entry.subentries) if entry else 0,
        "integrations": len(integrations),
        "rejected_credentials": len(async_get_rejections(hass)),
        "broken_platforms": len(async_get_problems(hass)),
    }
    for domain, integration in integrations.items():
        for subentry in async_get_subentries(hass, domain):
            subject = OwnCredential(hass, integration, subentry)
            if server := await subject.async_get_server(credential_of(subentry)):
                origin = URL(server.token_url).origin()
                if origin.authority not in info:
                    info[origin.authority] = async_check_can_reach_url(hass, str(origin))
    return info
