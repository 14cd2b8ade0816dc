"""A Home Assistant process with a throw-away configuration, and a client that acts as its frontend.

The process listens on loopback only, has the integration and Demo Cloud installed, and a user.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
import json
import os
from pathlib import Path
import socket
import sys
import time
from typing import Any, Self
from zipfile import ZipFile

import aiohttp
from homeassistant.components.http.config import (
    HTTP_STORAGE_SCHEMA,
    STORAGE_MINOR_VERSION,
    STORAGE_VERSION,
)

ROOT = Path(__file__).parent.parent
USERNAME = PASSWORD = "demo"  # noqa: S105 - a demo on loopback, and printed

# The first start installs the packages of the integrations that start by default.
START_TIMEOUT = 300.0
STOP_TIMEOUT = 60.0

CONFIGURATION = """
homeassistant:
  name: Demo
frontend:
config:
system_health:
logger:
  default: info
  logs:
    custom_components: debug
    homeassistant.helpers.config_entry_oauth2_flow: debug
    homeassistant.helpers.oauth2: debug
"""


def free_port(preferred: int = 0) -> int:
    """Return the preferred port where it is free on loopback, else any that is."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            # As the servers do: what an earlier run has left in TIME_WAIT takes no port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port")


class HomeAssistant:
    """A Home Assistant process and what it stores."""

    def __init__(
        self,
        config_dir: Path,
        port: int,
        cloud_url: str,
        yaml: str = "",
        release: Path | None = None,
    ) -> None:
        """Write the configuration.

        Args:
            config_dir: An empty folder.
            port: The port of the web UI.
            cloud_url: Where Demo Cloud listens.
            yaml: What to add to configuration.yaml.
            release: The zip of a release, which is installed in the place of the source, as HACS
                does it.
        """
        self.url = f"http://127.0.0.1:{port}"
        self.log_file = config_dir / "home-assistant.log"
        self._config_dir = config_dir
        self._cloud_url = cloud_url
        self._process: asyncio.subprocess.Process | None = None

        components = config_dir / "custom_components"
        components.mkdir(parents=True)
        if release:
            with ZipFile(release) as archive:
                archive.extractall(components / release.stem)
        for folder in (ROOT / "custom_components", ROOT / "demo" / "custom_components"):
            for component in folder.iterdir():
                target = components / component.name
                if (component / "manifest.json").exists() and not target.exists():
                    target.symlink_to(component)
        (config_dir / "configuration.yaml").write_text(CONFIGURATION + yaml)
        # Settings in YAML would be taken back after five minutes, for nobody confirms them.
        http: dict[str, Any] = HTTP_STORAGE_SCHEMA(
            {"server_host": ["127.0.0.1"], "server_port": port}
        )
        meta = {
            "created_at": datetime.now(UTC).isoformat(),
            "error": None,
            "error_message": None,
        }
        self._seed(
            "http",
            {"stable": http | meta, "pending": None, "yaml_migration_done": True},
            STORAGE_VERSION,
            STORAGE_MINOR_VERSION,
        )
        self._seed("onboarding", {"done": ["core_config", "analytics", "integration"]}, 4)

    def _seed(self, key: str, data: dict[str, Any], version: int, minor_version: int = 1) -> None:
        storage = self._config_dir / ".storage"
        storage.mkdir(exist_ok=True)
        document = {"version": version, "minor_version": minor_version, "key": key, "data": data}
        (storage / key).write_text(json.dumps(document))

    async def start(self, *program: str) -> None:
        """Start the process and wait until it answers.

        Args:
            program: What Python runs: a program and its first arguments; Home Assistant by default.

        Raises:
            RuntimeError: It ended, or did not answer in time; the text has the end of its log.
        """
        # Not in our process group: Ctrl-C is for the one who started us, and it stops us in order.
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *(*(program or ("-m", "homeassistant")), "--config", str(self._config_dir)),
            cwd=self._config_dir,
            env=os.environ | {"DEMO_CLOUD_URL": self._cloud_url},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_TIMEOUT
        async with aiohttp.ClientSession() as session:
            while time.monotonic() < deadline and self._process.returncode is None:
                try:
                    async with session.get(f"{self.url}/manifest.json") as response:
                        if response.ok:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.2)
        raise RuntimeError(f"Home Assistant did not start:\n{self.log()[-5000:]}")

    async def stop(self) -> None:
        """Stop the process in order, so that it stores everything; kill it where it hangs.

        Raises:
            RuntimeError: It had to be killed.
        """
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise RuntimeError("Home Assistant did not stop") from None

    async def wait_for_death(self) -> None:
        """Wait until the process has ended without being asked to.

        Raises:
            TimeoutError: It goes on.
        """
        if self._process:
            async with asyncio.timeout(STOP_TIMEOUT):
                await self._process.wait()

    def log(self) -> str:
        """Return the log of all starts."""
        files = sorted(self._config_dir.glob("home-assistant.log*"), reverse=True)
        return "".join(file.read_text() for file in files)


