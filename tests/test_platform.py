"""Tests of finding, loading and judging platforms."""

import sys

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigFlowContext,
    SubentryFlowContext,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    async_get_implementations,
)
from homeassistant.loader import async_get_integration
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.platform import (
    MAX_DETAIL,
    PlatformError,
    async_get_integrations,
    async_get_platform,
    async_report_problem,
)
from tests.common import (
    CONFIG_FLOW,
    PLATFORM,
    SENTINEL,
    add_credential,
    begin_adding,
    begin_repair,
    continue_repair,
    entry_of,
    issue_ids,
    stored,
    suggested,
)
from tests.conftest import Install

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")

BROKEN = {
    "import": ("import does_not_exist", "import failed", "No module named 'does_not_exist'"),
    "syntax": ("def", "import failed", "SyntaxError"),
    "raises_on_import": ("raise KeyError('no luck')", "import failed", "KeyError"),
    "no_function": ("", "missing function", "async_get_authorization_server"),
    "server_of_wrong_type": (
        "async def async_get_authorization_server(hass): return 'https://cloud.example'",
        "wrong type",
        "async_get_authorization_server, str",
    ),
    "server_raises": (
        "async def async_get_authorization_server(hass): raise KeyError('x')",
        "function raised",
        "async_get_authorization_server, KeyError",
    ),
    "server_that_cannot_be": (
        PLATFORM.replace("https://cloud.example/token", "http://cloud.example/token"),
        "invalid server",
        "token_url must use https, since cloud.example is not a local host",
    ),
    "server_with_odd_scope": (
        PLATFORM.replace('/token")', '/token", scopes=["`" + "x y" * 200])'),
        "invalid server",
        "scopes has ''x yx y",
    ),
    "implementation_with_an_odd_server": (
        """
from custom_components.developer_credentials import AuthorizationServer
async def async_get_auth_implementation(hass, auth_domain, credential):
    return AuthorizationServer(f"http://{credential.client_id}.example", "")
""",
        "invalid server",
        "authorize_url",
    ),
    "module_with_odd_words": (
        "raise ImportError('`a`\\n\\u202e' + 'b' * 1000)",
        "import failed",
        "ImportError: 'a' bbb",
    ),
    "not_async": (
        "def async_get_authorization_server(hass): return 1",
        "function raised",
        "async_get_authorization_server, TypeError",
    ),
    "wrong_signature": (
        "async def async_get_authorization_server(): pass",
        "function raised",
        "async_get_authorization_server, TypeError",
    ),
    "implementation_of_wrong_type": (
        "async def async_get_auth_implementation(hass, auth_domain, credential): return None",
        "wrong type",
        "async_get_auth_implementation, NoneType",
    ),
    "implementation_raises_secret": (
        """
async def async_get_auth_implementation(hass, auth_domain, credential):
    raise ValueError(credential.client_secret)
""",
        "function raised",
        "async_get_auth_implementation, ValueError",
    ),
    "implementation_without_a_domain": (
        """
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation
class Broken(LocalOAuth2Implementation):
    def __init__(self):
        pass
async def async_get_auth_implementation(hass, auth_domain, credential):
    return Broken()
""",
        "function raised",
        "domain, AttributeError",
    ),
    "implementation_of_another": (
        """
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation
async def async_get_auth_implementation(hass, auth_domain, credential):
    return LocalOAuth2Implementation(hass, "other", "", "", "", "")
""",
        "wrong auth domain",
        "async_get_auth_implementation",
    ),
}


async def test_found_without_import(hass: HomeAssistant, install: Install) -> None:
    """Installed integrations with the platform are found by their files, and not imported."""
    install("with_platform", "raise RuntimeError")
    install("without_platform")
    integrations = await async_get_integrations(hass)
    assert sorted(integrations) == ["demo_cloud", "with_platform"]
    assert "custom_components.with_platform" not in sys.modules


async def test_no_platform(hass: HomeAssistant, install: Install) -> None:
    """An integration without the platform, or none at all, has no platform and no problem."""
    install("without_platform")
    for domain in ("without_platform", "unknown", "sun"):
        assert await async_get_platform(hass, domain) is None
        assert await async_get_implementations(hass, domain) == {}
    assert ir.async_get(hass).issues == {}


