"""Whole runs into a folder: everything is there at the end, or nothing."""

import dataclasses
import errno
import html
import json
import tempfile
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray
import yaml

from learned import make_explanation, make_model, make_recovery
from made_calculations import write_phonon
from napari_wse2xai import batch, cli, io, recipe, report, synthetic
from napari_wse2xai.batch import _jobs
from napari_wse2xai.data import Level, Results, Samples, Status
from napari_wse2xai.data.transform import corners_um
from napari_wse2xai.errors import Cancelled, DataError, DataWarning, UserError
from napari_wse2xai.report import _figures
from napari_wse2xai.stages import Explain, Simulate, Train
from napari_wse2xai.synthetic import Placement, make_flake, make_pair
from napari_wse2xai.theory import supercell

# One line of many, in a window of its own: the others' tails bend the background under it, which is told.
pytestmark = pytest.mark.filterwarnings("ignore:raman. The background bends:napari_wse2xai.errors.DataWarning")
RECIPE = {
    "raman": {"file": "rs.nc", "peaks": [{"name": "A1'", "position": 250, "fwhm": 4, "window": [244, 256]}]},
    "pl": {"file": "pl.nc"},
}


@pytest.fixture(scope="module")
def flake():
    return make_flake("triangle", shape_px=(20, 22), seed=3)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory, flake):
    """A folder with two small maps."""
    folder = tmp_path_factory.mktemp("inputs")
    io.write_map(flake.raman, folder / "rs.nc")
    io.write_map(flake.pl, folder / "pl.nc")
    return folder


@pytest.fixture
def no_figures(monkeypatch):
    """Draw nothing: for tests that are not about figures, which take most of a small run's time."""
    monkeypatch.setattr(report, "draw_figures", lambda results, progress: {"raman_flake.png": b"\x89PNG"})
    monkeypatch.setattr(report, "card", lambda *_, theory, **_more: report.Card(" ".join(theory), b"%PDF"))


quick = pytest.mark.usefixtures("no_figures")


