"""Tests of credentials that the server does not accept any more."""

from collections.abc import Mapping
from datetime import timedelta
from unittest.mock import MagicMock, patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, SOURCE_USER, ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.loader import Integration
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.credentials.rejection import (
    async_get_rejected,
    async_get_rejections,
    async_note_answer,
    issue_id_of,
)
from custom_components.developer_credentials.credentials.store import credential_of, key_of
from custom_components.developer_credentials.credentials.stored_credential import data_of
from custom_components.developer_credentials.flows.credential_subject import OwnCredential
from custom_components.developer_credentials.oauth2.client import DeveloperCredential, Objection
from custom_components.developer_credentials.oauth2.errors import (
    InvalidClientError,
    InvalidGrantError,
    TokenRequestError,
    UnavailableError,
)
from custom_components.developer_credentials.oauth2.token_endpoint import TokenEndpoint
from custom_components.developer_credentials.oauth2.token_response import Answer
from custom_components.developer_credentials.oauth2.verification import Outcome, Verification
from custom_components.developer_credentials.plain_text import escape_markdown, plain_line
from demo.authorization_server import DemoAuthorizationServer
from tests.common import (
    REDIRECT_URI,
    SENTINEL,
    add_credential,
    begin_repair,
    continue_repair,
    entry_of,
    issue_ids,
    log_in_and_return,
)
from tests.conftest import PassTime

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")

SENSOR = "sensor.demo_account_requests"
ROTATED = f"{SENTINEL}-rotated"


@pytest.fixture
async def account(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
) -> ConfigEntry:
    """Log in at Demo Cloud."""
    demo_cloud.add_client("client-id", client_secret=SENTINEL, redirect_uris=(REDIRECT_URI,))
    await add_credential(hass, "demo_cloud", name="My app")
    step = await hass.config_entries.flow.async_init("demo_cloud", context={"source": SOURCE_USER})
    await log_in_and_return(hass, hass_client_no_auth, step)
    (account,) = hass.config_entries.async_entries("demo_cloud")
    assert issue_ids(hass) == []
    return account


def _rotate(cloud: DemoAuthorizationServer) -> None:
    cloud.clients["client-id"].client_secret = ROTATED


async def _poll(hass: HomeAssistant, account: ConfigEntry) -> str:
    """Poll the account with an expired token; return the state of the sensor."""
    await account.runtime_data.async_refresh()
    await hass.async_block_till_done()
    state = hass.states.get(SENSOR)
    assert state is not None
    return state.state


def _subentry_id(hass: HomeAssistant) -> str:
    (subentry_id,) = entry_of(hass).subentries
    return subentry_id


