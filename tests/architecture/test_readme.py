"""What README and the page of what runs without a window show must run."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
README, PAGE = ROOT / "README.md", ROOT / "docs" / "how_to" / "without_window.md"
RECIPES = (PAGE, ROOT / "docs" / "tutorials" / "your_own_map.md")
ONE_SCREEN = 60
"""Lines of a browser's window, of a hundred letters each."""


def blocks(language: str, page: Path = PAGE) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_the_python_lines_run(capsys):
    (code,) = blocks("python")
    exec(compile(code, PAGE.name, "exec"), {})
    value, _, error, unit = capsys.readouterr().out.split()
    assert 248 < float(value) < 252
    assert 0 < float(error) < 0.5
    assert unit == "cm-1"


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.stem)
def test_the_recipes_are_recipes(page, tmp_path):
    from napari_wse2xai import recipe

    texts = blocks("yaml", page)
    assert texts
    for text in texts:
        for section in {"raman", "pl"} & set(yaml.safe_load(text)):
            (tmp_path / yaml.safe_load(text)[section]["file"]).write_bytes(b"")
        (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
        assert recipe.load(tmp_path / "recipe.yaml").raman.deconvolve.peaks


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / target).exists(), target


def test_it_is_read_in_one_screen():
    shown = [re.sub(r"\]\([^)]*\)", "]", line) for line in README.read_text(encoding="utf-8").splitlines()]
    assert sum(1 + len(line) // 100 for line in shown) < ONE_SCREEN


def test_it_names_the_samples_and_menus_that_the_plugin_has():
    manifest = yaml.safe_load((ROOT / "src" / "napari_wse2xai" / "napari.yaml").read_text(encoding="utf-8"))
    told = re.findall(r"\*([^*]+ > [^*]+)\*", README.read_text(encoding="utf-8"))
    assert len(told) == 2
    offered = [each["display_name"] for kind in ("sample_data", "widgets") for each in manifest["contributions"][kind]]
    for path in told:
        assert path.split(" > ")[-2] == manifest["display_name"]
        assert path.split(" > ")[-1] in offered
