"""Every message has a translation, and the placeholders of both agree."""

from collections import Counter
from collections.abc import Iterator
import json
from pathlib import Path
import re
from string import Formatter
from typing import Any

import pytest

from custom_components.developer_credentials.oauth2.errors import TokenRequestError
from custom_components.developer_credentials.oauth2.redirect_uri import RedirectUri
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

# What keeps a credential from being saved.
OBSTACLES = set(re.findall(r'(?:return|else) "(\w+)"', SOURCE["credential_subject"]))

VARIABLES = {f"variable_{number}" for number in range(1, MAX_VARIABLES + 1)}

FORM = {"integration", "instructions", "redirect_uris", "detail", "entries"} | VARIABLES

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
    "config.abort.authorize_": {"integration", "detail"},
    "config.abort.credential_saved": {"title"},
    "config.abort.integration_gone": {"domain"},
    "config.abort.no_integrations": {"url"},
    "config.abort.server_unknown": {"detail"},
    "config.abort.token_": {"integration", "detail"},
    "config.error.": FORM,
    "config.flow_title": {"name"},
    "config.step.credential.": FORM,
    "config.step.edit.": FORM,
    "config.step.edit_application_credential.": FORM,
    "config.step.retry.": FORM,
    "config_subentries.credential.abort.credential_saved": {"title"},
    "config_subentries.credential.abort.integration_gone": {"domain"},
    "config_subentries.credential.abort.no_integrations": {"url"},
    "config_subentries.credential.error.": FORM,
    "config_subentries.credential.step.credential.": FORM,
    "config_subentries.credential.step.edit.": FORM,
    "config_subentries.credential.step.edit_application_credential.": FORM,
    "config_subentries.credential.step.retry.": FORM,
    # An issue is for everybody; the steps of its repair bring what is for admins.
    "issues.credential_rejected.fix_flow.": FORM | {"answer", "credential", "since"},
    "issues.credential_rejected.title": {"credential"},
    "issues.application_credential_rejected.title": {"credential"},
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
    "issues.entries_orphaned.fix_flow.error.": FORM,
    "issues.entries_orphaned.fix_flow.step.credential.": FORM,
    "issues.entries_orphaned.fix_flow.step.retry.": FORM,
    "issues.own_yaml.": {"domain", "integration", "name"},
    "issues.platform_": {"integration", "detail"},
    "issues.yaml_bad_variable.": {"place", "key"},
    "issues.yaml_duplicate.": {"place", "key"},
    "issues.yaml_item_gone.": {"credential"},
    "issues.yaml_malformed_key.": {"place", "key"},
    "issues.yaml_missing_key.": {"place", "key"},
    "issues.yaml_not_": {"place", "key"},
    "issues.yaml_unknown_": {"place"},
    "issues.yaml_unknown_variable.": {"place", "key"},
    "issues.yaml_unsupported_integration.": {"place", "key"},
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
    for section in ("step", "error"):
        assert SUBENTRY[section] == CONFIG[section]
    common = SUBENTRY["abort"].keys() & CONFIG["abort"].keys()
    assert {key: SUBENTRY["abort"][key] for key in common} == {
        key: CONFIG["abort"][key] for key in common
    }


def test_form_texts() -> None:
    """Each step, field and error of the form has a text, and each text has its use."""
    form = SOURCE["credential_form"] + SOURCE["credential_steps"]
    assert set(re.findall(r"def async_step_(\w+)", form)) == set(CONFIG["step"])
    fields = {"name", "client_id", "client_secret", "redirect_uri"} | VARIABLES
    menu = CONFIG["step"]["user"]["menu_options"]
    options = re.findall(r"menu_options=\[(.*?)\]", form)[0]
    assert set(menu) == set(re.findall(r'"(\w+)"', options))
    for step, names in {
        "integration": {"domain"},
        "application_credential": {"credential"},
        "edit_application_credential": fields - {"redirect_uri"} - VARIABLES,
        "credential": fields,
        "edit": fields,
        "retry": fields,
    }.items():
        assert set(CONFIG["step"][step]["data"]) == names
        assert set(CONFIG["step"][step]["data_description"]) == names
    errors = set(re.findall(r'\{(?:CONF_CLIENT_ID|"base"|\w+): "(\w+)"', form))
    assert errors | {Outcome.REJECTED, Outcome.REDIRECT_URI_REJECTED} == set(CONFIG["error"])
    options = TRANSLATIONS["selector"]["redirect_uri"]["options"]
    assert set(options) == set(RedirectUri)


