"""Tests of the flows that add a credential."""

from homeassistant import loader
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

import custom_components
from custom_components.developer_credentials.const import DOMAIN
from tests.common import PLATFORM, SENTINEL, add_credential, entry_of, stored
from tests.conftest import COMPONENTS, Install

pytestmark = pytest.mark.usefixtures("setup")


async def test_first_credential(hass: HomeAssistant) -> None:
    """With one integration that has the platform, the flow begins with the form."""
    flow = hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "credential"
    assert result["description_placeholders"] == {"integration": "Demo Cloud"}
    result = await flow.async_configure(
        result["flow_id"],
        {"name": " My app ", "client_id": "\u200b id ", "client_secret": f" {SENTINEL}\n"},
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "credential_added"
    assert result["description_placeholders"] == {"title": "Demo Cloud: My app"}
    assert stored(hass) == [
        {
            "domain": "demo_cloud",
            "auth_domain": "demo_cloud_id",
            "client_id": "id",
            "client_secret": SENTINEL,
            "name": "My app",
        }
    ]


async def test_choose_integration(hass: HomeAssistant, install: Install) -> None:
    """With several, the user chooses by name."""
    install("a_cloud", PLATFORM)
    install("no_cloud")
    flow = hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["step_id"] == "user"
    assert result["data_schema"] is not None
    (selector,) = result["data_schema"].schema.values()
    assert selector.config["options"] == [
        {"value": "a_cloud", "label": "A Cloud"},
        {"value": "demo_cloud", "label": "Demo Cloud"},
    ]
    result = await flow.async_configure(result["flow_id"], {"domain": "a_cloud"})
    assert result["step_id"] == "credential"
    assert result["description_placeholders"] == {"integration": "A Cloud"}
    await flow.async_configure(result["flow_id"], {"client_id": "public"})
    (credential,) = stored(hass)
    assert (credential["domain"], credential["client_secret"]) == ("a_cloud", "")


async def test_no_integration(hass: HomeAssistant, install: Install) -> None:
    """Without an integration that has the platform, the flow says so and where to read on."""
    custom_components.__path__ = [COMPONENTS[0]]
    hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "no_integrations"
    assert result["description_placeholders"] is not None
    assert result["description_placeholders"]["url"].startswith("https://")


@pytest.mark.parametrize(
    ("client_id", "error"),
    [
        ("taken", "already_configured"),
        (" taken\u200b ", "already_configured"),
        (" ", "client_id_empty"),
    ],
)
async def test_bad_client_id(hass: HomeAssistant, client_id: str, error: str) -> None:
    """A client id that is empty, or there already, is refused; the user corrects it on the spot."""
    await add_credential(hass, "demo_cloud", "taken", name="First")
    flow = hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flow.async_configure(
        result["flow_id"], {"name": "Second", "client_id": client_id, "client_secret": SENTINEL}
    )
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"client_id": error}
    assert result["data_schema"] is not None
    suggested = {
        str(key): (key.description or {}).get("suggested_value")
        for key in result["data_schema"].schema
    }
    assert suggested == {"name": "Second", "client_id": client_id, "client_secret": None}
    await flow.async_configure(result["flow_id"], {"client_id": "free"})
    assert [credential["client_id"] for credential in stored(hass)] == ["taken", "free"]


async def test_two_tabs(hass: HomeAssistant) -> None:
    """Forms for the first credential, submitted at the same time, make one entry."""
    flow = hass.config_entries.flow
    tabs = [await flow.async_init(DOMAIN, context={"source": SOURCE_USER}) for _ in range(3)]
    tasks = [
        hass.async_create_task(flow.async_configure(tab["flow_id"], {"client_id": client_id}))
        for tab, client_id in zip(tabs, ("a", "b", "a"), strict=True)
    ]
    results = [await task for task in tasks]
    assert [result.get("reason") for result in results] == ["credential_added"] * 2 + [None]
    assert results[2]["errors"] == {"client_id": "already_configured"}
    assert [credential["client_id"] for credential in stored(hass)] == ["a", "b"]


async def test_cancelled(hass: HomeAssistant) -> None:
    """A flow that is left leaves nothing."""
    flow = hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    flow.async_abort(result["flow_id"])
    assert hass.config_entries.async_entries(DOMAIN) == []


async def test_subentry_flow(hass: HomeAssistant) -> None:
    """The entry's own flow adds a credential the same way."""
    await add_credential(hass, "demo_cloud", "first")
    flow = hass.config_entries.subentries
    handler = (entry_of(hass).entry_id, "credential")
    result = await flow.async_init(handler, context={"source": SOURCE_USER})
    assert result["step_id"] == "credential"
    result = await flow.async_configure(result["flow_id"], {"client_id": "first"})
    assert result["errors"] == {"client_id": "already_configured"}
    result = await flow.async_configure(
        result["flow_id"], {"client_id": "second", "client_secret": SENTINEL, "name": "Second"}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Demo Cloud: Second"
    assert [credential["auth_domain"] for credential in stored(hass)] == [
        "demo_cloud_first",
        "demo_cloud_second",
    ]


async def test_subentry_tabs(hass: HomeAssistant) -> None:
    """The same client id, submitted twice at once, is added once."""
    await add_credential(hass, "demo_cloud", "first")
    flow = hass.config_entries.subentries
    handler = (entry_of(hass).entry_id, "credential")
    tabs = [await flow.async_init(handler, context={"source": SOURCE_USER}) for _ in range(2)]
    tasks = [
        hass.async_create_task(flow.async_configure(tab["flow_id"], {"client_id": "second"}))
        for tab in tabs
    ]
    types = [(await task)["type"] for task in tasks]
    assert types == [FlowResultType.CREATE_ENTRY, FlowResultType.FORM]
    assert len(stored(hass)) == 2
