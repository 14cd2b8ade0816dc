"""The two sides: what each does for the same work."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Final, override

from homeassistant.components import application_credentials
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import (
    DATA_PROVIDERS,
    AbstractOAuth2Implementation,
)
from homeassistant.loader import async_get_integration

from custom_components.developer_credentials import DeveloperCredential
from custom_components.developer_credentials.const import DOMAIN, PEER
from custom_components.developer_credentials.credentials.store import (
    async_find_subentry,
    async_remove_subentry,
    async_update_credential,
)
from custom_components.developer_credentials.testing import async_add_credential

SECRET: Final = "secret"

_SERVER: Final = """
async def async_get_authorization_server(hass):
    return AuthorizationServer("{url}/authorize", "{url}/token")
"""


class Side(ABC):
    """One side.

    Attributes:
        name: What it is called.
        component: Its domain, which is the name of the platform, too.
        platform: The text of an integration's platform.
    """

    name: str
    component: str
    platform: str

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize for a Home Assistant in which it is set up."""
        self.hass = hass

    def provider(
        self,
    ) -> Callable[[HomeAssistant, str], Awaitable[list[AbstractOAuth2Implementation]]]:
        """Return what provides the implementations of an integration."""
        return self.hass.data[DATA_PROVIDERS][self.component]

    @abstractmethod
    async def add(self, domain: str, client_id: str) -> str:
        """Add a credential, and return what entries name it by."""

    @abstractmethod
    async def edit(self, domain: str, client_id: str, secret: str) -> None:
        """Give a credential that no entry uses another secret."""

    @abstractmethod
    async def delete(self, domain: str, client_id: str) -> None:
        """Delete a credential that no entry uses."""

    @abstractmethod
    async def rotate(self, entry: ConfigEntry, client_id: str, secret: str) -> bool:
        """Give a credential that an entry uses another secret; return whether the entry stays."""


class Ours(Side):
    """Developer Credentials."""

    name = "Developer Credentials"
    component = DOMAIN
    platform = f"from custom_components.{DOMAIN} import AuthorizationServer\n{_SERVER}"

    @override
    async def add(self, domain: str, client_id: str) -> str:
        credential = DeveloperCredential(client_id, SECRET, f"App {client_id}")
        return await async_add_credential(self.hass, domain, credential)

    @override
    async def edit(self, domain: str, client_id: str, secret: str) -> None:
        if subentry := async_find_subentry(self.hass, domain, client_id):
            credential = DeveloperCredential(client_id, secret, f"App {client_id}")
            integration = await async_get_integration(self.hass, domain)
            async_update_credential(self.hass, subentry, integration, credential)

    @override
    async def delete(self, domain: str, client_id: str) -> None:
        if subentry := async_find_subentry(self.hass, domain, client_id):
            async_remove_subentry(self.hass, subentry)

    @override
    async def rotate(self, entry: ConfigEntry, client_id: str, secret: str) -> bool:
        await self.edit(entry.domain, client_id, secret)
        return True


class Peer(Side):
    """Home Assistant's application credentials, which are not edited but deleted and added."""

    name = "Application Credentials"
    component = PEER
    platform = f"from homeassistant.components.{PEER} import AuthorizationServer\n{_SERVER}"

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize for a Home Assistant in which it is set up."""
        super().__init__(hass)
        # As the frontend knows them, of each integration's clients.
        self._ids: dict[tuple[str, str], str] = {}

    @override
    async def add(self, domain: str, client_id: str, secret: str = SECRET) -> str:
        item = {
            "domain": domain,
            "client_id": client_id,
            "client_secret": secret,
            "name": f"App {client_id}",
        }
        collection = self.hass.data[application_credentials.DATA_COMPONENT]
        self._ids[domain, client_id] = str((await collection.async_create_item(item))["id"])
        return self._ids[domain, client_id]

    @override
    async def edit(self, domain: str, client_id: str, secret: str) -> None:
        await self.delete(domain, client_id)
        await self.add(domain, client_id, secret)

    @override
    async def delete(self, domain: str, client_id: str) -> None:
        collection = self.hass.data[application_credentials.DATA_COMPONENT]
        await collection.async_delete_item(self._ids.pop((domain, client_id)))

    @override
    async def rotate(self, entry: ConfigEntry, client_id: str, secret: str) -> bool:
        # One that is in use cannot be deleted.
        await self.hass.config_entries.async_remove(entry.entry_id)
        await self.edit(entry.domain, client_id, secret)
        return False
