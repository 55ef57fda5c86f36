"""What the README shows must run."""

import re
from pathlib import Path

import yaml

README = Path(__file__).resolve().parents[2] / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_the_python_lines_run(capsys):
    (code,) = blocks("python")
    exec(compile(code, "README.md", "exec"), {})
    value, _, error, unit = capsys.readouterr().out.split()
    assert 248 < float(value) < 252
    assert 0 < float(error) < 0.5
    assert unit == "cm-1"


def test_the_recipe_is_one(tmp_path):
    from napari_wse2xai import recipe

    (text,) = blocks("yaml")
    for section in ("raman", "pl"):
        (tmp_path / yaml.safe_load(text)[section]["file"]).write_bytes(b"")
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    assert recipe.load(tmp_path / "recipe.yaml").raman.deconvolve.peaks[0].name == "A1'"


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / target).exists(), target
