"""The report says the verdict first, then what it rests on; a doubtful explanation is stamped in words and figures."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.text import Text
from test_report import read

from learned import H_HEIGHT, make_explanation, make_model, make_recovery, make_samples, with_questions
from napari_wse2xai import report
from napari_wse2xai.data import Level, Results
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.plots.judged import STAMP
from napari_wse2xai.progress import silent
from napari_wse2xai.report._card import _width, _words, sheet
from napari_wse2xai.report._learnt import captions, remarks, scores
from napari_wse2xai.report._learnt_figures import jobs


@pytest.fixture(scope="module")
def results(trained, explanation):
    return Results({}, model=trained, explanation=explanation)


@pytest.fixture(scope="module")
def images(results):
    return report.draw_figures(results, silent)


def test_every_figure_is_drawn_and_in_the_page(results, images):
    names = {"model_height_prediction", "model_height_scatter", "model_height_null_test", "explanation_ranking", "explanation_pdp"}
    names |= {f"explanation_map_{place}" for place in (1, 2, 3)}
    assert {name.rpartition(".")[0] for name in images} == names
    html = report.page(results, images, title="t")
    assert html.count("data:image/png;base64,") == len(names)
    assert "http" not in html


def test_what_the_recipe_asked_is_drawn_and_told(results):
    asked = replace(results, explanation=with_questions(results.explanation))
    draw = jobs(asked)
    names = {name for name in draw if "pair" in name or "regions" in name or "wavenumbers" in name}
    assert names == {"explanation_pair_1", "explanation_regions_1", "explanation_wavenumbers"}
    said = dict(captions(None, asked.explanation))
    assert names < set(said)
    share = "10 % of what A1' height and 2LA(M) height do together is interaction (H = 0.31, 12.5 counts)."
    assert said["explanation_pair_1"].endswith(share)
    assert "A1' 65%, E' 20%, 2LA(M) 15% of what 256 pixels differ in from the mean pixel" in said["explanation_wavenumbers"]
    assert "acts alike; within them 40% of the curves' spread is left." in said["explanation_regions_1"]
    text = read(report.page(asked, {}, title="t"))
    assert "R² lost (left out): what only its peak tells." in text
    assert "0.610 ± 0.006" in text
    for name in ("explanation_pair_1", "explanation_wavenumbers"):
        draw[name]().savefig(io.BytesIO(), format="png")


def test_a_map_of_regions_has_the_colour_of_each_pixels_region_and_its_rule(results):
    explanation = with_questions(results.explanation)
    (axes,) = jobs(replace(results, explanation=explanation))["explanation_regions_1"]().axes
    (image,) = axes.images
    colours, samples = image.cmap(image.norm(image.get_array())), explanation.samples
    high = samples.features[:, H_HEIGHT] > 90
    for rule, there, colour in zip(explanation.regions, (~high, high), ((0, 0x72, 0xB2), (0xE6, 0xA8, 0x17)), strict=True):
        found = colours[samples.row[there], samples.column[there], :3]
        np.testing.assert_allclose(found, np.broadcast_to(np.array(colour) / 255, found.shape), atol=1e-6)
        assert rule.rule in [text.get_text() for text in axes.get_legend().get_texts()]
    assert image.get_array().mask.sum() == np.prod(samples.frames[0].shape) - len(samples)


def test_the_verdict_comes_before_everything_else(results, images):
    text = read(report.page(results, images, title="My flake"))
    first = text.index("interpretable")
    assert text.index("My flake") < first < text.index("Training")
    assert Level.INTERPRETABLE.meaning in text
    for reason in results.model.verdicts[0].reasons:
        assert reason in text


def test_scores_of_all_models_and_the_null_test_are_told(results, images):
    text = read(report.page(results, images, title="t"))
    assert "CNN spatial blocks with a buffer 0.930 0.940" in text
    assert "gradient boosting random 7:3 split" in text
    assert "for 39 surrogates; p ≤ 0.025." in text
    refused = replace(results.model.null_tests[0], refused="the surrogates miss the variogram.")
    other = replace(results, model=replace(results.model, null_tests=(refused,)))
    assert "There is no p value: the surrogates miss the variogram." in read(report.page(other, images, title="t"))


def test_the_ranking_stands_with_errors_and_units(results, images):
    text = read(report.page(results, images, title="t"))
    assert text.index("A1'.height 2") < text.index("E'.position 1")
    assert "counts / cm⁻¹" in text
    assert "E'.height and 2LA(M).height go together (rank correlation 0.97): which of the two acts cannot be told." in text


def test_a_doubtful_explanation_is_stamped_in_words_and_figures(trained, doubtful):
    judged = replace(trained, verdicts=(doubtful.verdict,))
    results = Results({}, model=judged, explanation=doubtful)
    images = report.draw_figures(results, silent)
    html = report.page(results, images, title="t")
    assert "DO NOT INTERPRET" in read(html)
    assert html.count('class="badge no"') == 3
    drawn = [name for name in images if name.startswith("explanation_") and name.endswith("svg")]
    assert drawn
    assert all(f'id="{STAMP}"'.encode() in images[name] for name in drawn)


def test_two_flakes_and_targets_have_figures_of_their_own():
    samples = make_samples(targets=("height", "position"), flakes=2)
    results = Results({}, model=make_model(samples), explanation=make_explanation(samples))
    names = set(jobs(results))
    assert {"model_position_prediction_flake_2", "explanation_map_1_flake_2"} <= names
    assert names == {name for name, _ in captions(results.model, results.explanation)} & names
    text = read(report.page(results, {f"{name}.png": b"" for name in names}, title="t"))
    assert "Flake: flake 2." in text
    assert text.count("PL position : ") == 1


def test_the_card_tells_the_finding_on_one_page(trained, explanation):
    drawn = {f"{name}.png": b"drawn already" for name in jobs(Results({}, model=trained, explanation=explanation))}
    card = report.card(trained, replace(explanation, recovery=make_recovery()), title="Flake <7>", images=drawn)
    assert card.html.count(base64.b64encode(b"drawn already").decode()) == 3, "none is drawn again"
    text = read(card.html)
    for part in (
        "Flake <7>",
        "interpretable",
        "A1'.height",
        "238 ± 14",
        "was found again: curves and slope maps like these can be believed.",
        "A1'.fwhm acts as its square 4 of 9 0.95 0.91",
        "E'.height acts only through the first 3 of 9 – 0.88",
        "Simulate (0.1.0) seed: 7",
        "seed: 0",
        "PL peak A exciton",
    ):
        assert part in text
    assert card.html.count("data:image/png;base64,") == 3
    assert "http" not in card.html
    assert card.pdf.startswith(b"%PDF")
    assert card.pdf.count(b"/Type /Page ") + card.pdf.count(b"/Type /Page\n") == 1


def test_the_card_of_a_doubtful_explanation_is_stamped(trained, doubtful):
    judged = replace(trained, verdicts=(doubtful.verdict,))
    words = _words(judged, doubtful, "t", ())
    page = sheet(judged, doubtful, words)
    stamps = [text for text in page.findobj(Text) if text.get_gid() == STAMP]
    assert len(stamps) == 7  # ranking, three modes, three maps
    assert "DO NOT INTERPRET" in {text.get_text() for text in page.findobj(Text) if text.get_gid() != STAMP}


def test_the_report_and_the_card_say_how_far_a_simulation_found_its_law(results, images):
    bad = replace(results, explanation=replace(results.explanation, recovery=make_recovery(good=False)))
    text = read(report.page(bad, images, title="t"))
    assert "Simulation of this flake with a known law not found again" in text
    assert "A1'.fwhm acts as its square 7 of 9 0.31 0.40" in text
    assert "Predictions reach R² 0.62. The 95 % bands held 94% of the true curves" in text
    assert "Simulation" not in read(report.page(results, images, title="t"))
    written = _words(bad.model, bad.explanation, "t", ())
    found = " ".join(text.get_text() for text in sheet(bad.model, bad.explanation, written).findobj(Text))
    assert "was not found again" in found


def test_a_card_says_whose_maps_it_shows_and_fits_a_long_title():
    samples = make_samples(flakes=2)
    model, explanation = make_model(samples), make_explanation(samples)
    words = _words(model, explanation, "word " * 40, ())
    assert words["remarks"][1] == "The maps show flake 1, the first of 2 flakes."
    drawn = [text for text in sheet(model, explanation, words).findobj(Text) if text.get_text().startswith("word word")]
    assert [len(text.get_text()) <= 88 for text in drawn] == [True]


def test_a_card_is_written_as_its_name_ends(trained, explanation):
    assert report.card_as(".PDF", trained, explanation, title="t").startswith(b"%PDF")
    for page in (".html", ".htm"):
        assert report.card_as(page, trained, explanation, title="t").startswith(b"<!DOCTYPE html>")
    for suffix in (".png", ""):
        with pytest.raises(SettingsError, match=r"PDF or an HTML page; .*\.pdf or \.html\."):
            report.card_as(suffix, trained, explanation, title="t")


def _head(trained, explanation, reasons):
    """The head of a drawn card: its sentences, and where they lie on the page and on their part of it, as shares."""
    words = _words(trained, explanation, "Flake", ()) | {"reasons": reasons}
    page = sheet(trained, explanation, words)
    page.draw_without_rendering()
    head = page.subfigs[0]
    (text,) = [one for one in head.texts if words["about"][:20] in one.get_text()]
    box = text.get_window_extent()
    return text.get_text(), box.x1 / page.bbox.width, (box.y0 - head.bbox.y0) / head.bbox.height


@pytest.mark.parametrize("letter", ["W", "i"])
def test_long_reasons_stay_on_the_page_and_none_of_them_is_left_out(trained, explanation, letter):
    """Wide letters and narrow ones: lines are as long as they are wide, as matplotlib draws them."""
    reasons = [f"reason {number} {' '.join([letter * 9] * 22)} end{number}." for number in range(5)]
    text, right, bottom = _head(trained, explanation, reasons)
    assert right < 0.98
    assert bottom > 0
    assert [f"end{number}." in text for number in range(5)] == [True] * 5


def test_more_than_a_card_can_hold_ends_with_a_whole_sentence(trained, explanation):
    text, right, bottom = _head(trained, explanation, [f"reason {number} {'many words ' * 60}end." for number in range(20)])
    assert right < 0.98
    assert bottom > 0
    assert text.endswith("end.")


def test_a_model_that_was_tried_in_one_way_alone_has_its_row_and_the_card_the_best_reference(trained):
    only = replace(trained, scores=tuple(each for each in trained.scores if each.model != "ridge" or each.validation == "blocks"))
    rows = scores(only, "height")
    assert [row["model"] for row in rows if row["validation"].startswith("random")] == ["mean", "gradient boosting", "MLP ensemble", "CNN"]
    assert [row["model"] for row in rows if row["validation"].startswith("spatial")] == [
        "mean",
        "ridge",
        "gradient boosting",
        "MLP ensemble",
        "CNN",
    ]
    told = _words(trained, make_explanation(), "t", ())["scores"]
    assert {row["model"] for row in told} == {"CNN", "MLP ensemble"}, "0.96 in blocks, better than the others"


def test_parameters_that_go_together_are_said_once(explanation):
    together = replace(
        explanation, not_separable=(("A1'.height", "E'.fwhm", 0.87),), remarks=("A1'.height and E'.fwhm are alike.", "Else.")
    )
    said = remarks(together)
    assert said[0].startswith("A1'.height and E'.fwhm go together (rank correlation 0.87)") and said[1:] == ["Else."]
    three = (("A", "B", 0.98), ("C", "D", 0.96), ("B", "E", -0.99))
    words = "A, B and E go together (rank correlations up to -0.99): which of them acts cannot be told"
    said = remarks(replace(explanation, not_separable=three, remarks=(f"{words} from this flake.", "Else.")))
    assert sorted(said) == [f"{words}.", "C and D go together (rank correlation 0.96): which of the two acts cannot be told.", "Else."]


def test_a_dollar_in_a_card_is_a_letter_and_begins_no_formula() -> None:
    assert _width("5$x$") == pytest.approx(_width("5x") + 2 * _width("$"), rel=0.02)
