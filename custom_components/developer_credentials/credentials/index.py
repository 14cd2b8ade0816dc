"""The index of the stored credentials: found by what they are known by, without a listener."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple, Self

from homeassistant.config_entries import ConfigEntry, ConfigSubentry

from .stored_credential import SUBENTRY_TYPE, Key, StoredCredential, stored_of


class Read(NamedTuple):
    """A subentry, what it holds under which key, and what of the subentry that was read from."""

    subentry: ConfigSubentry
    title: str
    data: Mapping[str, object]
    stored: StoredCredential
    key: Key

    @classmethod
    def of(cls, subentry: ConfigSubentry) -> Self:
        """Read a subentry.

        Raises:
            ValueError: It is damaged.
        """
        stored = stored_of(subentry)
        return cls(subentry, subentry.title, subentry.data, stored, stored.key)


@dataclass(frozen=True, repr=False)
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
        by_key: dict[Key, Read] = {}
        by_domain: dict[str, list[Read]] = defaultdict(list)
        by_id: dict[str, Read] = {}
        sound: dict[str, ConfigSubentry] = {}
        for subentry in entry.get_subentries_of_type(SUBENTRY_TYPE):
            read = before.by_id.get(subentry.subentry_id)
            if (
                read is None
                or read.subentry is not subentry
                # Home Assistant replaces it.
                or read.data is not subentry.data
                or read.title != subentry.title
            ):
                try:
                    read = Read.of(subentry)
                except ValueError:
                    continue
            if by_key.setdefault(read.key, read) is read:
                by_domain[read.key[0]].append(read)
                by_id[subentry.subentry_id] = read
                sound[subentry.subentry_id] = subentry
        return cls(entry.subentries, entry.modified_at, by_key, by_domain, by_id, sound)

    def is_of(self, entry: ConfigEntry) -> bool:
        """Return whether the entry is as it was."""
        return self.subentries is entry.subentries and self.modified_at is entry.modified_at


# Without our config entry.
NO_CREDENTIALS: Final = Index({}, datetime.min.replace(tzinfo=UTC), {}, {}, {}, {})
