"""What an entry of each integration has, and what its API answers, besides what all share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import homeassistant

from .providers import NO_CONTENT, NOT_FOUND

DOMAINS: Final = sorted(
    path.parent.name
    for path in Path(homeassistant.__path__[0], "components").glob("*/application_credentials.py")
)

_API: Final = "its API is not imitated here"


@dataclass(frozen=True, kw_only=True)
class Setup:
    """An integration's own.

    Attributes:
        data: What its entry has in `data`.
        options: What its entry has in `options`.
        token: What its token has.
        api: What its API answers, by a part of the path: the first that is in it. Whatever else is
            asked is answered by an empty object.
        names_itself: Its implementation has the integration's domain instead of the item's key.
        has_token: Its entry has a token; it has none where only the config flow logs in.
        has_server: Its platform names a token endpoint.
        imported: It imports a client of its own, which users do not enter.
        public: Its client has no secret.
        no_token_request: Why its set-up does not ask the token endpoint.
        not_loaded: Why its entry is not loaded here though its token is valid.
    """

    data: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    token: Mapping[str, Any] = field(default_factory=dict)
    api: Mapping[str, Any] = field(default_factory=dict)
    names_itself: bool = False
    has_token: bool = True
    has_server: bool = True
    imported: bool = False
    public: bool = False
    no_token_request: str = ""
    not_loaded: str = ""

    @property
    def is_mended_by_provider(self) -> bool:
        """Whether no secret that a user could enter mends it."""
        return self.imported or self.public


_DRIVE_ITEM: Final = {
    "id": "folder",
    "name": "backups",
    "parentReference": {"driveId": "drive", "id": "root", "path": "/"},
    "createdBy": {"user": {"id": "user", "displayName": "User", "email": "user@example.com"}},
    "folder": {"childCount": 0},
}
_QUOTA: Final = {"deleted": 0, "remaining": 5, "state": "normal", "total": 10, "used": 5}
_DRIVE: Final = {
    "id": "drive",
    "driveType": "personal",
    "name": "Drive",
    "owner": {"user": {"id": "user", "displayName": "User", "email": "user@example.com"}},
    "quota": _QUOTA,
}
_ONEDRIVE_API: Final = {
    "children": {"value": []},
    "approot": _DRIVE_ITEM,
    "items": _DRIVE_ITEM,
    "me/drive": _DRIVE,
}

SETUPS: Final[dict[str, Setup]] = {
    "aladdin_connect": Setup(api={"/devices": {"devices": []}}),
    "august": Setup(api={"users/me": {"UserID": "user"}, "/mine": {}}),
    "dropbox": Setup(
        token={
            "scope": "account_info.read files.content.read files.content.write files.metadata.read"
        },
        api={
            "current_account": {
                "account_id": "user",
                "email": "user@example.com",
                "name": {"display_name": "User"},
            }
        },
    ),
    "ekeybionyx": Setup(
        data={"webhooks": []},
        has_token=False,
        no_token_request="its devices push; only the config flow has a token",
    ),
    "gentex_homelink": Setup(
        has_server=False, no_token_request="has a client of its own, whatever the user enters"
    ),
    "geocaching": Setup(token={"redirect_uri": "https://example.com/auth/external/callback"}),
    "google": Setup(token={"scope": "https://www.googleapis.com/auth/calendar"}),
    "google_drive": Setup(
        api={
            "/files": {"files": [], "id": "folder", "name": "Home Assistant"},
            "/about": {
                "user": {"emailAddress": "user@example.com"},
                "storageQuota": {
                    "limit": "10",
                    "usage": "5",
                    "usageInDrive": "5",
                    "usageInDriveTrash": "0",
                },
            },
        }
    ),
    "google_health": Setup(
        token={
            "scope": " ".join(
                f"https://www.googleapis.com/auth/googlehealth.{scope}.readonly"
                for scope in ("profile", "activity_and_fitness")
            )
        }
    ),
    "google_sheets": Setup(token={"scope": "https://www.googleapis.com/auth/drive.file"}),
    "google_tasks": Setup(api={"/lists": {"items": []}}),
    "electric_kiwi": Setup(not_loaded=_API),
    "home_connect": Setup(api={"/homeappliances": {"data": {"homeappliances": []}}}),
    "husqvarna_automower": Setup(
        token={"scope": "iam:read amc:api"}, api={"/mowers": {"data": []}}
    ),
    "lametric": Setup(
        data={"host": "127.0.0.1", "api_key": "key"},
        has_token=False,
        no_token_request="speaks to the device; only the config flow has a token",
    ),
    "mcp": Setup(
        data={
            "url": "https://mcp.example/sse",
            "authorization_url": "https://mcp.example/authorize",
            "token_url": "https://mcp.example/token",
        },
        api={"/sse": NOT_FOUND},
        not_loaded=_API,
    ),
    "microbees": Setup(api={"/getMyBees": {"data": []}}),
    "monzo": Setup(
        data={"webhook_id": "webhook"},
        api={"/accounts": {"accounts": []}, "/pots": {"pots": []}},
    ),
    "myuplink": Setup(
        token={"scope": "WRITESYSTEM READSYSTEM offline_access"},
        api={"/systems": {"systems": []}},
    ),
    "neato": Setup(
        api={"users/me/robots": [], "users/me": {"id": "user"}},
    ),
    "nest": Setup(
        data={
            "sdm": {},
            "project_id": "project",
            "cloud_project_id": "cloud-project",
            "subscription_name": "projects/cloud-project/subscriptions/home",
            "topic_name": "projects/sdm-prod/topics/enterprise-project",
        },
        not_loaded="speaks gRPC",
    ),
    "netatmo": Setup(
        data={"webhook_id": "webhook"},
        token={"scope": ["read_station"]},
        api={"/homesdata": {"body": {"homes": []}}},
    ),
    "ondilo_ico": Setup(
        imported=True,
        no_token_request="refreshes in a library, which the answer to a request decides",
    ),
    "onedrive": Setup(data={"folder_id": "folder", "folder_name": "backups"}, api=_ONEDRIVE_API),
    "onedrive_for_business": Setup(
        data={"tenant_id": "tenant", "folder_id": "folder", "folder_path": "backups"},
        api=_ONEDRIVE_API,
    ),
    "overkiz": Setup(
        data={"hub": "rexel", "api_type": "cloud", "gateway_id": "1234-5678-9012"},
        imported=True,
        public=True,
    ),
    "point": Setup(
        data={"webhook_id": "webhook"},
        api={
            "/webhooks": {"hooks": [], "hook_id": "hook"},
            "/devices": {
                "devices": [
                    {
                        "device_id": "device",
                        "description": "Point",
                        "last_heard_from_at": "2026-01-01T00:00:00Z",
                    }
                ]
            },
        },
    ),
    "senz": Setup(
        api={
            "/Account": {"userName": "User", "temperatureScale": "C", "language": "en"},
            "/Thermostat": [],
        }
    ),
    "smartthings": Setup(
        names_itself=True,
        data={"location_id": "location"},
        token={"installed_app_id": "app"},
        api={
            "/subscriptions": {
                "subscriptionId": "subscription",
                "registrationUrl": "https://smartthings.example",
                "name": "home",
            },
            "/rooms": {"items": []},
            "/devices": {"items": []},
            "/scenes": {"items": []},
        },
    ),
    "spotify": Setup(
        token={
            "scope": "user-modify-playback-state user-read-playback-state user-read-private"
            " playlist-read-private playlist-read-collaborative user-library-read user-top-read"
            " user-read-playback-position user-read-recently-played user-follow-read"
        },
        api={
            "/devices": {"devices": []},
            "/player": NO_CONTENT,
            "/me": {
                "id": "user",
                "display_name": "User",
                "product": "premium",
                "images": [],
                "type": "user",
                "uri": "spotify:user:user",
            },
        },
    ),
    "tesla_fleet": Setup(api={"/products": {"response": []}}),
    "teslemetry": Setup(
        imported=True,
        public=True,
        api={
            "/products": {"response": []},
            "/metadata": {
                "uid": "user",
                "region": "EU",
                "scopes": [],
                "vehicles": {},
                "energy_sites": {},
            },
        },
    ),
    "twitch": Setup(
        options={"channels": []},
        api={
            "/validate": {
                "client_id": "client-id",
                "scopes": ["user:read:follows", "user:read:subscriptions"],
                "user_id": "1",
                "login": "u",
                "expires_in": 9000,
            },
            "/users": {
                "data": [
                    {
                        "id": "1",
                        "login": "user",
                        "display_name": "User",
                        "type": "",
                        "broadcaster_type": "",
                        "description": "",
                        "profile_image_url": "",
                        "offline_image_url": "",
                        "view_count": 0,
                        "created_at": "2020-01-01T00:00:00Z",
                    }
                ]
            },
            "helix": {"total": 0, "data": []},
        },
    ),
    "vicare": Setup(public=True, api={"/installations": {"data": []}, "/gateways": {"data": []}}),
    "volvo": Setup(data={"api_key": "key", "vin": "vin"}, not_loaded=_API),
    "weheat": Setup(api={"/heat-pumps": {"data": []}}),
    "willow": Setup(imported=True),
    "withings": Setup(
        names_itself=True,
        data={"webhook_id": "webhook", "use_webhook": False},
        token={"userid": "1"},
        api={
            "/v2/user": {"status": 0, "body": {"goals": {}, "devices": []}},
            "measure": {"status": 0, "body": {"measuregrps": [], "activities": [], "series": []}},
            "/sleep": {"status": 0, "body": {"series": []}},
        },
    ),
    "xbox": Setup(
        token={"expires_in": 3600, "user_id": "user", "scope": "Xboxlive.signin"}, not_loaded=_API
    ),
    "yale": Setup(
        api={"users/me": {"UserID": "user"}, "/subscribers": {"subscriberID": "subscriber"}}
    ),
    "youtube": Setup(options={"channels": ["channel"]}),
    "yoto": Setup(
        api={"/devices": {"devices": []}, "/family": {"cards": []}}, not_loaded="speaks MQTT"
    ),
    "yolink": Setup(
        api={"/open/yolink": {"code": "000000", "data": {"id": "home", "devices": []}}},
    ),
}


def setup_of(domain: str) -> Setup:
    """Return an integration's own."""
    return SETUPS.get(domain, Setup())
