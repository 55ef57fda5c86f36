"""A first look at a map, before any peak is fitted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Components, SpectralMap
from napari_wse2xai.errors import DataError, counted
from napari_wse2xai.numerics import decomposition
from napari_wse2xai.numerics.library_threads import single_threaded
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages._bands import bands, rows_of
from napari_wse2xai.stages._screening import bridged, screened
from napari_wse2xai.stages._stage import Stage, setting
from napari_wse2xai.stages._windows import Window, channels

SAMPLE = 10_000
"""Spectra, evenly over the map, that components are found from; their shares are found in every pixel."""
FEWEST = 8
"""Spectra and channels without which there is nothing to compare."""
MOST = 8
"""Components that are given; how many stand above the noise is told all the same."""
Array = NDArray[np.float64]


class Decompose(Stage[SpectralMap, Components]):
    """What the spectra of a map are made of, asked without any list of peaks: components with their maps, or groups of like spectra.

    Channels are weighed by their noise, so that noise is no component; how many stand above it is told.  For a look before the fit and for
    start peaks; what a component is made of physically it does not say.

    Notes
    -----
    Principal component analysis, non-negative matrix factorisation and k-means of scikit-learn; the number of components by Gavish and
    Donoho 2014, the weights after Keenan and Kotula 2004.
    """

    title: ClassVar[str] = "First look: components"
    order: ClassVar[int] = 75
    gives: ClassVar[type] = Components
    effort: ClassVar[float] = 2.0

    method: Literal["PCA", "NMF", "k-means"] = setting(
        "PCA",
        title="Method",
        description="PCA: what spectra differ by from their mean, strongest first; NMF: spectra without negative parts that add up to "
        "them, after the baseline; k-means: groups of like spectra.",
    )
    number: int | None = setting(
        None,
        title="Number",
        description="How many components or groups; empty for as many as stand above the noise, and one group more than these.",
        ge=1,
        le=MOST,
    )
    window: Window | None = setting(
        None, title="Window", unit="axis", description="Spectral range that is compared; empty for the whole axis."
    )
    pixels: Literal["flake", "everywhere"] = setting(
        "flake", title="Pixels", description="Which pixels are compared: those of the flake, where it was found, or all."
    )
    shape_only: bool = setting(
        False,
        title="Shape only",
        description="Divide every spectrum by its mean count first, so that brightness makes no difference.",
    )

    @classmethod
    def summary(cls, result: Any) -> str:
        """How many stand above the noise, and how much they explain."""
        number = len(result.names)
        if result.group is None:
            share = 100 * float(result.explained.sum())
            made = f"{counted(number, 'component')} {'explains' if number == 1 else 'explain'} {share:.1f} % of the variance"
        else:
            sizes = np.bincount(result.group.ravel(), minlength=number + 1)[1:]
            made = f"{number} groups of {', '.join(map(str, sizes))} pixels"
        above = counted(result.above_noise, "principal component")
        return f"{made}; {above} {'stands' if result.above_noise == 1 else 'stand'} above the noise."

    @classmethod
    def facts(cls, result: Components) -> list[tuple[str, str]]:
        """What the report says."""
        return [("Components before any fit", f"{result.method}: {cls.summary(result)}")]

    def run(self, source: SpectralMap, progress: Progress) -> Components:
        """Find the components in a sample of the spectra, then their shares in all."""
        spectra = _Spectra.of(screened(source), self)
        sample = spectra.sample()
        scale = decomposition.channel_noise(sample)
        progress(0.2, "comparing the spectra")
        with single_threaded():
            basis, above = decomposition.principal(sample / scale, self._components_wanted(), MOST)
            if self.method == "k-means":
                model = decomposition.clusters(basis.shares(sample / scale)[0], self.number or min(above + 1, MOST))
                return self._grouped(
                    spectra, lambda chunk: model.predict(basis.shares(chunk / scale)[0]), model.n_clusters, above, progress
                )
            if self.method == "NMF":
                basis = decomposition.positive(sample / scale, self.number or min(max(above, 1), MOST), basis.memory)
            return self._shared(spectra, basis, scale, above, progress)

    def _components_wanted(self) -> int | None:
        return None if self.method == "k-means" else self.number

    def _shared(self, spectra: "_Spectra", basis: decomposition.Basis, scale: Array, above: int, progress: Progress) -> Components:
        """Components with their maps, each turned so that its strongest channel is positive and its share is 1 in the mean square."""
        parts = [basis.shares(chunk / scale) for chunk in spectra.chunks(progress)]
        shares, errors = (np.concatenate(each).T for each in zip(*parts, strict=True))
        # The sign of a component is nobody's: its strongest channel points up, so that the same data give the same pictures.
        strongest = np.abs(basis.spectra * scale).argmax(axis=1)
        signs = np.sign(np.take_along_axis(basis.spectra, strongest[:, None], axis=1)[:, 0])
        size = np.sqrt((shares**2).mean(axis=1)) * np.where(signs == 0, 1.0, signs)
        size[size == 0] = 1.0
        return spectra.components(
            self.method,
            basis.spectra * scale * size[:, None],
            explained=basis.variance,
            share=spectra.maps(shares / size[:, None]),
            share_error=spectra.maps(errors / np.abs(size)[:, None]),
            mean=spectra.on_axis(basis.mean * scale) if self.method == "PCA" else None,
            above_noise=above,
        )

    def _grouped(
        self, spectra: "_Spectra", group_of: Callable[[Array], NDArray[Any]], number: int, above: int, progress: Progress
    ) -> Components:
        """Groups by the principal scores, strongest first, each with its mean spectrum and the spread about it."""
        found = np.concatenate([group_of(chunk) for chunk in spectra.chunks(progress)])
        means, spreads, sizes = spectra.moments(found, number)
        order = np.argsort(-means.mean(axis=1))
        rank = np.argsort(order)
        group = np.zeros(spectra.chosen.shape, dtype=np.uint8)
        group[spectra.chosen] = rank[found] + 1
        return spectra.components(
            self.method,
            means[order],
            explained=sizes[order] / sizes.sum(),
            spread=spectra.on_axis(spreads[order]),
            group=group,
            above_noise=above,
        )


@dataclass(frozen=True)
class _Spectra:
    """The spectra that are compared, a band of rows at a time, so that a map on disk is never held whole."""

    source: SpectralMap
    chosen: NDArray[np.bool_]
    """(ny, nx)"""
    columns: NDArray[np.intp]
    """Channels of the window that tell something."""
    shape_only: bool

    @classmethod
    def of(cls, source: SpectralMap, settings: Decompose) -> "_Spectra":
        inside = channels(source, settings.window, "the window")
        bad = source.bad_channels if source.bad_channels is not None else np.empty(0, dtype=np.int32)
        columns = np.setdiff1d(np.arange(len(source.axis))[inside], bad).astype(np.intp)
        wanted = source.flake if settings.pixels == "flake" and source.flake is not None else np.ones(source.frame.shape, dtype=bool)
        spectra = cls(source, wanted & _whole(source, columns), columns, settings.shape_only)
        count = int(spectra.chosen.sum())
        if count < FEWEST or len(columns) < FEWEST:
            raise DataError(
                f"'{source.name}' has {counted(count, 'whole spectrum', 'whole spectra')} of {counted(len(columns), 'channel')} to "
                f"compare, and {FEWEST} of each are the least; choose a wider window, or pixels: everywhere."
            )
        return spectra

    def chunks(self, progress: Progress | None = None) -> Any:
        """Give (m, channel) spectra, in the order of the map's rows."""
        every = bands(self.source.counts.shape)
        for number, band in enumerate(every):
            if progress is not None:
                progress(0.4 + 0.6 * number / len(every), "in every pixel")
            chosen = self.chosen[band.rows]
            if chosen.any():
                yield self._taken(band.rows, chosen)

    def sample(self) -> Array:
        """(m, channel) spectra evenly over the map."""
        rank = np.flatnonzero(self.chosen)
        taken = np.zeros(self.chosen.size, dtype=bool)
        taken[rank[np.linspace(0, len(rank) - 1, min(len(rank), SAMPLE)).astype(np.intp)]] = True
        some = taken.reshape(self.chosen.shape)
        parts = [self._taken(band.rows, some[band.rows]) for band in bands(self.source.counts.shape) if some[band.rows].any()]
        return np.concatenate(parts)

    def _taken(self, rows: slice, chosen: NDArray[np.bool_]) -> Array:
        filled, _ = bridged(rows_of(self.source.counts, rows), None)
        values = filled[chosen][:, self.columns].astype(np.float64)
        if self.shape_only:
            light = values.mean(axis=1, keepdims=True)
            values *= float(np.mean(np.abs(light))) / np.where(np.abs(light) > 0, light, 1.0)
        return np.asarray(values)

    def moments(self, group: NDArray[np.integer[Any]], number: int) -> tuple[Array, Array, Array]:
        """Means and standard deviations (group, channel) and sizes (group,) of the groups that the spectra belong to."""
        sizes, total, squares = np.zeros(number), np.zeros((number, len(self.columns))), np.zeros((number, len(self.columns)))
        at = 0
        for chunk in self.chunks():
            member = np.eye(number)[group[at : at + len(chunk)]].T
            sizes, total, squares = sizes + member.sum(axis=1), total + member @ chunk, squares + member @ chunk**2
            at += len(chunk)
        count = np.maximum(sizes, 1.0)[:, None]
        return total / count, np.sqrt(np.maximum(squares / count - (total / count) ** 2, 0.0)), sizes

    def maps(self, values: Array) -> NDArray[np.float32]:
        """(component, ny, nx) values of the chosen pixels, NaN elsewhere."""
        maps = np.full((len(values), *self.chosen.shape), np.nan, dtype=np.float32)
        maps[:, self.chosen] = values
        return maps

    def on_axis(self, values: Array) -> NDArray[np.float32]:
        """(..., spectral) values of the channels that were compared, NaN elsewhere."""
        every = np.full((*values.shape[:-1], len(self.source.axis)), np.nan, dtype=np.float32)
        every[..., self.columns] = values
        return every

    def components(self, method: str, spectra: Array, **fields: Any) -> Components:
        """What was found, with where it was found."""
        word = "group" if "group" in fields else "component"
        names = tuple(f"{word} {number + 1}" for number in range(len(spectra)))
        source = self.source
        return Components(
            source.frame,
            source.axis,
            method,
            names,
            self.on_axis(spectra),
            name=source.name,
            intensity_unit=source.intensity_unit,
            history=source.history,
            **fields,
        )


def _whole(source: SpectralMap, columns: NDArray[np.intp]) -> NDArray[np.bool_]:
    """(ny, nx) True where a spectrum has values enough to be compared: half of its channels, the others are bridged."""
    found = np.zeros(source.frame.shape, dtype=bool)
    for band in bands(source.counts.shape):
        filled, _ = bridged(rows_of(source.counts, band.rows), None)
        found[band.rows] = np.isfinite(filled[..., columns]).all(axis=-1)
    return found
