"""What calculations on this machine gave, in sentences: the same on the command line and in the window."""

from collections.abc import Iterator, Sequence

from napari_wse2xai.theory.cell import GAMMA_MODES, HarmonicCell
from napari_wse2xai.theory.findings import unconverged
from napari_wse2xai.theory.layer_raman import LayerRaman
from napari_wse2xai.theory.reference import pristine_modes
from napari_wse2xai.theory.relaxed import Relaxed
from napari_wse2xai.theory.runs import Run, narrowest_cm1

FEWEST_SEEDS = 10
"""Below it the errors over seeds are themselves uncertain, and structures come out in either order."""
MOST_DRIFT = 0.1
"""meV per atom and ps."""
Words = Iterator[str]


def of_relaxed(found: Relaxed) -> Words:
    """Size of the unit cell, and what is left."""
    yield f"a = {found.a:.4f} A, chalcogens {found.height:.4f} A above the metal; {found.largest_force:.4f} eV/A left, {found.steps} steps"


def of_vibrations(cell: HarmonicCell) -> Words:
    """Where the vibrations lie that have most of each Gamma mode."""
    for mode in GAMMA_MODES:
        shares = (cell.overlaps(mode) ** 2).sum(axis=0)
        best = int(shares.argmax())
        yield f"{mode:4s} {cell.wavenumbers[best]:7.1f} cm-1"


def of_raman(found: LayerRaman) -> Words:
    """Places, heights against the pristine layer and null controls, and what to be careful of."""
    name = list(found.cells)[-1]
    yield from of_vibrations(found.cells[name])
    if len(found.cells) > 1:
        yield from (_height(found, name, mode) for mode in ("A1'", "E'"))
    modes = pristine_modes(found.material)
    if not modes.converged:
        yield unconverged(modes)


def _height(found: LayerRaman, name: str, mode: str) -> str:
    """How high a line still is, and whether changes without chemistry do the same."""
    height, null = found.height(name, mode), found.null_height(mode)
    said = f"{name} against pristine: the projected line {mode} is {height:.2f} times as high"
    if null is None:
        return f"{said}; the layer is too small for null controls, so that theory says nothing of it (3 x 3 unit cells or more)"
    verdict = "lower than every null control" if height < null else "no lower than null controls: theory says nothing of it"
    return f"{said}, {verdict} ({null:.2f})"


def of_runs(runs: Sequence[Run]) -> Words:
    """Each seed, and how far to trust all of them."""
    yield from map(_run, runs)
    yield f"Runs of this length draw no line narrower than {narrowest_cm1(runs):.0f} cm-1: compare heights of runs of one length only."
    if len(runs) < FEWEST_SEEDS:
        yield f"These are {len(runs)} of the {FEWEST_SEEDS} seeds from which on structures may be ranked by dynamics; ask for more."


def _run(run: Run) -> str:
    drift, error = run.drift, run.drift_error
    too_much = "; that is too much, take a larger layer or a shorter step" if abs(drift) - 2 * error > MOST_DRIFT else ""
    return (
        f"seed {run.seed}: {len(run.kept) * run.step_fs * 1e-3:.2f} ps at {run.temperatures.mean():.0f} +- {run.temperature_error:.0f} K, "
        f"energy drift {drift:+.3f} +- {error:.3f} meV per atom and ps{too_much}"
    )
