"""What the tests of this room share."""

from tests.adopting.conftest import acme
from tests.core_credentials.conftest import peer

__all__ = ["acme", "peer"]
