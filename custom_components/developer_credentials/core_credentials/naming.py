"""What people know an application credential by."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.loader import IntegrationNotLoaded, async_get_loaded_integration

from ..credentials.titles import title_of
from .collection import ApplicationCredential


@callback
def async_get_title(hass: HomeAssistant, application_credential: ApplicationCredential) -> str:
    """Return what every user may know it by: its integration, and the name that the user chose.

    One that was imported has a name that its integration chose, which may be of the account.
    """
    try:
        integration = async_get_loaded_integration(hass, application_credential.domain).name
    except IntegrationNotLoaded:
        integration = application_credential.domain
    credential = application_credential.credential
    name, client = credential.name, (credential.client_id, credential.client_secret)
    is_imported = application_credential.auth_domain != application_credential.item_id
    if is_imported or (name and any(part and part in name for part in client)):
        name = None
    return title_of(integration, name, ())
