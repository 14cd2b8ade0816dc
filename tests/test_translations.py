"""Every message has a translation, and the placeholders of both agree."""

from collections import Counter
from collections.abc import Iterator
import json
from pathlib import Path
import re
from string import Formatter
from typing import Any

import pytest

from custom_components.developer_credentials.core_credentials.options import (
    ADOPT_CHOICES,
    CONF_ADOPT,
    CONF_ADOPTED,
    CONF_LOOK_AFTER,
    CONF_VERIFY,
)
from custom_components.developer_credentials.flows import account_flow
from custom_components.developer_credentials.flows.credential_form import SAVED
from custom_components.developer_credentials.oauth2.client import OBJECTIONS
from custom_components.developer_credentials.oauth2.errors import TokenRequestError
from custom_components.developer_credentials.oauth2.redirect_uri import REGISTERED, RedirectUri
from custom_components.developer_credentials.oauth2.server_variable import MAX_VARIABLES
from custom_components.developer_credentials.oauth2.verification import Outcome

PACKAGE = Path(__file__).parent.parent / "custom_components" / "developer_credentials"
# By module; those of one name in several rooms are one.
SOURCE: dict[str, str] = {}
for _path in PACKAGE.rglob("*.py"):
    SOURCE[_path.stem] = SOURCE.get(_path.stem, "") + _path.read_text()
STRINGS: dict[str, Any] = json.loads((PACKAGE / "strings.json").read_text())
TRANSLATIONS: dict[str, Any] = json.loads((PACKAGE / "translations" / "en.json").read_text())
CONFIG = TRANSLATIONS["config"]
SUBENTRY = TRANSLATIONS["config_subentries"]["credential"]

KINDS = [kind for effect in TokenRequestError.__subclasses__() for kind in effect.__subclasses__()]

# What keeps a credential from being saved.
OBSTACLES = set(re.findall(r'(?:return|else) "(\w+)"', SOURCE["credential_subject"]))

VARIABLES = {f"variable_{number}" for number in range(1, MAX_VARIABLES + 1)}

FORM = {
    "integration",
    "instructions",
    "redirect_uri",
    "redirect_uris",
    "detail",
    "situation",
} | VARIABLES

# What a saved credential is said to be.
TOLD = {"integration", "title"}

