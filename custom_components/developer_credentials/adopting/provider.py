"""The provider of application credentials, whose implementations are adopted on their way.

It stands in the place of Home Assistant's own, which it asks: under the same key, and so in the
same order. What that raises is raised as it is, and whatever goes wrong here, what it has returned
is returned as it is.

All of it ends with our entry, or with the option, at once: the provider is Home Assistant's own
again, and every implementation what it was.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, NamedTuple
from weakref import WeakValueDictionary

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
    current_entry,
)
from homeassistant.const import EVENT_COMPONENT_LOADED
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.collection import CHANGE_REMOVED, CollectionChange
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2Implementation,
    LocalOAuth2Implementation,
    async_add_implementation_provider,
)
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.setup import EventComponentLoaded
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER, PEER
from ..core_credentials.collection import (
    ApplicationCredential,
    async_get_application_credentials,
    async_listen,
    parse_item,
)
from ..core_credentials.editing import DATA_HAS_NEW_SECRET
from ..core_credentials.options import ADOPT_NONE, async_get_options
from ..credentials.store import Key
from ..oauth2.client import DeveloperCredential
from ..oauth2.errors import TokenRequestError
from ..private_api import ImplementationProvider, async_get_implementation_provider
from ..watching.rejection import async_note_answer
from .implementation import Adoption, NotAdoptableError, adopt, adoption_of, release
from .token_request import client_of

ADOPTED: Final = "adopted"
FAILED: Final = "failed"


class AdoptionReport(NamedTuple):
    """What has become of an application credential's implementations.

    Attributes:
        domain: The integration.
        auth_domain: What the integration's entries have as their `auth_implementation`; it may be
            made of the client id.
        outcome: `ADOPTED`, or why they are left as they are: `not_local` (of another kind than
            Home Assistant's own), `unknown_item` (it is not known which credential it is for),
            `other_client` (the integration uses another client), `unknown_attributes` or
            `unknown_class` (not as it is known here), `failed` (a defect here, which is logged).
        in_use: How many adopted ones somebody holds.
    """

    domain: str
    auth_domain: str
    outcome: str
    in_use: int


@callback
def async_adopt_from_now_on(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Adopt what the options say, until our entry is unloaded.

    It does not matter whether `application_credentials` is set up by now.

    Args:
        hass: Home Assistant.
        entry: Our entry.
    """
    if (adopter := hass.data.get(_DATA_ADOPTER)) is None:
        adopter = hass.data[_DATA_ADOPTER] = _Adopter(hass)
    adopter.start(entry)


@callback
def async_get_adoptions(hass: HomeAssistant) -> list[AdoptionReport]:
    """Return what was adopted, and what could not be and why."""
    adopter = hass.data.get(_DATA_ADOPTER)
    return adopter.report() if adopter else []


class _Provider:
    """Home Assistant's provider, and what becomes of its implementations."""

    def __init__(
        self,
        theirs: ImplementationProvider,
        adopt_all: Callable[[str, Iterable[AbstractOAuth2Implementation]], None],
    ) -> None:
        """Initialize with the provider to ask, and what adopts."""
        self.theirs = theirs
        self._adopt_all = adopt_all

    async def __call__(
        self, hass: HomeAssistant, domain: str
    ) -> list[AbstractOAuth2Implementation]:
        """Return the implementations of an integration, adopted where they can be."""
        implementations = await self.theirs(hass, domain)
        self._adopt_all(domain, implementations)
        return implementations


class _Adopter:
    """What is adopted, and by which rules."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize with nothing."""
        self._hass = hass
        self._is_on = False
        self._provider: _Provider | None = None
        # What was adopted once, by integration, and its identity: some have no hash, or are equal.
        self._known: dict[str, WeakValueDictionary[int, LocalOAuth2Implementation]] = {}
        self._classes: dict[type, type[LocalOAuth2Implementation]] = {}
        # What has become of the implementations.
        self._outcomes: dict[Key, str] = {}
        # Where others than token requests have read the secret.
        self._read: set[Key] = set()
        # The entries that were set up with an adopted implementation, and their integrations.
        self._set_up: dict[str, str] = {}

    @callback
    def start(self, entry: ConfigEntry) -> None:
        """Begin, or begin again; it ends with our entry."""

        @callback
        def loaded(event: Event[EventComponentLoaded]) -> None:
            if event.data["component"] == PEER:
                self._wrap()

        hass, signal = self._hass, SIGNAL_CONFIG_ENTRY_CHANGED
        self._is_on = True
        hass.data[DATA_HAS_NEW_SECRET] = self._has_new_secret
        entry.async_on_unload(self._stop)
        entry.async_on_unload(hass.bus.async_listen(EVENT_COMPONENT_LOADED, loaded))
        entry.async_on_unload(async_listen(hass, self._item_changed))
        entry.async_on_unload(async_dispatcher_connect(hass, signal, self._entry_changed))
        self._apply_options()

    @callback
    def _stop(self) -> None:
        """Leave everything as it was."""
        self._is_on = False
        del self._hass.data[DATA_HAS_NEW_SECRET]
        self._apply_options()

    @callback
    def _wrap(self) -> None:
        """Stand in the place of Home Assistant's own provider while anything is to be adopted."""
        hass, options = self._hass, async_get_options(self._hass)
        current = async_get_implementation_provider(hass, PEER)
        if self._is_on and options.look_after and options.adopt != ADOPT_NONE:
            if current and self._provider is None:
                self._provider = _Provider(current, self._adopt_all)
                async_add_implementation_provider(hass, PEER, self._provider)
            return
        provider, self._provider = self._provider, None
        # Where another one has wrapped it since, it stays there, and changes nothing.
        if provider and current is provider:
            async_add_implementation_provider(hass, PEER, provider.theirs)

    @callback
    def _adopts(self, domain: str) -> bool:
        """Return whether an integration's implementations are to be adopted."""
        options = async_get_options(self._hass)
        return self._is_on and options.look_after and options.adopts(domain)

    @callback
    def _adopt_all(
        self, domain: str, implementations: Iterable[AbstractOAuth2Implementation]
    ) -> None:
        """Adopt an integration's implementations, where they can be; raises nothing."""
        try:
            self._adopt_each(domain, implementations)
        except Exception as err:  # noqa: BLE001 - the integration has what it would have had
            self._note_outcome((domain, ""), FAILED, err)

    @callback
    def _adopt_each(
        self, domain: str, implementations: Iterable[AbstractOAuth2Implementation]
    ) -> None:
        entry = current_entry.get()
        if entry and (entry.domain, entry.state) != (domain, ConfigEntryState.SETUP_IN_PROGRESS):
            # A flow that it has begun, or a poll.
            entry = None
        if entry:
            self._set_up.pop(entry.entry_id, None)
        if not self._adopts(domain):
            return
        for implementation in implementations:
            key = domain, implementation.domain
            try:
                self._adopt(domain, implementation)
            except NotAdoptableError as err:
                self._note_outcome(key, str(err))
            except Exception as err:  # noqa: BLE001 - it is as it was, and others go on
                release(implementation)
                self._note_outcome(key, FAILED, err)
            else:
                self._note_outcome(key, ADOPTED)
                if entry and entry.data.get("auth_implementation") == key[1]:
                    self._set_up[entry.entry_id] = domain

    @callback
    def _adopt(self, domain: str, implementation: AbstractOAuth2Implementation) -> None:
        """Adopt an implementation.

        Raises:
            NotAdoptableError: It is to be left as it is.
        """
        if not isinstance(implementation, LocalOAuth2Implementation):
            raise NotAdoptableError("not_local")
        if adoption_of(implementation):
            return
        item_id = _item_of(self._hass, domain, implementation).item_id
        note_reading = partial(self._read.add, (domain, implementation.domain))
        adoption = Adoption(
            domain, item_id, type(implementation), partial(self._note, item_id), note_reading
        )
        adopt(implementation, adoption, self._classes)
        known = self._known.setdefault(domain, WeakValueDictionary())
        known[id(implementation)] = implementation

    @callback
    def _note_outcome(self, key: Key, outcome: str, err: Exception | None = None) -> None:
        """Remember what became of an implementation; log a defect once."""
        if err and self._outcomes.get(key) != outcome:
            LOGGER.warning(
                "The application credential of %s is used as without %s: %s",
                key[0],
                DOMAIN,
                type(err).__name__,
            )
        self._outcomes[key] = outcome

    @callback
    def _note(
        self,
        item_id: str,
        implementation: LocalOAuth2Implementation,
        error: TokenRequestError | None,
    ) -> bool:
        """Note what a token request came to; return whether its client was accepted before."""
        one = async_get_application_credentials(self._hass).get(item_id)
        if one is None or not _has_client(implementation, one):
            # It has changed since.
            return False
        return async_note_answer(self._hass, one, error)

    @callback
    def _apply_options(self) -> None:
        """Release what is not to be adopted any more; adopt again what was released."""
        self._wrap()
        for domain, known in self._known.items():
            if self._adopts(domain):
                self._adopt_all(domain, list(known.values()))
                continue
            for implementation in list(known.values()):
                release(implementation)
            self._set_up = {one: of for one, of in self._set_up.items() if of != domain}
        self._outcomes = {key: one for key, one in self._outcomes.items() if self._adopts(key[0])}

    @callback
    def _entry_changed(self, _: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Follow the options of our entry."""
        if entry.domain == DOMAIN:
            self._apply_options()

    @callback
    def _item_changed(self, change: CollectionChange) -> None:
        """Give a new secret to what is in use; another client has its entries log in again."""
        if (one := parse_item(change.item)) is None:
            return
        if change.change_type == CHANGE_REMOVED:
            for name in (one.auth_domain, one.domain):
                self._outcomes.pop((one.domain, name), None)
                self._read.discard((one.domain, name))
            return
        for implementation, adoption in self._adopted(one.domain):
            client_id, client_secret = client_of(implementation)
            if (
                adoption.item_id == one.item_id
                and client_id == one.credential.client_id
                # A public client has none.
                and client_secret
            ):
                implementation.client_secret = one.credential.client_secret

    @callback
    def _adopted(self, domain: str) -> list[tuple[LocalOAuth2Implementation, Adoption]]:
        """Return the adopted implementations that somebody holds."""
        known = list(self._known.get(domain, {}).values())
        return [(one, adoption) for one in known if (adoption := adoption_of(one))]

    @callback
    def _has_new_secret(self, entry: ConfigEntry) -> bool:
        """Return whether a new secret has reached all that an entry has made of the old one."""
        key = entry.domain, entry.data.get("auth_implementation", "")
        return (
            entry.state is ConfigEntryState.LOADED
            and entry.entry_id in self._set_up
            and key not in self._read
            and any(one.domain == key[1] for one, _ in self._adopted(entry.domain))
        )

    @callback
    def report(self) -> list[AdoptionReport]:
        """Return what has become of each."""
        return [
            AdoptionReport(
                *key, outcome, sum(one.domain == key[1] for one, _ in self._adopted(key[0]))
            )
            for key, outcome in sorted(self._outcomes.items())
        ]


_DATA_ADOPTER: HassKey[_Adopter] = HassKey(f"{DOMAIN}_adopter")


def _item_of(
    hass: HomeAssistant, domain: str, implementation: LocalOAuth2Implementation
) -> ApplicationCredential:
    """Return the application credential that an implementation is for.

    Raises:
        NotAdoptableError: It is not known, or the implementation has another client.
    """
    items = [
        one for one in async_get_application_credentials(hass).values() if one.domain == domain
    ]
    found = [one for one in items if one.auth_domain == implementation.domain]
    if not found and implementation.domain == domain:
        # Some integrations name themselves, and not the credential.
        found = [one for one in items if _has_client(implementation, one)]
    if len(found) != 1:
        raise NotAdoptableError("unknown_item")
    if not _has_client(implementation, found[0]):
        raise NotAdoptableError("other_client")
    return found[0]


def _has_client(implementation: LocalOAuth2Implementation, one: ApplicationCredential) -> bool:
    """Return whether an implementation uses an item's client; a public one has no secret."""
    client_id, client_secret = client_of(implementation)
    try:
        client = DeveloperCredential(client_id, client_secret)
    except AttributeError, TypeError, ValueError:
        return False
    return client.client_id == one.credential.client_id and client.client_secret in {
        "",
        one.credential.client_secret,
    }