async def test_loaded_once(hass: HomeAssistant, install: Install) -> None:
    """A platform is imported when it is first needed."""
    install("acme", PLATFORM)
    platform = await async_get_platform(hass, "acme")
    assert platform is sys.modules["custom_components.acme.developer_credentials"]
    assert await async_get_platform(hass, "acme") is platform


@pytest.mark.parametrize(("code", "reason", "detail"), BROKEN.values(), ids=list(BROKEN))
async def test_broken(
    hass: HomeAssistant,
    install: Install,
    caplog: pytest.LogCaptureFixture,
    code: str,
    reason: str,
    detail: str,
) -> None:
    """A broken platform is told once, gives no implementation, and concerns no other one."""
    install("broken", code)
    install("whole", PLATFORM)
    for domain in ("broken", "whole"):
        await add_credential(hass, domain)
    caplog.clear()
    for _ in range(2):
        # Its entries try again, since no login could help.
        with pytest.raises(ImplementationUnavailableError):
            await async_get_implementations(hass, "broken")
        assert list(await async_get_implementations(hass, "whole")) == ["whole_client_id"]
    messages = [
        record.getMessage()
        for record in caplog.records
        if record.name == "custom_components.developer_credentials"
    ]
    (message,) = messages
    assert message.startswith(f"The developer_credentials platform of broken is broken: {reason}")
    assert detail in message
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_key == f"platform_{reason.replace(' ', '_')}"
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["integration"] == "broken"
    assert detail in issue.translation_placeholders["detail"]
    # Every user can read it.
    assert SENTINEL not in str(issue)
    assert "client-id" not in str(issue)
    assert "client_id" not in str(issue)
    assert len(issue.translation_placeholders["detail"]) <= MAX_DETAIL
    assert "other" not in str(issue)


@pytest.mark.parametrize(
    ("manifest", "report_to"),
    [
        ({"issue_tracker": "https://a.example/x/issues"}, "https://a.example/x/issues"),
        ({"documentation": "https://a.example/x"}, "https://a.example/x"),
        ({"issue_tracker": "javascript:alert(1)"}, r"Bro\*ken"),
        ({"issue_tracker": "https://a.example/) [x](https://b.example"}, r"Bro\*ken"),
        ({"issue_tracker": 5, "documentation": None}, r"Bro\*ken"),
        ({}, r"Bro\*ken"),
    ],
)
async def test_where_to_report(
    hass: HomeAssistant, install: Install, manifest: dict[str, object], report_to: str
) -> None:
    """A repair that only a developer can act on says where to report it, as plain text or link."""
    install("broken", "raise RuntimeError")
    integration = await async_get_integration(hass, "broken")
    integration.manifest.update({"name": "Bro*ken", **manifest})  # type: ignore[typeddict-item]
    assert await async_get_implementations(hass, "broken") == {}
    issue = ir.async_get(hass).async_get_issue(DOMAIN, "platform_broken")
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["report_to"] == report_to


# What is wrong shows without a credential.
BROKEN_FOR_ALL = [name for name in BROKEN if not name.startswith("implementation_")]
FORM = {"client_id": "id", "client_secret": SENTINEL}


@pytest.mark.parametrize("name", BROKEN_FOR_ALL)
async def test_said_before_the_form(hass: HomeAssistant, install: Install, name: str) -> None:
    """No credential is asked for that could not be used: what is wrong is said, and whom to tell.

    So it is where the integration's own dialog asks for it.
    """
    code, reason, detail = BROKEN[name]
    install("broken", code, config_flow=CONFIG_FLOW.replace("acme", "broken"))
    manifest = (await async_get_integration(hass, "broken")).manifest
    manifest["issue_tracker"] = "https://a.example/x/issues"
    own = await begin_adding(hass, "broken")
    context: ConfigFlowContext = {"source": SOURCE_USER}
    theirs = await hass.config_entries.flow.async_init("broken", context=context)
    for result in (own, theirs):
        assert result["type"] is FlowResultType.ABORT
        assert (result["reason"], result.get("translation_domain", DOMAIN)) == (
            "platform_broken",
            DOMAIN,
        )
        told = result["description_placeholders"]
        assert told is not None
        assert told["problem"].endswith("integration: https://a.example/x/issues")
        assert "The integration `broken` cannot use its credentials" in told["problem"]
        assert detail in told["problem"]
    issue = ir.async_get(hass).async_get_issue(DOMAIN, "platform_broken")
    assert issue is not None
    assert issue.translation_key == f"platform_{reason.replace(' ', '_')}"
    assert stored(hass) == []


