"""What the demo shows besides Demo Cloud: logins by My Home Assistant, and YAML good and bad."""

from typing import Final

from demo.authorization_server import MY_REDIRECT_URI, DemoAuthorizationServer

LONG_NAME: Final = "Weather station and both greenhouses by the lake"
_CLIENT_ID: Final = "plain-cloud-from-yaml"
_CLIENT_SECRET: Final = "plain-cloud-secret"  # noqa: S105 - a demo on loopback

YAML: Final = f"""
my:
developer_credentials:
  - domain: plain_cloud
    client_id: {_CLIENT_ID}
    client_secret: {_CLIENT_SECRET}
    name: {LONG_NAME}
  - domain: plain_cloud
    name: Without a client ID
  - domain: cloud_that_is_not_installed
    client_id: app
"""


def prepare(cloud: DemoAuthorizationServer, home_assistant_url: str) -> None:
    """Have the server know the good credential of the YAML, and where My Home Assistant leads to.

    Args:
        cloud: The server.
        home_assistant_url: The address of the Home Assistant with the YAML.
    """
    cloud.my_instance = home_assistant_url
    cloud.add_client(
        _CLIENT_ID,
        client_secret=_CLIENT_SECRET,
        redirect_uris=(MY_REDIRECT_URI, f"{home_assistant_url}/auth/external/callback"),
        name=LONG_NAME,
    )
