"""The index of the stored credentials: found by what they are known by, without a listener."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry

from .stored_credential import SUBENTRY_TYPE, Key, stored_of


@dataclass(frozen=True, slots=True, repr=False)
class Index:
    """The credentials by what they are known by, as of one state of the config entry.

    Home Assistant replaces the mapping when a subentry comes or goes, and the entry's time of
    change when one changes, so that the index is right for as long as these are the same objects.
    """

    subentries: Mapping[str, ConfigSubentry]
    modified_at: datetime
    by_key: dict[Key, ConfigSubentry]
    by_domain: dict[str, list[ConfigSubentry]]

    @classmethod
    def of(cls, entry: ConfigEntry) -> Index:
        """Return the index of an entry. Of two with one key, the older one is the credential."""
        by_key: dict[Key, ConfigSubentry] = {}
        by_domain: dict[str, list[ConfigSubentry]] = {}
        for subentry in entry.get_subentries_of_type(SUBENTRY_TYPE):
            try:
                key = stored_of(subentry).key
            except ValueError:
                continue
            if by_key.setdefault(key, subentry) is subentry:
                by_domain.setdefault(key[0], []).append(subentry)
        return cls(entry.subentries, entry.modified_at, by_key, by_domain)

    def is_of(self, entry: ConfigEntry) -> bool:
        """Return whether the entry is as it was."""
        return self.subentries is entry.subentries and self.modified_at is entry.modified_at


# Without our config entry.
NO_CREDENTIALS: Final = Index({}, datetime.min.replace(tzinfo=UTC), {}, {})
