"""The demo: Home Assistant and Demo Cloud on loopback, for a person or, with --once, by itself.

Run it by script/run, which sets up the environment.
"""

import argparse
import asyncio
from pathlib import Path
import signal
import sys
import tempfile

from demo.authorization_server import DemoAuthorizationServer
from demo.home_assistant import PASSWORD, USERNAME, Client, HomeAssistant, free_port
from demo.journey import ACCESS_TOKEN_LIFETIME, Journey

WELCOME = """
Home Assistant   {home_assistant}   log in as {username} with password {password}
Demo Cloud       {cloud}   log in as demo with password demo

1. In Demo Cloud's developer console, create an application with the redirect URI
   {home_assistant}/auth/external/callback
2. In Home Assistant: Settings, Devices & services, Add integration, Developer Credentials.
   Enter the application's client id and secret.
3. Add integration, Demo Cloud, and log in there.

Ctrl-C stops both; nothing stays behind.
"""


async def _serve(cloud_port: int, port: int) -> None:
    """Run both until SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    with (
        tempfile.TemporaryDirectory(prefix="developer_credentials-") as config_dir,
        DemoAuthorizationServer(
            port=free_port(cloud_port), access_token_lifetime=ACCESS_TOKEN_LIFETIME
        ) as cloud,
    ):
        home_assistant = HomeAssistant(Path(config_dir), free_port(port), cloud.url)
        print("Starting Home Assistant; the first start installs some packages.")
        stop = asyncio.create_task(stopped.wait())
        start = asyncio.create_task(_start(home_assistant))
        try:
            await asyncio.wait({start, stop}, return_when=asyncio.FIRST_COMPLETED)
            if start.done():
                start.result()
                print(
                    WELCOME.format(
                        home_assistant=home_assistant.url,
                        cloud=cloud.url,
                        username=USERNAME,
                        password=PASSWORD,
                    )
                )
                await stop
        finally:
            start.cancel()
            stop.cancel()
            await home_assistant.stop()
    print("Stopped.")


async def _start(home_assistant: HomeAssistant) -> None:
    await home_assistant.start()
    async with Client.onboard(home_assistant.url):
        pass


async def _once() -> int:
    """Run the journey; return the exit status."""
    with (
        tempfile.TemporaryDirectory(prefix="developer_credentials-") as config_dir,
        DemoAuthorizationServer(
            port=free_port(), access_token_lifetime=ACCESS_TOKEN_LIFETIME
        ) as cloud,
    ):
        home_assistant = HomeAssistant(Path(config_dir), free_port(), cloud.url)
        try:
            return await Journey(home_assistant, cloud).run()
        finally:
            await home_assistant.stop()


def main() -> int:
    """Run the demo and return the exit status."""
    parser = argparse.ArgumentParser(prog="script/run", description=__doc__)
    parser.add_argument("--once", action="store_true", help="act as the user, check, and end")
    parser.add_argument("--port", type=int, default=8123, help="of Home Assistant, if it is free")
    parser.add_argument("--cloud-port", type=int, default=8120, help="of Demo Cloud, if it is free")
    arguments = parser.parse_args()
    if arguments.once:
        return asyncio.run(_once())
    asyncio.run(_serve(arguments.cloud_port, arguments.port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