async def test_rejected_while_in_use(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    account: ConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A rotated secret raises one repair; with the new one the sensor is back, without a login."""
    before = account.data["token"]
    _rotate(demo_cloud)
    since = dt_util.now()
    for _ in range(3):
        assert await _poll(hass, account) == "unavailable"
        freezer.tick(timedelta(minutes=2))
    assert account.state is ConfigEntryState.LOADED
    assert hass.config_entries.flow.async_progress() == []
    issue_id = issue_id_of(_subentry_id(hass))
    assert issue_ids(hass) == [issue_id]
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.is_fixable
    # The issue is for everybody, the texts of its repair are for admins.
    assert issue.data == {"subentry_id": _subentry_id(hass)}
    assert issue.translation_placeholders == {"credential": "Demo Cloud: My app"}

    step = await begin_repair(hass_client, issue_id)
    assert step["step_id"] == "edit"
    told = step["description_placeholders"]
    assert f"since {since:%Y-%m-%d %H:%M}" in told["situation"]
    assert r'"invalid\_client\: The client cannot' in told["situation"]
    assert "used by Demo account." in told["situation"]
    assert "[developer console](" in told["instructions"]
    assert not step["errors"]
    # What is needed is the first field in view.
    assert step["data_schema"][0]["name"] == "client_secret"
    assert SENTINEL not in str(step)
    values = {"client_id": "client-id"}
    step = await continue_repair(
        hass, hass_client, step, {**values, "client_secret": f"{SENTINEL}-wrong"}
    )
    assert step["errors"] == {"base": "rejected"}
    assert issue_ids(hass) == [issue_id]
    step = await continue_repair(hass, hass_client, step, {**values, "client_secret": ROTATED})
    assert step["type"] == "create_entry"
    assert issue_ids(hass) == []
    assert int(await _poll(hass, account)) > 0
    assert account.data["token"]["refresh_token"] != before["refresh_token"]
    assert hass.config_entries.flow.async_progress() == []
    assert len(hass.states.async_all("sensor")) == 1


async def test_rejected_at_set_up(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    account: ConfigEntry,
) -> None:
    """An entry that waits for its set-up is set up at once with the corrected credential."""
    _rotate(demo_cloud)
    assert not await hass.config_entries.async_reload(account.entry_id)
    states = [account.state]
    (issue_id,) = issue_ids(hass)
    step = await begin_repair(hass_client, issue_id)
    values = {"client_id": "client-id", "client_secret": ROTATED}
    await continue_repair(hass, hass_client, step, values)
    states.append(account.state)
    assert states == [ConfigEntryState.SETUP_RETRY, ConfigEntryState.LOADED]
    assert issue_ids(hass) == []


async def test_accepted_again(
    hass: HomeAssistant,
    demo_cloud: DemoAuthorizationServer,
    account: ConfigEntry,
    pass_time: PassTime,
) -> None:
    """The repair goes when a later request succeeds: the server had a bad day."""
    _rotate(demo_cloud)
    await _poll(hass, account)
    assert issue_ids(hass)
    demo_cloud.unavailable = True
    await _poll(hass, account)
    assert issue_ids(hass)
    demo_cloud.unavailable = False
    demo_cloud.clients["client-id"].client_secret = SENTINEL
    pass_time(10)
    assert int(await _poll(hass, account)) > 0
    assert issue_ids(hass) == []
    assert async_get_rejections(hass) == {}


async def test_refused_grant(
    hass: HomeAssistant, demo_cloud: DemoAuthorizationServer, account: ConfigEntry
) -> None:
    """A server that refuses the grant has accepted the client; the user logs in again."""
    _rotate(demo_cloud)
    await _poll(hass, account)
    demo_cloud.clients["client-id"].client_secret = SENTINEL
    demo_cloud.revoke_refresh_tokens()
    await _poll(hass, account)
    assert issue_ids(hass) == []
    assert len(hass.config_entries.flow.async_progress_by_handler("demo_cloud")) == 1


async def test_login_succeeds(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    account: ConfigEntry,
) -> None:
    """A login with the credential takes the repair back as well."""
    _rotate(demo_cloud)
    await _poll(hass, account)
    demo_cloud.clients["client-id"].client_secret = SENTINEL
    step = await hass.config_entries.flow.async_init("demo_cloud", context={"source": SOURCE_USER})
    await log_in_and_return(hass, hass_client_no_auth, step)
    assert issue_ids(hass) == []


@pytest.mark.parametrize("how", ["edited", "deleted", "entry removed"])
async def test_credential_changes(
    hass: HomeAssistant, demo_cloud: DemoAuthorizationServer, account: ConfigEntry, how: str
) -> None:
    """The repair is about a credential that is not as it was: it goes."""
    _rotate(demo_cloud)
    await _poll(hass, account)
    (issue_id,) = issue_ids(hass)
    entry = entry_of(hass)
    subentry = entry.subentries[_subentry_id(hass)]
    if how == "edited":
        data = {**subentry.data, "client_secret": f"{SENTINEL}-other"}
        hass.config_entries.async_update_subentry(entry, subentry, data=data)
    elif how == "deleted":
        hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    else:
        await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert issue_id not in issue_ids(hass)
    await _poll(hass, account)
    # The new secret is as wrong as the old one; of what is gone, nothing is told.
    assert (issue_id in issue_ids(hass)) is (how == "edited")


@pytest.mark.parametrize("change", [{"name": "Other"}, {"redirect_uri": "own"}])
async def test_what_the_token_endpoint_does_not_know(
    hass: HomeAssistant,
    demo_cloud: DemoAuthorizationServer,
    account: ConfigEntry,
    change: dict[str, str],
) -> None:
    """A new name or redirect URI does not make a rejected credential a better one."""
    _rotate(demo_cloud)
    await _poll(hass, account)
    (issue_id,) = issue_ids(hass)
    entry = entry_of(hass)
    subentry = entry.subentries[_subentry_id(hass)]
    data = {**subentry.data, **change}
    hass.config_entries.async_update_subentry(entry, subentry, data=data)
    await hass.async_block_till_done()
    assert issue_ids(hass) == [issue_id]


@pytest.mark.parametrize("how", ["deleted", "accepted"])
async def test_repair_is_outdated(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    account: ConfigEntry,
    how: str,
) -> None:
    """A repair that is opened too late says that there is nothing to do."""
    _rotate(demo_cloud)
    await _poll(hass, account)
    (issue_id,) = issue_ids(hass)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    subentry_id = _subentry_id(hass)
    if how == "deleted":
        hass.config_entries.async_remove_subentry(entry_of(hass), subentry_id)
    else:
        async_get_rejections(hass).clear()
    await hass.async_block_till_done()
    # The frontend has it still.
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        data=issue.data,
        is_fixable=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key="credential_rejected",
    )
    step = await begin_repair(hass_client, issue_id)
    reason = "credential_gone" if how == "deleted" else "already_repaired"
    assert (step["type"], step["reason"]) == ("abort", reason)


@pytest.mark.parametrize("how", ["corrected", "accepted", "deleted"])
@pytest.mark.parametrize("when", ["open", "asked"])
async def test_two_windows(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    account: ConfigEntry,
    how: str,
    when: str,
) -> None:
    """Where somebody else was faster, the repair says so, and changes nothing.

    That may be while the form is open, and while the server is asked about it.
    """
    _rotate(demo_cloud)
    await _poll(hass, account)
    (issue_id,) = issue_ids(hass)
    step = await begin_repair(hass_client, issue_id)
    entry, subentry_id = entry_of(hass), _subentry_id(hass)

    def act() -> None:
        if how == "corrected":
            data = {**entry.subentries[subentry_id].data, "client_secret": ROTATED}
            hass.config_entries.async_update_subentry(
                entry, entry.subentries[subentry_id], data=data
            )
        elif how == "deleted":
            hass.config_entries.async_remove_subentry(entry, subentry_id)
        else:
            async_note_answer(hass, ("demo_cloud", "demo_cloud_client_id"), None)

    async def verify(subject: OwnCredential, credential: DeveloperCredential) -> Verification:
        act()
        return Verification(Outcome.ACCEPTED, "", credential)

    if when == "open":
        act()
    before = [dict(one.data) for one in entry.subentries.values()]
    values = {"client_id": "other", "client_secret": f"{SENTINEL}-x"}
    with patch.object(OwnCredential, "async_verify", verify):
        step = await continue_repair(hass, hass_client, step, values)
    reason = "credential_gone" if how == "deleted" else "already_repaired"
    assert (step["type"], step["reason"]) == ("abort", reason)
    if when == "open":
        assert [dict(one.data) for one in entry.subentries.values()] == before
    assert [one.data["client_id"] for one in entry.subentries.values()] in (["client-id"], [])
    assert not [
        flow
        for flow in hass.config_entries.flow.async_progress_by_handler("demo_cloud")
        if flow["context"]["source"] == SOURCE_REAUTH
    ]


async def test_rejected_again(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    account: ConfigEntry,
) -> None:
    """A correction that was none leaves the repair to whoever has it open.

    The form is about another secret then, which is said once.
    """
    _rotate(demo_cloud)
    await _poll(hass, account)
    (issue_id,) = issue_ids(hass)
    step = await begin_repair(hass_client, issue_id)
    entry = entry_of(hass)
    subentry = entry.subentries[_subentry_id(hass)]
    data = {**subentry.data, "client_secret": f"{SENTINEL}-wrong"}
    hass.config_entries.async_update_subentry(entry, subentry, data=data)
    await _poll(hass, account)
    assert issue_ids(hass) == [issue_id]
    values = {"client_id": "client-id", "client_secret": ROTATED}
    step = await continue_repair(hass, hass_client, step, values)
    assert step["errors"] == {"base": "changed_meanwhile"}
    step = await continue_repair(hass, hass_client, step, values)
    assert step["type"] == "create_entry"
    assert issue_ids(hass) == []


async def test_texts_of_others_are_plain(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    account: ConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Names, titles and the server's words are one plain line, whatever they hold."""
    evil = "A\u202e\u2028**b**\u200b<i>\n# c"
    entry = entry_of(hass)
    hass.config_entries.async_update_subentry(
        entry, entry.subentries[_subentry_id(hass)], title=evil
    )
    hass.config_entries.async_update_entry(account, title=evil)
    monkeypatch.setattr(Integration, "name", property(lambda _: evil))
    error = InvalidClientError(
        domain="demo_cloud",
        request_info=MagicMock(),
        error="invalid_client",
        error_description=evil,
    )
    async_note_answer(hass, ("demo_cloud", "demo_cloud_client_id"), error)
    (issue_id,) = issue_ids(hass)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue
    # In titles and errors, which are no Markdown.
    line = plain_line(evil)
    assert issue.translation_placeholders == {"credential": f"Demo Cloud: {line}"}
    told = (await begin_repair(hass_client, issue_id))["description_placeholders"]
    assert told["integration"] == line
    escaped = escape_markdown(evil)
    assert told["situation"].startswith(f"{escaped} has not accepted this credential")
    assert f'"{escape_markdown(f"invalid_client: {evil}")}"' in told["situation"]
    assert f"used by {escaped}." in told["situation"]


@pytest.mark.parametrize("answers", [True, False])
async def test_submitted_unchanged(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    account: ConfigEntry,
    answers: bool,
) -> None:
    """A rejected credential that is submitted as it is does not end the repair, however often."""
    _rotate(demo_cloud)
    await _poll(hass, account)
    (issue_id,) = issue_ids(hass)
    step = await begin_repair(hass_client, issue_id)
    demo_cloud.unavailable = not answers
    for _ in range(2):
        # Its name is no correction either.
        values = {"client_id": "client-id", "more": {"name": "Other"}}
        step = await continue_repair(hass, hass_client, step, values)
        error = "still_rejected" if answers else "still_unchecked"
        assert step["errors"] == {"base": error}
        assert "save_anyway" not in str(step["data_schema"])
        assert issue_ids(hass) == [issue_id]


async def test_mended_at_the_provider(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    account: ConfigEntry,
) -> None:
    """What the server accepts again is repaired by submitting it as it is."""
    _rotate(demo_cloud)
    assert not await hass.config_entries.async_reload(account.entry_id)
    (issue_id,) = issue_ids(hass)
    step = await begin_repair(hass_client, issue_id)
    demo_cloud.clients["client-id"].client_secret = SENTINEL
    step = await continue_repair(hass, hass_client, step, {"client_id": "client-id"})
    assert step["type"] == "create_entry"
    assert (issue_ids(hass), async_get_rejections(hass)) == ([], {})
    assert account.state is ConfigEntryState.LOADED


async def test_saved_anyway(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    account: ConfigEntry,
) -> None:
    """A wrong secret that is saved all the same is told, and the repair stays for the right one."""
    _rotate(demo_cloud)
    await _poll(hass, account)
    (issue_id,) = issue_ids(hass)
    step = await begin_repair(hass_client, issue_id)
    values = {"client_id": "client-id", "client_secret": f"{SENTINEL}-wrong"}
    step = await continue_repair(hass, hass_client, step, values)
    assert step["errors"] == {"base": "rejected"}
    assert [one["name"] for one in step["data_schema"]][:3] == [
        "client_secret",
        "client_id",
        "save_anyway",
    ]
    step = await continue_repair(
        hass, hass_client, step, {"client_id": "client-id", "save_anyway": True}
    )
    assert (step["type"], step["reason"]) == ("abort", "credential_saved_rejected")
    assert issue_ids(hass) == [issue_id]
    assert len(async_get_rejected(hass)) == 1
    # Accepted by a refresh, it is as any other.
    demo_cloud.clients["client-id"].client_secret = f"{SENTINEL}-wrong"
    assert int(await _poll(hass, account)) > 0
    assert (issue_ids(hass), async_get_rejected(hass)) == ([], set())
    assert "objection" not in entry_of(hass).subentries[_subentry_id(hass)].data


async def test_unchecked(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    account: ConfigEntry,
) -> None:
    """A new secret that the server says nothing of is saved, and said not to be checked."""
    _rotate(demo_cloud)
    await _poll(hass, account)
    (issue_id,) = issue_ids(hass)
    step = await begin_repair(hass_client, issue_id)
    demo_cloud.unavailable = True
    values = {"client_id": "client-id", "client_secret": ROTATED}
    step = await continue_repair(hass, hass_client, step, values)
    assert (step["type"], step["reason"]) == ("abort", "credential_saved_unchecked")
    assert entry_of(hass).subentries[_subentry_id(hass)].data["client_secret"] == ROTATED


@pytest.mark.parametrize(
    ("objection", "error", "stays"),
    [
        ("rejected", InvalidGrantError, False),
        ("redirect_uri_rejected", InvalidGrantError, True),
        ("redirect_uri_rejected", None, False),
        ("rejected", None, False),
        ("rejected", InvalidClientError, True),
        ("rejected", UnavailableError, True),
    ],
)
async def test_objection(
    hass: HomeAssistant,
    objection: Objection,
    error: type[TokenRequestError] | None,
    stays: bool,
) -> None:
    """What the server had against it is remembered until an answer says that it is accepted."""
    subentry = await add_credential(hass, "demo_cloud")
    data = data_of(credential_of(subentry).with_objection(objection), subentry.data)
    hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=data)
    await hass.async_block_till_done()
    key = key_of(subentry)
    assert async_get_rejected(hass) == {key}
    answer = error(domain="demo_cloud", request_info=MagicMock()) if error else None
    async_note_answer(hass, key, answer)
    assert (key in async_get_rejected(hass)) is stays
    assert ("objection" in subentry.data) is stays


