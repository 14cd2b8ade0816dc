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
        await async_migrate_credentials(hass)
    hass.config_entries.async_update_entry(entry, minor_version=MINOR_VERSION)


async def async_migrate_credentials(hass: HomeAssistant) -> None:
    """Bring the credentials that are there to the present form; those that have it stay so."""
    domains = {stored_of(one).domain for one in async_get_all_subentries(hass).values()}
    names = {domain: await async_get_name(hass, domain) for domain in domains}
    # Nothing is awaited from here on, so that nothing comes in between.
    taken: set[str] = set()
    for subentry in async_get_all_subentries(hass).values():
        one = stored_of(subentry)
        name, title = one.credential.name, subentry.title
        if name is None or title in taken:
            # Where the integration is not installed, the title still has its name.
            prefix = title.removesuffix(f": {one.credential.client_id}")
            has_client_id = one.credential.client_id in prefix
            integration = names.get(one.domain, one.domain) if has_client_id else prefix
            title = title_of(integration, name, taken)
        taken.add(title)
        data = data_of(one.credential, subentry.data)
        async_update_subentry(hass, subentry, data, title, subentry.unique_id)
