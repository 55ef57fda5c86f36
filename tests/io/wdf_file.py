"""A minimal Renishaw file, written after the format's public descriptions: for tests and benchmarks."""

import io
import struct

import numpy as np
from PIL import Image

NM, RAMAN_SHIFT = 3, 1
UM, KELVIN, FILE_TIME = 5, 10, 24


def block(name, content):
    return struct.pack("<4sIQ", name.encode(), 0, 16 + len(content)) + content


def head(n_channels, n_planned, n_measured, n_lists, *, scan=1, measurement=3):
    content = bytearray(512 - 16)
    struct.pack_into("<IQQIIII", content, 0x2C, n_channels, n_planned, n_measured, 1, 1, n_channels, n_lists)
    content[0x50:0x54] = b"WiRE"
    struct.pack_into("<4H", content, 0x68, 5, 5, 0, 22400)
    struct.pack_into("<IIQQIf", content, 0x70, scan, measurement, 133008257038481252, 133008257478799242, 6, 1e7 / 532.0)
    content[0xE0:0xE5] = b"flake"
    return block("WDF1", bytes(content))


def origins(y, x, n_planned, unit=UM, more=()):
    """Lists of coordinates; `more` are (code, unit, name, values), of which the last is what the series runs over."""
    every = [(3, unit, "X", np.asarray(x, float)), (4, unit, "Y", np.asarray(y, float)), *more]
    primary = every[-1:] if more else every
    lists = [struct.pack("<I", len(every))]
    for entry in every:
        kind, its_unit, name, values = entry
        padded = np.zeros(n_planned, "<u8" if its_unit == FILE_TIME else "<f8")
        padded[: len(values)] = values
        lists += [struct.pack("<II16s", kind | any(entry is each for each in primary) << 31, its_unit, name.encode()), padded.tobytes()]
    return block("ORGN", b"".join(lists))


def plan(shape, step, origin=(0.0, 0.0), flags=0):
    return block("WMAP", struct.pack("<II6fII", flags, 0, *origin[::-1], 0.0, *step[::-1], 1.0, *shape[::-1]) + bytes(8))


def white_light(ny, nx, *, corner, size):
    """JPEG picture with a red upper left quarter, and where it lies: its upper left corner (x, y) and size (width, height) in um."""
    pixels = np.zeros((ny, nx, 3), np.uint8)
    pixels[: ny // 2, : nx // 2, 0] = 255
    exif = Image.Exif()
    exif[0xFEA0] = corner
    ifd = exif.get_ifd(0x8769)
    ifd[0xA20E], ifd[0xA20F], ifd[0xA210] = *size, UM
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", exif=exif, quality=95)
    return block("WHTL", stream.getvalue())


def wdf_bytes(spectra, axis, *others, n_planned=None, n_lists=2, unit=RAMAN_SHIFT, **options):
    """File with spectra (m, n) in the order measured; `others` are more blocks."""
    planned = np.zeros((n_planned or len(spectra), spectra.shape[1]), "<f4")
    planned[: len(spectra)] = spectra
    axis_block = block("XLST", struct.pack("<II", 1, unit) + np.asarray(axis, "<f4").tobytes())
    start = head(spectra.shape[1], len(planned), len(spectra), n_lists, **options)
    return start + block("DATA", planned.tobytes()) + axis_block + b"".join(others)
