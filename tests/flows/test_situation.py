"""Tests of what the credential form says first."""

from typing import Any
from unittest.mock import MagicMock

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigSubentry
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.developer_credentials.credentials.rejection import async_note_answer
from custom_components.developer_credentials.credentials.store import credential_of, key_of
from custom_components.developer_credentials.credentials.stored_credential import data_of
from custom_components.developer_credentials.oauth2.client import Objection
from custom_components.developer_credentials.oauth2.errors import (
    InvalidClientError,
    InvalidGrantError,
    TokenRequestError,
    UnavailableError,
)
from demo.authorization_server import DemoAuthorizationServer
from tests.common import (
    PLATFORM,
    REDIRECT_URI,
    SENTINEL,
    add_credential,
    collapsed,
    entry_of,
    suggested,
)
from tests.conftest import Install

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host", "socket_enabled")

OTHER_ADDRESS = "http://lan"


async def _edit(hass: HomeAssistant, subentry: ConfigSubentry) -> dict[str, Any]:
    """Open the form of a credential, and return what it says, and its fields in their order."""
    step = await hass.config_entries.subentries.async_init(
        (entry_of(hass).entry_id, "credential"),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry.subentry_id},
    )
    assert collapsed(step)
    return {**(step["description_placeholders"] or {}), "fields": list(suggested(step))}


ACCEPTED, REJECTED, UNCHECKED = (
    "Demo Cloud accepted this credential on",
    "Demo Cloud has not accepted this credential since",
    "has not been checked since Home Assistant started",
)


@pytest.mark.parametrize(
    ("answers", "says", "refreshed"),
    [
        ([], UNCHECKED, False),
        ([None], ACCEPTED, True),
        ([InvalidGrantError], ACCEPTED, False),
        ([UnavailableError], UNCHECKED, False),
        ([InvalidClientError], REJECTED, False),
        ([InvalidClientError, UnavailableError], REJECTED, False),
        ([InvalidClientError, None], ACCEPTED, True),
    ],
)
async def test_state(
    hass: HomeAssistant,
    answers: list[type[TokenRequestError] | None],
    says: str,
    refreshed: bool,
) -> None:
    """The state of the credential comes first; of a rejected one, the secret is the first field."""
    subentry = await add_credential(hass, "demo_cloud")
    entry = MockConfigEntry(
        domain="demo_cloud",
        title="<b>Account</b>",
        data={"auth_implementation": subentry.data["auth_domain"]},
    )
    entry.add_to_hass(hass)
    for error in answers:
        answer = error(domain="demo_cloud", request_info=MagicMock()) if error else None
        async_note_answer(hass, key_of(subentry), answer)
    shown = await _edit(hass, subentry)
    assert says in shown["situation"]
    assert ("The login was last refreshed on" in shown["situation"]) is refreshed
    assert shown["situation"].endswith(r"It is used by \<b\>Account\<\/b\>.")
    assert shown["fields"][0] == ("client_secret" if says == REJECTED else "client_id")
    assert "[developer console](http://" in shown["instructions"]
    assert "create an application" not in shown["instructions"]


async def test_refreshed_for_nobody(hass: HomeAssistant) -> None:
    """Of a credential that nothing uses any more, no refresh is told."""
    subentry = await add_credential(hass, "demo_cloud")
    async_note_answer(hass, key_of(subentry), None)
    situation = (await _edit(hass, subentry))["situation"]
    assert situation.startswith(ACCEPTED)
    assert "refreshed" not in situation
    assert situation.endswith("It is not in use.")


async def test_verified(hass: HomeAssistant, demo_cloud: DemoAuthorizationServer) -> None:
    """A credential that was verified and is not used yet is accepted, and says so."""
    demo_cloud.add_client("client-id", client_secret=SENTINEL, redirect_uris=(REDIRECT_URI,))
    subentry = await add_credential(hass, "demo_cloud")
    flow = hass.config_entries.subentries
    step = await flow.async_init(
        (entry_of(hass).entry_id, "credential"),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry.subentry_id},
    )
    await flow.async_configure(step["flow_id"], {"client_id": "client-id"})
    situation = (await _edit(hass, subentry))["situation"]
    assert situation.startswith(ACCEPTED)
    assert situation.endswith("It is not in use.")


@pytest.mark.parametrize(
    ("objection", "says"),
    [
        ("rejected", "although Demo Cloud does not accept it."),
        ("redirect_uri_rejected", "does not accept the client ID with its redirect URI."),
    ],
)
async def test_saved_anyway(hass: HomeAssistant, objection: Objection, says: str) -> None:
    """What was saved against the server's word says so, after a restart, too."""
    subentry = await add_credential(hass, "demo_cloud")
    data = data_of(credential_of(subentry).with_objection(objection), subentry.data)
    hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=data)
    assert says in (await _edit(hass, subentry))["situation"]


async def test_registered_for_another_address(
    hass: HomeAssistant, demo_cloud: DemoAuthorizationServer, current_request: MagicMock
) -> None:
    """What is registered is never said to be registered anew, also where the server rejects it.

    Then it is no matter of the secret, which does not come first.
    """
    demo_cloud.add_client("client-id", client_secret=SENTINEL, redirect_uris=())
    subentry = await add_credential(hass, "demo_cloud")
    data = {**subentry.data, "registered_uri": f"{OTHER_ADDRESS}/auth/external/callback"}
    hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=data)
    error = InvalidClientError(domain="demo_cloud", request_info=MagicMock())
    async_note_answer(hass, key_of(subentry), error)
    flow = hass.config_entries.subentries
    step = await flow.async_init(
        (entry_of(hass).entry_id, "credential"),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry.subentry_id},
    )
    assert next(iter(suggested(step))) == "client_secret"
    step = await flow.async_configure(step["flow_id"], {"client_id": "client-id"})
    assert step["errors"] == {"base": "redirect_uri_rejected"}
    assert next(iter(suggested(step))) == "client_id"
    says = (step["description_placeholders"] or {})["redirect_uri"]
    registered = f"`{OTHER_ADDRESS}/auth/external/callback`"
    assert says.startswith(f"Redirect URI of your application: {registered}\n\n")
    assert f"To log in, open it at {OTHER_ADDRESS}," in says


async def test_without_instructions(hass: HomeAssistant, install: Install) -> None:
    """Where the instructions have no link, none is shown."""
    install("acme", PLATFORM)
    shown = await _edit(hass, await add_credential(hass, "acme"))
    assert shown["instructions"] == ""
    assert shown["redirect_uri"] == f"Redirect URI of your application: `{REDIRECT_URI}`"
