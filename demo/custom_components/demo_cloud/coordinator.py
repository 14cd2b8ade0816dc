"""Data of a Demo Cloud account, polled."""

from datetime import timedelta
from http import HTTPStatus
import logging
from typing import override

from aiohttp import ClientResponseError
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed, OAuth2TokenRequestError
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .api import Account, DemoCloudClient
from .const import DOMAIN

_LOGGER = logging.getLogger(__name__)

type DemoCloudConfigEntry = ConfigEntry[DemoCloudCoordinator]


class DemoCloudCoordinator(DataUpdateCoordinator[Account]):
    """Polls the account."""

    config_entry: DemoCloudConfigEntry

    def __init__(
        self, hass: HomeAssistant, entry: DemoCloudConfigEntry, client: DemoCloudClient
    ) -> None:
        """Initialize with the client of the entry's account."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=DOMAIN,
            update_interval=timedelta(seconds=10),
        )
        self._client = client

    @override
    async def _async_update_data(self) -> Account:
        """Return the account.

        Raises:
            ConfigEntryAuthFailed: Demo Cloud does not know the token any more.
            aiohttp.ClientError: The request failed; the base class tries again.
        """
        try:
            return await self._client.async_get_account()
        except OAuth2TokenRequestError:
            # The base class knows what each of these means for the entry.
            raise
        except ClientResponseError as err:
            if err.status != HTTPStatus.UNAUTHORIZED:
                raise
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN, translation_key="login_expired"
            ) from err
