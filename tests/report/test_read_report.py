"""Figures and pages of a run beside what a person has read of them."""

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from matplotlib.figure import Figure

from as_text import figure_text, require_as_read
from learned import make_explanation, make_model, make_recovery, make_samples, with_others, with_questions
from napari_wse2xai import report
from napari_wse2xai._version import __version__
from napari_wse2xai.data import Explanation, Results, TrainedModel
from napari_wse2xai.data.effects import FlakeEffects
from napari_wse2xai.data.pooled import FlakeValue, OfFlake, Pool
from napari_wse2xai.report import _figures, _learnt_figures, _over_flakes, _pooled, _series
from napari_wse2xai.report._card import _draw_head, _html, _words, sheet
from napari_wse2xai.report._over_flakes import RankedOverFlakes
from napari_wse2xai.report._small_print import draw_foot


@pytest.fixture(scope="module")
def learnt() -> tuple[TrainedModel, Explanation]:
    """Two flakes, two targets, every question, another model, a planted law, what RS does not explain."""
    samples = make_samples(targets=("height", "position"), flakes=2)
    model, explanation = make_model(samples), with_others(with_questions(make_explanation(samples)))
    score = np.where(samples.column < 5, 6.0, 0.5) * np.ones((2, 1))
    region = np.tile((samples.column < 5).astype(np.int64), (2, 1))
    return replace(model, unexplained=score, region=region), replace(explanation, recovery=make_recovery())


def of_jobs(jobs) -> str:
    figures = {name: draw() for name, draw in jobs.items()}
    empty = [name for name, figure in figures.items() for axes in figure.axes if not (axes.has_data() or axes.texts or axes.patches)]
    assert not empty, "places without anything in them"
    return "\n".join(f"== {name}\n{figure_text(figure)}" for name, figure in figures.items())


def of_page(page: str) -> str:
    """A line for each row, paragraph and heading: its texts, and in brackets the classes that give them their looks."""
    page = re.sub(r"<(style|script).*?</\1>", "", page, flags=re.DOTALL)
    lines = []
    for part in re.split(r"</(?:tr|p|h\d|li|summary|pre|div)>", page):
        pieces = re.findall(r'<[^>]*class="([^"]*)"[^>]*>|(?<=>)([^<]*[^<\s][^<]*)(?=<|$)', part)
        lines += [" | ".join(f"[{kind}]" if kind else " ".join(unescape(words).split()) for kind, words in pieces)] if pieces else []
    return "\n".join(lines).replace(__version__, "VERSION").replace("] | ", "] ") + "\n"


def test_the_figures_of_a_run_are_as_they_were_read(every_result: Results) -> None:
    jobs = _figures._all_jobs(every_result)
    require_as_read("figures_of_a_run", of_jobs({name: jobs[name] for name in jobs if name.startswith(("raman", "pl", "pair"))}))


def test_figures_are_named_after_their_parts(every_result: Results) -> None:
    assert {name.partition("_")[0] for name in _figures._all_jobs(every_result)} == set(report.PARTS)


def test_the_figures_of_what_was_learnt_are_as_they_were_read(learnt) -> None:
    model, explanation = learnt
    jobs = _learnt_figures.jobs(Results({}, model=model, explanation=explanation))
    like_others = re.compile("position|map_2|map_1_flake|(prediction|unexplained|models|regions_1)_flake")
    require_as_read("figures_learnt", of_jobs({name: jobs[name] for name in jobs if not like_others.search(name)}))


def test_the_figures_along_a_line_are_as_they_were_read() -> None:
    samples = make_samples(shape=(1, 60))
    results = Results({}, model=make_model(samples), explanation=with_others(make_explanation(samples)))
    require_as_read("figures_along_a_line", of_jobs(_learnt_figures.jobs(results)))