class Client:
    """A logged-in user: REST and WebSocket commands as the frontend sends them."""

    def __init__(self, url: str, session: aiohttp.ClientSession, access_token: str) -> None:
        """Initialize with the address of Home Assistant and an access token of the user."""
        self._url = url
        self._session = session
        self._headers = {"Authorization": f"Bearer {access_token}", "HA-Frontend-Base": url}
        self._access_token = access_token

    @classmethod
    @asynccontextmanager
    async def onboard(cls, url: str) -> AsyncIterator[Self]:
        """Make the first user, and be that user."""
        async with aiohttp.ClientSession(raise_for_status=True) as session:
            user = {
                "name": "Demo",
                "username": USERNAME,
                "password": PASSWORD,
                "client_id": f"{url}/",
                "language": "en",
            }
            async with session.post(f"{url}/api/onboarding/users", json=user) as response:
                code = (await response.json())["auth_code"]
            yield cls(url, session, await _async_token(session, url, code))

    @classmethod
    @asynccontextmanager
    async def log_in(cls, url: str) -> AsyncIterator[Self]:
        """Log in as the first user."""
        async with aiohttp.ClientSession(raise_for_status=True) as session:
            flow = {
                "client_id": f"{url}/",
                "handler": ["homeassistant", None],
                "redirect_uri": f"{url}/",
            }
            async with session.post(f"{url}/auth/login_flow", json=flow) as response:
                flow_id = (await response.json())["flow_id"]
            answer = {"client_id": f"{url}/", "username": USERNAME, "password": PASSWORD}
            async with session.post(f"{url}/auth/login_flow/{flow_id}", json=answer) as response:
                code = (await response.json())["result"]
            yield cls(url, session, await _async_token(session, url, code))

    async def request(self, method: str, path: str, data: object = None) -> Any:  # noqa: ANN401
        """Return the JSON answer to a REST request below /api.

        Raises:
            aiohttp.ClientResponseError: The answer is an error.
        """
        async with self._session.request(
            method, f"{self._url}/api/{path}", json=data, headers=self._headers
        ) as response:
            return await response.json()

    async def wait_until_running(self) -> None:
        """Wait until Home Assistant has started; the first time it installs packages.

        Raises:
            TimeoutError: It took longer than START_TIMEOUT.
        """
        for _ in range(int(START_TIMEOUT / 0.2)):
            if (await self.request("GET", "config"))["state"] == "RUNNING":
                return
            await asyncio.sleep(0.2)
        raise TimeoutError("Home Assistant is not running")

    async def command(self, command: str, **fields: object) -> Any:  # noqa: ANN401
        """Return the result of a WebSocket command.

        Raises:
            RuntimeError: The result is an error.
        """
        async with self._session.ws_connect(f"{self._url}/api/websocket") as websocket:
            await websocket.receive_json()
            await websocket.send_json({"type": "auth", "access_token": self._access_token})
            await websocket.receive_json()
            await websocket.send_json({"id": 1, "type": command, **fields})
            answer = await websocket.receive_json()
        if not answer["success"]:
            raise RuntimeError(answer["error"])
        return answer["result"]

    async def start_flow(self, handler: str) -> dict[str, Any]:
        """Start a config flow and return its first step."""
        step: dict[str, Any] = await self.request(
            "POST", "config/config_entries/flow", {"handler": handler}
        )
        return step

    async def continue_flow(
        self, flow_id: str, user_input: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        """Submit a step of a config flow, or ask what became of it, and return the next one."""
        step: dict[str, Any] = await self.request(
            "GET" if user_input is None else "POST",
            f"config/config_entries/flow/{flow_id}",
            user_input,
        )
        return step

    async def begin_credential(self, domain: str) -> dict[str, Any]:
        """Go to the form of a new credential of an integration, and return it.

        It is the way from "Add integration, Developer Credentials", which sets that up first.
        """
        step = await self.start_flow("developer_credentials")
        if step.get("step_id") == "set_up":
            step = await self.continue_flow(step["flow_id"], {})
        if step["type"] == "menu":
            step = await self.continue_flow(step["flow_id"], {"next_step_id": "integration"})
        return await self.continue_flow(step["flow_id"], {"domain": domain})

    async def open_redirect(self, url: str) -> str:
        """Open the URL that the login redirects to, as the browser does, and return the page."""
        async with self._session.get(url) as response:
            return await response.text()


async def _async_token(session: aiohttp.ClientSession, url: str, code: str) -> str:
    data = {"grant_type": "authorization_code", "code": code, "client_id": f"{url}/"}
    async with session.post(f"{url}/auth/token", data=data) as response:
        return str((await response.json())["access_token"])
