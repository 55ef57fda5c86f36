"""What may be loaded when: a fresh interpreter tells which modules it holds."""

import subprocess
import sys
from pathlib import Path

import pytest

QT = {"qtpy", "PySide6", "PyQt5", "PyQt6", "magicgui", "superqt", "napari"}

LABSPEC = "#AxisUnit[1]=\tcm-1\n#AxisType[2]=X\n#AxisType[3]=Y\n\t\t100\t101\t102\t103\n" + "".join(
    f"{y}\t{x}\t1\t2\t3\t{x + y}\n" for y in (0, 1) for x in (0, 1, 2)
)


def loaded_after(code: str) -> set[str]:
    """Top-level packages that a fresh interpreter holds after running some code."""
    script = f"{code}\nimport sys\nprint('LOADED', *{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("LOADED")[2].split())


def test_the_package_alone_loads_neither_qt_nor_anything_heavy() -> None:
    heavy = {"torch", "numpy", "scipy", "pandas", "xarray", "matplotlib", "pydantic"}
    assert not loaded_after("import napari_wse2xai") & (QT | heavy)


def test_every_public_name_can_be_had_from_the_package_without_qt() -> None:
    code = "import napari_wse2xai as w\nassert all(getattr(w, name) is not None for name in w.__all__)"
    assert not loaded_after(code) & (QT | {"torch"})


@pytest.mark.parametrize("use", ["", "; from napari_wse2xai.layers import to_layers; to_layers(found)"], ids=["file", "file and layers"])
def test_opening_a_file_loads_neither_torch_nor_qt(tmp_path: Path, use: str) -> None:
    path = tmp_path / "map.txt"
    path.write_text(LABSPEC, encoding="latin-1")
    code = f"from napari_wse2xai.io import read; found = read({str(path)!r}); assert found.frame.shape == (2, 3){use}"
    assert not loaded_after(code) & (QT | {"torch"})


def test_help_answers_without_loading_anything_heavy() -> None:
    code = "from napari_wse2xai.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit as stop:\n    assert stop.code == 0"
    assert not loaded_after(code) & (QT | {"torch", "numpy", "pandas", "matplotlib"})


def test_the_package_can_be_run_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "napari_wse2xai", "--help"], capture_output=True, text=True, check=True, timeout=60)
    assert all(command in done.stdout for command in ("demo", "run", "convert", "view"))


def test_a_recipe_that_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    arguments = ["run", str(tmp_path / "no.yaml"), "--output", str(tmp_path / "out")]
    code = f"from napari_wse2xai.cli import main\nassert main({arguments}) == 2"
    assert not loaded_after(code) & (QT | {"torch", "numpy", "pandas", "matplotlib"})


def test_a_file_that_is_not_there_is_refused_without_loading_what_fits_or_draws(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("raman: {file: no.txt}\n", encoding="utf-8")
    arguments = ["run", str(recipe), "--output", str(tmp_path / "out")]
    code = f"from napari_wse2xai.cli import main\nassert main({arguments}) == 2"
    assert not loaded_after(code) & (QT | {"torch", "scipy", "pandas", "matplotlib", "h5py"})
