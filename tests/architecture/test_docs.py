"""What the documents say of the code."""

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

import napari_wse2xai
from napari_wse2xai.engines import Dynamics, Inputs, Layer, MolecularDynamics, Phonons, Raman, Relax
from napari_wse2xai.stages import STAGES, CompareTheory, Explain, Pair, Simulate, Train

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])
NAMED = re.compile(r"(?<![*\w])\*([A-Z][^*\n]*[^*.\n])\*(?![*\w])")
"""Names in the window stand slanted and begin with a capital; so do sentences, which end with a stop."""
OF_THE_WINDOW = ("batch", "correlate", "session", "window")
LINK = re.compile(r"\]\((?!\w+:)([^)#]+)(#[^)]*)?\)")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    return loaded("make_settings")


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_settings_are_up_to_date(generator: ModuleType) -> None:
    for page in (generator.PAGE, generator.CALCULATIONS_PAGE):
        committed = page.read_text(encoding="utf-8")
        assert generator.filled(committed) == committed, "run python docs/make_settings.py"


def test_the_tables_of_results_are_up_to_date() -> None:
    generator = loaded("make_results")
    committed = generator.PAGE.read_text(encoding="utf-8")
    assert generator.filled(committed) == committed, "run python docs/make_results.py"


def test_index_manifest_and_page_are_those_that_readers_and_ways_out_declare() -> None:
    generator = loaded("make_formats")
    for place, made in ((generator.MANIFEST, generator.manifest), (generator.PAGE, generator.page)):
        committed = place.read_text(encoding="utf-8")
        assert made(committed) == committed, "run python docs/make_formats.py"
    assert generator.INDEX.read_text(encoding="utf-8") == generator.index(), "run python docs/make_formats.py"


def test_the_tables_of_results_name_what_the_contract_promises() -> None:
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    for row in (
        "| `counts` | y, x, spectral |",
        "| `position` | peak, y, x | that of the axis |",
        "| `height_error` | peak, y, x | that of the intensity |",
        "| `status` | y, x |",
        "| `predicted` | target, y, x | the target's |",
        "| `pdp` | feature, grid | the target's |",
        "| `ice_slope` | feature, y, x | the target's per the feature's |",
        "| `extra/ale` | feature, grid | the target's |",
        "| `spectral_intensity` | engine, structure, projection, wavenumber |",
    ):
        assert row in page


@pytest.mark.parametrize("kind", [Layer, Relax, Phonons, Raman, Dynamics, MolecularDynamics, Inputs], ids=lambda kind: kind.__name__)
def test_every_setting_of_a_calculation_has_its_row(generator: ModuleType, kind: type) -> None:
    section = generator.CALCULATIONS_PAGE.read_text(encoding="utf-8").partition(f"<!-- settings: {kind.__name__} -->")[2]
    section = section.partition("<!-- end -->")[0]
    for name, field in kind.model_fields.items():
        assert f"| `{name}` |" in section
        assert field.description in section


@pytest.mark.parametrize("stage", [*STAGES, Pair, Train, Explain, Simulate, CompareTheory], ids=lambda stage: stage.__name__)
def test_every_stage_has_its_section_and_every_setting_its_row(generator: ModuleType, stage: type) -> None:
    section = generator.PAGE.read_text(encoding="utf-8").partition(f"\n## {stage.title}\n")[2].partition("\n## ")[0]
    assert f"<!-- settings: {stage.__name__} -->" in section
    for name, field in stage.model_fields.items():
        assert f"| `{name}` |" in section
        assert field.description in section


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    for target, _ in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_api_names_every_public_object() -> None:
    for place, text in loaded("make_api").written().items():
        assert place.read_text(encoding="utf-8") == text, "run python docs/make_api.py"
    core = (ROOT / "docs" / "api" / "core.md").read_text(encoding="utf-8")
    assert all(f".{name}\n" in core for name in napari_wse2xai.__all__ if name != "__version__")


def test_every_page_stands_in_the_menu_of_the_site() -> None:
    menu = set(re.findall(r"[\w/]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))
    assert menu == {page.relative_to(ROOT / "docs").as_posix() for page in ROOT.glob("docs/**/*.md")}


def test_what_the_pages_tell_to_press_and_to_open_bears_that_name_in_the_window() -> None:
    """*Find flake*, *File > Open Sample*: menus of napari itself aside, each is a text of the code, from its beginning."""
    napari = {"File", "Open Sample", "Plugins", "Save selected layers"}
    files = [file for kind in ("py", "yaml") for file in (ROOT / "src").rglob(f"*.{kind}") if file.name != "__init__.py"]
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    pages = [*ROOT.glob("docs/tutorials/*.md"), *ROOT.glob("docs/how_to/*.md"), *(ROOT / "docs" / f"{name}.md" for name in OF_THE_WINDOW)]
    for page in pages:
        for told in NAMED.findall(re.sub(r"```.*?```|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)):
            for name in set(told.split(" > ")) - napari:
                assert f'"{name}' in source or f"display_name: {name}" in source, f"{page.name}: {name}"


def test_every_picture_of_the_documents_is_shown_somewhere() -> None:
    shown = {name for page in PAGES for name in re.findall(r"images/([\w.]+)", page.read_text(encoding="utf-8"))}
    assert {picture.name for picture in (ROOT / "docs" / "images").iterdir()} <= shown


def test_the_pictures_are_those_that_the_scripts_make_in_their_size() -> None:
    expected = {name: size for pictures in loaded("make_pictures").PICTURES.values() for name, size in pictures.items()}
    assert {picture.name: Image.open(picture).size for picture in (ROOT / "docs" / "images").iterdir()} == expected


def test_the_page_on_pypi_leads_out_of_itself_by_whole_addresses() -> None:
    """There is no folder beside it: a link into one is broken there, and a picture missing."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert LINK.search(page)
    for rule in project["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        page = re.sub(rule["pattern"], rule["replacement"], page)
    assert not LINK.search(page)
    assert project["project"]["urls"]["Source"] in page


def test_the_example_of_the_stages_page_runs(generator: ModuleType) -> None:
    code = generator.PAGE.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    names: dict[str, object] = {}
    exec(code, names)
    maps = names["maps"]
    assert maps.position.shape == (1, 48, 56)  # type: ignore[attr-defined]
