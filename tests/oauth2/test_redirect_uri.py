"""Tests of the redirect URI: in the form, in the authorize URL, and back."""

from unittest.mock import MagicMock
from urllib.parse import parse_qs, urlsplit

from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.config_entry_oauth2_flow import MY_AUTH_CALLBACK_PATH
from homeassistant.helpers.network import NoURLAvailableError
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.oauth2.redirect_uri import (
    RedirectUri,
    async_get_redirect_uri,
    async_get_redirect_uris,
)
from demo.authorization_server import DemoAuthorizationServer
from tests.common import REDIRECT_URI, SENTINEL, add_credential, log_in_and_return

DEFAULT, OWN, MY = RedirectUri.DEFAULT, RedirectUri.OWN, RedirectUri.MY


@pytest.fixture
def my(hass: HomeAssistant) -> None:
    """Have My Home Assistant loaded."""
    hass.config.components.add("my")


@pytest.mark.usefixtures("current_request_with_host")
async def test_without_my(hass: HomeAssistant) -> None:
    """Without My Home Assistant every choice is this instance."""
    assert async_get_redirect_uris(hass) == {DEFAULT: REDIRECT_URI, OWN: REDIRECT_URI}


@pytest.mark.usefixtures("current_request_with_host", "my")
async def test_with_my(hass: HomeAssistant) -> None:
    """With My Home Assistant that is the default, and this instance's own can be chosen."""
    assert async_get_redirect_uris(hass) == {
        DEFAULT: MY_AUTH_CALLBACK_PATH,
        OWN: REDIRECT_URI,
        MY: MY_AUTH_CALLBACK_PATH,
    }


async def test_without_a_request(hass: HomeAssistant) -> None:
    """Without a request it is the address that Home Assistant is configured with."""
    with pytest.raises(NoURLAvailableError):
        async_get_redirect_uri(hass, OWN)
    hass.config.external_url = "https://home.example"
    assert async_get_redirect_uri(hass, OWN) == "https://home.example/auth/external/callback"


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({"Origin": "https://b.example"}, "https://b.example"),
        (
            {"HA-Frontend-Base": "https://a.example", "Origin": "https://b.example"},
            "https://a.example",
        ),
        ({"Origin": "null"}, "https://home.example"),
        ({}, "https://home.example"),
    ],
)
async def test_address_of_the_user(
    hass: HomeAssistant, current_request: MagicMock, headers: dict[str, str], base: str
) -> None:
    """It is the address by which the user has opened Home Assistant, as far as that is told.

    The frontend tells it in flows of integrations; in repairs the browser does.
    """
    hass.config.external_url = "https://home.example"
    request = current_request.get.return_value
    current_request.get.return_value = request.clone(headers=headers)
    assert async_get_redirect_uri(hass, OWN) == f"{base}/auth/external/callback"


@pytest.mark.usefixtures("setup")
async def test_no_address(hass: HomeAssistant) -> None:
    """A form can be filled in although Home Assistant knows no address of its own."""
    hass.config.api = None
    flow = hass.config_entries.flow
    step = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert step["description_placeholders"] is not None
    assert step["description_placeholders"]["redirect_uris"] == ""
    values = {"client_id": "id", "redirect_uri": "default"}
    result = await flow.async_configure(step["flow_id"], values)
    assert result["reason"] == "credential_saved"


@pytest.mark.usefixtures("setup", "current_request_with_host", "my")
async def test_own_although_my_is_loaded(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
) -> None:
    """The chosen one is in the authorize URL and the token request, and the callback works."""
    demo_cloud.add_client("client-id", client_secret=SENTINEL, redirect_uris=(REDIRECT_URI,))
    await add_credential(hass, "demo_cloud", redirect_uri=OWN)
    step = await hass.config_entries.flow.async_init("demo_cloud", context={"source": SOURCE_USER})
    assert parse_qs(urlsplit(step["url"]).query)["redirect_uri"] == [REDIRECT_URI]
    result = await log_in_and_return(hass, hass_client_no_auth, step)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert demo_cloud.token_requests[0].form["redirect_uri"] == REDIRECT_URI
