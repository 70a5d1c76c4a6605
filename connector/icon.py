"""``python -m connector.icon``: draws ``icon.png``, a telephone handset and a plus sign, from nothing but geometry."""

from __future__ import annotations

import math
import struct
import sys
import zlib
from pathlib import Path

SIZE = 230
BRAND_COLOR = "#0b6a5b"
_FILE = Path(__file__).parent / "icon.png"
_SAMPLES = 4
_WHITE = (255, 255, 255)
_BRAND = (0x0B, 0x6A, 0x5B)
# The handset lies at 45 degrees: an arc as its handle, a rounded block at each end.
_CENTER = (106.0, 124.0)
_HANDLE_RADIUS, _HANDLE_WIDTH, _HANDLE_DEGREES = 76.0, 25.0, 62.0
_BLOCK_LENGTH, _BLOCK_WIDTH, _BLOCK_CORNER = 52.0, 38.0, 11.0
_PLUS_CENTER, _PLUS_LENGTH, _PLUS_WIDTH = (162.0, 70.0), 54.0, 15.0


def png() -> bytes:
    """Return the icon as a PNG of 230 by 230 pixels, the same on every machine."""
    corners = [[_is_drawn(x, y) for x in range(SIZE + 1)] for y in range(SIZE + 1)]
    rows = b"".join(b"\0" + bytes(c for x in range(SIZE) for c in _pixel(corners, x, y)) for y in range(SIZE))
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def _pixel(corners: list[list[bool]], x: int, y: int) -> tuple[int, int, int]:
    around = {corners[y][x], corners[y][x + 1], corners[y + 1][x], corners[y + 1][x + 1]}
    if len(around) == 1:
        return _WHITE if around.pop() else _BRAND
    offsets = [(number + 0.5) / _SAMPLES for number in range(_SAMPLES)]
    share = sum(_is_drawn(x + dx, y + dy) for dx in offsets for dy in offsets) / _SAMPLES**2
    red, green, blue = (round(brand + (white - brand) * share) for brand, white in zip(_BRAND, _WHITE, strict=True))
    return red, green, blue


def _is_drawn(x: float, y: float) -> bool:
    return _in_handset(x, y) or _in_plus(x, y)


def _in_plus(x: float, y: float) -> bool:
    dx, dy = abs(x - _PLUS_CENTER[0]), abs(y - _PLUS_CENTER[1])
    long, wide = _PLUS_LENGTH / 2, _PLUS_WIDTH / 2
    return _in_box(dx, dy, long, wide, 4.0) or _in_box(dx, dy, wide, long, 4.0)


def _in_handset(x: float, y: float) -> bool:
    # Turn by 45 degrees, so that the handle bows to the lower left: u along the handset, v across it.
    dx, dy = x - _CENTER[0], y - _CENTER[1]
    along, across = (dx + dy) / math.sqrt(2), (dx - dy) / math.sqrt(2)
    # The arc's centre lies off to the upper right.
    reach = math.hypot(along, across - 34.0)
    angle = math.degrees(math.atan2(along, 34.0 - across))
    handle = abs(reach - _HANDLE_RADIUS) <= _HANDLE_WIDTH / 2 and abs(angle) <= _HANDLE_DEGREES
    ends = any(
        _in_box(
            *_turned(along - side * 64.0, across - 4.0, side * -0.28),
            _BLOCK_WIDTH / 2,
            _BLOCK_LENGTH / 2,
            _BLOCK_CORNER,
        )
        for side in (-1, 1)
    )
    return handle or ends


def _turned(along: float, across: float, angle: float) -> tuple[float, float]:
    cosine, sine = math.cos(angle), math.sin(angle)
    return abs(along * cosine - across * sine), abs(along * sine + across * cosine)


def _in_box(dx: float, dy: float, half_width: float, half_height: float, corner: float) -> bool:
    """Tell whether a point, by its distances from the centre, is in a box with round corners."""
    over_x, over_y = max(dx - half_width + corner, 0.0), max(dy - half_height + corner, 0.0)
    return dx <= half_width and dy <= half_height and math.hypot(over_x, over_y) <= corner


if __name__ == "__main__":
    _FILE.write_bytes(png())
    sys.stdout.write(f"{_FILE.name}\n")
