"""Names that look like mathematics are drawn letter by letter, and those that look like a page stay names."""

import io

import pytest
from matplotlib.figure import Figure

from napari_wse2xai.plots.plain_text import PlainFigure, plain

BAD = r"$\frac$"
SCRIPT = "<script>alert(1)</script>"


def drawn(figure: Figure) -> bytes:
    with io.BytesIO() as stream:
        figure.savefig(stream, format="svg")
        return stream.getvalue()


def test_a_figure_of_matplotlib_stops_at_such_a_name() -> None:
    figure = Figure()
    figure.add_subplot().set_title(BAD)
    with pytest.raises(ValueError, match="frac"):
        drawn(figure)


@pytest.mark.parametrize("name", [BAD, "$", "$$", r"\$a$", "$a", r"$\frac{1}{"])
def test_titles_labels_legends_and_ticks_are_drawn_as_they_are(name: str) -> None:
    figure = PlainFigure(layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], label=name)
    axes.set(title=name, xlabel=name)
    axes.legend()
    axes.annotate(name, (0, 0))
    axes.set_yticks([0, 1], [plain(name), plain(name)])
    assert b"<svg" in drawn(figure)