def write(inputs, name="recipe.yaml", **changes):
    path = inputs / name
    path.write_text(yaml.safe_dump({**RECIPE, **changes}), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def told():
    """Fractions that the run of the fixture `run` told, in their order."""
    return []


@pytest.fixture(scope="module")
def run(inputs, told, tmp_path_factory):
    output = tmp_path_factory.mktemp("runs") / "new" / "out"
    return batch.run_recipe(write(inputs), output, lambda fraction, words: told.append(fraction)), output


def named(figure, name):
    """Files of a figure, not drawn."""
    return {f"{name}.{kind}": b"" for kind in ("png", "svg")}


@pytest.fixture
def not_drawn(monkeypatch):
    """Make each figure and tell the progress, but draw none: for tests of what happens meanwhile."""
    monkeypatch.setattr(_figures, "saved", named)


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_run_writes_results_figures_and_report(run):
    _, output = run
    kinds = ("flake", "fwhm", "height", "position", "spectra")
    figures = [f"figures/{modality}_{kind}.{suffix}" for modality in ("pl", "raman") for kind in kinds for suffix in ("png", "svg")]
    assert files(output) == [*figures, "report.html", "results.nc"]


def test_results_on_disk_are_the_results(run):
    results, output = run
    again = io.read_results(output / "results.nc")
    assert set(again.peaks) == {"raman", "pl"}
    for name, peaks in results.peaks.items():
        np.testing.assert_array_equal(again.peaks[name].position, peaks.position)
        np.testing.assert_array_equal(again.maps[name].flake, results.maps[name].flake)


@quick
def test_the_recipe_kept_in_the_results_makes_them_again(run, tmp_path):
    results, output = run
    (tmp_path / "again.yaml").write_text(io.read_results(output / "results.nc").recipe, encoding="utf-8")
    again = batch.run_recipe(tmp_path / "again.yaml", tmp_path / "out")
    for name, peaks in results.peaks.items():
        np.testing.assert_array_equal(again.peaks[name].height, peaks.height)


def test_the_history_rebuilds_the_chain_from_the_file(run, inputs):
    results, output = run
    stored = io.read_results(output / "results.nc").peaks["raman"]
    again = recipe.from_history(stored).run(io.read(inputs / "rs.nc")).peaks
    np.testing.assert_array_equal(again.position, results.peaks["raman"].position)


@pytest.mark.usefixtures("not_drawn")
def test_stop_after_ends_the_run_with_maps_only(inputs, tmp_path):
    results = batch.run_recipe(write(inputs, "early.yaml", stop_after="despike"), tmp_path / "out")
    assert not results.peaks
    assert results.maps["raman"].repaired is not None
    assert not io.read_results(tmp_path / "out" / "results.nc").peaks
    assert not [name for name in files(tmp_path / "out") if "height" in name]


@pytest.fixture(scope="module")
def paired_run(tmp_path_factory):
    """A run that pairs a PL scan of another grid."""
    folder = tmp_path_factory.mktemp("pair")
    scanned = make_pair("star", Placement(1.2, (0.05, -0.1), -8.0, True), shape_px=(32, 34), seed=1)
    io.write_map(scanned.raman, folder / "rs.nc")
    io.write_map(scanned.pl, folder / "pl.nc")
    path, draw = write(folder, pair={"method": {"max_rotation": 15, "candidate": 1}}), _figures.saved
    with pytest.MonkeyPatch.context() as patched:  # the others are drawn by `run`
        patched.setattr(_figures, "saved", lambda figure, name: (draw if name == "pair_overlay" else named)(figure, name))
        return batch.run_recipe(path, folder / "out"), folder / "out", scanned


def test_a_run_pairs_rs_and_pl(paired_run):
    results, output, scanned = paired_run
    paired = results.paired
    assert np.abs(paired.transform.matrix - scanned.transform.matrix).max() < 0.03
    corners = corners_um(paired.pl_frame)
    off = np.linalg.norm(paired.transform.apply(corners) - scanned.transform.apply(corners), axis=1)
    assert off.max() < 0.5 * paired.step_um
    assert {"paired.csv", "figures/pair_overlay.png", "figures/pair_overlay.svg"} <= set(files(output))
    assert (output / "figures" / "pair_overlay.png").read_bytes().startswith(b"\x89PNG")
    table = pd.read_csv(output / "paired.csv")
    assert len(table) == paired.paired.sum() > 100
    np.testing.assert_allclose(table["A exciton.height"], paired.to_dataframe()["A exciton.height"], rtol=1e-6)
    page = (output / "report.html").read_text(encoding="utf-8")
    assert "RS and PL on one grid" in page
    assert html.escape(paired.misalignment_text.removeprefix("misalignment ")) in page


def test_pairs_on_disk_are_the_pairs(paired_run):
    results, output, _ = paired_run
    again, paired = io.read_results(output / "results.nc"), results.paired
    assert set(again.peaks) == {"raman", "pl"}
    for field in dataclasses.fields(paired.pl):
        np.testing.assert_equal(getattr(again.paired.pl, field.name), getattr(paired.pl, field.name)) if field.name != "axis" else None
    np.testing.assert_array_equal(again.paired.transform.offset, paired.transform.offset)
    kept = ("pl_frame", "misalignment_um", "misalignment_error_um", "overlap", "found_by", "history")
    assert [getattr(again.paired, name) for name in kept] == [getattr(paired, name) for name in kept]
    with xarray.open_datatree(output / "results.nc", engine="h5netcdf") as tree:
        np.testing.assert_array_equal(tree["pair/height"], paired.pl.height)
        np.testing.assert_array_equal(tree["pair/paired"], paired.paired)


def test_without_figures_nothing_is_drawn_and_the_report_says_so(inputs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(report, "draw_figures", lambda *args: pytest.fail("a figure was drawn"))
    (tmp_path / "figures").mkdir()
    for name in ("raman_height.png", "raman_height.svg", "mine.png"):  # of an earlier run that drew, and the user's own
        (tmp_path / "figures" / name).touch()
    assert cli.main(["run", str(write(inputs)), "--output", str(tmp_path), "--no-figures"]) == 0
    assert files(tmp_path) == ["figures/mine.png", "report.html", "results.nc", "run.log"]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Figures were not drawn" in page
    assert "data:image" not in page
    assert not [line for line in capsys.readouterr().out.splitlines() if line.startswith("figures")]


@quick
def test_a_recipe_may_do_without_figures_and_says_so_when_it_is_kept(inputs, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "draw_figures", lambda *args: pytest.fail("a figure was drawn"))
    results = batch.run_recipe(write(inputs, "bare.yaml", figures=False, stop_after="despike"), tmp_path / "out")
    assert files(tmp_path / "out") == ["report.html", "results.nc"]
    assert not recipe.load(write_text(tmp_path, results.recipe)).figures


@pytest.mark.usefixtures("run")
def test_progress_goes_from_0_to_1_without_falling_back(told):
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)
    assert len({fraction for fraction in told if 0.7 < fraction < 0.97}) >= 8, "every figure is told"


@pytest.mark.usefixtures("not_drawn")
@pytest.mark.parametrize("at", [0.0, 0.3, 0.6, 0.8, 0.97])
def test_cancelling_leaves_nothing(inputs, tmp_path, at):
    def cancel(fraction, words):
        if fraction >= at:
            raise Cancelled

    with pytest.raises(Cancelled):
        batch.run_recipe(write(inputs), tmp_path / "new" / "out", cancel)
    assert list(tmp_path.iterdir()) == []


@quick
def test_cancelling_leaves_an_earlier_run_as_it_was(inputs, tmp_path):
    (tmp_path / "results.nc").write_bytes(b"earlier")

    def cancel(fraction, words):
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        batch.run_recipe(write(inputs), tmp_path, cancel)
    assert files(tmp_path) == ["results.nc"]
    assert (tmp_path / "results.nc").read_bytes() == b"earlier"


def test_a_folder_that_cannot_be_written_is_refused_before_any_work(inputs, tmp_path, monkeypatch):
    monkeypatch.setattr(io, "read", lambda *args, **kwargs: pytest.fail("work was begun"))
    (tmp_path / "file").write_text("in the way")
    for output in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(UserError, match=r"output folder .* cannot be written .*; choose another one\.$"):
            batch.run_recipe(write(inputs), output)


def test_a_folder_without_the_right_to_write_is_refused(inputs, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(UserError, match="Permission denied"):
        batch.run_recipe(write(inputs), tmp_path)


def fail_with_full_disk(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


@quick
def test_a_disk_full_while_figures_are_written_is_told_and_leaves_no_half_file(inputs, tmp_path, monkeypatch):
    path = write(inputs, "raman.yaml", pl=None)
    monkeypatch.setattr(Path, "write_bytes", fail_with_full_disk)
    with pytest.raises(UserError, match=r"disk is full"):
        batch.run_recipe(path, tmp_path / "out")
    assert files(tmp_path / "out") == [io.UNFINISHED, "results.nc"], "what took long to compute is not lost"
    assert io.read_results(tmp_path / "out" / "results.nc").peaks
    monkeypatch.undo()
    monkeypatch.setattr(report, "draw_figures", lambda results, progress: {"raman_flake.png": b"\x89PNG"})
    batch.run_recipe(path, tmp_path / "out")
    assert files(tmp_path / "out") == ["figures/raman_flake.png", "report.html", "results.nc"]


@quick
def test_a_disk_full_while_results_are_written_leaves_nothing(inputs, tmp_path, monkeypatch):
    import h5netcdf

    monkeypatch.setattr(h5netcdf, "File", fail_with_full_disk)
    batch_inputs = write(inputs, "full.yaml", raman=None, pl={"file": "pl.txt"})
    (inputs / "pl.txt").write_text(labspec_text(), encoding="latin-1")
    with pytest.raises(UserError, match=r"results\.nc.*disk is full"):
        batch.run_recipe(batch_inputs, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def labspec_text():
    """The PL map as a LabSpec text, which is read without h5netcdf."""
    pl = make_flake("triangle", shape_px=(20, 22), seed=3).pl
    lines = ["#AxisUnit[1]=\teV", "#AxisType[2]=X", "#AxisType[3]=Y", "\t\t" + "\t".join(f"{v:.6f}" for v in pl.axis.values)]
    for row, y in enumerate(pl.frame.y_um):
        lines += [f"{y:g}\t{x:g}\t" + "\t".join(f"{v:.2f}" for v in pl.counts[row, column]) for column, x in enumerate(pl.frame.x_um)]
    return "\n".join(lines) + "\n"


def test_maps_under_the_wrong_name_are_refused_before_any_work(inputs, tmp_path):
    swapped = write(inputs, "swapped.yaml", raman={"file": "rs.nc"}, pl={"file": "rs.nc"})
    with pytest.raises(DataError, match=r"^pl: .* as a Raman map has"):
        batch.run_recipe(swapped, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@quick
def test_warnings_are_told_and_kept_in_the_report(inputs, tmp_path, flake):
    counts = flake.pl.counts.copy()
    counts[:, :, 30] = np.nan
    io.write_map(dataclasses.replace(flake.pl, counts=counts), inputs / "gap.nc")
    path = write(inputs, "gap.yaml", raman=None, pl={"file": "gap.nc"})
    with pytest.warns(DataWarning) as caught:
        batch.run_recipe(path, tmp_path / "out")
    sentences = [str(one.message) for one in caught]
    assert sentences[0] in html.unescape((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    with h5py.File(tmp_path / "out" / "results.nc") as file:
        assert json.loads(file.attrs["warnings"]) == sentences
    assert list(io.read_results(tmp_path / "out" / "results.nc").warnings) == sentences


@pytest.fixture
def taught(monkeypatch):
    """Training that takes no time: a model made by hand on the samples that the stage is given."""
    monkeypatch.setattr(Train, "run", lambda self, source, *how: make_model(Samples.of(source, targets=self.target)))


@quick
@pytest.mark.usefixtures("taught")
def test_the_demo_stands_beside_its_truth_and_goes_to_the_finding_card(tmp_path, monkeypatch):
    monkeypatch.setattr(Explain, "run", lambda self, source, progress: make_explanation(source.samples))
    monkeypatch.setattr(synthetic, "make_flake", lambda shape, seed: make_flake(shape, shape_px=(30, 34), seed=seed))
    results = batch.demo(tmp_path / "out")
    assert set(results.peaks) == {"raman", "pl"}
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert text.count("Beside the truth of the synthetic flake") == 2
    assert "triangle, seed 0" in text
    assert results.explanation.samples is results.model.samples
    assert {"card.pdf", "scores.csv", "slopes.csv", "paired.csv"} <= set(files(tmp_path / "out"))


@quick
@pytest.mark.usefixtures("taught")
def test_a_run_trains_and_keeps_the_model(inputs, tmp_path):
    seen = []
    path = write(
        inputs, "train.yaml", train={"target": "height", "seed": 5}, stop_after="train", pair={"method": {"kind": "stage coordinates"}}
    )
    results = batch.run_recipe(path, tmp_path, lambda fraction, words: seen.append(fraction))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert results.model.history[-1].settings["seed"] == 5
    found = io.read_results(tmp_path / "results.nc").model
    np.testing.assert_array_equal(found.predicted, results.model.predicted)
    fits = (results.paired.raman.status, results.paired.pl.status)
    assert len(found.samples) == (results.paired.paired & ~np.any([status == Status.MISFIT for status in fits], axis=0)).sum()
    assert len(found.samples) > 0.97 * results.paired.paired.sum()
    assert {"scores.csv", "paired.csv"} <= set(files(tmp_path))
    assert 'class="badge yes"' in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert recipe.load(write_text(tmp_path, results.recipe)).training == recipe.load(path).training


@quick
@pytest.mark.usefixtures("taught")
def test_a_run_explains_and_writes_the_card(inputs, tmp_path, monkeypatch):
    monkeypatch.setattr(Explain, "run", lambda self, source, progress: make_explanation())
    path = write(inputs, "explain.yaml", train={"seed": 5}, pair={"method": {"kind": "stage coordinates"}})
    results = batch.run_recipe(path, tmp_path)
    found = io.read_results(tmp_path / "results.nc").explanation
    np.testing.assert_array_equal(found.slope, results.explanation.slope)
    assert {"pdp.csv", "slopes.csv", "card.html", "card.pdf"} <= set(files(tmp_path))


@quick
@pytest.mark.usefixtures("taught")
def test_a_run_lays_theory_beside_the_map_and_says_on_the_card_what_it_says_of_the_finding(inputs, tmp_path, monkeypatch):
    def explained(self, source, progress):
        made = make_explanation()
        first = made.features.index("A1'.height")
        return dataclasses.replace(made, ranking=(first, *(i for i in made.ranking if i != first)))

    monkeypatch.setattr(Explain, "run", explained)
    path = write(inputs, "theory.yaml", train={"seed": 5}, pair={"method": {"kind": "stage coordinates"}}, theory={"share": 0.2})
    results = batch.run_recipe(path, tmp_path)
    found = io.read_results(tmp_path / "results.nc").theory
    assert found.evidence == results.theory.evidence
    assert found.light == "PL"
    assert found.history[-1].settings["share"] == 0.2
    text = html.unescape((tmp_path / "report.html").read_text(encoding="utf-8"))
    card = (tmp_path / "card.html").read_text(encoding="utf-8")
    for sentence in found.evidence:
        assert sentence in text
        assert sentence in card
    assert "falls, by 28 to 62 %" in text
    assert "270 cm-1 in diep (6 modes of the zone's edge" in text
    assert recipe.load(write_text(tmp_path, results.recipe)).theory == recipe.load(path).theory


@quick
def test_a_run_takes_calculations_of_ones_own(inputs, tmp_path):
    pytest.importorskip("castep_outputs", reason="castep-outputs comes with the extra 'theory'")
    for name in ("pristine", "V_Se"):
        write_phonon(inputs / f"{name}.phonon", supercell("diep", name))
    files = ["pristine.phonon", "V_Se.phonon"]
    path = write(inputs, "own.yaml", theory={"calculations": files}, stop_after="deconvolve")
    found = batch.run_recipe(path, tmp_path / "out").theory
    assert found.result.engines == ("CASTEP",)
    assert np.isfinite(found.result.relative_height[0, 1]).all()
    assert np.isnan(found.result.relative_height[0, 2]).all()
    again = io.read_results(tmp_path / "out" / "results.nc").theory
    assert again.result.provenance == found.result.provenance
    (inputs / "V_Se.phonon").write_text("cut")
    with pytest.raises(UserError, match=r"V_Se\.phonon"):
        batch.run_recipe(path, tmp_path / "bad")
    assert not (tmp_path / "bad").exists()


@quick
def test_a_material_that_theory_does_not_know_is_refused_before_work(inputs, tmp_path, monkeypatch):
    from napari_wse2xai.theory import reference

    monkeypatch.setattr(reference, "materials", lambda: ("WSe2",))
    path = write(inputs, "mos2.yaml", theory={"material": "MoS2"}, stop_after="deconvolve")
    with pytest.raises(UserError, match="it knows WSe2"):
        batch.run_recipe(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@quick
@pytest.mark.usefixtures("taught")
def test_a_run_simulates_the_flake_and_tells_how_much_is_found(inputs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Explain, "run", lambda self, source, progress: make_explanation())
    asked = []

    def simulate(self, model, explanation, progress):
        asked.append((self.seed, model.name, explanation.name))
        progress(0.5, "epoch 1")
        return make_recovery()

    monkeypatch.setattr(Simulate, "__call__", simulate)
    path = write(inputs, "simulate.yaml", train={"seed": 5}, simulate={"seed": 8}, pair={"method": {"kind": "stage coordinates"}})
    assert cli.main(["run", str(path), "--output", str(tmp_path)]) == 0
    assert asked == [(8, "model", "explanation")]
    said = capsys.readouterr()
    (line,) = [line for line in said.out.splitlines() if line.startswith("simulation")]
    assert line == f"simulation  {make_recovery().summary}"
    assert line.isascii()
    assert "simulate" in said.err
    assert io.read_results(tmp_path / "results.nc").explanation.recovery == make_recovery()
    assert "found again" in (tmp_path / "report.html").read_text(encoding="utf-8")


@quick
@pytest.mark.usefixtures("taught")
def test_a_flake_that_cannot_be_simulated_keeps_its_explanation(inputs, tmp_path, monkeypatch):
    monkeypatch.setattr(Explain, "run", lambda self, source, progress: make_explanation())
    path = write(inputs, "single.yaml", simulate={}, pair={"method": {"kind": "stage coordinates"}})
    with pytest.warns(DataWarning, match=r"There is no simulation of the flake: The explanation of PL height .* is not of the model"):
        results = batch.run_recipe(path, tmp_path)
    assert results.explanation.recovery is None
    assert results.explanation.ranking == make_explanation().ranking


@quick
def test_a_model_that_must_not_be_interpreted_is_kept_but_not_explained(inputs, tmp_path, monkeypatch):
    judged = partial(make_model, level=Level.DO_NOT_INTERPRET)
    monkeypatch.setattr(Train, "run", lambda self, source, *how: judged(Samples.of(source)))
    path = write(inputs, "doubt.yaml", train={"seed": 5}, pair={"method": {"kind": "stage coordinates"}})
    (tmp_path / "figures").mkdir()
    for name in ("card.pdf", "slopes.csv", "figures/explanation_pdp.png", "figures/mine.png"):  # of an earlier run that was explained
        (tmp_path / name).touch()
    with pytest.warns(DataWarning, match="PL height is not explained, the verdict is 'do not interpret'"):
        results = batch.run_recipe(path, tmp_path)
    assert results.explanation is None
    assert results.model is not None
    assert files(tmp_path) == ["figures/mine.png", "figures/raman_flake.png", "paired.csv", "report.html", "results.nc", "scores.csv"]
    assert "is not explained" in (tmp_path / "report.html").read_text(encoding="utf-8")


@quick
@pytest.mark.usefixtures("taught")
def test_a_series_compares_architectures_and_conditions(inputs, tmp_path):
    seen = []
    text = """
    raman: {peaks: [{name: "A1'", position: 250, fwhm: 4, window: [244, 256]}]}
    pair: {method: {kind: stage coordinates}}
    flakes:
      - {name: one, condition: on resonance, raman: {file: rs.nc}, pl: {file: pl.nc}}
      - {name: two, condition: on resonance, raman: {file: rs.nc}, pl: {file: pl.nc}}
      - {name: one, condition: "off", raman: {file: rs.nc}, pl: {file: pl.nc}, pair: {method: {refine: false}}}
    architectures: [convolution, residual]
    train: {target: [height], seed: 4}
    explain: false
    """
    path = inputs / "series.yaml"
    path.write_text(text, encoding="utf-8")
    ended = batch.run_batch(path, tmp_path, lambda fraction, words: seen.append(fraction))
    models = {case: results.model for case, results in ended.networks.items()}
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert set(models) == {(a, c) for a in ("convolution", "residual") for c in ("on resonance", "off")}
    pixels = {key: len(model.samples) for key, model in models.items()}
    assert pixels["residual", "on resonance"] == 2 * pixels["residual", "off"]
    assert {model.history[-1].settings["architecture"] for key, model in models.items() if key[0] == "residual"} == {"residual"}
    kept = set(files(tmp_path))
    assert {
        "report.html",
        "scores.csv",
        "figures/scatter_height.svg",
        "on_resonance/two/results.nc",
    } <= kept
    table = pd.read_csv(tmp_path / "scores.csv")
    assert set(zip(table["architecture"], table["condition"], strict=True)) == set(models)
    again = io.read_results(tmp_path / "off/network_residual/results.nc")
    np.testing.assert_array_equal(again.model.predicted, models["residual", "off"].predicted)
    session = ended.session()
    learnt_from = {case: {session.id_of(pair) for pair in session.pairs_of(model)} for case, model in models.items()}
    on, off = (learnt_from["residual", condition] for condition in ("on resonance", "off"))
    assert learnt_from == {case: on if case[1] == "on resonance" else off for case in models}
    assert (len(on), len(off), len(on & off)) == (2, 1, 0), "by descent: they have the same name, files and nearly the same settings"
    assert len(session.ancestors(models["residual", "off"])) == 5, "a pair, and map and deconvolution of RS and PL"
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count('class="badge yes"') == 4
    assert 'href="on_resonance/network_convolution/report.html"' in page
    assert {row.verdict for row in batch.look(recipe.load_series(path), tmp_path)} == {"height: interpretable"}
    assert batch.run_series(path, tmp_path, figures=False).keys() == models.keys()
    path.write_text(text.replace("seed: 4", "seed: 5"), encoding="utf-8")
    assert {(row.state, row.verdict) for row in batch.look(recipe.load_series(path), tmp_path)} == {("done", "")}


EFFECTS = np.array([[0.9, 0.5, 0.0], [1.1, 0.3, 0.2], [0.7, -0.4, 0.1]])
"""Of A1' height, E' position and 2LA(M) height on three flakes."""


def planned(effects, error=0.1):
    """An explanation of which these effects are known, and nothing of other parameters."""
    made = make_explanation()
    unit = made.samples.targets[:, 0].std() / made.step
    mean = np.zeros(9)
    mean[[5, 0, 8]] = effects
    return dataclasses.replace(made, slope=np.repeat((mean * unit)[:, None], len(made.samples), axis=1), mean_slope_error=error * unit)


@quick
def test_flakes_that_learn_apart_are_ranked_together(inputs, tmp_path, monkeypatch):
    ends = [Results({}, model=make_model(), explanation=planned(effects)) for effects in EFFECTS]
    ends.append(Results({}, model=make_model(level=Level.DO_NOT_INTERPRET)))
    monkeypatch.setattr(_jobs, "run_chains", lambda wanted, *how: ends.pop(0))
    given = [{"name": name, "raman": {"file": "rs.nc"}, "pl": {"file": "pl.nc"}} for name in "abcd"]
    path = inputs / "apart.yaml"
    path.write_text(yaml.safe_dump({"flakes": given, "learn": "apart"}), encoding="utf-8")
    done = batch.run_batch(path, tmp_path)
    assert (tmp_path / "figures" / "ranking_height.svg").exists()
    table = pd.read_csv(tmp_path / "ranking_over_flakes.csv").set_index("parameter")
    # Equal errors: the mean is the plain one, the scatter what the errors leave of the variance.
    scatter = np.sqrt(np.maximum(EFFECTS.var(axis=0, ddof=1) - 0.01, 0))
    found = table.loc[["A1'.height", "E'.position", "2LA(M).height"]]
    assert found["mean"].to_numpy() == pytest.approx(EFFECTS.mean(axis=0), abs=1e-6)
    assert found["scatter"].to_numpy() == pytest.approx(scatter, abs=1e-6)
    assert found["mean_error"].to_numpy() == pytest.approx(np.sqrt((scatter**2 + 0.01) / 3), abs=1e-6)
    assert found["holds"].to_list() == [3, 2, 2]
    assert (found["flakes"].to_list(), found["silent"].to_list()) == ([3] * 3, [1] * 3)
    page = html.unescape((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "A1' height: +0.90 ± 0.12, scatter between flakes 0.17, holds on 3 of 4 flakes." in page
    assert "Not in the means, since RS does not tell PL there: d." in page
    assert [row.verdict for row in done.rows] == [*["height: interpretable"] * 3, "height: do not interpret"]
    before = (tmp_path / "ranking_over_flakes.csv").read_bytes()
    batch.run_batch(path, tmp_path)  # what is explained is not explained again: nothing is left to be told
    assert (tmp_path / "ranking_over_flakes.csv").read_bytes() == before


def write_text(folder, text):
    (folder / "again.yaml").write_text(text, encoding="utf-8")
    return folder / "again.yaml"
