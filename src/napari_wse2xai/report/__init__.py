"""One self-contained HTML page about a run, and its figures."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_wse2xai.report._card import Card, card, card_as
    from napari_wse2xai.report._figures import draw_figures, saved
    from napari_wse2xai.report._over_flakes import RankedOverFlakes, over_flakes_figures
    from napari_wse2xai.report._page import Images, page
    from napari_wse2xai.report._pooled import pooled_figures
    from napari_wse2xai.report._series import Overview, series_figures, series_page
    from napari_wse2xai.report._truth import Comparison, compare

PARTS = ("raman", "pl", "pair", "model", "explanation", "theory")
"""What the names of figures begin with."""
_HOME = {
    "_card": ("Card", "card", "card_as"),
    "_figures": ("draw_figures", "saved"),
    "_over_flakes": ("RankedOverFlakes", "over_flakes_figures"),
    "_page": ("Images", "page"),
    "_pooled": ("pooled_figures",),
    "_series": ("Overview", "series_figures", "series_page"),
    "_truth": ("Comparison", "compare"),
}
_WHERE = {name: home for home, names in _HOME.items() for name in names}

__all__ = [
    "PARTS",
    "Card",
    "Comparison",
    "Images",
    "Overview",
    "RankedOverFlakes",
    "card",
    "card_as",
    "compare",
    "draw_figures",
    "over_flakes_figures",
    "page",
    "pooled_figures",
    "saved",
    "series_figures",
    "series_page",
]


def __getattr__(name: str) -> Any:
    """Import a name where it lives, when it is first asked for: a run that is refused waits for no drawing library."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
