"""Tests of the collection of application credentials: what is not as it is known is left alone."""

from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from homeassistant.components import application_credentials
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.config_entries import (
    SOURCE_USER,
)
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.core_credentials.collection import (
    ApplicationCredential,
    async_get_application_credentials,
)
from demo.authorization_server import DemoAuthorizationServer
from tests.common import (
    REDIRECT_URI,
    SENTINEL,
)
from tests.conftest import Install

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")

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


@pytest.fixture
async def peer(hass: HomeAssistant, install: Install, demo_cloud: DemoAuthorizationServer) -> None:
    """Install an integration on application credentials, for Demo Cloud's server."""
    demo_cloud.add_client("id", client_secret=SENTINEL, redirect_uris=(REDIRECT_URI,))
    demo_cloud.add_client("new", client_secret=NEW, redirect_uris=(REDIRECT_URI,))
    platform = SERVER.format(url=demo_cloud.url)
    install("peer", application_credentials=platform, __init__=INIT, config_flow=CONFIG_FLOW)
    assert await async_setup_component(hass, "application_credentials", {})


async def _add(
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


ODD: dict[str, Any] = {
    "no collection": None,
    "another kind": SimpleNamespace(data={"peer_id": {}}),
}


@pytest.mark.parametrize("collection", ODD.values(), ids=list(ODD))
@pytest.mark.usefixtures("peer")
async def test_private_api_is_another(hass: HomeAssistant, collection: Any) -> None:  # noqa: ANN401
    """Where Home Assistant keeps them in another way, nothing is offered, and all else works."""
    await _add(hass)
    hass.data[application_credentials.DATA_COMPONENT] = collection
    assert async_get_application_credentials(hass) == {}
    step = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert step["step_id"] == "credential"


@pytest.mark.usefixtures("peer")
async def test_no_way_to_save(hass: HomeAssistant) -> None:
    """Where an item could not be saved, none is offered."""
    await _add(hass)
    collection = type(hass.data[application_credentials.DATA_COMPONENT])
    base = collection.__mro__[2]
    with patch.object(base, "_async_schedule_save", new=None, create=True):
        delattr(base, "_async_schedule_save")
        assert async_get_application_credentials(hass) == {}
    assert len(async_get_application_credentials(hass)) == 1


@pytest.mark.parametrize(
    "item", [None, {}, {"id": "odd", "domain": "peer", "client_id": " ", "client_secret": ""}]
)
@pytest.mark.usefixtures("peer")
async def test_odd_item(hass: HomeAssistant, item: Any) -> None:  # noqa: ANN401
    """An item that cannot be read is left out; the others are there."""
    await _add(hass)
    hass.data[application_credentials.DATA_COMPONENT].data["odd"] = item
    (found,) = async_get_application_credentials(hass).values()
    assert found.item_id == "peer_id"
    assert SENTINEL not in repr(found)
    assert isinstance(found, ApplicationCredential)
