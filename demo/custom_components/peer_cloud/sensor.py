"""Sensor of Peer Cloud: the number of API requests of the account."""

from typing import override

from homeassistant.components.sensor import SensorEntity, SensorStateClass
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import PeerCloudConfigEntry, PeerCloudCoordinator

# The coordinator polls; the entities only read what it has.
PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: PeerCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensor of an account."""
    async_add_entities([RequestsSensor(entry.runtime_data)])


# Two classes of Home Assistant do not agree on `available`, and properties are cached ones there.
# pyright: reportIncompatibleVariableOverride=false
class RequestsSensor(CoordinatorEntity[PeerCloudCoordinator], SensorEntity):
    """The number of API requests of the account."""

    _attr_has_entity_name = True
    _attr_state_class = SensorStateClass.TOTAL_INCREASING
    _attr_translation_key = "requests"

    def __init__(self, coordinator: PeerCloudCoordinator) -> None:
        """Initialize with the coordinator of the account."""
        super().__init__(coordinator)
        account_id = str(coordinator.config_entry.unique_id)
        self._attr_unique_id = f"{account_id}_requests"
        self._attr_device_info = DeviceInfo(
            entry_type=DeviceEntryType.SERVICE,
            identifiers={(DOMAIN, account_id)},
            name="Peer Cloud",
        )

    @property
    @override
    def native_value(self) -> int:
        """The number of requests."""
        return self.coordinator.data
