"""Orphaned entries: integrations' config entries whose credential is gone, told in a repair.

They are found when a credential is deleted, and at the start of Home Assistant, where an entry
failed and no provider knows its `auth_implementation`. A credential that is deleted while it is
used is kept in memory until the restart, so that it can be restored. What others have deleted they
tell here, so that there is one repair for one thing, and restore it themselves.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
import re
from typing import Final, NamedTuple

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    SOURCE_REAUTH,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
    ConfigSubentry,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.config_entry_oauth2_flow import (
    async_get_config_entry_implementation,
    async_get_implementations,
)
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.start import async_at_started
from homeassistant.loader import Integration, async_get_integration
from homeassistant.util import slugify
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER, PEER
from ..oauth2.client import DeveloperCredential, Identity
from ..plain_text import plain_line
from ..platform import PLATFORM, async_get_name
from .store import (
    CONF_AUTH_DOMAIN,
    Key,
    async_add_subentry,
    async_find_subentry,
    async_get_all_subentries,
    async_get_by_key,
    async_get_or_create_entry,
    async_get_users_of,
    async_new_subentry,
    async_start_reauth,
    credential_of,
    key_of,
)

# The implementation of Home Assistant Cloud's account linking, which comes and goes with its login.
_CLOUD: Final = "cloud"

# States of entries that may lack their credential.
_FAILED: Final = {ConfigEntryState.SETUP_ERROR, ConfigEntryState.SETUP_RETRY}


class IssueText(NamedTuple):
    """What an issue about orphaned entries says: its translation key and placeholders."""

    translation_key: str
    placeholders: Mapping[str, str]


class _Memory:
    """The subentries as they were last, what was deleted, and what is told in repairs."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize with the subentries as they are."""
        self.subentries = async_get_all_subentries(hass)
        self.deleted: dict[Key, ConfigSubentry] = {}
        # What was deleted that is none of ours.
        self.deleted_elsewhere: dict[Key, IssueText] = {}
        # The entry that the issue is called after, and what it says.
        self.told: dict[Key, tuple[str, IssueText]] = {}
        self.lock = asyncio.Lock()


_DATA_MEMORY: HassKey[_Memory] = HassKey(f"{DOMAIN}_orphaned_entries")


def issue_id_of(entry_id: str) -> str:
    """Return the id of the issue about an orphaned entry, and those that lack the same credential.

    Every user can read it, so that it has no part of what the entry names.
    """
    return f"entries_orphaned_{entry_id}"


@callback
def async_watch(hass: HomeAssistant) -> None:
    """Find orphaned entries from now on."""
    memory = hass.data[_DATA_MEMORY] = _Memory(hass)

    @callback
    def entry_changed(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        came_or_went = entry.domain == DOMAIN and _async_remember(hass, memory)
        _async_forget_unused(hass, memory)
        concerned = (*memory.told, *memory.deleted, *memory.deleted_elsewhere)
        if came_or_went or entry.domain in {domain for domain, _ in concerned}:
            hass.async_create_task(async_check(hass), f"{DOMAIN} orphaned entries")

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, entry_changed)
    async_at_started(hass, async_check)


@callback
def _async_remember(hass: HomeAssistant, memory: _Memory) -> bool:
    """Remember what was deleted of our entry; return whether a credential came or went."""
    now = async_get_all_subentries(hass)
    before, memory.subentries = memory.subentries, now
    for subentry_id in before.keys() - now.keys():
        memory.deleted[key_of(before[subentry_id])] = before[subentry_id]
    for subentry_id in now.keys() - before.keys():
        key = key_of(now[subentry_id])
        deleted = memory.deleted.pop(key, None)
        if deleted and _identity(deleted) != _identity(now[subentry_id]):
            # Another client has got its key, as of two ids that differ in punctuation.
            for user in async_get_users_of(hass, *key):
                async_start_reauth(hass, user)
    return before.keys() != now.keys()


def _identity(subentry: ConfigSubentry) -> Identity:
    """Return the client of a credential."""
    return credential_of(subentry).identity


