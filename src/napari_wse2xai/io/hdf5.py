"""HDF5 files of strangers: nothing outside the file is followed, no size is believed that the file cannot hold.

An HDF5 file may name other files: external links, raw storage elsewhere, data sets made of others.  Each would show whatever this user
may read, ``/etc/passwd`` as counts.  All formats that are HDF5 inside (NetCDF-4, HyperSpy, MATLAB 7.3...) are opened here.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.chunked import Chunks, Place
from napari_wse2xai.data.stored_counts import changed, state_of
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.io.hdf_node import HdfNode
from napari_wse2xai.io.unpacking import MOST_DEFLATED
from napari_wse2xai.ordinary import require_ordinary

_MOST_LINKS = 16
"""From link to link; more of them lead in a circle."""
_HARMLESS = 1 << 20
"""Bytes that any data set may claim: one whose values were never written takes no room in the file."""


@contextmanager
def open_hdf5(path: Path, *, whole: bool = True) -> Iterator[HdfNode]:
    """Open an HDF5 file to read; one that leads to other files is refused.

    Parameters
    ----------
    whole : False for who takes of the file only what `lies_inside`, and leaves the rest alone
    """
    import h5py

    require_ordinary(path)
    with h5py.File(path, "r", locking=False) as file:
        if whole:
            _require_self_contained(file, path)
        yield file


def _require_self_contained(file: HdfNode, path: Path) -> None:
    """Refuse a file that shows the content of others."""
    import h5py

    hard: list[bytes] = []

    def look(name: bytes, link: Any) -> bytes | None:
        """Name of a link that leads out of the file, which ends the visit."""
        if link.type == h5py.h5l.TYPE_HARD:
            hard.append(bytes(name))  # opened later: h5py makes a SystemError of what is raised in here
        return None if link.type in (h5py.h5l.TYPE_HARD, h5py.h5l.TYPE_SOFT) else bytes(name)

    outside = file.id.links.visit(look, info=True)
    nodes = ((name, h5py.h5o.open(file.id, name)) for name in hard)
    elsewhere = (name for name, node in nodes if isinstance(node, h5py.h5d.DatasetID) and lies_elsewhere(node))
    led = outside if outside is not None else next(elsewhere, None)
    found = None if led is None else led.decode("utf-8", "replace")
    if found is not None:
        raise ReaderError(
            f"'{path.name}': '{found}' lies in another file, which is not read for one that may come from a stranger; "
            "copy the data into the file itself."
        )


def lies_inside(file: HdfNode, name: str, *, depth: int = _MOST_LINKS) -> bool:
    """Whether what goes by a path in a file is there without following any link to another file; nothing is opened on the way."""
    import h5py

    parts, here = [part for part in name.split("/") if part], ""
    for number, part in enumerate(parts):
        group = file[here or "/"]
        is_there = isinstance(group, h5py.Group) and group.id.links.exists(part.encode("utf-8"))
        link = group.get(part, getlink=True) if is_there else None
        if isinstance(link, h5py.SoftLink):
            target = link.path if link.path.startswith("/") else f"{here}/{link.path}"
            return depth > 0 and lies_inside(file, "/".join([target, *parts[number + 1 :]]), depth=depth - 1)
        if not isinstance(link, h5py.HardLink):
            return False
        here = f"{here}/{part}"
    return True


def lies_elsewhere(dataset: Any) -> bool:
    """Whether the values of a data set (of h5py's lower level) lie outside its file."""
    import h5py

    how = dataset.get_create_plist()
    return bool(how.get_external_count() or how.get_layout() == h5py.h5d.VIRTUAL)


def require_stored(dataset: HdfNode, *, harmless: int = 0) -> int:
    """Refuse a size that the file cannot hold, before any memory is taken; gives the bytes that it holds.

    Parameters
    ----------
    harmless : bytes that it may claim all the same
    """
    import h5py

    stored = int(dataset.id.get_storage_size())
    most = max(MOST_DEFLATED * stored, harmless)
    chunk = math.prod(dataset.chunks or ()) * dataset.dtype.itemsize
    if dataset.size * dataset.dtype.itemsize > most or chunk > max(most, _HARMLESS):
        raise ReaderError(f"'{dataset.name}' claims {dataset.size} values but holds {stored} bytes; the file is incomplete, copy it again.")
    how = dataset.id.get_create_plist()
    if sum(how.get_filter(index)[0] == h5py.h5z.FILTER_DEFLATE for index in range(how.get_nfilters())) > 1:
        raise ReaderError(f"'{dataset.name}' is compressed twice, by which a small file can fill any memory; write it again.")
    return stored


def chunks_of(dataset: HdfNode, unpacked: Callable[[NDArray[Any]], NDArray[Any]]) -> Chunks:
    """Counts of a data set that lies in chunks, with the file opened once more for them; `unpacked` undoes what the file did to numbers."""
    import h5py

    path = Path(dataset.file.filename)
    stream = path.open("rb", buffering=0)  # opened by its name, HDF5 would let nobody in this process open it in another manner
    own, lock = h5py.File(stream, "r")[dataset.name], Lock()  # HDF5 serves one at a time: who waits here does not hold the interpreter

    opened = state_of(stream.fileno())

    def read(place: Place) -> NDArray[Any]:
        with lock, readable_as("HDF5", path):
            if state_of(stream.fileno()) != opened:
                raise changed(path.name)
            return unpacked(own[place])

    ny, nx, channels = dataset.shape
    assert dataset.chunks is not None
    rows, columns, depth = dataset.chunks
    return Chunks(path.name, (ny, nx, channels), (rows, columns, depth), read)


def numbers_of(dataset: HdfNode) -> NDArray[Any]:
    """All values of a data set of real numbers."""
    require_stored(dataset, harmless=_HARMLESS)
    require_real(dataset.dtype, dataset.name)
    return np.asarray(dataset[()])


def texts_of(dataset: HdfNode) -> tuple[str, ...]:
    """All values of a data set of texts."""
    require_stored(dataset, harmless=_HARMLESS)
    return tuple(str(text) for text in dataset.asstr()[()])


def require_real(kind: np.dtype[Any], name: str) -> None:
    """Refuse what is no real number."""
    if kind.kind == "c":
        raise ReaderError(f"'{name}' holds complex numbers, counts are real; save their real part or their magnitude.")
    if kind.kind not in "biuf":
        raise ReaderError(f"'{name}' holds values of the kind '{kind}', not numbers; choose another file.")
