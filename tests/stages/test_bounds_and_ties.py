"""Bounds of single parameters and ties by formulas: kept in every pixel, with errors that are the scatter of noisy copies."""

import numpy as np
import pytest

from napari_wse2xai import Computed, Deconvolve, Peak, SpectralMap, check_model, compute, recipe
from napari_wse2xai.data import AxisKind, Status
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.stages.solvers import RAdam

X = np.arange(200.0, 300.0, 0.7)
WINDOW = (205.0, 295.0)
SHAPE = (30, 43)
A, B, C = (250.0, 6.0, 900.0), (262.0, 9.0, 500.0), (228.0, 5.0, 350.0)


def made(*lines: tuple[float, float, float], seed: int = 0, noise: float = 6.0) -> SpectralMap:
    truth = 20 + sum(h / (1 + (2 * (X - p) / w) ** 2) for p, w, h in lines)
    counts = truth + noise * np.random.default_rng(seed).normal(size=(*SHAPE, len(X)))
    return SpectralMap.from_arrays(counts.astype(np.float32), X, AxisKind.RAMAN_SHIFT)


def peak(name: str, line: tuple[float, float, float], **more: object) -> Peak:
    return Peak(name=name, position=line[0], fwhm=line[1], window=WINDOW, **more)


def fitted(peaks: tuple[Peak, ...], source: SpectralMap, **more: object):
    return Deconvolve(peaks=peaks, pixels="everywhere", **more)(source)


@pytest.fixture(scope="module")
def source() -> SpectralMap:
    return made(A, B, C)


TIED = {
    "width": ("fwhm = 1.5*A1'.fwhm", lambda a, c: 1.5 * a[1], 1),
    "height": ("height = 0.5*A1'.height + 50", lambda a, c: 0.5 * a[2] + 50, 2),
    "place between two": ("position = 0.5*A1'.position + 0.5*C.position + 23", lambda a, c: 0.5 * (a[0] + c[0]) + 23, 0),
    "place by a factor": ("B.position = 1.048 * A1'.position", lambda a, c: 1.048 * a[0], 0),
    "several": ("fwhm = A1'.fwhm + C.fwhm - 2; height = A1'.height - C.height", lambda a, c: a[1] + c[1] - 2, 1),
}


@pytest.mark.parametrize("which", TIED)
def test_what_is_tied_follows_in_every_pixel_and_errs_with_its_leaders(which: str) -> None:
    text, law, kind = TIED[which]
    line = list(B)
    line[kind] = law(A, C)
    if which == "several":
        line[2] = A[2] - C[2]
    found = fitted((peak("A1'", A), peak("B", tuple(B), ties=text), peak("C", C)), made(A, tuple(line), C))
    names = ("position", "fwhm", "height")
    values = [np.stack([getattr(found, name)[k] for name in names]).astype(float) for k in (0, 1, 2)]
    np.testing.assert_allclose(values[1][kind], law(values[0], values[2]), rtol=2e-6)
    assert (found.status == Status.OK).mean() > 0.97
    for k in range(3):
        for name in names:
            scatter, error = np.std(getattr(found, name)[k]), np.median(getattr(found, f"{name}_error")[k])
            assert error == pytest.approx(float(scatter), rel=0.08), (k, name)


def test_a_computed_map_knows_of_the_tie(source) -> None:
    found = fitted((peak("A1'", A), peak("B", B, ties="fwhm = 1.5*A1'.fwhm"), peak("C", C)), source)
    more = compute(found, source, Computed(name="r", expression="B.fwhm / A1'.fwhm"), Computed(name="s", expression="B.fwhm + A1'.fwhm"))
    np.testing.assert_allclose(more.computed[0].value, 1.5, rtol=1e-6)
    assert np.nanmax(more.computed[0].error) < 1e-4
    np.testing.assert_allclose(more.computed[1].error, 2.5 * found.fwhm_error[0], rtol=0.02)


@pytest.mark.parametrize("text", ["fwhm = 1.5*A1'.fwhm", "position = 0.5*A1'.position + 0.5*C.position + 23"])
def test_the_papers_solver_keeps_ties_too(text: str) -> None:
    few = made(A, B, C, noise=2.0)
    small = SpectralMap.from_arrays(few.counts[:3, :4], X, AxisKind.RAMAN_SHIFT)
    peaks = (peak("A1'", A), peak("B", B, ties=text), peak("C", C))
    quick = fitted(peaks, small)
    slow = fitted(peaks, small, solver=RAdam(steps=600))
    for name, size in (("position", 0.02), ("fwhm", 0.05), ("height", 5.0)):
        np.testing.assert_allclose(getattr(slow, name), getattr(quick, name), atol=size)


@pytest.mark.parametrize("text", ["height = 0.5*A1'.height + 20", "height = 100*A1'.fwhm", "fwhm = 0.03*A1'.position"])
def test_ties_that_the_papers_solver_cannot_keep_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"RAdam cannot keep the tie of the (height|fwhm) of peak B"):
        Deconvolve(peaks=(peak("A1'", A), peak("B", B, ties=text)), solver=RAdam())
    Deconvolve(peaks=(peak("A1'", A), peak("B", B, ties=text)))


BOUNDS = {
    "position": ({"position_bounds": (249.0, 249.8)}, (249.5, 6.0, 900.0), 249.8, 1),
    "fwhm": ({"fwhm_bounds": (5.0, 5.5)}, (250.0, 5.2, 900.0), 5.5, 2),
    "height": ({"height_bounds": (0, 800)}, (250.0, 6.0, 700.0), 800, 4),
    "least height": ({"height_bounds": (950, 2000)}, (250.0, 6.0, 1000.0), 950, 4),
}