@pytest.mark.usefixtures("socket_enabled")
async def test_said_in_the_form(hass: HomeAssistant, install: Install) -> None:
    """What is wrong for what was entered only is said in the form, which keeps that, unsaved."""
    moody = """
from custom_components.developer_credentials import AuthorizationServer, ServerVariable
async def async_get_authorization_server(hass):
    url = "http://127.0.0.1:9/{tenant}"
    return AuthorizationServer(url, url, variables=[ServerVariable("tenant", "Tenant")])
async def async_get_authorization_server_for(hass, credential):
    url = f"http://127.0.0.1:{ {'good': 9}[credential.variables['tenant']] }/"
    return AuthorizationServer(url, url)
"""
    install("broken", moody)
    step = await begin_adding(hass, "broken")
    flow = hass.config_entries.flow
    step = await flow.async_configure(step["flow_id"], {**FORM, "variable_1": "bad"})
    assert step["errors"] == {"base": "platform_broken"}
    assert step["description_placeholders"] is not None
    assert "KeyError" in step["description_placeholders"]["detail"]
    assert suggested(step).items() >= {"client_id": "id", "variable_1": "bad"}.items()
    assert stored(hass) == []
    assert issue_ids(hass) == ["platform_broken"]
    values = {"client_id": "id", "variable_1": "good"}
    step = await flow.async_configure(step["flow_id"], values)
    assert step["reason"] == "credential_saved_unchecked"
    assert stored(hass)[0].items() >= FORM.items()


async def test_said_where_a_credential_is_edited(hass: HomeAssistant, install: Install) -> None:
    """A credential that is there can be edited all the same; the form begins with what is wrong."""
    install("broken", BROKEN["implementation_raises_secret"][0])
    subentry = await add_credential(hass, "broken")
    flow = hass.config_entries.subentries
    context: SubentryFlowContext = {
        "source": SOURCE_RECONFIGURE,
        "subentry_id": subentry.subentry_id,
    }
    step = await flow.async_init((entry_of(hass).entry_id, "credential"), context=context)
    assert step["description_placeholders"] is not None
    situation = step["description_placeholders"]["situation"]
    assert situation.startswith("The integration `broken` cannot use its credentials")
    assert "Report this to the developer of the integration: Broken\n\n" in situation
    assert SENTINEL not in situation
    result = await flow.async_configure(step["flow_id"], {"client_id": "new"})
    assert result["reason"] == "credential_saved_unchecked"
    assert stored(hass)[0]["client_id"] == "new"


async def test_said_where_there_is_a_credential(hass: HomeAssistant, install: Install) -> None:
    """The integration's own dialog says it, too, where it has a credential that it cannot use."""
    install("broken", "", config_flow=CONFIG_FLOW.replace("acme", "broken"))
    await add_credential(hass, "broken")
    context: ConfigFlowContext = {"source": SOURCE_USER}
    result = await hass.config_entries.flow.async_init("broken", context=context)
    assert (result["reason"], result["translation_domain"]) == ("platform_broken", DOMAIN)
    assert "lacks `async_get_authorization_server`" in str(result["description_placeholders"])


async def test_said_in_a_repair(
    hass: HomeAssistant, install: Install, hass_client: ClientSessionGenerator
) -> None:
    """A repair that asks for a credential says it in the place of the form."""
    install("broken", PLATFORM)
    subentry = await add_credential(hass, "broken")
    data = {"auth_implementation": subentry.data["auth_domain"], "token": {}}
    MockConfigEntry(domain="broken", data=data).add_to_hass(hass)
    hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
    await hass.async_block_till_done()
    platform = await async_get_platform(hass, "broken")
    vars(platform)["async_get_authorization_server"] = None
    (issue_id,) = issue_ids(hass)
    step = await begin_repair(hass_client, issue_id)
    result = await continue_repair(hass, hass_client, step, {"next_step_id": "add"})
    assert result["reason"] == "platform_broken"
    assert "`async_get_authorization_server, TypeError`" in str(result["description_placeholders"])


