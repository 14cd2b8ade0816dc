"""What the modules of Demo Cloud share."""

import os
from typing import Final

DOMAIN: Final = "demo_cloud"

# A real cloud has one address; the demo's server listens where script/run found a free port.
BASE_URL: Final = os.environ.get("DEMO_CLOUD_URL", "http://127.0.0.1:8120")