@callback
def _async_forget_unused(hass: HomeAssistant, memory: _Memory) -> None:
    """Forget what was deleted, and its secret, with the last entry that names it."""
    for key in list(memory.deleted):
        if not async_get_users_of(hass, *key):
            del memory.deleted[key]


@callback
def async_get_deleted(hass: HomeAssistant, key: Key) -> ConfigSubentry | None:
    """Return a credential that was deleted since the start, None where it was not."""
    return hass.data[_DATA_MEMORY].deleted.get(key)


@callback
def async_get_deleted_elsewhere(hass: HomeAssistant, key: Key) -> IssueText | None:
    """Return what is told of a credential that others have deleted, None where there is none."""
    return hass.data[_DATA_MEMORY].deleted_elsewhere.get(key)


@callback
def async_is_orphaned(hass: HomeAssistant, key: Key) -> bool:
    """Return whether entries name a credential that is none of ours."""
    return async_get_by_key(hass, key) is None and bool(async_get_users_of(hass, *key))


async def async_check(hass: HomeAssistant) -> None:
    """Tell of the orphaned entries that there are, and take back what was told of others."""
    memory = hass.data[_DATA_MEMORY]
    # One after the other: the last one sees what is.
    async with memory.lock:
        orphaned: dict[Key, tuple[str, IssueText]] = {}
        for key, entry in _suspects(hass, memory).items():
            text = memory.deleted_elsewhere.get(key) or await _async_text(hass, key[0])
            if await _async_is_unknown(hass, entry) and (users := async_get_users_of(hass, *key)):
                orphaned[key] = users[0].entry_id, text
        for key, told in list(memory.told.items()):
            if orphaned.get(key) != told:
                ir.async_delete_issue(hass, DOMAIN, issue_id_of(memory.told.pop(key)[0]))
        for key in orphaned.keys() - memory.told.keys():
            memory.told[key] = orphaned[key]
            _async_report(hass, key, *orphaned[key])


@callback
def async_set_deleted_elsewhere(hass: HomeAssistant, texts: Mapping[Key, IssueText]) -> None:
    """Have it told in words of its own that entries lack a credential that was none of ours.

    Args:
        hass: Home Assistant.
        texts: The words by what the entries name, in the place of those that were given before.
    """
    memory = hass.data[_DATA_MEMORY]
    if texts or memory.deleted_elsewhere:
        memory.deleted_elsewhere = dict(texts)
        hass.async_create_task(async_check(hass), f"{DOMAIN} orphaned entries")


def _suspects(hass: HomeAssistant, memory: _Memory) -> dict[Key, ConfigEntry]:
    """Return an entry for each credential that may be gone."""
    return {
        key: entry
        for entry in hass.config_entries.async_entries(include_ignore=False, include_disabled=False)
        if isinstance(auth_domain := entry.data.get("auth_implementation"), str)
        and auth_domain != _CLOUD
        and async_get_by_key(hass, key := (entry.domain, auth_domain)) is None
        and (entry.state in _FAILED or key in memory.deleted or key in memory.deleted_elsewhere)
    }


async def _async_is_unknown(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Return whether no provider knows an entry's implementation; one that is away might."""
    try:
        integration = await async_get_integration(hass, entry.domain)
        if not integration.platforms_exists((PLATFORM, PEER)):
            # It may register its implementation itself, whenever it likes.
            return False
        with suppress(ValueError):
            await async_get_config_entry_implementation(hass, entry)
            return False
        # A provider that fails with such an error would do so again.
        known = await async_get_implementations(hass, entry.domain)
        return entry.data["auth_implementation"] not in known
    except Exception as err:  # noqa: BLE001 - a provider that fails must not hide other orphans
        LOGGER.debug("It is not known whether %s is orphaned: %s", entry.title, type(err).__name__)
    return False


async def _async_text(hass: HomeAssistant, domain: str) -> IssueText:
    """Return what an issue says where nobody has words of their own."""
    name = plain_line(await async_get_name(hass, domain))
    return IssueText(translation_key="entries_orphaned", placeholders={"name": name})


@callback
def _async_report(hass: HomeAssistant, key: Key, entry_id: str, text: IssueText) -> None:
    """Tell that an integration lacks a credential; which entries do, the repair tells admins."""
    LOGGER.warning("A credential of %s is gone, but used", key[0])
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id_of(entry_id),
        data={"entry_id": entry_id},
        is_fixable=True,
        issue_domain=key[0],
        severity=ir.IssueSeverity.ERROR,
        translation_key=text.translation_key,
        translation_placeholders=dict(text.placeholders),
    )


