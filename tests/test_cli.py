"""The command line: exit status, one clear line for a mistake, nothing where nothing came of it."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from learned import make_recovery
from napari_wse2xai import cli, io
from napari_wse2xai.data import Results
from napari_wse2xai.errors import Cancelled
from napari_wse2xai.synthetic import make_flake


@pytest.fixture
def folder(tmp_path):
    io.write_map(make_flake("triangle", shape_px=(20, 22), seed=3).raman, tmp_path / "rs.nc")
    (tmp_path / "recipe.yaml").write_text("raman: {file: rs.nc}\nstop_after: despike\n", encoding="utf-8")
    return tmp_path


def fails(capsys, *arguments, status=2):
    """Run a command that must fail; its message."""
    assert cli.main([str(argument) for argument in arguments]) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    *progress, last = captured.err.splitlines()
    assert "Traceback" not in captured.err
    assert not [line for line in progress if not line.startswith(("[", "warning: "))]
    assert last.startswith("napari-wse2xai: ")
    return last


def test_a_window_without_a_toolkit_is_refused_with_what_brings_one(folder, capsys, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")
    for name in cli.TOOLKITS:
        monkeypatch.setitem(sys.modules, name, None)
    assert "napari-wse2xai[all]" in fails(capsys, "view", str(folder / "rs.nc"))


def test_run_counts_its_pixels_and_writes_and_names_its_outputs(folder, capsys):
    peaks = '[{name: "A1\'", position: 250, fwhm: 4, window: [240, 256]}]'
    (folder / "recipe.yaml").write_text(f"raman: {{file: rs.nc, peaks: {peaks}}}\nstop_after: deconvolve\n", encoding="utf-8")
    assert cli.main(["run", str(folder / "recipe.yaml"), "--output", str(folder / "out")]) == 0
    captured = capsys.readouterr()
    flake, fits, *lines = captured.out.splitlines()
    assert re.fullmatch(r"flake       raman: [1-9]\d* of 440 pixels are flake.*", flake)
    assert re.fullmatch(r"fits        raman: ([1-9]\d*) spectra fitted, \d+ of them ok.*; median reduced χ² \d\.\d\d\.", fits)
    assert [line.split()[0] for line in lines] == ["results", "figures", "report"]
    for line in lines:
        assert (folder / "out") in [*(found := type(folder)(line.split(maxsplit=1)[1])).parents]
        assert found.exists()
    steps = captured.err.splitlines()
    assert any("Remove spikes" in step for step in steps)
    assert len(steps) == len(set(steps)) < 12


def test_the_results_of_several_networks_are_named_one_by_one(folder, capsys, monkeypatch, explanation):
    monkeypatch.chdir(folder)
    from napari_wse2xai import batch

    tried = replace(explanation, recovery=make_recovery())
    networks = {("convolution", "on"): Results({}, explanation=tried), ("convolution", "off"): Results({}, explanation=explanation)}
    rows = tuple(batch.FlakeRow(condition, "a", "done", folder=f"{condition}/a") for condition in ("on", "off"))
    asked = []
    made = batch.Batch(Path("out"), rows, networks)
    monkeypatch.setattr(batch, "run", lambda *args, **how: (asked.append(how), made)[1])
    (folder / "out" / "figures").mkdir(parents=True)
    (folder / "out" / "figures" / "scatter_height.svg").touch()
    assert cli.main(["run", str(folder / "recipe.yaml"), "--output", "out", "--jobs", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert asked == [{"figures": True, "jobs": 3, "scheduler": None, "anew": False}]
    assert [line.split()[0] for line in lines] == ["flakes", "summary", "results", "results", "figures", "report", "simulation"]
    assert lines[3].endswith(str(Path("out", "off", "network_convolution", "results.nc")))
    assert lines[-1].startswith(
        "simulation  on/network_convolution: the planted law was found again: A1'.height came 1st of 9, curves R2 0.97"
    )


def test_a_run_leaves_a_log_and_says_as_much_as_is_wanted(folder, capsys):
    command = ["run", str(folder / "recipe.yaml"), "--output", str(folder / "out"), "--no-figures"]
    assert cli.main([*command, "-q"]) == 0
    assert capsys.readouterr().err == ""
    log = (folder / "out" / "run.log").read_text(encoding="utf-8")
    assert "--no-figures" in log
    assert "Remove spikes" in log
    assert f"numpy {np.__version__}" in log
    assert cli.main([*command, "-v"]) == 0
    loud = capsys.readouterr().err.splitlines()
    assert len(loud) > log.count(" %] ")
    assert re.match(r"\d\d:\d\d:\d\d \[", loud[0])
    again = (folder / "out" / "run.log").read_text(encoding="utf-8")
    assert again.startswith(log), "later runs add to it"
    (folder / "recipe.yaml").write_text("raman: {file: gone.nc}", encoding="utf-8")
    assert cli.main(["run", str(folder / "recipe.yaml"), "--output", str(folder / "none")]) == 2
    assert not (folder / "none").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raman: {file: rs.nc, find_flake: {kk: 1}}", "recipe.yaml: 'raman.find_flake.kk' is not known; did you mean 'k'?"),
        ("raman: {file: rs.nc, find_flake: {k: 1000}}", "No flake was found"),
        ("pl: {file: rs.nc}", "pl: 'triangle RS' has an axis in cm-1"),
        ("raman: {file: recipe.yaml}", "is of no known format"),
    ],
)
def test_a_bad_recipe_or_map_ends_with_one_line_and_status_2(folder, capsys, text, words):
    (folder / "recipe.yaml").write_text(text, encoding="utf-8")
    assert words in fails(capsys, "run", folder / "recipe.yaml", "--output", folder / "out")
    assert not (folder / "out").exists()


def test_an_output_that_cannot_be_written_ends_with_status_2(folder, capsys):
    assert "cannot be written" in fails(capsys, "run", folder / "recipe.yaml", "--output", folder / "rs.nc" / "out")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, Cancelled])
def test_an_interrupt_ends_quietly_with_status_130_and_leaves_nothing(folder, capsys, monkeypatch, stop):
    from napari_wse2xai.stages import Despike

    def interrupted(self, source, progress):
        raise stop

    monkeypatch.setattr(Despike, "run", interrupted)
    fails(capsys, "run", folder / "recipe.yaml", "--output", folder / "out", status=130)
    assert not (folder / "out").exists()


def test_warnings_about_data_are_one_line_each(folder, capsys):
    flake = io.read(folder / "rs.nc")
    lines = ["\t\t" + "\t".join(f"{v:.3f}" for v in flake.axis.values[:60])]
    lines += [f"{y}\t{x}\t" + "\t".join(["5"] * 60) for y in range(3) for x in range(3) if (x, y) != (1, 1)]
    (folder / "hole.txt").write_text("#AxisUnit[1]=\t1/cm\n#AxisType[2]=X\n#AxisType[3]=Y\n" + "\n".join(lines) + "\n", encoding="latin-1")
    assert cli.main(["convert", str(folder / "hole.txt"), str(folder / "hole.nc")]) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if line]
    assert told
    assert all(line.startswith("warning: ") for line in told)
    assert "DataWarning" not in "".join(told)


def test_convert_keeps_every_count(folder, capsys):
    assert cli.main(["convert", str(folder / "rs.nc"), str(folder / "copy.nc")]) == 0
    np.testing.assert_array_equal(io.read(folder / "copy.nc").counts, io.read(folder / "rs.nc").counts)
    assert "20 x 22 pixels, 1024 channels" in capsys.readouterr().out


def test_a_part_of_results_goes_to_a_file_for_other_programs(folder, capsys):
    io.write_results(Results({"raman": io.read(folder / "rs.nc")}), folder / "results.nc")
    assert cli.main(["convert", str(folder / "results.nc"), "--list"]) == 0
    assert "raman: all results of a flake, to .nc, .nxs" in capsys.readouterr().out
    assert cli.main(["convert", str(folder / "results.nc"), str(folder / "map.csv"), "--item", "raman/map"]) == 0
    assert "20 x 22 pixels" in capsys.readouterr().out
    assert (folder / "map.csv").read_text(encoding="utf-8").startswith("y (um),x (um),")


def test_convert_lists_without_writing(folder, capsys):
    before = sorted(folder.iterdir())
    assert cli.main(["convert", str(folder / "rs.nc"), "--list"]) == 0
    assert "20 x 22 pixels" in capsys.readouterr().out
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rs.nc"], "file to write is missing"),
        (["rs.nc", "out.xyz"], "can be written to files that end in"),
        (["gone.txt", "out.nc"], "does not exist"),
        (["rs.nc", "out.nc", "--item", "other"], "'other'"),
        (["gone.txt", "--list"], "does not exist"),
        (["rs.nc", "rs.nc/out.nc"], "file of that name stands"),
    ],
)
def test_a_convert_that_cannot_be_done_is_told(folder, capsys, monkeypatch, arguments, words):
    monkeypatch.chdir(folder)
    assert words in fails(capsys, "convert", *arguments)
    assert not (folder / "out.nc").exists()


@pytest.fixture
def no_display(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


def test_view_without_a_display_says_so(folder, capsys, no_display):
    assert "no display" in fails(capsys, "view", folder / "rs.nc")


@pytest.fixture
def shown(monkeypatch):
    """Record what a window would be opened on, without one."""
    import napari_wse2xai.gui

    calls = []
    window = SimpleNamespace(show=calls.append, screenshot=lambda files, target: calls.append((files, target)))
    monkeypatch.setattr(napari_wse2xai.gui, "window", window, raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    return calls


@pytest.mark.parametrize(("name", "words"), [("gone.nc", "does not exist"), ("recipe.yaml", "is of no known format")])
def test_view_names_a_file_that_cannot_be_opened_and_opens_no_window(folder, capsys, shown, name, words):
    assert words in fails(capsys, "view", folder / "rs.nc", folder / name)
    assert shown == []


def test_view_opens_all_files_in_one_window(folder, shown):
    assert cli.main(["view", str(folder / "rs.nc"), str(folder / "rs.nc")]) == 0
    assert shown == [[folder / "rs.nc"] * 2]


@pytest.mark.parametrize("no_window", [True, False])
def test_demo_shows_its_results_or_a_picture_of_them(tmp_path, shown, monkeypatch, no_window):
    from napari_wse2xai import batch

    monkeypatch.setattr(batch, "demo", lambda output, progress: None)
    assert cli.main(["demo", "--output", str(tmp_path), *(["--no-window"] if no_window else [])]) == 0
    results = [tmp_path / "results.nc"]
    assert shown == [(results, tmp_path / "screenshot.png") if no_window else results]


def test_demo_without_a_display_writes_all_but_the_screenshot_and_says_so(tmp_path, capsys, no_display, monkeypatch):
    from napari_wse2xai import recipe, report, synthetic
    from napari_wse2xai.batch import _whole

    monkeypatch.setattr(synthetic, "make_flake", lambda shape, seed: make_flake(shape, shape_px=(20, 22), seed=seed))
    monkeypatch.setattr(report, "draw_figures", lambda results, progress: {})
    monkeypatch.setattr(_whole, "_demo_recipe", recipe.preset)
    assert cli.main(["demo", "--output", str(tmp_path / "out"), "--no-window"]) == 0
    assert (tmp_path / "out" / "report.html").is_file()
    assert "needs a display" in capsys.readouterr().err


def test_a_command_that_is_not_known_ends_with_status_2(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["dmeo"])
    assert stop.value.code == 2
    with pytest.raises(SystemExit) as stop:
        cli.main([])
    assert stop.value.code == 2


def test_the_version_is_told(capsys):
    from napari_wse2xai import __version__

    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("r", "run rerun recipe"),
        ("run --o", "--output"),
        ("run ", ""),  # files, by the shell itself
        ("run a.yaml --output ", ""),
        ("theory fi", "figures"),
        ("theory figures --mat", "--material"),
        ("convert a.txt --unit ", "cm-1 nm eV"),
        ("recipe --preset ws2-", "ws2-532 ws2-633"),
        ("recipe --explain desp", "despike"),
    ],
)
def test_a_shell_completes_commands_options_and_presets(tmp_path, capsys, typed, offered):
    assert cli.main(["completion", "bash"]) == 0
    (tmp_path / "completion").write_text(capsys.readouterr().out, encoding="utf-8")
    words = " ".join(f"'{word}'" for word in f"napari-wse2xai {typed}".split(" "))
    code = f'. ./completion; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _napari_wse2xai; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "--norc", "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert (done.stdout.strip(), done.stderr) == (offered, "")


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh here")
def test_zsh_completes_by_the_same_words(tmp_path, capsys):
    assert cli.main(["completion", "zsh"]) == 0
    (tmp_path / "completion").write_text(capsys.readouterr().out, encoding="utf-8")
    asked = "COMP_WORDS=(napari-wse2xai recipe --preset ws2-); COMP_CWORD=3; _napari_wse2xai; echo ${COMPREPLY[*]}"
    code = f". ./completion; emulate sh; setopt ksharrays; {asked}"  # as zsh itself calls functions of bash
    done = subprocess.run(["zsh", "-f", "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert {"ws2-532", "ws2-633"} <= set(done.stdout.split())  # zsh itself leaves out what does not begin so
    assert not done.stderr


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with cli._progress() as progress:
        progress(0.5, "half way there")
        progress(1.0, "done")
    assert "half way there" in capsys.readouterr().err


def test_the_program_itself_ends_without_a_traceback(tmp_path):
    command = [sys.executable, "-m", "napari_wse2xai", "run", str(tmp_path / "none.yaml"), "--output", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)  # a busy machine starts slowly
    assert done.returncode == 2
    assert done.stderr.splitlines() == [f"napari-wse2xai: The recipe {tmp_path / 'none.yaml'} does not exist; check its name and folder."]
