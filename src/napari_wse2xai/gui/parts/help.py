"""Where the documents are: the page of every fold, on the site that the installed package names."""

from functools import cache
from importlib.metadata import metadata

from napari.utils.notifications import show_warning
from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QToolButton, QWidget

PACKAGE = "napari-wse2xai"
PAGES = {
    "LoadMaps": "formats.md",
    "PeakChooser": "stages.md#computed-maps",
    "PairPanel": "stages.md#pair-rs-and-pl",
    "CorrelatePanel": "correlate.md",
    "TrainPanel": "stages.md#train",
    "ExplainPanel": "explaining.md#in-the-window",
    "TheoryPanel": "theory.md#beside-a-measured-map",
    "BatchPanel": "batch.md#in-the-window",
    "SessionPanel": "session.md#in-the-window",
}
"""Page of a fold, or a dock, that is no stage of a map."""


@cache
def site() -> str:
    """Address of the documents, from what is installed; empty where that was installed before they had one."""
    urls = dict(entry.split(", ", 1) for entry in metadata(PACKAGE).get_all("Project-URL") or ())
    return str(urls.get("Documentation", "")).rstrip("/")


def address(page: str) -> str:
    """Address of a page: ``stages.md#find-flake`` as the site has it."""
    name, _, anchor = page.partition("#")
    folder = "" if name == "index.md" else f"{name.removesuffix('.md')}/"
    return f"{site()}/{folder}{'#' + anchor if anchor else ''}"


def anchor_of(title: str) -> str:
    """Anchor of a heading, as the site makes it."""
    kept = "".join(sign for sign in title.lower() if sign.isalnum() or sign in " -_")
    return "-".join(kept.split())


def page_of(key: type) -> str:
    """Page of a fold by what it holds: a panel, or a stage, whose section is called as it is."""
    title = getattr(key, "title", "")
    return PAGES.get(key.__name__) or (f"stages.md#{anchor_of(title)}" if isinstance(title, str) and title else "stages.md")


def open_page(page: str) -> None:
    """Open a page of the documents in the browser."""
    if site():
        QDesktopServices.openUrl(QUrl(address(page)))
    else:
        show_warning(f"This installation does not say where its documents are; install {PACKAGE} anew, or read docs/{page} in its source.")


class HelpButton(QToolButton):
    """Opens a page."""

    def __init__(self, page: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.page = page
        self.setText("?")
        self.setToolTip("What this does, in the documents (F1).")
        self.setStyleSheet("QToolButton { background: transparent; border: none; font-weight: bold; }")
        self.clicked.connect(lambda: open_page(self.page))
