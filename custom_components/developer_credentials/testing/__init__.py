"""For the tests of integrations: an authorization server, credentials, and the user of dialogs.

It needs no pytest; a `conftest.py` makes fixtures of it, as the developer guide shows. The names in
`__all__` are public. Nothing of the integration imports them.
"""

from .authorization_server import MockAuthorizationServer
from .storage import CREDENTIAL, async_add_credential, async_expire_token
from .user import async_log_in, async_log_in_again, async_reconfigure, async_repair

__all__ = [
    "CREDENTIAL",
    "MockAuthorizationServer",
    "async_add_credential",
    "async_expire_token",
    "async_log_in",
    "async_log_in_again",
    "async_reconfigure",
    "async_repair",
]
