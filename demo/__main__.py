"""The demo: Home Assistant and Demo Cloud on loopback, for a person or, with --once, by itself.

Run it by script/run, which sets up the environment.
"""

import argparse
import asyncio
from pathlib import Path
import signal
import sys
import tempfile

from demo import scene
from demo.authorization_server import MY_REDIRECT_URI, DemoAuthorizationServer
from demo.home_assistant import PASSWORD, USERNAME, Client, HomeAssistant, free_port
from demo.journey import ACCESS_TOKEN_LIFETIME, Journey

WELCOME = """
Home Assistant                   {home_assistant}
    log in as {username} with password {password}
Demo Cloud's developer console   {cloud}
    no login; Demo Cloud's own login is demo with password demo

1. Open the developer console, and create an application, by any name, with the redirect URI
   {redirect_uri}
2. In Home Assistant, go to Settings > Devices & services, and select Add integration, then
   Demo Cloud. Enter the client ID and the client secret of your application. Mistype one, to see
   what happens. Then log in at Demo Cloud.
3. Select Rotate secret in the developer console, which makes the old secret invalid. Within a
   minute, Settings > System > Repairs in Home Assistant asks for the new one.

The same works with Peer Cloud, an integration on Home Assistant's own application credentials.
Plain Cloud has its credential from YAML. Two bad items beside it have a repair each.

To stop both, press Ctrl-C; what they stored is removed.
"""


async def _serve(home_assistant: HomeAssistant, cloud: DemoAuthorizationServer) -> None:
    """Run both until the task is cancelled."""
    scene.prepare(cloud, home_assistant.url)
    _say("Starting Home Assistant; its very first start takes a minute.")
    await home_assistant.start()
    async with Client.onboard(home_assistant.url):
        pass
    _say(
        WELCOME.format(
            home_assistant=home_assistant.url,
            cloud=cloud.url,
            redirect_uri=MY_REDIRECT_URI,
            username=USERNAME,
            password=PASSWORD,
        )
    )
    await asyncio.Event().wait()


async def _run(*, once: bool, port: int, cloud_port: int, release: Path | None) -> int:
    """Run the demo until it ends or a signal stops it; return the exit status."""
    with (
        tempfile.TemporaryDirectory(prefix="developer_credentials-") as config_dir,
        DemoAuthorizationServer(
            port=free_port(cloud_port), access_token_lifetime=ACCESS_TOKEN_LIFETIME
        ) as cloud,
    ):
        yaml = "" if once else scene.YAML
        home_assistant = HomeAssistant(Path(config_dir), free_port(port), cloud.url, yaml, release)
        task: asyncio.Task[int | None] = asyncio.create_task(
            Journey(home_assistant, cloud).run() if once else _serve(home_assistant, cloud)
        )
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        try:
            return await task or 0
        except asyncio.CancelledError:
            return 1 if once else 0
        finally:
            await home_assistant.stop()
            if not once:
                _say("Stopped.")


def _say(text: str) -> None:
    # Who redirects the output wants to read it now, too.
    print(text, flush=True)


def main() -> int:
    """Run the demo and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="script/run [--ha VERSION]",
        description="The demo: Home Assistant and Demo Cloud on loopback.",
    )
    parser.add_argument(
        "--once", action="store_true", help="do what a user would do, check each step, and end"
    )
    parser.add_argument(
        "--port", type=int, default=8123, help="of Home Assistant; a free one if it is in use"
    )
    parser.add_argument(
        "--cloud-port", type=int, default=8120, help="of Demo Cloud; a free one if it is in use"
    )
    parser.add_argument(
        "--release", type=Path, metavar="ZIP", help="install this zip, as script/release makes it"
    )
    arguments = parser.parse_args()
    port, cloud_port = (0, 0) if arguments.once else (arguments.port, arguments.cloud_port)
    return asyncio.run(
        _run(once=arguments.once, port=port, cloud_port=cloud_port, release=arguments.release)
    )


if __name__ == "__main__":
    sys.exit(main())
