"""What the tests of this room share."""

from tests.core_credentials.conftest import peer

__all__ = ["peer"]
