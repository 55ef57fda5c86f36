"""A minimal WITec project, written by witio's own writer of tags: for tests and benchmarks."""

import numpy as np
from witio.tag import TYPE_BOOL, TYPE_DOUBLE, TYPE_INT32, TYPE_STRING, TYPE_TREE, TYPE_UINT8, WitTag, write_bytes

KINDS = {float: TYPE_DOUBLE, int: TYPE_INT32, bool: TYPE_BOOL}
DATA_TYPES = {"<i8": 1, "<i4": 2, "<i2": 3, "<u4": 5, "<u2": 6, "<f4": 9, "<f8": 10}


def leaf(name, value):
    if isinstance(value, str):
        return WitTag(name, TYPE_STRING, value)
    if isinstance(value, np.ndarray) and value.dtype == np.uint8:
        return WitTag(name, TYPE_UINT8, value)
    values = np.atleast_1d(value)
    kind = KINDS[type(values[0].item())]
    return WitTag(name, kind, values.astype({TYPE_DOUBLE: "<f8", TYPE_INT32: "<i4", TYPE_BOOL: "u1"}[kind]))


def tree(name, *children, **leaves):
    return WitTag(name, TYPE_TREE, children=[*children, *(leaf(key, value) for key, value in leaves.items())])


def graph(caption, counts, space, *, kind="<u2", **more):
    """Spectra (ny, nx, n), which WITec stores column by column."""
    ny, nx, n = counts.shape
    stored = np.ascontiguousarray(counts.transpose(1, 0, 2), kind)
    data = tree("GraphData", DataType=DATA_TYPES[kind], Data=np.frombuffer(stored.tobytes(), np.uint8))
    sizes = {"SizeX": nx, "SizeY": ny, "SizeGraph": n, "SpaceTransformationID": space, "XTransformationID": 2, "XInterpretationID": 3}
    return "TDGraph", caption, tree("TDGraph", data, **sizes, **more)


def space(origin, scale, rotation=(1.0, 0, 0, 0, 1, 0, 0, 0, 1), model=(2.0, 1.5, 0.0)):
    """Place of a scan: where its centre (`model`, in pixels) lies, and its steps."""
    port = tree("ViewPort3D", ModelOrigin=model, WorldOrigin=origin, Scale=np.diag(scale).ravel(), Rotation=np.array(rotation, float))
    return "TDSpaceTransformation", "Transformation", tree("TDSpaceTransformation", port)


def spectral(unit_index=3):
    transformation = tree("TDSpectralTransformation", SpectralTransformationType=0, Polynom=np.array([540.0, 2.0, 0.0]))
    interpretation = tree("TDSpectralInterpretation", ExcitationWaveLength=532.0)
    yield "TDSpectralTransformation", "axis", transformation
    yield "TDSpectralInterpretation", "axis", (interpretation, tree("TDInterpretation", UnitIndex=unit_index))


def project(*entries, unit_index=3, version=6):
    """Bytes of a project: entries get the numbers 1, 4, 5...; the spectral axis has 2 and 3."""
    first, *others = entries
    data = tree("Data", NumberOfData=len(entries) + 2)
    for number, (kind, caption, payload) in enumerate([first, *spectral(unit_index), *others]):
        parts = payload if isinstance(payload, tuple) else (payload,)
        data.children += [
            leaf(f"DataClassName {number}", kind),
            tree(f"Data {number}", tree("TData", ID=number + 1, Caption=caption), *parts),
        ]
    return write_bytes(b"WIT_PR06", tree("WITec Project ", data, Version=version))
