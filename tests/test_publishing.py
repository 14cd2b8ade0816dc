"""What people are given: the pictures of the integration."""

from pathlib import Path
import re
import struct

from homeassistant.components.brands.const import ALLOWED_IMAGES
import pytest

ROOT = Path(__file__).parent.parent
BRAND = ROOT / "custom_components" / "developer_credentials" / "brand"


@pytest.mark.parametrize("name", sorted(ALLOWED_IMAGES))
def test_brand(name: str) -> None:
    """Each picture that Home Assistant asks for is there, at its size, with transparency."""
    signature, size, color_type = struct.unpack(">8s8x8sxB", (BRAND / name).read_bytes()[:26])
    assert signature == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", size)
    scale = 2 if "@2x" in name else 1
    assert height == 256 * scale
    assert (width == height) == ("icon" in name)
    assert color_type == 6
    assert (
        f'id="{re.sub("(@2x)?.png", "", name)}"'
        in (ROOT / "docs" / "images" / "brand.svg").read_text()
    )
