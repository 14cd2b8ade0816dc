"""Application credentials are added for any integration, as Home Assistant's own dialog does it."""

from homeassistant import loader
from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_DOMAIN, CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.loader import Integration, IntegrationNotFound
from homeassistant.requirements import RequirementsNotFound, async_get_integration_with_requirements
from homeassistant.setup import async_setup_component

from ..const import LOGGER, PEER
from ..credentials.titles import title_of
from ..oauth2.client import DeveloperCredential
from ..private_api import async_get_collection
from .collection import ApplicationCredential, async_get_application_credentials


async def async_get_supporting_integrations(hass: HomeAssistant) -> dict[str, Integration]:
    """Return the installed integrations with an `application_credentials.py`; none is imported."""
    domains = {
        *await loader.async_get_application_credentials(hass),
        *await loader.async_get_custom_components(hass),
    }
    return {
        domain: integration
        for domain, integration in (await loader.async_get_integrations(hass, domains)).items()
        if isinstance(integration, Integration) and integration.platforms_exists((PEER,))
    }


async def async_prepare(hass: HomeAssistant, integration: Integration) -> bool:
    """Have all that adding an application credential takes; return whether it is there.

    That is the integration's platform, with its requirements, and Home Assistant's collection,
    which is set up where nothing else has done so.

    Args:
        hass: Home Assistant.
        integration: The integration that the application credential is for.
    """
    try:
        await async_get_integration_with_requirements(hass, integration.domain)
        await integration.async_get_platform(PEER)
    except (ImportError, IntegrationNotFound, RequirementsNotFound) as err:
        LOGGER.warning(
            "An application credential cannot be added for %s: %s",
            integration.domain,
            type(err).__name__,
        )
        return False
    return await async_setup_component(hass, PEER, {}) and async_get_collection(hass) is not None


@callback
def async_find_application_credential(
    hass: HomeAssistant, domain: str, client_id: str
) -> ApplicationCredential | None:
    """Return an integration's application credential of a client, None where there is none."""
    return next(
        (
            one
            for one in async_get_application_credentials(hass).values()
            if one.domain == domain and one.credential.client_id == client_id
        ),
        None,
    )


async def async_add_application_credential(
    hass: HomeAssistant, integration: Integration, credential: DeveloperCredential
) -> ApplicationCredential | None:
    """Add an application credential and return it; None where Home Assistant does not take it.

    One without a name is called by its integration: Home Assistant would title the entries that
    use it with its client id.

    Args:
        hass: Home Assistant.
        integration: The integration that it is for, as `async_prepare` has left it.
        credential: Client id, secret and name; the integration has no other one of this client.
    """
    domain = integration.domain
    if collection := async_get_collection(hass):
        names = {
            str(one.credential)
            for one in async_get_application_credentials(hass).values()
            if one.domain == domain
        }
        item = {
            CONF_DOMAIN: domain,
            CONF_CLIENT_ID: credential.client_id,
            CONF_CLIENT_SECRET: credential.client_secret,
            CONF_NAME: credential.name or title_of(integration.name, None, names),
        }
        try:
            await collection.async_create_item(item)
        except Exception as err:  # noqa: BLE001 - whatever it is, what is stored is told below
            LOGGER.warning(
                "Adding an application credential for %s failed: %s", domain, type(err).__name__
            )
    return async_find_application_credential(hass, domain, credential.client_id)
