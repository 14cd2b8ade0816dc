"""What a flow does for an account: it logs in, logs in again, and gets to its credential.

All integrations on OAuth2 need the same: the check that the same account has logged in, a reauth,
and, from the menu of the account, the way to its credential. The texts are ours, unless the
integration has its own under the keys that are usual for them.
"""

from abc import ABCMeta, abstractmethod
import asyncio
from collections.abc import Mapping
import logging
import traceback
from typing import Any, Final, override

from aiohttp import ClientError
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlowResult,
    FlowType,
)
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow, FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2FlowHandler,
    AbstractOAuth2Implementation,
    ImplementationUnavailableError,
    async_get_implementations,
)
from homeassistant.helpers.translation import async_get_translations
from homeassistant.loader import async_get_integration

from ..const import DOMAIN
from ..credentials.store import async_get_by_key
from ..plain_text import escape_markdown, plain_line
from ..platform import async_get_integrations
from .account import Account
from .credential_subject import OwnCredential
from .instructions import async_get_texts
from .situation import async_describe

# Seconds for reading the account.
ACCOUNT_TIMEOUT: Final = 30.0

# What the texts of ours are for, where the integration has none.
ABORTS: Final = frozenset(
    {"already_configured", "reauth_successful", "reconfigure_successful", "wrong_account"}
)
STEPS: Final = frozenset(
    {"oauth_discovery", "pick_implementation", "reauth_confirm", "reconfigure"}
)