async def async_restore(hass: HomeAssistant, key: Key) -> ConfigSubentry | None:
    """Restore a deleted credential and link the entries to it; None where it cannot be restored."""
    if async_get_deleted(hass, key) is None:
        return None
    entry = await async_get_or_create_entry(hass)
    # Somebody else may have been faster.
    if (deleted := async_get_deleted(hass, key)) is None:
        return None
    # YAML may have brought it back with the entry, perhaps by another key.
    credential = credential_of(deleted)
    subentry = async_find_subentry(hass, key[0], credential.client_id, credential.variables)
    if subentry is None:
        hass.config_entries.async_add_subentry(entry, deleted)
        subentry = deleted
    await _async_link(hass, key, subentry.data[CONF_AUTH_DOMAIN], same_client=True)
    return subentry


async def async_replace(
    hass: HomeAssistant, key: Key, integration: Integration, credential: DeveloperCredential
) -> bool:
    """Add a credential in the place of the one that is gone.

    Args:
        hass: Home Assistant.
        key: What the entries name, which is what the new one is known by.
        integration: The integration that it is for.
        credential: The credential.

    Returns:
        False where the entries are not orphaned any more; nothing was done then.

    Raises:
        AbortFlow: The integration has a credential of this client already.
    """
    entry = await async_get_or_create_entry(hass)
    if not async_is_orphaned(hass, key):
        return False
    same_client = _is_same_client(hass, key, credential.identity)
    new = async_new_subentry(hass, integration, credential, auth_domain=key[1])
    async_add_subentry(hass, entry, new)
    await _async_link(hass, key, new["data"][CONF_AUTH_DOMAIN], same_client=same_client)
    return True


async def async_relink(
    hass: HomeAssistant, key: Key, auth_domain: str, client_id: str | None
) -> None:
    """Let entries use a credential, whose key they are given; one that is loaded goes on with it.

    With another client than the one that their tokens belong to (RFC 6749, section 6), their users
    log in again.

    Args:
        hass: Home Assistant.
        key: What the entries name now.
        auth_domain: What they shall name.
        client_id: The client of the credential.
    """
    subentry = async_get_by_key(hass, (key[0], auth_domain))
    # Of one that is not ours, the client id says all.
    variables = _identity(subentry)[1] if subentry else frozenset()
    same_client = _is_same_client(hass, key, (str(client_id), variables))
    await _async_link(hass, key, auth_domain, same_client=same_client)


@callback
def _is_same_client(hass: HomeAssistant, key: Key, identity: Identity) -> bool:
    """Return whether entries' tokens belong to a client, or may do so: then the server will say."""
    if deleted := async_get_deleted(hass, key):
        return _identity(deleted) == identity
    client_id, variables = identity
    if variables:
        # Nothing tells at which server the tokens are known; they are for no other one.
        return False
    # What is left of the client id is the key that was made of it, if it was.
    domain, auth_domain = key
    slug = slugify(f"{domain}.{client_id}")
    return auth_domain == domain or bool(re.fullmatch(rf"{slug}(_\d+)?", auth_domain))


async def _async_link(
    hass: HomeAssistant, key: Key, auth_domain: str, *, same_client: bool
) -> None:
    for entry in async_get_users_of(hass, *key):
        moved = entry.data["auth_implementation"] != auth_domain
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, "auth_implementation": auth_domain}
        )
        if not same_client:
            async_start_reauth(hass, entry)
        elif (
            moved
            or entry.state in _FAILED
            or any(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))
        ):
            # A reload ends a login that was asked for in want of an implementation. Where it was
            # for another reason, that comes up again.
            hass.config_entries.async_schedule_reload(entry.entry_id)
    await async_check(hass)
