"""What the report says and draws of theory beside the data."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_wse2xai.data import Results
from napari_wse2xai.theory.beside import TheoryBeside
from napari_wse2xai.theory.findings import folded_peak, sentences

if TYPE_CHECKING:
    from napari_wse2xai.plots.plain_text import PlainFigure

CAPTIONS = {
    "theory_beside": "Mean spectra of the bright and the dark part of the flake, and calculated lines laid over them with one shift and "
    "one scale per engine.",
    "theory_raman": "Calculated Raman spectra in backscattering, as they are.",
}
MISSING = "–"


def jobs(results: Results) -> dict[str, Callable[[], "PlainFigure"]]:
    """Figures by name, in the order of the report, not yet drawn."""
    from napari_wse2xai.plots import theory as plots
    from napari_wse2xai.plots import theory_beside

    beside = results.theory
    if beside is None:
        return {}
    found: dict[str, Callable[[], PlainFigure]] = {"theory_beside": partial(theory_beside.beside_figure, beside)}
    if beside.result.moving_engines:
        found["theory_spectral_intensity"] = partial(plots.spectral_intensity_figure, beside.result)
    return found | {"theory_raman": partial(plots.raman_figure, beside.result)}


def captions(beside: TheoryBeside) -> Iterable[tuple[str, str]]:
    """What stands under each figure; under that of the motion, what its highest peak is not."""
    motion = f"Spectrum of the atoms' velocities. {folded_peak(beside.result)}".strip()
    return (CAPTIONS | {"theory_spectral_intensity": motion}).items()


def words_of(beside: TheoryBeside) -> dict[str, Any]:
    """What the page says."""
    result = beside.result
    return {
        "evidence": beside.evidence,
        "leading": result.leading,
        "names": [{"peak": one.peak, "position": _place(one.position), "words": one.sentence} for one in beside.proposals],
        "matches": [(engine, beside.match_words(engine)) for engine in result.engines],
        "sentences": [text for text in sentences(result) if text not in beside.evidence],
        "provenance": list(result.provenance.items()),
    }


def _place(position: float) -> str:
    return f"{position:.1f}" if np.isfinite(position) else MISSING
