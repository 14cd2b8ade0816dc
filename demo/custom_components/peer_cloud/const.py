"""What the modules of Peer Cloud share."""

import os
from typing import Final

DOMAIN: Final = "peer_cloud"

# Demo Cloud's server serves this one, too, wherever script/run found a free port.
BASE_URL: Final = os.environ.get("DEMO_CLOUD_URL", "http://127.0.0.1:8120")
ACCOUNT_URL: Final = f"{BASE_URL}/api/account"