def test_the_page_of_a_run_is_as_it_was_read(every_result: Results) -> None:
    images = {f"{name}.png": b"" for name in _figures._all_jobs(every_result)}
    require_as_read("page_of_a_run", of_page(report.page(every_result, images, title="A run")))


def test_the_page_of_what_was_learnt_is_as_it_was_read(learnt) -> None:
    model, explanation = learnt
    require_as_read("page_learnt", of_page(report.page(Results({}, model=model, explanation=explanation), {}, title="Learnt")))


def test_the_finding_card_is_as_it_was_read(learnt) -> None:
    model, explanation = learnt
    words = _words(model, explanation, "A flake", ("Theory agrees.",))
    figure = Figure(figsize=(8, 4))
    head, foot = figure.subfigures(2, 1)
    _draw_head(head, explanation, words)
    draw_foot(foot, words)
    pictures = {f"{name}.png": b"drawn" for name in _learnt_figures.jobs_of_card(model, explanation)}
    require_as_read("card", of_page(_html(model, explanation, words, pictures)) + figure_text(figure).replace(__version__, "VERSION"))


def test_the_sheet_of_a_finding_card_is_as_it_was_read(learnt) -> None:
    model, explanation = learnt
    require_as_read(
        "sheet", figure_text(sheet(model, explanation, _words(model, explanation, "A flake", ()))).replace(__version__, "VERSION")
    )


def test_the_page_of_a_series_is_as_it_was_read(learnt, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its figures: of networks, of flakes, and of what several flakes say together."""
    drawn = list[str]()

    def drawn_as_text(figure: Figure, name: str) -> dict[str, bytes]:
        drawn.append(f"== {name}\n{figure_text(figure)}")
        return {f"{name}.png": b""}

    monkeypatch.setattr(_figures, "saved", drawn_as_text)
    model, explanation = learnt
    models = dict.fromkeys((("convolution", "few"), ("residual", "many")), model)
    values = {"few": (3.0, 5.0), "many": (1.0, 2.0, 4.0)}
    flakes = [
        OfFlake(
            f"{condition} {value}", condition, value,
            FlakeValue("pl", peak, "height", "counts", "", 400, 30 * value**1.7, value, 60 * value, 0.1),
        )
        for condition, several in values.items() for value in several for peak in ("X", "T", "")
    ]  # fmt: skip
    pools = [Pool(tuple(each for each in flakes if each.value.peak == peak)) for peak in ("X", "T", "")]
    effects = {
        name: FlakeEffects("height", "interpretable", "ridge", ("A1'.height", "E'.fwhm"), (effect, 0.2), (0.1, 0.1))
        for name, effect in (("a", 0.4), ("b", 0.6))
    }
    ranked = [RankedOverFlakes.of(condition, "height", effects) for condition in values]
    images = _series.series_figures(models) | _pooled.pooled_figures(pools, pools, "power (mW)") | _over_flakes.over_flakes_figures(ranked)
    known = {"misalignment_um": 0.1234, "misalignment_error_um": 0.045, "verdict": "height: interpretable", "warnings": 3}
    flake = {"condition": "few", "name": "one", "state": "done", "reason": "", "folder": "one", "value": 3.0, "raman_ok": 0.9, "pl_ok": 0.5}
    trend = {"condition": "few", "modality": "pl", "peak": "X", "parameter": "height", "unit": "counts", "points": 4}
    errors = {"slope": 31.41, "slope_error": 0.59, "exponent": 1.02, "exponent_error": 0.034}
    overview = _series.Overview(
        [flake | known | {"seconds": 12.34}, flake | known | {"condition": "many", "seconds": None}], dict.fromkeys(models, "net"),
        dict.fromkeys([("convolution", "few")], explanation), [trend | errors], over="power (mW)", ranked=ranked,
    )  # fmt: skip
    page = _series.series_page(models, images, overview, title="A series", warnings=("Beware.",))
    require_as_read("series", of_page(page) + "\n".join(drawn))
