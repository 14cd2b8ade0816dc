"""System health: how many credentials there are, and whether their servers can be reached."""

import asyncio
from contextlib import suppress
from typing import Any, Final

from homeassistant.components.system_health import (
    SystemHealthRegistration,
    async_check_can_reach_url,
)
from homeassistant.core import HomeAssistant, callback
from yarl import URL

from .adopting.provider import ADOPTED, async_get_adoptions
from .const import NOTHING
from .core_credentials.editing import async_get_editable_application_credentials
from .core_credentials.options import async_get_options
from .credentials.rejection import async_get_rejected
from .credentials.store import async_get_all_subentries, async_get_subentries, credential_of
from .flows.credential_subject import OwnCredential
from .oauth2.client import DeveloperCredential
from .oauth2.server import AuthorizationServer
from .plain_text import plain_line
from .platform import async_get_integrations, async_get_problems
from .private_api import async_get_unknown
from .watching.rejection import async_get_core_rejections

# Seconds for a platform to tell its server.
TIMEOUT: Final = 3.0


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Register the information."""
    register.async_register_info(async_get_info)


async def async_get_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return the information, and for each host of a token endpoint a check to wait for."""
    integrations = await async_get_integrations(hass)
    watched = (
        await async_get_editable_application_credentials(hass)
        if async_get_options(hass).look_after
        else {}
    )
    adoptions = async_get_adoptions(hass)
    not_adopted = {f"{one.domain} ({one.outcome})" for one in adoptions if one.outcome != ADOPTED}
    info: dict[str, Any] = {
        "credentials": len(async_get_all_subentries(hass)),
        "integrations": len(integrations),
        "rejected_credentials": len(async_get_rejected(hass)),
        "broken_platforms": len(async_get_problems(hass)),
        "watched_application_credentials": len(watched),
        "rejected_application_credentials": len(async_get_core_rejections(hass)),
        "adopted_application_credentials": sum(one.outcome == ADOPTED for one in adoptions),
        "not_adopted": ", ".join(sorted(not_adopted)) or NOTHING,
        "private_api_unknown": ", ".join(sorted(async_get_unknown(hass))) or NOTHING,
    }
    subjects = [
        (OwnCredential(hass, integration, subentry), credential_of(subentry))
        for domain, integration in integrations.items()
        for subentry in async_get_subentries(hass, domain)
    ]
    # Home Assistant waits for a few seconds only, for all of it together.
    servers = await asyncio.gather(*(_async_server(*subject) for subject in subjects))
    for (subject, _), server in zip(subjects, servers, strict=True):
        if server is None:
            info[plain_line(subject.integration.name)] = {"type": "failed", "error": "unknown"}
            continue
        origin = URL(server.token_url).origin()
        if origin.authority not in info:
            info[origin.authority] = async_check_can_reach_url(hass, str(origin))
    return info


async def _async_server(
    subject: OwnCredential, credential: DeveloperCredential
) -> AuthorizationServer | None:
    """Return the server of a credential, None where its platform does not tell it in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(TIMEOUT):
            return await subject.async_get_server(credential)
    return None
