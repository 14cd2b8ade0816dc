"""Data of a Peer Cloud account, polled."""

from datetime import timedelta
import logging
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import OAuth2Session
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .const import ACCOUNT_URL, DOMAIN

_LOGGER = logging.getLogger(__name__)

type PeerCloudConfigEntry = ConfigEntry[PeerCloudCoordinator]


class PeerCloudCoordinator(DataUpdateCoordinator[int]):
    """Polls the number of requests of the account."""

    config_entry: PeerCloudConfigEntry

    def __init__(
        self, hass: HomeAssistant, entry: PeerCloudConfigEntry, session: OAuth2Session
    ) -> None:
        """Initialize with the session of the entry."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=DOMAIN,
            update_interval=timedelta(seconds=10),
        )
        self._session = session

    @override
    async def _async_update_data(self) -> int:
        """Return the number of requests.

        Raises:
            aiohttp.ClientError: A request failed; the base class knows what it means, and asks
                for a login where the server refused a token request.
        """
        response = await self._session.async_request("get", ACCOUNT_URL)
        response.raise_for_status()
        return int((await response.json())["requests"])