@pytest.mark.parametrize("which", BOUNDS)
def test_a_bound_holds_and_is_told(which: str, source) -> None:
    bounds, expected, end, flag = BOUNDS[which]
    line = peak("A1'", expected, height=expected[2], **bounds)
    found = fitted((line, peak("B", B), peak("C", C)), source)
    values = getattr(found, which.split()[-1])[0]
    np.testing.assert_allclose(values, end, rtol=1e-5)
    assert (found.at_bound[0] == flag).all()
    assert (found.peak_status[0] == Status.AT_BOUND).mean() > 0.99
    kind = {1: "position", 2: "FWHM", 4: "height"}[flag]
    assert f"A1' {kind}" in found.status_words(1, 2)
    told = check_model(found, source)[0]
    assert (told.kind, told.names) == ("bound", ("A1'",))
    assert f"The {kind} of A1' ends at its bound" in told.words
    assert "move its bounds" in told.words


def test_bounds_that_hold_what_is_there_change_nothing(source) -> None:
    plain = fitted((peak("A1'", A), peak("B", B), peak("C", C)), source)
    wide = {"position_bounds": (240, 255), "fwhm_bounds": (2, 12), "height_bounds": (0, 5000)}
    bounded = fitted((peak("A1'", A, **wide), peak("B", B), peak("C", C)), source)
    for name, size in (("position", 2e-3), ("fwhm", 5e-3), ("height", 0.5)):
        np.testing.assert_allclose(getattr(bounded, name), getattr(plain, name), atol=size)
    assert (bounded.status == Status.OK).mean() > 0.97


def test_a_least_width_is_not_widened_by_what_the_map_shows() -> None:
    """Without bounds of its own a narrow line may be narrower than expected; with them it stays."""
    found = fitted((peak("A1'", (250.0, 6.0, 0.0), fwhm_bounds=(4.0, 9.0)),), made((250.0, 2.2, 900.0)))
    assert float(found.fwhm.min()) >= 4.0 - 1e-6
    assert (found.at_bound[0] & 2).all()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"fwhm_bounds": (7, 9)}, "lies outside its bounds 7 to 9"),
        ({"fwhm_bounds": (-1, 9)}, "cannot be below 0"),
        ({"fwhm_bounds": (5, 9), "fixed": "fwhm"}, "is fixed, so it has no bounds"),
        ({"form_bounds": (0, 1)}, "which its shape has none of"),
        ({"position_bounds": (260, 240)}, "from low to high"),
        ({"ties": "fwhm 0.5*B.fwhm"}, "is not written as"),
        ({"ties": "width = 0.5*B.fwhm"}, "is not written as"),
        ({"ties": "fwhm = B.fwhm; fwhm = 2*B.fwhm"}, "is not written as"),
        ({"ties": "fwhm = 0.5*D.fwhm"}, "the other peaks of its window B, C"),
        ({"ties": "fwhm = A1'.height"}, "the other peaks of its window B, C"),
        ({"ties": "fwhm = B.fwhm*C.fwhm"}, "is no sum of multiples"),
        ({"ties": "fwhm = 5"}, "names no other peak"),
        ({"ties": "fwhm = B.fwhm", "fixed": "fwhm"}, "cannot be fixed, shared, bounded or tied otherwise too"),
        ({"ties": "fwhm = B.fwhm", "fwhm_bounds": (2, 9)}, "cannot be fixed, shared, bounded or tied otherwise too"),
    ],
)
def test_what_cannot_be_is_one_sentence(more: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=r"A1'|window") as told:
        Deconvolve(peaks=(peak("A1'", A, **more), peak("B", B), peak("C", C)))
    assert says in str(told.value)


def test_a_tie_to_what_is_tied_is_refused() -> None:
    with pytest.raises(ValueError, match="which follows others itself"):
        Deconvolve(peaks=(peak("A1'", A, ties="fwhm = B.fwhm"), peak("B", B, ties="fwhm = C.fwhm"), peak("C", C)))


def test_a_list_of_peaks_is_kept_in_a_file_and_used_by_a_recipe(tmp_path) -> None:
    peaks = (
        peak("A1'", A, height_bounds=(0, 5000), source="here: α, „quoted“"),
        peak("2LA(M)", B, ties="fwhm = 0.5*A1'.fwhm; position = A1'.position + 12", optional=True),
        Peak(name="X0", shape="voigt", position=228, fwhm=5, window=(205.5, 240), form=0.3, form_bounds=(0.1, 0.6)),
    )
    recipe.write_peaks(peaks, tmp_path / "mine.yaml")
    assert recipe.read_peaks(tmp_path / "mine.yaml") == peaks
    (tmp_path / "map.txt").write_text("", encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text("raman: {file: map.txt, peaks: mine.yaml}\nstop_after: deconvolve\n", encoding="utf-8")
    assert recipe.load(tmp_path / "recipe.yaml").raman.deconvolve.peaks == peaks


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("peaks: 3", "is no list of peaks"),
        ("raman: {peaks: []}", "is no list of peaks"),
        ("peaks:\n  - {name: A, position: 3}", "is missing; add it"),
        ("peaks:\n  - {name: A, position: 3, fwhm: 1, window: [0, 9], tie: x}", "did you mean 'ties'"),
        ("peaks: [", "not valid YAML"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path, text: str, says: str) -> None:
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"p\.yaml") as told:
        recipe.read_peaks(tmp_path / "p.yaml")
    assert says in str(told.value)
    with pytest.raises(SettingsError, match="does not exist"):
        recipe.read_peaks(tmp_path / "other.yaml")
