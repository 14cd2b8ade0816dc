"""What integrations may rely upon: the public names, and what they are called with."""

from typing import Final

from custom_components import developer_credentials
from tests.signatures import listed, public_signatures

# A change of them is a line in the changelog.
SIGNATURES: Final = """
class Account()
Account: unique_id: str
Account: title: str | None = None
class AuthImplementation(LocalOAuth2Implementation)
AuthImplementation: def __init__(self, hass: HomeAssistant, auth_domain: str, credential:
    DeveloperCredential, authorization_server: AuthorizationServer) -> None
AuthImplementation: error: TokenRequestError | None
AuthImplementation: observer: Callable[[TokenRequestError | None], None] | None
AuthImplementation: keep_token: Callable[[dict[str, Any], dict[str, Any]], None] | None
AuthImplementation: def copy(self) -> Self
AuthImplementation: def credential(self) -> DeveloperCredential
AuthImplementation: def credential(self, credential: DeveloperCredential) -> None
AuthImplementation: def authorization_server(self) -> AuthorizationServer
AuthImplementation: def authorization_server(self, server: AuthorizationServer) -> None
AuthImplementation: def name(self) -> str
AuthImplementation: def service_domain(self) -> str
AuthImplementation: def service_domain(self, domain: str) -> None
AuthImplementation: def redirect_uri(self) -> str
AuthImplementation: def token_auth_method(self) -> ClientAuthMethod
AuthImplementation: def extra_authorize_data(self) -> dict[str, str]
AuthImplementation: async def async_generate_authorize_url(self, flow_id: str) -> str
AuthImplementation: async def async_resolve_external_data(self, external_data: Any) -> dict[str,
    Any]
AuthImplementation: async def _token_request(self, data: dict[str, str]) -> dict[str, Any]
AuthImplementation: def token_endpoint(self) -> TokenEndpoint
AuthImplementation: def token_request_error(self, kind: type[E], error: str='', error_description:
    str='') -> E
class AuthorizationServer()
AuthorizationServer: authorize_url: str | None
AuthorizationServer: token_url: str
AuthorizationServer: _: KW_ONLY
AuthorizationServer: scopes: Sequence[str] = ()
AuthorizationServer: scope_separator: str = ' '
AuthorizationServer: pkce: bool | None = None
AuthorizationServer: token_endpoint_auth_method: ClientAuthMethod = 'client_secret_post'
AuthorizationServer: token_request_format: TokenRequestFormat = 'form'
AuthorizationServer: authorize_params: Mapping[str, str] = field(default_factory=dict, hash=False)
AuthorizationServer: token_params: Mapping[str, str] = field(default_factory=dict, hash=False)
AuthorizationServer: code_params: Mapping[str, str] = field(default_factory=dict, hash=False)
AuthorizationServer: refresh_params: Mapping[str, str] = field(default_factory=dict, hash=False)
AuthorizationServer: default_expires_in: int | None = None
AuthorizationServer: refresh_url: str | None = None
AuthorizationServer: revocation_url: str | None = None
AuthorizationServer: device_authorization_url: str | None = None
AuthorizationServer: registration_url: str | None = None
AuthorizationServer: variables: Sequence[ServerVariable] = ()
AuthorizationServer: def with_values(self, values: Mapping[str, str]) -> AuthorizationServer
AuthorizationServer: def auth_method_of(self, credential: DeveloperCredential) -> ClientAuthMethod
AuthorizationServer: def uses_pkce(self, credential: DeveloperCredential) -> bool
AuthorizationServer: def extra_authorize_data(self) -> dict[str, str]
AuthorizationServer: def token_request_params(self, grant_type: str) -> dict[str, str]
CONFIG_SCHEMA
class DeveloperCredential()
DeveloperCredential: client_id: str
DeveloperCredential: client_secret: str = field(default='', repr=False)
DeveloperCredential: name: str | None = None
DeveloperCredential: redirect_uri: RedirectUri = field(default=RedirectUri.DEFAULT, kw_only=True)
DeveloperCredential: token_endpoint_auth_method: ClientAuthMethod | None = field(default=None,
    kw_only=True)
DeveloperCredential: variables: Mapping[str, str] = field(default_factory=dict, hash=False,
    kw_only=True)
DeveloperCredential: registered_uri: str = field(default='', repr=False, compare=False,
    kw_only=True)
DeveloperCredential: objected: tuple[Objection, str] | None = field(default=None, repr=False,
    compare=False, kw_only=True)
DeveloperCredential: def identity(self) -> Identity
DeveloperCredential: def objection(self) -> Objection | None
DeveloperCredential: def with_objection(self, objection: Objection | None) -> Self
class DeveloperCredentialsFlowHandler(AccountFlow)
DeveloperCredentialsFlowHandler: asks_for_credential = True
DeveloperCredentialsFlowHandler: kept_attributes: ClassVar[tuple[str, ...] | None] = None
DeveloperCredentialsFlowHandler: def init_step(self) -> str
DeveloperCredentialsFlowHandler: def init_step(self, step: str) -> None
DeveloperCredentialsFlowHandler: async def async_step_return(self, _: object=None) ->
    ConfigFlowResult
DeveloperCredentialsFlowHandler: async def async_step_pick_implementation(self, user_input:
    dict[str, Any] | None=None) -> ConfigFlowResult
DeveloperCredentialsFlowHandler: async def async_step_auth(self, user_input: dict[str, Any] |
    None=None) -> ConfigFlowResult
DeveloperCredentialsFlowHandler: async def async_step_creation(self, user_input: dict[str, Any] |
    None=None) -> ConfigFlowResult
DeveloperCredentialsFlowHandler: async def async_step_authorize_rejected(self, data: None=None) ->
    ConfigFlowResult
DeveloperCredentialsFlowHandler: async def async_ask_for_credential(self) -> ConfigFlowResult
DeveloperCredentialsFlowHandler: def logger(self) -> logging.Logger
DeveloperCredentialsFlowHandler: def source(self) -> str | None
DeveloperCredentialsFlowHandler: async def async_get_account(self, data: dict[str, Any]) ->
    Account | None
DeveloperCredentialsFlowHandler: async def async_oauth_create_entry(self, data: dict[str, Any]) ->
    ConfigFlowResult
DeveloperCredentialsFlowHandler: async def async_step_reauth(self, entry_data: Mapping[str, Any])
    -> ConfigFlowResult
DeveloperCredentialsFlowHandler: async def async_step_reauth_confirm(self, user_input: dict[str,
    Any] | None=None) -> ConfigFlowResult
DeveloperCredentialsFlowHandler: async def async_step_oauth_discovery(self, user_input: dict[str,
    Any] | None=None) -> ConfigFlowResult
DeveloperCredentialsFlowHandler: async def async_step_reconfigure(self, user_input: dict[str, Any]
    | None=None) -> ConfigFlowResult
DeveloperCredentialsFlowHandler: async def async_step_reconfigure_edit(self, _: None=None) ->
    ConfigFlowResult
DeveloperCredentialsFlowHandler: async def async_step_reconfigure_add(self, _: None=None) ->
    ConfigFlowResult
DeveloperCredentialsFlowHandler: async def async_step_reconfigure_log_in(self, _: None=None) ->
    ConfigFlowResult
DeveloperCredentialsFlowHandler: async def async_step_reconfigure_pick(self, _: None=None) ->
    ConfigFlowResult
DeveloperCredentialsFlowHandler: def async_abort(self, *, reason: str, description_placeholders:
    Mapping[str, str] | None=None, translation_domain: str | None=None, next_flow: tuple[FlowType,
    str] | None=None) -> ConfigFlowResult
class InvalidClientError(_TransientError)
InvalidClientError: reason = 'invalid_client'
InvalidClientError: effects = range(HTTPStatus.INTERNAL_SERVER_ERROR, 600)
class InvalidGrantError(_ReauthError)
InvalidGrantError: reason = 'invalid_grant'
InvalidGrantError: effects = range(HTTPStatus.BAD_REQUEST, HTTPStatus.TOO_MANY_REQUESTS)
class InvalidRedirectUriError(_ReauthError)
InvalidRedirectUriError: reason = 'invalid_redirect_uri'
InvalidRedirectUriError: effects = range(HTTPStatus.BAD_REQUEST, HTTPStatus.TOO_MANY_REQUESTS)
class InvalidResponseError(_TransientError)
InvalidResponseError: reason = 'invalid_response'
InvalidResponseError: effects = range(HTTPStatus.INTERNAL_SERVER_ERROR, 600)
class InvalidScopeError(_ReauthError)
InvalidScopeError: reason = 'invalid_scope'
InvalidScopeError: effects = range(HTTPStatus.BAD_REQUEST, HTTPStatus.TOO_MANY_REQUESTS)
class RefusedError(_ReauthError)
RefusedError: effects = range(HTTPStatus.BAD_REQUEST, HTTPStatus.TOO_MANY_REQUESTS)
class ServerVariable()
ServerVariable: key: str
ServerVariable: label: str
ServerVariable: pattern: str | None = None
ServerVariable: default: str | None = None
ServerVariable: def accepts(self, value: str) -> bool
class TokenRequestError(OAuth2TokenRequestError)
TokenRequestError: reason: ClassVar[str] = 'refused'
TokenRequestError: effects: ClassVar[range]
TokenRequestError: def __init__(self, *, domain: str, request_info: RequestInfo, status: int=0,
    error: str='', error_description: str='') -> None
TokenRequestError: translation_domain
TokenRequestError: translation_key
TokenRequestError: translation_placeholders
TokenRequestError: http_status
TokenRequestError: error
TokenRequestError: error_description
TokenRequestError: retry_after: float | None
class UnavailableError(_TransientError)
UnavailableError: reason = 'unavailable'
UnavailableError: effects = range(HTTPStatus.INTERNAL_SERVER_ERROR, 600)
def account_from_jwt(token: str) -> Account
async def async_account_from_userinfo(hass: HomeAssistant, token: Mapping[str, Any], userinfo_url:
    str) -> Account
async def async_discover_authorization_server(hass: HomeAssistant, issuer: str, **overrides:
    Unpack[ServerFields]) -> AuthorizationServer
async def async_import_developer_credential(hass: HomeAssistant, domain: str, credential:
    DeveloperCredential, auth_domain: str | None=None, *, from_yaml: bool=True) -> str
async def async_revoke_token(hass: HomeAssistant, entry: ConfigEntry) -> None
"""


def test_signatures() -> None:
    """These are the public names, with their signatures."""
    assert public_signatures(developer_credentials) == listed(SIGNATURES)
