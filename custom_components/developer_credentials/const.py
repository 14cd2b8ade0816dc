"""Names that several modules share."""

import logging
from typing import Final

DOMAIN: Final = "developer_credentials"
LOGGER: Final = logging.getLogger(__package__)

# What stands for an empty text in a sentence.
NOTHING: Final = "-"

DEVELOPER_GUIDE_URL: Final = (
    "https://github.com/developer-credentials/developer_credentials/blob/main/docs/developer.md"
)
