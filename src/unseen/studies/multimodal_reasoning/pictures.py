"""What does a scene look like? Coloured letters on a grid as an array of pixels, and as a PNG file.

picture(items, 0)  ->  uint8 [rows columns 3]      ;      png(picture(items, 0))  ->  bytes of a file

Letters are 5 × 7 dots, so that no font and no library of images is needed.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from .scenes import Items

Pixels = NDArray[np.uint8]
PALETTE = (  # of the names in `world.COLOURS`
    (230, 25, 75), (60, 180, 75), (0, 110, 220), (255, 225, 25), (145, 30, 180),
    (245, 130, 48), (255, 255, 255), (250, 160, 200), (70, 240, 240), (150, 95, 40),
)  # fmt: skip
GROUND, LINE = (24, 24, 28), (70, 70, 78)
WIDE, HIGH = 5, 7  # dots
DOTS = (  # seven rows of five dots for each of the 26 capitals, the leftmost the highest bit
    "0e11111f111111", "1e11111e11111e", "0e11101010110e", "1e11111111111e", "1f10101e10101f", "1f10101e101010",
    "0e11101711110f", "1111111f111111", "0e04040404040e", "0702020202120c", "11121418141211", "1010101010101f",
    "111b1515111111", "11191513111111", "0e11111111110e", "1e11111e101010", "0e11111115120d", "1e11111e141211",
    "0f10100e01011e", "1f040404040404", "1111111111110e", "11111111110a04", "1111111515150a", "11110a040a1111",
    "11110a04040404", "1f01020408101f",
)  # fmt: skip


def glyphs() -> NDArray[np.bool_]:
    """The dots [letter row column] of a to z, drawn as capitals."""
    rows = np.array([list(bytes.fromhex(told)) for told in DOTS])
    return (rows[:, :, None] >> np.arange(WIDE - 1, -1, -1)) % 2 == 1


def picture(items: Items, i: int, *, dot: int = 3) -> Pixels:
    """The i-th scene as pixels [side·cell side·cell 3], a dot of a letter `dot` pixels wide."""
    return pictures(items.take([i]), dot=dot)[0]


def pictures(items: Items, *, dot: int = 3) -> Pixels:
    """All scenes as pixels [n height width 3]."""
    side, cell = items.world.side, (HIGH + 4) * dot
    found = np.empty((len(items), side, cell, side, cell, 3), np.uint8)
    found[:] = GROUND
    found[:, :, 0] = LINE
    found[:, :, :, :, 0] = LINE
    inked = np.repeat(np.repeat(glyphs(), dot, 1), dot, 2)
    top, left = 2 * dot, (cell - WIDE * dot) // 2
    rows, cells = np.nonzero(items.shape >= 0)
    ink = inked[items.shape[rows, cells]][..., None]  # [object row column 1]
    colour = np.array(PALETTE, np.uint8)[items.colour[rows, cells]][:, None, None]
    drawn = np.where(ink, colour, np.array(GROUND, np.uint8)).astype(np.uint8)
    y, x = np.divmod(cells, side)
    inside = found[:, :, top : top + HIGH * dot, :, left : left + WIDE * dot]
    inside.transpose(0, 1, 3, 2, 4, 5)[rows, y, x] = drawn
    return found.reshape(len(items), side * cell, side * cell, 3)


def png(pixels: Pixels) -> bytes:
    """A PNG file of pixels [height width 3]."""
    height, width, _ = pixels.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], 1)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
