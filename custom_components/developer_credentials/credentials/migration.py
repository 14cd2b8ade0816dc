"""What older versions of this integration have stored, brought to the present form.

Versions of the config entry:

- 1.1 (0.1.0): titles of credentials without a name had the client id.
- 1.2: they are called by their integration; what is stored of each credential has every key, and is
  clean.
"""

from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..platform import async_get_name
from .store import async_get_all_subentries, async_get_entry, async_update_subentry
from .stored_credential import data_of, stored_of
from .titles import title_of

MINOR_VERSION: Final = 2


async def async_migrate(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Migrate an entry to the present version; what is damaged in it stays as it is."""
    if entry is async_get_entry(hass):
        stored = [(one, stored_of(one)) for one in async_get_all_subentries(hass).values()]
        names = {one.domain: await async_get_name(hass, one.domain) for _, one in stored}
        taken: set[str] = set()
        for subentry, one in stored:
            name, title = one.credential.name, subentry.title
            if name is None or title in taken:
                # Where the integration is not installed, the title still has its name.
                prefix = title.removesuffix(f": {one.credential.client_id}")
                integration = names[one.domain] if one.credential.client_id in prefix else prefix
                title = title_of(integration, name, taken)
            taken.add(title)
            data = data_of(one.credential, subentry.data)
            async_update_subentry(hass, subentry, data, title, subentry.unique_id)
    hass.config_entries.async_update_entry(entry, minor_version=MINOR_VERSION)