async def test_new_secret_before_the_old_one_is_refused(
    hass: HomeAssistant, demo_cloud: DemoAuthorizationServer, account: ConfigEntry
) -> None:
    """A secret that is entered in time costs no request: no unavailable sensor, no reload."""
    states: list[str] = []
    hass.bus.async_listen(
        "state_changed", lambda event: states.append(event.data["new_state"].state)
    )
    runtime_data = account.runtime_data
    client = demo_cloud.clients["client-id"]
    client.client_secret, client.old_client_secret = ROTATED, SENTINEL
    await _poll(hass, account)
    entry = entry_of(hass)
    subentry = entry.subentries[_subentry_id(hass)]
    data = {**subentry.data, "client_secret": ROTATED}
    hass.config_entries.async_update_subentry(entry, subentry, data=data)
    await hass.async_block_till_done()
    client.old_client_secret = ""
    await _poll(hass, account)
    assert len(states) == 2
    assert "unavailable" not in states
    assert account.runtime_data is runtime_data
    sent = [request.form["client_secret"] for request in demo_cloud.token_requests]
    assert sent[-2:] == [SENTINEL, ROTATED]
    assert issue_ids(hass) == []


async def test_old_answer_comes_after_the_correction(
    hass: HomeAssistant, demo_cloud: DemoAuthorizationServer, account: ConfigEntry
) -> None:
    """What the server says of the old secret is no rejection of the new one, which is tried."""
    _rotate(demo_cloud)
    entry = entry_of(hass)
    subentry = entry.subentries[_subentry_id(hass)]
    data = {**subentry.data, "client_secret": ROTATED}
    original = TokenEndpoint.async_post

    async def async_post(endpoint: TokenEndpoint, body: Mapping[str, str]) -> Answer:
        answer = await original(endpoint, body)
        hass.config_entries.async_update_subentry(entry, subentry, data=data)
        return answer

    with patch.object(TokenEndpoint, "async_post", async_post):
        assert int(await _poll(hass, account)) > 0
    assert issue_ids(hass) == []
    sent = [request.form["client_secret"] for request in demo_cloud.token_requests]
    assert sent[-2:] == [SENTINEL, ROTATED]