def test_abort_texts() -> None:
    """Each abort has a text, and each text has its use."""
    reasons = {name: set(re.findall(r'reason="(\w+)"', SOURCE[name])) for name in SOURCE}
    kinds = {
        kind.reason
        for effect in TokenRequestError.__subclasses__()
        for kind in effect.__subclasses__()
    } - {"invalid_client"}
    authorize = set(re.findall(r'"(authorize_\w+)"', SOURCE["flow_handler"]))
    config_flow, _, subentry_flow = SOURCE["config_flow"].partition("class CredentialSubentryFlow")
    # Home Assistant aborts by itself where the unique id of a subentry is taken.
    form = reasons["credential_form"] | reasons["credential_steps"]
    shared = form | OBSTACLES | {"already_configured"}
    assert set(CONFIG["abort"]) == (
        shared
        | set(re.findall(r'reason="(\w+)"', config_flow))
        | reasons["flow_handler"]
        | {f"token_{kind}" for kind in kinds}
        | authorize
        | set(re.findall(r'AbortFlow\("(\w+)"', SOURCE["implementation"]))
    )
    assert set(SUBENTRY["abort"]) == shared | set(re.findall(r'reason="(\w+)"', subentry_flow))


def test_issue_texts() -> None:
    """Each repair has a text, and each text has its use."""
    platform = re.findall(r'PlatformError\(\s*"(\w+)"', "".join(SOURCE.values()))
    yaml = re.findall(r'YamlProblem\([\w.]+, "(\w+)"', SOURCE["yaml_reader"])
    others = re.findall(r'translation_key="(\w+)"', "".join(SOURCE.values()))
    assert {f"platform_{reason}" for reason in platform} | {
        f"yaml_{reason}" for reason in yaml
    } | set(others) == set(TRANSLATIONS["issues"])
    for texts in TRANSLATIONS["issues"].values():
        assert texts.keys() in ({"title", "description"}, {"title", "fix_flow"})


def test_repair_texts() -> None:
    """The repairs use the texts of the form, and each of their own steps and aborts has a text."""
    rejected, orphaned = (
        TRANSLATIONS["issues"][name]["fix_flow"]
        for name in ("credential_rejected", "entries_orphaned")
    )
    assert rejected["error"] == orphaned["error"] == CONFIG["error"]
    for step in ("credential", "retry"):
        assert orphaned["step"][step] == CONFIG["step"][step]
    for texts in ("data", "data_description"):
        assert rejected["step"]["edit"][texts] == CONFIG["step"]["edit"][texts]
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
        # Only a new credential is kept from being saved while Developer Credentials is disabled.
        obstacles = OBSTACLES if flow is orphaned_flow else OBSTACLES - {"entry_disabled"}
        assert set(texts["abort"]) == obstacles | set(re.findall(r'reason="(\w+)"', flow))
        for reason in texts["abort"].keys() & CONFIG["abort"].keys():
            assert texts["abort"][reason] == CONFIG["abort"][reason]


def test_exception_texts() -> None:
    """Each error of a command has a text, and each text has its use."""
    commands = SOURCE["websocket_api"] + SOURCE["websocket_commands"]
    keys = re.findall(r'CommandError\("\w+", "(\w+)"', commands)
    # What a platform that is there may have wrong.
    reasons = re.findall(r'PlatformError\(\s*"(\w+)"', SOURCE["platform"])
    platform = {f"platform_{reason}" for reason in reasons}
    assert set(keys) | platform == set(TRANSLATIONS["exceptions"])
    for key in platform:
        assert (
            TRANSLATIONS["exceptions"][key]["message"]
            == (TRANSLATIONS["issues"][key]["description"])
        )


def test_system_health_texts() -> None:
    """Each line of the system health has a text, but for those that are hosts."""
    keys = re.findall(r'^        "(\w+)":', SOURCE["system_health"], re.MULTILINE)
    assert set(keys) == set(TRANSLATIONS["system_health"]["info"])