# What is interpolated, by the beginning of the key; a text that is not named here has nothing.
PLACEHOLDERS = {
    "exceptions.field_invalid.": {"field"},
    "exceptions.field_missing.": {"field"},
    "exceptions.field_not_a_value.": {"field"},
    "exceptions.in_use.": {"entries"},
    "exceptions.integration_not_found.": {"domain"},
    "exceptions.no_platform.": {"domain"},
    "exceptions.platform_": {"integration", "detail"},
    "exceptions.rejected.": {"answer"},
    "exceptions.variable_invalid.": {"variable"},
    "config.abort.account_unavailable": {"integration", "detail"},
    "config.abort.wrong_account": {"integration", "account"},
    "config.abort.authorize_": {"integration", "detail"},
    "config.abort.credential_saved": TOLD,
    "config.abort.integration_gone": {"domain"},
    "config.abort.platform_broken": {"problem"},
    "config.abort.server_unknown": {"detail"},
    "config.abort.token_": {"integration", "detail"},
    "config.error.": FORM,
    "config.flow_title": {"name"},
    "config.step.credential.": FORM,
    "config.step.edit.": FORM,
    "config.step.edit_application_credential.": FORM,
    "config.step.integration.": {"url"},
    "config.step.oauth_discovery.": {"integration"},
    "config.step.pick_implementation.": {"integration"},
    "config.step.reauth_confirm.": {"account", "integration"},
    "config.step.reconfigure.": {"integration", "situation"},
    "config.step.retry.": FORM,
    "config_subentries.credential.abort.credential_saved": TOLD,
    "config_subentries.credential.create_entry.": TOLD,
    "config_subentries.credential.abort.integration_gone": {"domain"},
    "config_subentries.credential.abort.platform_broken": {"problem"},
    "config_subentries.credential.error.": FORM,
    "config_subentries.credential.step.credential.": FORM,
    "config_subentries.credential.step.edit.": FORM,
    "config_subentries.credential.step.integration.": {"url"},
    "config_subentries.credential.step.retry.": FORM,
    # An issue is for everybody; the steps of its repair bring what is for admins.
    "issues.credential_rejected.fix_flow.": FORM,
    "issues.credential_rejected.fix_flow.abort.credential_saved": TOLD,
    "issues.credential_rejected.title": {"credential"},
    "issues.application_credential_rejected.title": {"credential"},
    "issues.application_credential_rejected.fix_flow.": FORM
    | {"answer", "credential", "entries", "since"},
    "issues.application_credential_rejected.fix_flow.abort.credential_saved": TOLD,
    "issues.application_credential_rejected.fix_flow.abort.integration_gone": {"domain"},
    "issues.application_credential_deleted.title": {"credential"},
    "issues.application_credential_deleted.fix_flow.": {
        "credential",
        "entries",
        "integration",
        "name",
    },
    "issues.entries_orphaned.title": {"name"},
    "issues.entries_orphaned.fix_flow.": {"entries", "integration", "name"},
    "issues.credential_damaged.": {"integration", "name"},
    "issues.entries_orphaned.fix_flow.abort.credential_saved": TOLD,
    "issues.entries_orphaned.fix_flow.abort.platform_broken": {"problem"},
    "issues.entries_orphaned.fix_flow.error.": FORM,
    "issues.entries_orphaned.fix_flow.step.credential.": FORM,
    "issues.entries_orphaned.fix_flow.step.retry.": FORM,
    "issues.own_yaml.": {"domain", "integration", "name"},
    "issues.platform_": {"integration", "detail", "report_to"},
    "issues.yaml_bad_variable.": {"place", "key"},
    "issues.yaml_duplicate.": {"place", "key"},
    "issues.yaml_malformed_key.": {"place", "key"},
    "issues.yaml_missing_key.": {"place", "key"},
    "issues.yaml_not_": {"place", "key"},
    "issues.yaml_unknown_": {"place"},
    "issues.yaml_unknown_variable.": {"place", "key"},
    "issues.yaml_unsupported_integration.": {"place", "key"},
    "selector.situation.options.accepted": {"integration", "time"},
    "selector.situation.options.elsewhere": {"address"},
    "selector.situation.options.links": {"links"},
    "selector.situation.options.redirect_uri": {"uri"},
    "selector.situation.options.refreshed": {"time"},
    "selector.situation.options.rejected": {"answer", "integration", "since"},
    "selector.situation.options.saved_": {"integration"},
    "selector.situation.options.used_by": {"entries"},
}


