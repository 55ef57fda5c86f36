"""What a user may do wrong on the command line: exit status 2, one sentence, nothing under the final name."""

import errno
from pathlib import Path

import numpy as np
import pytest

from napari_wse2xai.cli import main

X = np.linspace(100, 500, 200)
PEAK = "peaks: [{{name: X, position: {}, fwhm: 4, window: [{}, {}]}}]"


def table(path: Path, *, x: np.ndarray = X, side: int = 6, unit: str = "1/cm", bump: float = 0.0, bad: float | None = None) -> Path:
    """LabSpec text of a flat map with noise; `bump` puts a flake with a line at 250 into its middle."""
    rng = np.random.default_rng(0)
    lines = [f"#AxisUnit[1]=\t{unit}", "#AxisType[2]=X", "#AxisType[3]=Y", "\t\t" + "\t".join(f"{v:.4f}" for v in x)]
    for i in range(side * side):
        row, column = divmod(i, side)
        counts = rng.normal(100, 5, len(x))
        if bump and 1 < row < side - 1 and 1 < column < side - 1:
            counts += bump / (1 + ((x - 250) / 3) ** 2)
        if bad is not None and i == 3:
            counts[7] = bad
        lines.append("\t".join([str(row), str(column), *(f"{v:.2f}" for v in counts)]))
    path.write_text("\n".join(lines) + "\n", encoding="latin-1")
    return path


def one_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run the command line; its only line on standard error besides progress and warnings."""
    assert main(arguments) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith(("[", "warning:"))]
    assert len(said) == 1, said
    assert "Traceback" not in said[0]
    return said[0]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: table(p).write_bytes(p.read_bytes()[:9000]), "breaks off"),
        (lambda p: p.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20), "not a text table"),
        (lambda p: p.write_bytes(b""), "is empty"),
        (lambda p: p.mkdir(), "is a folder"),
        (lambda p: table(p, x=np.insert(X, 50, X[50])), "'map.txt': The spectral axis has 200.502 cm-1 twice"),
        (lambda p: table(p, x=np.r_[X[:60], X[59:40:-1] + 0.01, X[60:]]), "'map.txt': The spectral axis turns back at"),
        (lambda p: table(p, side=0), "no spectra"),
    ],
)
def test_a_file_that_cannot_be_read(make, words, tmp_path, capsys):
    source = tmp_path / "map.txt"
    make(source)
    assert words in one_sentence(["convert", str(source), str(tmp_path / "map.nc")], capsys)
    assert not (tmp_path / "map.nc").exists()


@pytest.mark.parametrize("suffix", [".nc", ".wip", ".mat", ".wdf", ".mdt", ".spc", ".hspy", ".npy", ".csv", ".txt.gz"])
def test_a_picture_under_another_name(suffix, tmp_path, capsys):
    source = tmp_path / f"map{suffix}"
    source.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    said = one_sentence(["convert", str(source), str(tmp_path / "out.nc")], capsys)
    assert f"'{source.name}'" in said
    assert "allow_pickle" not in said
    assert not (tmp_path / "out.nc").exists()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_no_number_is_only_warned_of(bad, tmp_path, capsys):
    assert main(["convert", str(table(tmp_path / "map.txt", bad=bad)), str(tmp_path / "map.nc")]) == 0
    assert "warning:" in capsys.readouterr().err
    assert (tmp_path / "map.nc").exists()


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ("pl: {file: map.txt}", "Raman map"),
        ("raman: {file: pl.txt, " + PEAK.format(250, 200, 300) + "}", "eV"),
        ("raman: {file: map.txt, " + PEAK.format(1350, 1300, 1400) + "}", "measured from 100 to 500"),
        ("raman: {file: map.txt, " + PEAK.format(250, 249, 251) + "}", "widen it or remove peaks"),
        ("raman: {file: flat.txt, " + PEAK.format(250, 200, 300) + "}", "No flake was found"),
        ("raman: {file: one.txt, " + PEAK.format(250, 200, 300) + "}", "leave this step out"),
        ("raman: {file: map.txt, despik: {}}", "did you mean 'despike'"),
        ("raman: {file: none.txt}", "does not exist"),
        ("raman: {file: folder.txt}", "is a folder"),
        ("raman: {file: folder.zarr}", "'folder.zarr'"),
    ],
)
def test_a_recipe_that_cannot_be_run(recipe, words, tmp_path, capsys):
    table(tmp_path / "map.txt", bump=900)
    table(tmp_path / "flat.txt")
    for folder in ("folder.txt", "folder.zarr"):
        (tmp_path / folder).mkdir()
    table(tmp_path / "one.txt", side=1)
    table(tmp_path / "pl.txt", x=np.linspace(1.5, 1.8, 200), unit="eV")
    (tmp_path / "recipe.yaml").write_text(recipe, encoding="utf-8")
    assert words in one_sentence(["run", str(tmp_path / "recipe.yaml"), "--output", str(tmp_path / "out")], capsys)
    assert not (tmp_path / "out").exists()


def test_a_good_recipe_on_the_same_map_runs(tmp_path):
    table(tmp_path / "map.txt", bump=900, side=9)
    (tmp_path / "recipe.yaml").write_text("raman: {file: map.txt, " + PEAK.format(250, 200, 300) + "}", encoding="utf-8")
    assert main(["run", str(tmp_path / "recipe.yaml"), "--output", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "results.nc").exists()


def test_an_axis_without_a_unit_is_guessed_aloud_and_settled_by_an_option(tmp_path, capsys):
    source = table(tmp_path / "map.txt", unit="")
    assert main(["convert", str(source), str(tmp_path / "guess.nc")]) == 0
    guess = capsys.readouterr()
    assert "warning: 'map.txt' does not say the unit" in guess.err
    assert guess.out.endswith("500 cm-1\n")
    assert main(["convert", str(source), str(tmp_path / "told.nc"), "--unit", "nm"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert told.out.endswith("500 nm\n")


def test_a_full_disk(tmp_path, capsys, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    source = table(tmp_path / "map.txt")
    monkeypatch.setattr("h5netcdf.File", full)
    assert "the disk is full; free some space" in one_sentence(["convert", str(source), str(tmp_path / "map.nc")], capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["map.txt"]


def test_an_output_folder_that_cannot_be(tmp_path, capsys):
    table(tmp_path / "map.txt", bump=900)
    (tmp_path / "recipe.yaml").write_text("raman: {file: map.txt, " + PEAK.format(250, 200, 300) + "}", encoding="utf-8")
    (tmp_path / "file").write_text("in the way")
    said = one_sentence(["run", str(tmp_path / "recipe.yaml"), "--output", str(tmp_path / "file" / "out")], capsys)
    assert "choose another" in said
