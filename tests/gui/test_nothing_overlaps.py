"""In a fold as narrow as a dock nothing lies over what is below it, however many lines words take."""

from itertools import pairwise

import pytest
from qtpy.QtWidgets import QScrollArea, QWidget

from learned import make_explanation, make_model, make_samples
from napari_wse2xai.gui.explain.result import ExplainResult
from napari_wse2xai.gui.parts.collapsible import CollapsibleSection
from napari_wse2xai.gui.train.result import TrainResult

LONG = "Words that take several lines in a dock, such as the reasons of a verdict, which nobody cuts short. " * 4


def overlapping(column: QWidget) -> list[tuple[str, str]]:
    """Pairs of visible neighbours of a column of which one lies over the other, or is squeezed below what it needs."""
    layout = column.layout()
    parts = [layout.itemAt(index).widget() for index in range(layout.count())]
    seen = [part for part in parts if part is not None and part.isVisible()]
    over = [(type(one).__name__, type(other).__name__) for one, other in pairwise(seen) if one.geometry().bottom() >= other.y()]
    return over + [(type(part).__name__, "squeezed") for part in seen if part.height() < part.minimumHeight()]


@pytest.mark.parametrize("width", [300, 380])
@pytest.mark.parametrize("kind", [ExplainResult, TrainResult])
def test_results_lie_below_one_another(viewer, qtbot, settle, kind: type, width: int) -> None:
    result = kind()
    fold, area = CollapsibleSection("A step", result), QScrollArea()
    qtbot.addWidget(area)
    area.setWidgetResizable(True)
    area.setWidget(fold)
    area.resize(width, 500)
    area.show()
    fold.expand()
    if kind is ExplainResult:
        result.show_explanation(make_explanation(make_samples()))
        result.map_verdict.setText(LONG)
    else:
        result.show_model(make_model(make_samples()))
    result.remarks.setVisible(True)
    result.remarks.setText(LONG)
    settle(lambda: not overlapping(result))
