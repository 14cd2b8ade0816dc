"""An integration on application credentials, as the tests of this room have it."""

from homeassistant.components import application_credentials
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.config_entries import SOURCE_USER, ConfigFlowResult
from homeassistant.core import HomeAssistant

from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.credentials.store import async_get_or_create_entry
from tests.common import SENTINEL

SERVER = """
from homeassistant.components.application_credentials import AuthorizationServer

async def async_get_authorization_server(hass):
    return AuthorizationServer("{url}/authorize", "{url}/token")
"""

INIT = """
from homeassistant.helpers.config_entry_oauth2_flow import async_get_config_entry_implementation

async def async_setup_entry(hass, entry):
    if hass.data.get("peer_fails"):
        raise hass.data["peer_fails"]
    entry.runtime_data = await async_get_config_entry_implementation(hass, entry)
    return True

async def async_unload_entry(hass, entry):
    return True
"""

CONFIG_FLOW = """
import logging
from homeassistant.helpers.config_entry_oauth2_flow import AbstractOAuth2FlowHandler

class Flow(AbstractOAuth2FlowHandler, domain="peer"):
    DOMAIN = "peer"
    logger = logging.getLogger(__name__)

    async def async_step_reauth(self, entry_data):
        return self.async_show_form(step_id="reauth")
"""

NEW = f"{SENTINEL}-new"


async def add_application_credential(
    hass: HomeAssistant,
    domain: str = "peer",
    *,
    imported: bool = False,
    name: str | None = "My app",
) -> str:
    """Add an application credential, and return what entries name it by."""
    if imported:
        await async_import_client_credential(hass, domain, ClientCredential("id", SENTINEL, name))
        return domain
    collection = hass.data[application_credentials.DATA_COMPONENT]
    item = {"domain": domain, "client_id": "id", "client_secret": SENTINEL}
    await collection.async_create_item(item | ({"name": name} if name else {}))
    return f"{domain}_id"


async def begin_editing(hass: HomeAssistant) -> ConfigFlowResult:
    """Go to the choice of an application credential to edit."""
    await async_get_or_create_entry(hass)
    flow = hass.config_entries.flow
    step = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert step["menu_options"] == ["integration", "application_credential"]
    return await flow.async_configure(step["flow_id"], {"next_step_id": "application_credential"})
