"""The recipes in examples/ run, and find in real measurements what is there."""

import json
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import yaml

from napari_wse2xai import batch, io, recipe
from napari_wse2xai.data import Status
from napari_wse2xai.learning import references
from napari_wse2xai.stages import Explain, Pair, Simulate, Train, check_model
from napari_wse2xai.synthetic import make_flake

# Real maps hold more than a recipe of a few lines says, and are told so.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:(raman|pl). {words}:napari_wse2xai.errors.DataWarning")
    for words in ("The shape", "A line near", "The background", "The spectra step", ".+ is no single")
]
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def run(name):
    wanted = recipe.load(EXAMPLES / name)
    sources = {modality: io.read(section.file, section.item) for modality, section in wanted.sections().items()}
    recipe.check(wanted, sources)
    return batch.run_chains(wanted, sources)


def peak(peaks, name):
    index = peaks.names.index(name)
    return {parameter: getattr(peaks, parameter)[index] for parameter in ("position", "fwhm", "height", "position_error")}


@pytest.fixture(scope="module")
def ws2(shared_data):
    return run("linescan_ws2.yaml")


def test_the_flake_of_the_line_scan_is_one_piece_between_bare_ends(ws2):
    rows = np.flatnonzero(ws2.maps["raman"].flake)
    assert ws2.maps["raman"].frame.shape == (100, 1)
    assert 18 <= rows[0] <= 22
    assert 91 <= rows[-1] <= 95
    assert len(rows) == rows[-1] - rows[0] + 1


@pytest.mark.parametrize(("name", "position"), [("2LA(M)", 351.5), ("A1'", 418.0)])
def test_the_lines_of_ws2_are_fitted_on_every_flake_row(ws2, name, position):
    flake, found = ws2.maps["raman"].flake, peak(ws2.peaks["raman"], name)
    # Five Lorentzians are not all that this spectrum holds: the numbers stand, with errors that say so, and the map is told.
    assert np.isin(ws2.peaks["raman"].status[flake], [Status.OK, Status.MISFIT]).all()
    assert np.abs(found["position"][flake] - position).max() < 0.6
    assert (np.abs(found["position"] - position)[flake] < 5 * found["position_error"][flake]).all()
    assert check_model(ws2.peaks["raman"], ws2.maps["raman"])
    assert (found["height"][flake] > 100).all()
    assert np.isnan(found["position"][~flake]).all()


def test_silicon_is_seen_on_the_bare_rows(shared_data):
    results = run("linescan_silicon.yaml")
    bare, found = ~results.maps["raman"].flake, peak(results.peaks["raman"], "Si")
    assert bare.sum() >= 20
    assert np.abs(found["position"][bare] - 520.2).max() < 0.3
    assert (found["height"][bare] > 2000).all()
    assert np.isnan(found["position"][~bare]).all()


def test_the_emission_is_found_on_every_flake_pixel(shared_data):
    results = run("pl_map.yaml")
    source, peaks = results.maps["pl"], results.peaks["pl"]
    assert source.axis.unit == "eV"
    assert 150 < source.flake.sum() < 300
    found = peak(peaks, "emission")
    assert np.abs(found["position"][source.flake] - 2.366).max() < 0.01
    assert np.median(found["fwhm"][source.flake]) == pytest.approx(0.065, abs=0.008)
    # One Gaussian leaves 10 and more times the noise: no pixel of which that is so may count as well described.
    poor = source.flake & (peaks.reduced_chi2 > 5)
    assert poor.sum() > 200
    assert not (peaks.status[poor] == Status.OK).any()
    assert any(proposal.kind == "missing line" for proposal in check_model(peaks, source))


def test_the_template_runs_on_a_flake_as_it_stands(tmp_path):
    flake = make_flake("triangle", shape_px=(20, 22), seed=3)
    data = yaml.safe_load((EXAMPLES / "wse2.yaml").read_text(encoding="utf-8"))
    for modality, source in (("raman", flake.raman), ("pl", flake.pl)):
        data[modality]["file"] = f"{modality}.nc"
        io.write_map(source, tmp_path / f"{modality}.nc")
    (tmp_path / "wse2.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    wanted = recipe.load(tmp_path / "wse2.yaml")
    assert [list(section.stages()) for section in wanted.sections().values()] == [
        list(s.stages()) for s in recipe.preset().sections().values()
    ]
    results = batch.run_chains(wanted, {name: io.read(section.file) for name, section in wanted.sections().items()})
    assert (results.peaks["raman"].status == Status.OK).sum() > 50


def test_the_template_of_a_series_is_read(tmp_path):
    text = (EXAMPLES / "series.yaml").read_text(encoding="utf-8")
    (tmp_path / "series.yaml").write_text(text, encoding="utf-8")
    for name in ("a_rs", "a_pl", "b_rs", "b_pl", "a_rs_633", "a_pl_633"):
        (tmp_path / f"{name}.txt").touch()
    series = recipe.load_series(tmp_path / "series.yaml")
    assert [len(series.under(condition)) for condition in series.conditions] == [2, 1]
    assert [train.architecture for train in series.trainings] == ["convolution", "residual"]


def test_what_the_template_holds_in_comments_can_be_used(tmp_path):
    text = (EXAMPLES / "wse2.yaml").read_text(encoding="utf-8")
    later = text.partition("# pair:")[2].partition("stop_after")[0]
    for name in ("rs.txt", "pl.txt"):
        (tmp_path / name).touch()
    bare = later.replace("\n# ", "\n").removeprefix("# ")
    used = text.replace(f"# pair:{later}", f"pair:{bare}").replace("\nstop_after: deconvolve", "")
    (tmp_path / "wse2.yaml").write_text(used, encoding="utf-8")
    wanted = recipe.load(tmp_path / "wse2.yaml")
    assert (wanted.pairing, wanted.training, wanted.explaining, wanted.simulating) == (Pair(), Train(), Explain(), Simulate())


@pytest.mark.parametrize("name", ["spectra_to_map", "may_i_believe_it"])
def test_a_notebook_runs_from_its_first_cell_to_its_last(name, tmp_path, monkeypatch, capsys):
    notebook = json.loads((EXAMPLES / f"{name}.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] for cell in cells), "clear the outputs before it is committed"
    monkeypatch.chdir(tmp_path)
    every = references.reference_models
    monkeypatch.setattr(references, "reference_models", lambda seed: {model: every(seed)[model] for model in ("mean", "kernel ridge")})
    matplotlib.use("agg")
    there: dict[str, object] = {}
    for cell in cells:
        exec(compile("".join(cell["source"]), f"{name}, {cell['id']}", "exec"), there)
    said = capsys.readouterr().out
    assert {"spectra_to_map": "pull", "may_i_believe_it": "interpretable: With"}[name] in said