def _leaves(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


@pytest.mark.parametrize(("key", "text"), _leaves(TRANSLATIONS))
def test_placeholders(key: str, text: str) -> None:
    """A text uses no placeholder but those that the code gives."""
    used = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    given = {
        name for start in PLACEHOLDERS if key.startswith(start) for name in PLACEHOLDERS[start]
    }
    assert used <= given


def test_each_text_stands_once() -> None:
    """A text that is used in several places is written in one, and the others refer to it."""
    texts = Counter(text for _, text in _leaves(STRINGS) if not text.startswith("[%key:"))
    assert [text for text, count in texts.items() if count > 1 and len(text) > 20] == []


def test_flows_speak_alike() -> None:
    """Both flows have the same texts."""
    assert SUBENTRY["error"] == CONFIG["error"]
    # That of the entry adds and edits credentials of ours.
    assert set(SUBENTRY["step"]) == {"integration", "credential", "retry", "edit"}
    for section in ("step", "abort"):
        for key in SUBENTRY[section].keys() & CONFIG[section].keys():
            # That of a flow is about an account.
            of = CONFIG["error"] if key == "already_configured" else CONFIG[section]
            assert SUBENTRY[section][key] == of[key]
    # The label of a button, and the title of what it opens.
    assert CONFIG["initiate_flow"] == {"user": CONFIG["step"]["user"]["title"]}
    assert set(SUBENTRY["initiate_flow"]) == {"user", "reconfigure"}


def test_card() -> None:
    """The card under "Discovered" says what is wanted, not only for which integration."""
    assert CONFIG["flow_title"].format(name="Acme") == "Acme needs a credential"


def test_form_texts() -> None:
    """Each step, field and error of the form has a text, and each text has its use."""
    form = SOURCE["credential_form"] + SOURCE["credential_steps"]
    own, _, _ = SOURCE["config_flow"].partition("class CredentialSubentryFlow")
    steps = set(re.findall(r"def async_step_(\w+)", form + own))
    without_text = {"import", "integration_discovery", "finish"}
    assert steps - without_text == set(CONFIG["step"]) - account_flow.STEPS
    fields = {"client_id", "client_secret", "save_anyway"} | VARIABLES
    more = {"name", "redirect_uri"}
    menus = [
        set(re.findall(r'"(\w+)"', options))
        for options in re.findall(r"options ?= ?\[(.*?)\]", own)
    ]
    user, following = (CONFIG["step"][step] for step in ("user", "next"))
    assert menus == [set(user["menu_options"]), set(following["menu_options"])]
    assert set(user["menu_option_descriptions"]) == menus[0]
    nothing: set[str] = set()
    for step, names, in_section in (
        ("integration", {"domain"}, nothing),
        ("application_credential", {"credential"}, nothing),
        ("edit_application_credential", fields - VARIABLES, {"name"}),
        ("credential", fields, more),
        ("edit", fields, more),
        ("retry", fields, more),
    ):
        texts = CONFIG["step"][step]
        assert set(texts["data"]) == set(texts["data_description"]) == names
        section = texts.get("sections", {}).get("more", {"data": {}, "data_description": {}})
        assert set(section["data"]) == set(section["data_description"]) == in_section
    errors = set(re.findall(r'\{(?:CONF_CLIENT_ID|"base"|\w+): "(\w+)"', form))
    assert errors | {Outcome.REJECTED, Outcome.REDIRECT_URI_REJECTED} == set(CONFIG["error"])
    options = TRANSLATIONS["selector"]["redirect_uri"]["options"]
    assert set(options) == {*RedirectUri, REGISTERED}


def test_account_texts() -> None:
    """The steps of an account have texts, and what its menu offers."""
    flow = SOURCE["account_flow"]
    assert set(CONFIG["step"]) >= account_flow.STEPS
    for step in account_flow.STEPS:
        assert {"title", "description"} <= set(CONFIG["step"][step])
        # The frontend takes the labels of fields from the integration only.
        assert "data" not in CONFIG["step"][step]
    options = set(re.findall(r'"(reconfigure_\w+)":', flow))
    assert options == set(TRANSLATIONS["selector"]["reconfigure"]["options"])
    assert options == set(CONFIG["step"]["reconfigure"]["menu_option_descriptions"])
    assert options == {
        one.removeprefix("async_step_")
        for one in dir(account_flow.AccountFlow)
        if one.startswith("async_step_reconfigure_")
    }


def test_options_texts() -> None:
    """Each field, choice and error of the options flow has a text, and each text has its use."""
    steps = TRANSLATIONS["options"]["step"]
    assert set(re.findall(r'step_id="(\w+)"', SOURCE["options_flow"])) == set(steps)
    for step, fields in (
        ("init", {CONF_LOOK_AFTER, CONF_VERIFY, CONF_ADOPT}),
        ("adopted", {CONF_ADOPTED}),
    ):
        assert set(steps[step]["data"]) == set(steps[step]["data_description"]) == fields
    assert set(TRANSLATIONS["selector"][CONF_ADOPT]["options"]) == set(ADOPT_CHOICES)
    errors = re.findall(r'CONF_\w+: "(\w+)"', SOURCE["options_flow"])
    assert set(errors) == set(TRANSLATIONS["options"]["error"])
    # What is experimental is called so wherever it is chosen.
    assert "experimental" in steps["init"]["data"][CONF_ADOPT]
    assert "experimental" in steps["adopted"]["title"]


def test_situation_texts() -> None:
    """Each text that the form is composed of has its use."""
    form = SOURCE["situation"] + SOURCE["credential_form"]
    keys = set(re.findall(r'texts\["(\w+)"\]', form)) | {f"saved_{one}" for one in OBJECTIONS}
    keys |= set(re.findall(r'"(redirect_uri\w*)"', SOURCE["situation"]))
    assert keys == set(TRANSLATIONS["selector"]["situation"]["options"])


def test_abort_texts() -> None:
    """Each abort has a text, and each text has its use."""
    reasons = {name: set(re.findall(r'reason="(\w+)"', SOURCE[name])) for name in SOURCE}
    authorize = set(re.findall(r'"(authorize_\w+)"', SOURCE["flow_handler"]))
    config_flow, _, subentry_flow = SOURCE["config_flow"].partition("class CredentialSubentryFlow")
    # Home Assistant aborts by itself where the unique id of a subentry is taken.
    form = reasons["credential_form"] | reasons["credential_steps"] | set(SAVED.values())
    shared = form | OBSTACLES | {"already_configured"}
    assert set(CONFIG["abort"]) == (
        shared
        | set(re.findall(r'reason="(\w+)"', config_flow))
        | reasons["flow_handler"]
        | reasons["account_flow"]
        | account_flow.ABORTS
        | {f"token_{kind.reason}" for kind in KINDS}
        | authorize
        | set(re.findall(r'AbortFlow\("(\w+)"', SOURCE["implementation"]))
    )
    assert set(SUBENTRY["abort"]) == shared | set(re.findall(r'reason="(\w+)"', subentry_flow))
    assert SUBENTRY["create_entry"] == {one: CONFIG["abort"][one] for one in SAVED.values()}


def test_issue_texts() -> None:
    """Each repair has a text, and each text has its use."""
    platform = re.findall(r'PlatformError\(\s*"(\w+)"', "".join(SOURCE.values()))
    yaml = re.findall(r'YamlProblem\([\w.]+, "(\w+)"', SOURCE["yaml_reader"])
    # But for those of exceptions.
    key = r'(?<!translation_domain=DOMAIN, )translation_key="(\w+)"'
    others = re.findall(key, "".join(SOURCE.values()))
    assert {f"platform_{reason}" for reason in platform} | {
        f"yaml_{reason}" for reason in yaml
    } | set(others) - set(TRANSLATIONS["exceptions"]) == set(TRANSLATIONS["issues"])
    for texts in TRANSLATIONS["issues"].values():
        assert texts.keys() in ({"title", "description"}, {"title", "fix_flow"})


def test_repair_texts() -> None:
    """The repairs use the texts of the form, and each of their own steps and aborts has a text."""
    rejected, orphaned = (
        TRANSLATIONS["issues"][name]["fix_flow"]
        for name in ("credential_rejected", "entries_orphaned")
    )
    assert orphaned["error"] == CONFIG["error"]
    unchanged = set(re.findall(r'return "(still_\w+)"', SOURCE["repair_flow"]))
    assert rejected["error"].keys() == CONFIG["error"].keys() | unchanged
    assert rejected["error"].items() >= CONFIG["error"].items()
    for step in ("credential", "retry"):
        for texts in ("description", "title"):
            assert orphaned["step"][step][texts] == CONFIG["step"][step][texts]
    core = TRANSLATIONS["issues"]["application_credential_rejected"]["fix_flow"]
    assert core["error"] == rejected["error"]
    form = "edit_application_credential"
    for step, its in (
        ("edit", rejected["step"]["edit"]),
        (form, core["step"][form]),
        ("credential", orphaned["step"]["credential"]),
        ("retry", orphaned["step"]["retry"]),
    ):
        # The frontend looks for those of a section among the others there.
        section = CONFIG["step"][step]["sections"]["more"]
        assert its["data"] == (
            CONFIG["step"][step]["data"] | section["data"] | {"more": section["name"]}
        )
        assert its["data_description"] == (
            CONFIG["step"][step]["data_description"] | section["data_description"]
        )
    assert set(core["step"]) == {form, "init", "built_in"}
    assert set(core["step"]["init"]["menu_options"]) == {form, "log_in"}
    reasons = set(re.findall(r'reason="(\w+)"', SOURCE["core_repairs"]))
    assert set(core["abort"]) == reasons | set(SAVED.values())
    deleted = TRANSLATIONS["issues"]["application_credential_deleted"]["fix_flow"]
    assert set(deleted["step"]["init"]["menu_options"]) == {"restore", "move"}
    assert deleted["step"]["move"] == orphaned["step"]["move"]
    for reason, text in deleted["abort"].items():
        assert text == orphaned["abort"][reason]
    rejected_flow, _, orphaned_flow = SOURCE["repairs"].partition("class OrphanedEntriesFlow")
    assert set(rejected["step"]) == {"edit"}
    options = set(re.findall(r'options\.append\("(\w+)"\)', orphaned_flow))
    assert set(orphaned["step"]) == {"init", "move", "credential", "retry"}
    assert set(orphaned["step"]["init"]["menu_options"]) == options
    for flow, texts in ((rejected_flow, rejected), (orphaned_flow, orphaned)):
        # Only a new credential is kept from being saved while Developer Credentials is disabled,
        # or its integration is broken.
        obstacles = OBSTACLES - {"entry_disabled"}
        if flow is orphaned_flow:
            obstacles = OBSTACLES | {"platform_broken"}
        reasons = obstacles | set(SAVED.values())
        assert set(texts["abort"]) == reasons | set(re.findall(r'reason="(\w+)"', flow))
        for reason in texts["abort"].keys() & CONFIG["abort"].keys():
            assert texts["abort"][reason] == CONFIG["abort"][reason]


def test_exception_texts() -> None:
    """Each error that people see has a text, and each text has its use."""
    commands = SOURCE["websocket_api"] + SOURCE["websocket_commands"]
    keys = re.findall(r'CommandError\("\w+", "(\w+)"', commands)
    # What a platform that is there may have wrong.
    reasons = re.findall(r'PlatformError\(\s*"(\w+)"', SOURCE["platform"])
    platform = {f"platform_{reason}" for reason in reasons}
    token = {f"token_{kind.reason}" for kind in KINDS}
    reload = re.findall(r'translation_key="(\w+)"', (PACKAGE / "__init__.py").read_text())
    assert {*keys, *platform, *token, *reload} == set(TRANSLATIONS["exceptions"])
    for key in platform:
        message = TRANSLATIONS["exceptions"][key]["message"]
        description = TRANSLATIONS["issues"][key]["description"]
        assert description.startswith(message)
        # What the user cannot mend is reported to whoever can.
        assert "{report_to}" in description
    for key in token:
        assert "{" not in TRANSLATIONS["exceptions"][key]["message"]


def test_system_health_texts() -> None:
    """Each line of the system health has a text, but for those that are hosts."""
    keys = re.findall(r'^        "(\w+)":', SOURCE["system_health"], re.MULTILINE)
    assert set(keys) == set(TRANSLATIONS["system_health"]["info"])
