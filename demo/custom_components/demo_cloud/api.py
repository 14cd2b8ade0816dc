"""The API of Demo Cloud. A real integration has a library for this."""

from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import (
    OAuth2Session,
    async_oauth2_request,  # pyright: ignore[reportUnknownVariableType] - its token is a bare dict
)

from .const import BASE_URL

ACCOUNT_URL = f"{BASE_URL}/api/account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account at Demo Cloud.

    Attributes:
        account_id: The id, which never changes.
        name: What its owner calls it.
        requests: How many API requests it has made.
    """

    account_id: str
    name: str
    requests: int


class DemoCloudClient:
    """The account of one config entry.

    Its method raises aiohttp.ClientError, and what OAuth2Session raises on token requests.
    """

    def __init__(self, session: OAuth2Session) -> None:
        """Initialize with the session of the entry."""
        self._session = session

    async def async_get_account(self) -> Account:
        """Return the account; the session refreshes the token first where it is due."""
        return await _async_parse(await self._session.async_request("get", ACCOUNT_URL))


async def async_get_account(hass: HomeAssistant, token: dict[str, Any]) -> Account:
    """Return the account of a new token.

    Raises:
        aiohttp.ClientError: The request failed.
    """
    return await _async_parse(await async_oauth2_request(hass, token, "get", ACCOUNT_URL))


async def _async_parse(response: ClientResponse) -> Account:
    response.raise_for_status()
    data = await response.json()
    return Account(account_id=data["id"], name=data["name"], requests=data["requests"])
