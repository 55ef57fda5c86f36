"""What is used of a group or variable in an HDF5, NetCDF or Zarr file, whichever library opened it: their types, if any, say less."""

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any, Protocol, overload

import numpy as np


class HdfNode(Protocol):
    """A group, a file (its root group) or a variable: which of them is known by who asks."""

    attrs: MutableMapping[str, Any]
    id: Any
    name: str
    file: Any
    parent: "HdfNode"
    # of a group
    dimensions: MutableMapping[str, Any]
    groups: Mapping[str, "HdfNode"]
    variables: Mapping[str, "HdfNode"]
    create_group: Callable[[str], "HdfNode"]
    create_variable: Callable[..., "HdfNode"]
    create_dataset: Callable[..., "HdfNode"]
    visititems: Callable[[Callable[[str, object], Any]], Any]
    # of a variable
    chunks: tuple[int, ...] | None
    dtype: np.dtype[Any]
    ndim: int
    shape: tuple[int, ...]
    size: int
    dims: Iterable[Any]
    asstr: Callable[[], Any]
    # of Zarr alone
    members: Callable[..., Iterable[tuple[str, "HdfNode"]]]
    metadata: object
    basename: str
    path: str
    store: Any
    nbytes: int
    shards: tuple[int, ...] | None
    compressors: Iterable[object]
    filters: Iterable[object]
    nbytes_stored: Callable[[], int]

    @overload
    def __getitem__(self, key: str) -> "HdfNode": ...
    @overload
    def __getitem__(self, key: object) -> Any: ...
    def __setitem__(self, key: object, value: object) -> None: ...
    def __contains__(self, name: object) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    @overload
    def get(self, name: str) -> "HdfNode | None": ...
    @overload
    def get(self, name: str, *, getlink: bool) -> Any: ...

    def keys(self) -> Iterable[str]:
        """Names in a group."""

    def items(self) -> Iterable[tuple[str, "HdfNode"]]:
        """Names in a group, and what they stand for."""
