"""What the user lets us do for application credentials: the options of our entry."""

from typing import Final, NamedTuple, Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..credentials.store import async_get_entry

# In the options of our entry.
CONF_LOOK_AFTER: Final = "look_after"
CONF_VERIFY: Final = "verify"
CONF_ADOPT: Final = "adopt"
CONF_ADOPTED: Final = "adopted"

ADOPT_NONE: Final = "none"
ADOPT_CHOSEN: Final = "chosen"
ADOPT_ALL: Final = "all"
ADOPT_CHOICES: Final = (ADOPT_NONE, ADOPT_CHOSEN, ADOPT_ALL)


class Options(NamedTuple):
    """What is done for application credentials.

    Attributes:
        look_after: Whether they are watched at all.
        verify: Whether one that is entered in Home Assistant's own dialog is verified.
        adopt: For which integrations implementations are adopted: one of `ADOPT_CHOICES`.
        adopted: The domains of those that were chosen.
    """

    look_after: bool = True
    verify: bool = True
    adopt: str = ADOPT_NONE
    adopted: frozenset[str] = frozenset()

    @classmethod
    def of(cls, entry: ConfigEntry) -> Self:
        """Return what the options of our entry say."""
        options = entry.options
        return cls(
            options.get(CONF_LOOK_AFTER, True),
            options.get(CONF_VERIFY, True),
            options.get(CONF_ADOPT, ADOPT_NONE),
            frozenset(options.get(CONF_ADOPTED, ())),
        )

    def adopts(self, domain: str) -> bool:
        """Return whether the implementations of an integration are adopted."""
        return self.adopt == ADOPT_ALL or (self.adopt == ADOPT_CHOSEN and domain in self.adopted)


# Without our entry, or while it is disabled, nothing is done.
_OFF: Final = Options(look_after=False, verify=False)


@callback
def async_get_options(hass: HomeAssistant) -> Options:
    """Return what the user lets us do now."""
    entry = async_get_entry(hass)
    if entry is None or entry.disabled_by:
        return _OFF
    return Options.of(entry)
