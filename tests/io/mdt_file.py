"""NT-MDT files made for tests, by the format's public descriptions."""

import struct
from collections.abc import Sequence

import numpy as np

NM, RAMAN, UM, NONE, COUNTS, NANOAMPERE = -1, -10, -2, 3, 13, 1
FLOAT32, INT16 = -(4 + 23 * 256), -2


def file_of(*frames: bytes) -> bytes:
    body = b"".join(frames)
    return struct.pack("<4sI4xH", b"\x01\xb0\x93\xff", len(body), len(frames) - 1).ljust(33, b"\0") + body


def frame(kind: int, body: bytes, n_variables: int = 0) -> bytes:
    return struct.pack("<IH2x7H", 22 + len(body), kind, 2026, 11, 22, 17, 30, 5, n_variables) + body


def tail(title: str, xml: str) -> bytes:
    name, text = title.encode("cp1251"), xml.encode("utf-16-le")
    return struct.pack("<I", len(name)) + name + struct.pack("<I", len(text)) + text


def xml(**parameters: object) -> str:
    inside = "".join(f"<{key}>{value}</{key}>" for key, value in parameters.items())
    return f'<?xml version="1.0" encoding="UTF-16"?><FrameComment><Parameters>{inside}</Parameters></FrameComment>'


def old(kind: int, scales: Sequence[tuple[float, float, int]], nx: int, ny: int, values: bytes, title: str, points: bytes = b"", **kept):
    """Frame of the older layout; `points` with their head, empty where there are none."""
    variables = b"".join(struct.pack("<ffh", *scale) for scale in scales).ljust(107, b"\0")
    n_points = (len(points) - 14) // 16 if points else 0
    body = variables + struct.pack("<4H", 0, nx, ny, n_points) + points + values + tail(title, xml(**kept))
    return frame(kind, body, len(variables))


def scan(values: np.ndarray, title: str = "Height") -> bytes:
    ny, nx = values.shape
    scales = ((10.0, 0.5, UM), (20.0, 0.25, UM), (100.0, 0.5, NANOAMPERE))
    return old(0, scales, nx, ny, values.astype("<i2").tobytes(), title)


def nanofinder(axis: np.ndarray, counts: np.ndarray, title: str = "Spectrum", unit: int = NM, z_unit: int = COUNTS) -> bytes:
    values = np.concatenate([axis, counts]).astype("<f4").tobytes()
    return old(2, ((0, 1, unit), (0, 1, NONE), (0, 1, z_unit)), len(axis), 2, values, title, SWLaserWL=532)


def at_points(places: np.ndarray, curves: np.ndarray, unit: int = RAMAN, title: str = "SPS") -> bytes:
    """Curves (m, n) there, and three values back each, at places (m, 2) of x and y."""
    head = struct.pack("<iiih", 10, 16, 1, UM)
    each = b"".join(struct.pack("<ffii", x, y, curves.shape[1], 3) for x, y in places)
    values = b"".join(curve.astype("<i2").tobytes() + struct.pack("<3h", -1, -2, -3) for curve in curves)
    return old(201, ((100.0, 2.0, unit), (0, 1, NONE), (5.0, 0.5, COUNTS)), curves.shape[1], 1, values, title, head + each)


def calibration(unit: str, bias: float, scale: float, count: int = 0, kind: int = FLOAT32, name: str = "") -> bytes:
    texts = name.encode(), b"", unit.encode(), b""
    last = count - 1 if count else (1 << 64) - 1
    sizes = (len(texts[0]), len(texts[1]), len(texts[2]))
    numbers = struct.pack("<IIIQdQddQQiI", *sizes, 1, 0.0, 0, bias, scale, 0, last, kind, 0).ljust(112, b"\0")
    rest = struct.pack("<I", len(numbers)) + numbers + b"".join(texts)
    return struct.pack("<I", 4 + len(rest)) + rest


def array(dimensions: Sequence[bytes], quantities: Sequence[bytes], values: bytes, title: str, n_cells: int = 0, **kept) -> bytes:
    name, text = title.encode(), xml(**kept).encode("utf-16-le")
    structure = struct.pack("<QIII", n_cells, 0, len(dimensions), len(quantities)).ljust(33, b"\0")
    calibrations = b"".join([*dimensions, *quantities])
    head = struct.pack("<II36x8I", 76, 0, len(name), len(text), 0, 0, 0, len(structure) + 4 + len(calibrations), 0, len(values))
    sizes = struct.pack("<II", 0, len(structure))
    return frame(106, head + name + text + sizes + structure + calibrations + values)


def raman_map(cube: np.ndarray, axis: np.ndarray, title: str = "Raman map", *, is_external: bool = False, **kept) -> bytes:
    ny, nx, n = cube.shape
    place = [calibration("um", 10.0, 0.5, nx), calibration("um", 20.0, 0.25, ny), calibration("", 0, 1, n)]
    quantities = [calibration("counts", 0, 1), calibration("nm", 0, 1)]
    inside = b"" if is_external else cube.astype("<f4").tobytes()
    return array(place, quantities, inside + axis.astype("<f4").tobytes(), title, LaserWL="532,0", **kept)


def curves(places: np.ndarray, values: np.ndarray, axis: tuple[float, float], units: tuple[str, str], title: str = "Points") -> bytes:
    """Curves (m, n) at places (m, 2) of x and y; before each a backward one, as NTEGRA writes them."""
    n = values.shape[1]
    index = [f'<Name name="wave" unit="{units[0]}" bias="0" scale="1" index="0"/>']
    index += [f'<Name name="light" unit="{units[1]}" bias="0" scale="1" index="1"/>']
    index += [f'<Axis name="0" count="{n}" start="{axis[0]}" stop="{axis[1]}" data="-1" index="0"/>']
    blocks = {"__GUID__": bytes(16)}
    for number, ((x, y), curve) in enumerate(zip(places, values, strict=True)):
        for back in (0, 1):
            which = 2 * number + back
            index += [f'<Meas name="1" data="{which}" pass="0" axis0="0" inverse0="{back}" index="{which}"/>']
            index += [f'<Data name="data{which}.dat" offset="0" count="{n}" type="float64" index="{which}"/>']
            blocks[f"data{which}.dat"] = (curve[::-1] if back else curve).astype("<f8").tobytes()
        index += [f'<Point name="point{number}.dat" offset="0" meas="1" exec="1" x="{x}" y="{y}" unit="um" index="{number}"/>']
        blocks[f"point{number}.dat"] = struct.pack("<II", 2 * number + 1, 2 * number)
    blocks["index.xml"] = f'<?xml version="1.0"?>\r\n<Comment><Info>{"".join(index)}</Info></Comment>\0'.encode()
    blocks["__xmlparams.xml"] = xml(Name=title).encode("utf-16-le")
    heads = b"".join(struct.pack("<II", len(name), len(block)) for name, block in blocks.items())
    return frame(190, struct.pack("<I", len(blocks)) + heads + "".join(blocks).encode() + b"".join(blocks.values()))
