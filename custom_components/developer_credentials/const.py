"""Names that several modules share."""

import logging
from typing import Final

DOMAIN: Final = "developer_credentials"
LOGGER: Final = logging.getLogger(__package__)

# Home Assistant's own component for credentials, and the platform for it.
PEER: Final = "application_credentials"

# What stands for an empty text in a sentence.
NOTHING: Final = "-"

DEVELOPER_GUIDE_URL: Final = (
    "https://github.com/developer-credentials/developer_credentials/blob/main/docs/developer.md"
)
