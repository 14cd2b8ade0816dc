"""A configuration.yaml, as the tests of this room have it read."""

from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml.loader import Secrets, load_yaml_dict

from custom_components.developer_credentials.const import DOMAIN
from tests.common import stored


async def start(hass: HomeAssistant, tmp_path: Path, text: str, secrets: str = "") -> None:
    """Set up the integration from a configuration.yaml, as Home Assistant does at its start."""
    (tmp_path / "configuration.yaml").write_text(text)
    (tmp_path / "secrets.yaml").write_text(secrets)
    config = await hass.async_add_executor_job(
        load_yaml_dict, str(tmp_path / "configuration.yaml"), Secrets(tmp_path)
    )
    assert await async_setup_component(hass, DOMAIN, config)
    await hass.async_block_till_done()


async def reload(hass: HomeAssistant, tmp_path: Path, text: str, secrets: str = "") -> None:
    """Reload the integration's YAML, as the user does."""
    (tmp_path / "configuration.yaml").write_text(text)
    (tmp_path / "secrets.yaml").write_text(secrets)
    hass.config.config_dir = str(tmp_path)
    await hass.services.async_call(DOMAIN, "reload", blocking=True)
    await hass.async_block_till_done()


def values(hass: HomeAssistant, *keys: str) -> list[tuple[Any, ...]]:
    """Return what is stored of each credential by these keys."""
    return [tuple(credential[key] for key in keys) for credential in stored(hass)]
