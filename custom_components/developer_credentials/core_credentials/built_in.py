"""Application credentials that came with their integration.

Some integrations import a client of their own, which only an update of them can mend. It is told
from one that the user's YAML had, and was imported likewise, by the integration's code: that has
the client id of the former.
"""

import sys
from types import ModuleType

from homeassistant.core import HomeAssistant, callback
from homeassistant.loader import IntegrationNotLoaded, async_get_loaded_integration

from .collection import ApplicationCredential


@callback
def async_is_built_in(hass: HomeAssistant, application_credential: ApplicationCredential) -> bool:
    """Return whether an application credential is a client of its integration's own."""
    if application_credential.auth_domain == application_credential.item_id:
        # The user has entered it.
        return False
    try:
        package = async_get_loaded_integration(hass, application_credential.domain).pkg_path
    except IntegrationNotLoaded:
        return False
    modules = (
        module
        for name, module in list(sys.modules.items())
        if isinstance(module, ModuleType) and f"{name}.".startswith(f"{package}.")
    )
    client_id = application_credential.credential.client_id
    return any(
        isinstance(value, str) and value == client_id
        for module in modules
        for value in list(vars(module).values())
    )
