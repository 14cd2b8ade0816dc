"""Diagnostics: what a credential is used for and how its server answered, without the client.

Client ids, secrets, tokens and the words of servers stay out; a credential is told by its subentry.
"""

import asyncio
import re
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.loader import IntegrationNotFound, async_get_integration
from yarl import URL

from .adopting.provider import async_get_adoptions
from .core_credentials.collection import ApplicationCredential
from .core_credentials.editing import async_get_editable_application_credentials
from .core_credentials.options import async_get_options
from .core_credentials.users import async_get_application_credential_users
from .credentials.last_answers import About, async_get
from .credentials.rejection import async_get_rejections
from .credentials.store import (
    async_get_all_subentries,
    async_get_damaged,
    async_get_users,
    unique_id_of,
)
from .credentials.stored_credential import StoredCredential, stored_of
from .flows.credential_subject import OwnCredential
from .oauth2.client import DeveloperCredential
from .oauth2.server import AuthorizationServer
from .platform import async_get_problems
from .private_api import async_get_unknown
from .watching.memory import async_was_accepted
from .watching.rejection import async_get_core_rejections


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: ConfigEntry
) -> dict[str, Any]:
    """Return the diagnostics of the entry that holds the credentials."""
    subentries = async_get_all_subentries(hass)
    credentials = await asyncio.gather(
        *(_async_credential(hass, one) for one in subentries.values())
    )
    options = async_get_options(hass)
    return {
        "credentials": dict(zip(subentries, credentials, strict=True)),
        "damaged_credentials": list(async_get_damaged(hass)),
        "platform_problems": {
            domain: problem.reason for domain, problem in async_get_problems(hass).items()
        },
        "application_credentials": [
            _application_credential(hass, one)
            for one in (await async_get_editable_application_credentials(hass)).values()
        ],
        "adoptions": [
            {"domain": one.domain, "outcome": one.outcome, "in_use": one.in_use}
            for one in async_get_adoptions(hass)
        ],
        "options": {**options._asdict(), "adopted": sorted(options.adopted)},
        # What of Home Assistant is not as it is known, and not used therefore.
        "private_api_unknown": sorted(async_get_unknown(hass)),
    }


def _application_credential(hass: HomeAssistant, one: ApplicationCredential) -> dict[str, Any]:
    """Return how an application credential is doing; its id is made of the client id."""
    rejection = async_get_core_rejections(hass).get(one.item_id)
    return {
        "domain": one.domain,
        "has_secret": bool(one.credential.client_secret),
        "imported": one.auth_domain != one.item_id,
        "accepted_before": async_was_accepted(hass, one.domain, one.credential.client_id),
        "rejected_since": rejection.since.isoformat() if rejection else None,
        "entries": {
            user.entry_id: user.state.value
            for user in async_get_application_credential_users(hass, one)
        },
    }


async def _async_credential(hass: HomeAssistant, subentry: ConfigSubentry) -> dict[str, Any]:
    stored = stored_of(subentry)
    (domain, auth_domain), credential = stored.key, stored.credential
    rejection = async_get_rejections(hass).get((domain, auth_domain))
    return {
        "domain": domain,
        "has_secret": bool(credential.client_secret),
        "imported_by": stored.imported.get("by"),
        "redirect_uri": credential.redirect_uri.value,
        "rejected_since": rejection.since.isoformat() if rejection else None,
        "server": await _async_server(hass, subentry, stored),
        "entries": {user.entry_id: user.state.value for user in async_get_users(hass, subentry)},
        "last_verification": _answer(
            hass, ("verification", domain, unique_id_of(domain, credential))
        ),
        "last_refresh": _answer(hass, ("refresh", domain, auth_domain)),
    }


async def _async_server(
    hass: HomeAssistant, subentry: ConfigSubentry, stored: StoredCredential
) -> dict[str, Any] | None:
    """Return what the server is, and which of its features the client uses."""
    try:
        integration = await async_get_integration(hass, stored.domain)
    except IntegrationNotFound:
        return None
    subject = OwnCredential(hass, integration, subentry)
    server = await subject.async_get_server(stored.credential)
    return _features(server, stored.credential) if server else None


def _features(server: AuthorizationServer, credential: DeveloperCredential) -> dict[str, Any]:
    # The platform may have put anything into a query, or into the value of a parameter.
    urls = {
        name: _without_values(str(URL(url).with_query(None)), credential)
        for name in ("authorize_url", "token_url", "refresh_url", "revocation_url")
        if (url := getattr(server, name))
    }
    return {
        **urls,
        "scopes": list(server.scopes),
        "pkce": server.uses_pkce(credential),
        "token_endpoint_auth_method": server.auth_method_of(credential),
        "authorize_params": sorted(server.authorize_params),
        "token_params": sorted(server.token_params),
        "default_expires_in": server.default_expires_in,
    }


def _without_values(url: str, credential: DeveloperCredential) -> str:
    """Return a URL without the user's values of variables, which may tell who it is."""
    for key, value in credential.variables.items():
        url = re.sub(re.escape(value), f"{{{key}}}", url, flags=re.IGNORECASE)
    return url


def _answer(hass: HomeAssistant, about: About) -> dict[str, str] | None:
    answer = async_get(hass, about)
    return {"result": answer.result, "time": answer.time.isoformat()} if answer else None