async def test_where_to_report_an_unknown_one(hass: HomeAssistant) -> None:
    """One that is not known to Home Assistant is called by its domain."""
    async_report_problem(hass, "unknown", PlatformError("function_raised", "x"))
    issue = ir.async_get(hass).async_get_issue(DOMAIN, "platform_unknown")
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["report_to"] == "unknown"


async def test_broken_without_a_credential(hass: HomeAssistant, install: Install) -> None:
    """Without a credential there is nothing to try again for; the platform is told of as well."""
    install("broken", "raise ImportError")
    assert await async_get_implementations(hass, "broken") == {}
    assert ir.async_get(hass).async_get_issue(DOMAIN, "platform_broken")


async def test_failed_import_is_not_tried_again(hass: HomeAssistant, install: Install) -> None:
    """A module that failed to import is left alone until the restart."""
    install(
        "broken",
        "import builtins\n"
        "builtins.attempts = getattr(builtins, 'attempts', 0) + 1\n"
        "raise ImportError",
    )
    await async_get_implementations(hass, "broken")
    first = sys.modules["builtins"].attempts
    await async_get_implementations(hass, "broken")
    assert sys.modules["builtins"].attempts == first
    del sys.modules["builtins"].attempts


async def test_missing_requirement(hass: HomeAssistant, install: Install) -> None:
    """The requirements of an integration that is not set up yet are seen to before the import."""
    install("acme", PLATFORM)
    integration = (await async_get_integrations(hass))["acme"]
    integration.manifest["requirements"] = ["no-such-package @ file:///nowhere"]
    hass.config.skip_pip = False
    for _ in range(2):
        with pytest.raises(PlatformError, match="requirements missing: Requirements for acme"):
            await async_get_platform(hass, "acme")
    hass.config.skip_pip = True
    assert await async_get_platform(hass, "acme")


async def test_recovers(hass: HomeAssistant, install: Install) -> None:
    """A platform that works again is no problem any more."""
    install(
        "moody",
        PLATFORM
        + "good = async_get_authorization_server\n"
        + "async def async_get_authorization_server(hass):\n"
        + "    return await good(hass) if hass.data.get('mood') else None\n",
    )
    await add_credential(hass, "moody")
    with pytest.raises(ImplementationUnavailableError):
        await async_get_implementations(hass, "moody")
    assert ir.async_get(hass).async_get_issue(DOMAIN, "platform_moody")
    hass.data["mood"] = True
    assert list(await async_get_implementations(hass, "moody")) == ["moody_client_id"]
    assert ir.async_get(hass).async_get_issue(DOMAIN, "platform_moody") is None


@pytest.mark.parametrize("knows_credential", [True, False])
async def test_text_of_unavailable(
    hass: HomeAssistant, install: Install, knows_credential: bool
) -> None:
    """Why a server cannot be used now is told, unless the function knows the credential."""
    function = (
        "async_get_auth_implementation(hass, auth_domain, credential)"
        if knows_credential
        else "async_get_authorization_server(hass)"
    )
    install(
        "offline",
        f"""
from homeassistant.helpers.config_entry_oauth2_flow import ImplementationUnavailableError
async def {function}:
    raise ImplementationUnavailableError("no network, " + repr(locals()))
""",
    )
    await add_credential(hass, "offline")
    with pytest.raises(ImplementationUnavailableError) as raised:
        await async_get_implementations(hass, "offline")
    text = str(raised.value)
    assert ("no network" in text) is not knows_credential
    assert ("async_get_auth_implementation" in text) is knows_credential


async def test_unavailable(hass: HomeAssistant, install: Install) -> None:
    """A platform may say that its server cannot be used now; that is no problem of the platform."""
    install(
        "offline",
        """
from homeassistant.helpers.config_entry_oauth2_flow import ImplementationUnavailableError
async def async_get_authorization_server(hass):
    raise ImplementationUnavailableError("no network")
""",
    )
    await add_credential(hass, "offline")
    with pytest.raises(ImplementationUnavailableError):
        await async_get_implementations(hass, "offline")
    assert ir.async_get(hass).issues == {}
