"""One self-contained HTML page about a run, and its figures."""

from napari_wse2xai.report._card import Card, card, card_as
from napari_wse2xai.report._figures import PARTS, Images, draw_figures, saved
from napari_wse2xai.report._page import page
from napari_wse2xai.report._series import Places, series_figures, series_page
from napari_wse2xai.report._truth import Comparison, compare

__all__ = [
    "PARTS",
    "Card",
    "Comparison",
    "Images",
    "Places",
    "card",
    "card_as",
    "compare",
    "draw_figures",
    "page",
    "saved",
    "series_figures",
    "series_page",
]