class AccountFlow(AbstractOAuth2FlowHandler, metaclass=ABCMeta):
    """The steps and the hook of an account."""

    # The texts that the integration has for its flow; None before they are read.
    _own_texts: Mapping[str, str] | None = None
    # What the integration is called, as Markdown.
    _integration_name = ""
    # Whether a reconfiguration has led to a login.
    _logs_in_again = False

    def __init_subclass__(cls, *, domain: str | None = None, **kwargs: object) -> None:
        """Register a subclass; its `domain` is its `DOMAIN`, where it does not say another one."""
        super().__init_subclass__(domain=domain, **kwargs)
        if domain is not None and not cls.DOMAIN:
            cls.DOMAIN = domain

    @property
    @override
    def logger(self) -> logging.Logger:
        """The logger of the module of the subclass."""
        return logging.getLogger(type(self).__module__)

    @property
    @override
    def source(self) -> str | None:
        """What the flow is for: a login that the menu of the account leads to is a reauth.

        That is what integrations are prepared for.
        """
        return SOURCE_REAUTH if self._logs_in_again else super().source

    async def async_get_account(self, data: dict[str, Any]) -> Account | None:
        """Return the account that has logged in; a subclass overrides it.

        An account is added once, and whoever logs in again has to be the same. What is raised ends
        the flow with a text that says that the account could not be read.

        Args:
            data: What the config entry is going to have: `token`, as it came from the server, and
                `auth_implementation`.

        Returns:
            The account; None where that cannot be told, and is not checked.
        """
        return None

    @override
    async def async_oauth_create_entry(self, data: dict[str, Any]) -> ConfigFlowResult:
        """Create the entry of the account, or give the known one its new token."""
        await self._async_read_texts()
        try:
            async with asyncio.timeout(ACCOUNT_TIMEOUT):
                account = await self.async_get_account(data)
        except AbortFlow:
            raise
        except Exception as err:  # noqa: BLE001 - whatever it is, the user is told
            return self._account_unavailable(err)
        if account:
            await self.async_set_unique_id(account.unique_id, raise_on_progress=False)
        try:
            return self._finished(account, data)
        except AbortFlow as err:
            return self.async_abort(
                reason=err.reason,
                description_placeholders=err.description_placeholders,
                translation_domain=err.translation_domain,
            )

    @callback
    def _account_unavailable(self, err: Exception) -> ConfigFlowResult:
        """Return how a flow ends whose account could not be read."""
        detail = str(getattr(err, "status", type(err).__name__))
        if not isinstance(err, ClientError | HomeAssistantError | TimeoutError):
            # Its text may have what the server has sent.
            where = "".join(traceback.format_tb(err.__traceback__))
            self.logger.error("The account could not be read: %s\n%s", detail, where)
        return self.async_abort(
            reason="account_unavailable",
            translation_domain=DOMAIN,
            description_placeholders={
                "detail": escape_markdown(detail),
                "integration": self._integration_name,
            },
        )

    @callback
    def _finished(self, account: Account | None, data: dict[str, Any]) -> ConfigFlowResult:
        """Return how the flow of an account ends.

        Raises:
            AbortFlow: It is there already.
        """
        if self.source == SOURCE_REAUTH:
            entry = self._get_reauth_entry()
        elif self.source == SOURCE_RECONFIGURE:
            entry = self._get_reconfigure_entry()
        else:
            self._abort_if_unique_id_configured()
            title = plain_line(account.title or "") if account else ""
            return self.async_create_entry(title=title or self.flow_impl.name, data=data)
        if account and account.unique_id != entry.unique_id:
            if entry.unique_id is not None:
                return self.async_abort(
                    reason="wrong_account",
                    description_placeholders={
                        "account": escape_markdown(entry.title),
                        "integration": self._integration_name,
                    },
                )
            # It is from before its integration could tell.
            self._abort_if_unique_id_configured()
        unique_id = account.unique_id if account else entry.unique_id
        if entry.update_listeners:
            # Home Assistant leaves it to them to reload the entry.
            return self.async_update_and_abort(entry, unique_id=unique_id, data_updates=data)
        return self.async_update_reload_and_abort(entry, unique_id=unique_id, data_updates=data)

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin to log in again."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say that the login has ended, and go on to another one with the same credential."""
        entry = self._get_reauth_entry()
        if user_input is not None:
            return await self._async_log_in_again(entry)
        await self._async_read_texts()
        return self._with_texts(
            self.async_show_form(
                step_id="reauth_confirm",
                description_placeholders={"account": escape_markdown(entry.title)},
            )
        )

    @override
    async def async_step_oauth_discovery(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether what was discovered is to be set up."""
        await self._async_read_texts()
        return self._with_texts(await super().async_step_oauth_discovery(user_input))

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Offer what can be done with the credential of the account."""
        await self._async_read_texts()
        entry = self._get_reconfigure_entry()
        name = entry.data.get("auth_implementation")
        try:
            known: Mapping[str, AbstractOAuth2Implementation] = await async_get_implementations(
                self.hass, self.DOMAIN
            )
        except ImplementationUnavailableError:
            known = {}
        subentry = async_get_by_key(self.hass, (self.DOMAIN, str(name)))
        is_there = {
            "reconfigure_edit": subentry is not None,
            "reconfigure_log_in": name in known,
            "reconfigure_pick": bool(known.keys() - {name}),
            "reconfigure_add": self.DOMAIN in await async_get_integrations(self.hass),
        }
        # Before 2026.10, the frontend has not read texts of ours at this point.
        labels = await async_get_texts(self.hass, "reconfigure")
        options = {step: labels[step] for step in is_there if is_there[step]}
        if not options:
            # That ends with what is wrong.
            return await self.async_step_reconfigure_pick()
        situation = ""
        if subentry:
            integration = await async_get_integration(self.hass, self.DOMAIN)
            subject = OwnCredential(self.hass, integration, subentry)
            texts = await async_get_texts(self.hass, "situation")
            title = escape_markdown(subentry.title)
            situation = f"**{title}**\n\n{async_describe(self.hass, subject, texts)}"
        return self._with_texts(
            self.async_show_menu(
                step_id="reconfigure",
                menu_options=options,
                description_placeholders={"situation": situation},
            )
        )

    async def async_step_reconfigure_edit(self, _: None = None) -> ConfigFlowResult:
        """Correct the credential of the account; where it is another client, log in again."""
        name = self._get_reconfigure_entry().data["auth_implementation"]
        return await self._async_go_on_in_form(name)

    async def async_step_reconfigure_add(self, _: None = None) -> ConfigFlowResult:
        """Add a credential, and log in with it."""
        return await self._async_go_on_in_form(None)

    async def async_step_reconfigure_log_in(self, _: None = None) -> ConfigFlowResult:
        """Log in again with the credential of the account."""
        entry = self._get_reconfigure_entry()
        self._logs_in_again = True
        return await self._async_log_in_again(entry)

    async def async_step_reconfigure_pick(self, _: None = None) -> ConfigFlowResult:
        """Log in again with another credential that is there."""
        self._logs_in_again = True
        return await self.async_step_pick_implementation()

    async def _async_log_in_again(self, entry: ConfigEntry) -> ConfigFlowResult:
        """Go on to the login with the credential of an entry; with another one where it is gone."""
        name = entry.data.get("auth_implementation")
        return await self.async_step_pick_implementation({"implementation": name})

    @abstractmethod
    async def _async_go_on_in_form(self, auth_domain: str | None) -> ConfigFlowResult:
        """Go on in the credential form, because the user wants to; None for a new credential."""

    async def _async_read_texts(self) -> None:
        """Read the texts that the integration has itself, and what it is called."""
        if self._own_texts is None:
            self._own_texts = await async_get_translations(
                self.hass, self.hass.config.language, "config", [self.DOMAIN]
            )
            integration = await async_get_integration(self.hass, self.DOMAIN)
            self._integration_name = escape_markdown(integration.name)

    @callback
    def _lacks(self, *keys: str) -> bool:
        """Return whether the integration has none of these texts, as far as that is known."""
        start = f"component.{self.DOMAIN}.config"
        return self._own_texts is not None and self._own_texts.keys().isdisjoint(
            f"{start}.{key}" for key in keys
        )

    @callback
    def _with_texts(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Return a step, with texts of ours where the integration has none for it.

        The frontend takes those of a form or a menu from the domain that the step names, as it does
        those of an abort.
        """
        if result["type"] not in {FlowResultType.FORM, FlowResultType.MENU}:
            return result
        # Labels of fields are always the integration's.
        if (step_id := result["step_id"]) in STEPS and self._lacks(
            f"step.{step_id}.title", f"step.{step_id}.description"
        ):
            result["translation_domain"] = DOMAIN
            result["description_placeholders"] = {
                **(result["description_placeholders"] or {}),
                "integration": self._integration_name,
            }
        return result

    @callback
    @override
    def async_abort(
        self,
        *,
        reason: str,
        description_placeholders: Mapping[str, str] | None = None,
        translation_domain: str | None = None,
        next_flow: tuple[FlowType, str] | None = None,
    ) -> ConfigFlowResult:
        """End the flow, with a text of ours where nobody else has one."""
        if translation_domain is None and reason in ABORTS and self._lacks(f"abort.{reason}"):
            translation_domain = DOMAIN
        return super().async_abort(
            reason=reason,
            description_placeholders=description_placeholders,
            translation_domain=translation_domain,
            next_flow=next_flow,
        )
