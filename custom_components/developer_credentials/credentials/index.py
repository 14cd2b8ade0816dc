"""The index of the stored credentials: found by what they are known by, without a listener."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from homeassistant.config_entries import ConfigEntry, ConfigSubentry

from .stored_credential import SUBENTRY_TYPE, Key, StoredCredential, stored_of


class Read(NamedTuple):
    """A subentry, what it holds, and what of the subentry that was read from."""

    subentry: ConfigSubentry
    title: str
    data: Mapping[str, object]
    stored: StoredCredential

    def is_of(self, subentry: ConfigSubentry) -> bool:
        """Return whether it is this subentry, as it was; Home Assistant replaces its data."""
        return (
            self.subentry is subentry
            and self.data is subentry.data
            and self.title == subentry.title
        )


@dataclass(frozen=True, slots=True, repr=False)
class Index:
    """The credentials by what they are known by, as of one state of the config entry.

    Home Assistant replaces the mapping when a subentry comes or goes, and the entry's time of
    change when one changes, so that the index is right for as long as these are the same objects.
    What has not changed is not read again for the next index.
    """

    subentries: Mapping[str, ConfigSubentry]
    modified_at: datetime
    by_key: dict[Key, Read]
    by_domain: dict[str, list[Read]]
    by_id: dict[str, Read]
    sound: dict[str, ConfigSubentry]

    @classmethod
    def of(cls, entry: ConfigEntry, before: Index) -> Index:
        """Return the index of an entry. Of two with one key, the older one is the credential.

        Args:
            entry: The entry.
            before: Its index as of an earlier state.
        """
        index = cls(entry.subentries, entry.modified_at, {}, {}, {}, {})
        for subentry in entry.get_subentries_of_type(SUBENTRY_TYPE):
            read = before.by_id.get(subentry.subentry_id)
            if read is None or not read.is_of(subentry):
                try:
                    read = Read(subentry, subentry.title, subentry.data, stored_of(subentry))
                except ValueError:
                    continue
            if index.by_key.setdefault(read.stored.key, read) is read:
                index.by_domain.setdefault(read.stored.domain, []).append(read)
                index.by_id[subentry.subentry_id] = read
                index.sound[subentry.subentry_id] = subentry
        return index

    def is_of(self, entry: ConfigEntry) -> bool:
        """Return whether the entry is as it was."""
        return self.subentries is entry.subentries and self.modified_at is entry.modified_at


# Without our config entry.
NO_CREDENTIALS: Final = Index({}, datetime.min.replace(tzinfo=UTC), {}, {}, {}, {})
