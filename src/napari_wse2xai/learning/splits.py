"""Which pixels a model may see: random, spatial blocks with a buffer, other flakes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_wse2xai.errors import DataError, SettingsError
from napari_wse2xai.learning.variogram import Numbers, Raster, correlation_length

Indices = NDArray[np.int64]
Split = tuple[Indices, Indices]
"""Rows to train on, rows to test on."""

BUFFER_SHARE = 1.0 / 3.0
"""Width of the automatic buffer ring, as a share of the correlation length."""
LEAST_TRAINING = 0.25
"""Smallest share of all pixels that must be left to train on."""


def random_split(count: int, *, share: float = 0.3, seed: int = 0) -> Split:
    """Split pixels at random into training and validation, 7:3 as the paper does.

    Notes
    -----
    Neighbouring pixels are alike, so this proves nothing about a smooth map by itself: use `SpatialBlockKFold` beside it.
    """
    held_out = max(1, round(share * count))
    if not 0 < share < 1 or count - held_out < 1:
        raise SettingsError(f"{count} pixels cannot be split with a share of {share:g} for validation; give more pixels or another share.")
    order = np.random.default_rng(seed).permutation(count)
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def leave_one_flake_out(flake: ArrayLike) -> Iterator[Split]:
    """Train on all flakes but one and test on that, for every flake (n,) in turn.

    Raises
    ------
    DataError
        There is one flake only.
    """
    label = np.asarray(flake)
    names = np.unique(label)
    if len(names) < 2:
        raise DataError("Only one flake is loaded, so none can be kept for testing; load a second one, or use spatial blocks.")
    for name in names:
        yield np.flatnonzero(label != name), np.flatnonzero(label == name)


@dataclass(frozen=True)
class SpatialBlockKFold:
    """Hold out whole blocks of neighbouring pixels, and train on none within a buffer around them: a splitter as scikit-learn has them.

    Parameters
    ----------
    n_splits : folds; every pixel is held out in one of them
    block_size : side of a block in the unit of the coordinates; ``auto`` takes the correlation length of the target (`correlation_length`)
    buffer : pixels within this distance of a held-out one are not trained on; ``auto`` takes a third of the correlation length
    seed : of the clustering that cuts the flake into blocks

    Notes
    -----
    Blocks are k-means clusters of the places: compact and about equally large on a flake of any outline.  They are dealt to the folds
    largest first, each to the fold with the fewest pixels.  Blocks as large as the correlation length, and a buffer: Roberts et al. 2017
    (doi 10.1111/ecog.02881), Valavi et al. 2019 (doi 10.1111/2041-210X.13107).  Pixels farther away than the buffer still know a little of
    the held-out ones, so scores are compared with those of surrogates.
    """

    n_splits: int = 5
    block_size: float | Literal["auto"] = "auto"
    buffer: float | Literal["auto"] = "auto"
    seed: int = 0

    def split(self, X: object, y: ArrayLike | None = None, groups: ArrayLike | None = None) -> Iterator[Split]:  # noqa: N803 - as in scikit-learn
        """Give training and test rows of every fold.

        Parameters
        ----------
        X : not looked at
        y : (n,) or (n, target), from which ``auto`` takes the lengths (the longest of several targets)
        groups : (n, 2) coordinates of the pixels; (n, 3) with the number of the flake in front where there are several

        Raises
        ------
        DataError
            The flake is too small for honest blocks.
        """
        folds = self.folds(y, groups)
        for fold in range(self.n_splits):
            yield folds.training(fold), np.flatnonzero(folds.fold == fold)

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:  # noqa: N803 - as in scikit-learn
        """Give the number of folds."""
        return self.n_splits

    def folds(self, y: ArrayLike | None, groups: ArrayLike | None) -> "Folds":
        """Cut the flake into blocks, and deal these to folds; arguments as in `split`."""
        places, flake = _places(groups)
        length = self._length(y, places, flake)
        size = length if self.block_size == "auto" else float(self.block_size)
        buffer = BUFFER_SHARE * length if self.buffer == "auto" else float(self.buffer)
        block = self._blocks(places, flake, size)
        folds = Folds(places, flake, block, _deal(block, self.n_splits), size, buffer)
        if (least := min(len(folds.training(fold)) for fold in range(self.n_splits)) / len(places)) < LEAST_TRAINING:
            detail = f"blocks of {size:.3g} and a buffer of {buffer:.3g} leave {least:.0%} of its pixels to train on"
            raise DataError(f"The flake is too small for honest blocks: {detail}; map a larger flake, or ask for a smaller buffer.")
        return folds

    def _length(self, y: ArrayLike | None, places: Numbers, flake: Indices) -> float:
        if "auto" not in (self.block_size, self.buffer):
            return 0.0
        if y is None:
            raise SettingsError("Automatic blocks need the target map; give y, or a block size and a buffer.")
        targets = np.asarray(y, dtype=np.float64).reshape(len(places), -1)
        return max(
            correlation_length(targets[flake == one, t], places[flake == one]) for one in np.unique(flake) for t in range(targets.shape[1])
        )

    def _blocks(self, places: Numbers, flake: Indices, size: float) -> Indices:
        """Block of every pixel (n,), numbered through all flakes."""
        if self.n_splits < 2 or size <= 0:
            raise SettingsError(
                f"{self.n_splits} folds of blocks of {size:.3g} make no validation; use at least 2 folds, and blocks with a size."
            )
        block, count = np.zeros(len(places), dtype=np.int64), 0
        for one in np.unique(flake):
            here = flake == one
            # So many blocks as the flake's area holds squares of that side: k-means makes them compact, whatever the outline.
            wanted = max(1, round(Raster.of(places[here]).area / size**2))
            block[here] = count + _clusters(places[here], wanted, self.seed)
            count += wanted
        if count < self.n_splits:
            detail = f"it holds {count} blocks of {size:.3g}, over which the target is alike, and {self.n_splits} are needed"
            raise DataError(f"The flake is too small for honest blocks: {detail}; map a larger flake, or load a second one to test on.")
        return block


@dataclass(frozen=True, eq=False)
class Folds:
    """A flake cut into blocks, dealt to folds."""

    places: Numbers
    """(n, 2)"""
    flake: Indices
    """(n,)"""
    block: Indices
    """(n,) block of each pixel."""
    fold: Indices
    """(n,) fold in which it is held out."""
    block_size: float
    buffer: float

    def training(self, fold: int) -> Indices:
        """Rows farther than the buffer from every pixel of a fold."""
        from scipy.spatial import cKDTree

        held_out = self.fold == fold
        free = ~held_out
        for one in np.unique(self.flake[held_out]):
            here = self.flake == one
            distance, _ = cKDTree(self.places[here & held_out]).query(self.places[here])
            free[here] &= distance > self.buffer
        return np.flatnonzero(free)


def _places(groups: ArrayLike | None) -> tuple[Numbers, Indices]:
    """Places (n, 2) and flake (n,) from what was given as groups."""
    given = np.asarray(groups, dtype=np.float64) if groups is not None else np.empty(0)
    if given.ndim != 2 or given.shape[1] not in (2, 3) or not np.isfinite(given).all():
        raise SettingsError(
            "Spatial blocks need the places of the pixels; give groups=coordinates, (n, 2) y and x, or (n, 3) with the flake in front."
        )
    flake = given[:, 0] if given.shape[1] == 3 else np.zeros(len(given))
    return given[:, -2:], np.asarray(flake, dtype=np.int64)


def _clusters(places: Numbers, count: int, seed: int) -> Indices:
    """Compact blocks of about equal size: cluster of each place (n,)."""
    from sklearn.cluster import KMeans

    return np.asarray(KMeans(min(count, len(places)), n_init=4, random_state=seed).fit_predict(places), dtype=np.int64)


def _deal(block: Indices, folds: int) -> Indices:
    """Deal blocks to folds, the largest first, each to the fold with the fewest pixels: fold of every pixel (n,)."""
    sizes = np.bincount(block)
    fold_of, load = np.zeros(len(sizes), dtype=np.int64), np.zeros(folds, dtype=np.int64)
    for one in np.argsort(-sizes, kind="stable"):
        fold_of[one] = load.argmin()
        load[fold_of[one]] += sizes[one]
    return fold_of[block]