async def test_without_a_refresh_token(
    hass: HomeAssistant, demo_cloud: DemoAuthorizationServer, account: ConfigEntry
) -> None:
    """An entry that lacks its refresh token says nothing of the client: the server is not asked."""
    _rotate(demo_cloud)
    await _poll(hass, account)
    (issue_id,) = issue_ids(hass)
    token = {"access_token": "a", "expires_at": 0, "expires_in": 5}
    hass.config_entries.async_update_entry(account, data={**account.data, "token": token})
    await _poll(hass, account)
    assert issue_ids(hass) == [issue_id]


async def test_last_user_is_removed(
    hass: HomeAssistant, demo_cloud: DemoAuthorizationServer, account: ConfigEntry
) -> None:
    """Where nothing waits for it any more, there is nothing to tell."""
    _rotate(demo_cloud)
    await _poll(hass, account)
    assert issue_ids(hass)
    await hass.config_entries.async_remove(account.entry_id)
    await hass.async_block_till_done()
    assert issue_ids(hass) == []


@pytest.mark.parametrize("right", [True, False])
async def test_entered_again_after_deletion(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    account: ConfigEntry,
    right: bool,
) -> None:
    """A credential that is entered again is that of the entries that are loaded, at once.

    Its rejection is told as well, and so is its next rotation taken over.
    """
    runtime_data = account.runtime_data
    hass.config_entries.async_remove_subentry(entry_of(hass), _subentry_id(hass))
    await hass.async_block_till_done()
    _rotate(demo_cloud)
    (issue_id,) = issue_ids(hass)
    step = await begin_repair(hass_client, issue_id)
    step = await continue_repair(hass, hass_client, step, {"next_step_id": "add"})
    values = {"client_id": "client-id"}
    values["client_secret"] = ROTATED if right else f"{SENTINEL}-wrong"
    step = await continue_repair(hass, hass_client, step, values)
    if not right:
        step = await continue_repair(hass, hass_client, step, {**values, "save_anyway": True})
    assert step.get("reason") == (None if right else "credential_saved_rejected")
    assert (await _poll(hass, account) == "unavailable") is not right
    assert bool(issue_ids(hass)) is not right
    if not right:
        entry = entry_of(hass)
        subentry = entry.subentries[_subentry_id(hass)]
        data = {**subentry.data, "client_secret": ROTATED}
        hass.config_entries.async_update_subentry(entry, subentry, data=data)
        assert int(await _poll(hass, account)) > 0
    assert account.runtime_data is runtime_data


async def test_answer_for_a_deleted_credential(hass: HomeAssistant) -> None:
    """A token that comes for a credential which was deleted meanwhile changes nothing."""
    subentry = await add_credential(hass, "demo_cloud")
    key = key_of(subentry)
    hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
    async_note_answer(hass, key, None)
    assert dict(entry_of(hass).subentries) == {}
    assert issue_ids(hass) == []
