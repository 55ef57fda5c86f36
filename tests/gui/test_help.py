"""Help that leads somewhere, tooltips everywhere, keys, and what can be begun with."""

import re
import tomllib
from email.message import Message
from pathlib import Path

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QSlider,
    QTabBar,
    QTableWidget,
    QTreeWidget,
)

from napari_wse2xai.gui.main_widget import MainWidget
from napari_wse2xai.gui.maps.load_maps import LoadMaps
from napari_wse2xai.gui.parts import help as help_module
from napari_wse2xai.gui.parts.keys import KEYS
from napari_wse2xai.gui.session import contents, recent
from napari_wse2xai.gui.session.welcome import TUTORIAL
from napari_wse2xai.gui.workbench import Workbench
from napari_wse2xai.io import write_map
from napari_wse2xai.layers import to_layers
from napari_wse2xai.stages import Baseline, FindFlake

DOCS = Path(__file__).resolve().parents[2] / "docs"
FIELDS = (QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit, QSlider, QTabBar, QTableWidget, QTreeWidget)


def anchors(page: Path) -> set[str]:
    """Anchors that the site makes of a page's headings, by the rule of Python-Markdown (`markdown.extensions.toc.slugify`)."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


def test_every_fold_has_a_page_that_is_there(panels: MainWidget) -> None:
    for key, section in panels.sections.items():
        assert section.help_button is not None, key
        name, _, anchor = section.help_button.page.partition("#")
        assert (DOCS / name).exists(), name
        assert not anchor or anchor in anchors(DOCS / name), section.help_button.page
    assert (DOCS / TUTORIAL).exists()


def test_the_button_opens_the_page_on_the_site_of_the_installed_package(panels: MainWidget, monkeypatch) -> None:
    opened: list[str] = []
    urls = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    installed = Message()
    for name, address in urls.items():
        installed["Project-URL"] = f"{name}, {address}"
    monkeypatch.setattr(help_module, "metadata", lambda name: installed)
    monkeypatch.setattr(help_module.QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    help_module.site.cache_clear()
    panels.sections[FindFlake].help_button.click()
    assert opened == [f"{urls['Documentation']}/stages/#find-flake"]
    help_module.site.cache_clear()


def test_every_field_and_button_has_a_tooltip_and_every_number_its_unit(panels: MainWidget) -> None:
    silent = []
    for widget in (each for kind in FIELDS for each in panels.findChildren(kind)):
        inside = isinstance(widget.parent(), QAbstractSpinBox | QComboBox) or widget.objectName().startswith("qt_")
        private = type(widget).__name__ == "QAbstractButton"  # the corner of a table
        if not (inside or private or told(widget)):
            silent.append(f"{type(widget.parent()).__name__} > {type(widget).__name__} '{getattr(widget, 'text', str)()}'")
    assert not silent, "\n".join(silent)
    for number in panels.findChildren(QDoubleSpinBox):
        assert number.suffix().strip()


def told(widget) -> bool:
    """Whether Qt shows a tooltip there: its own, or that of what it lies in."""
    while widget is not None and not isinstance(widget, MainWidget):
        if widget.toolTip():
            return True
        widget = widget.parentWidget()
    return False


@pytest.fixture
def bench(viewer, qtbot) -> Workbench:
    bench = Workbench(viewer)
    bench._furnished = True  # the rest of the window is not wanted here
    bench.colour_bar.listen()
    qtbot.addWidget(bench)
    bench.show()
    return bench


def test_keys_go_from_step_to_step_and_run(bench: Workbench, viewer, qtbot, settle, small) -> None:
    contents.add(viewer, to_layers(small))
    settle(lambda: bench.panels[FindFlake].source.count() == 1)
    assert bench.opened is FindFlake
    keys = list(bench.sections)
    acts = bench._acts()
    acts["next"]()
    assert bench.opened is keys[keys.index(FindFlake) + 1]
    acts["previous"]()
    assert bench.opened is FindFlake
    bench.open_section(Baseline)
    acts["run"]()
    assert bench.panels[Baseline].work.runner.busy
    acts["cancel"]()
    assert not bench.panels[Baseline].work.runner.busy
    shown = bench.list_keys()
    assert all(key.words in shown.words.text() for key in KEYS)
    shown.close()


def test_every_key_does_something_and_none_does_two(bench: Workbench) -> None:
    assert {key.act for key in KEYS} == set(bench._acts())
    assert len({key.keys for key in KEYS}) == len(KEYS)


def test_a_key_pressed_reaches_its_act(bench: Workbench, qtbot, monkeypatch) -> None:
    bench.activateWindow()
    head = bench.sections[FindFlake].toggleButton()
    head.setFocus()
    qtbot.waitUntil(head.hasFocus, timeout=5000)
    qtbot.keyClick(head, Qt.Key_Down, Qt.ControlModifier)
    keys = list(bench.sections)
    assert bench.opened is keys[keys.index(FindFlake) + 1]


def test_the_welcome_is_there_while_nothing_is_open(panels: MainWidget, viewer, settle, small, tmp_path, qtbot) -> None:
    assert not panels.welcome.isHidden()
    panels.welcome.buttons["sample"].click()
    settle(lambda: len(contents.map_layers(viewer)) == 2)
    settle(panels.welcome.isHidden)
    viewer.layers.clear()
    settle(lambda: not panels.welcome.isHidden())


def test_a_file_that_was_opened_lately_opens_by_one_click(panels: MainWidget, viewer, settle, small, tmp_path) -> None:
    path = tmp_path / "lately.nc"
    write_map(small, path)
    panels.loading.open_first(path)
    settle(lambda: len(contents.map_layers(viewer)) == 1)
    assert recent.recent()[0] == path
    viewer.layers.clear()
    settle(lambda: not panels.welcome.isHidden())
    button = panels.welcome.recent_buttons[0]
    assert button.text() == "lately.nc"
    button.click()
    settle(lambda: len(contents.map_layers(viewer)) == 1)
    path.unlink()
    assert path not in recent.recent()


def test_a_list_of_files_that_is_none_is_no_matter(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(recent, "shelf", lambda: tmp_path / "recent.json")
    for text in ("", "{", '{"a": 1}', "[1, null]"):
        recent.shelf().write_text(text)
        assert recent.recent() == []
    recent.note([tmp_path])
    assert recent.recent() == [tmp_path.resolve()]


def test_the_fold_of_loading_asks_for_files(panels: MainWidget, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(panels.loading, "ask", lambda: asked.append(1))
    panels.welcome.buttons["open"].click()
    assert asked
    assert panels.sections[LoadMaps].isExpanded()
