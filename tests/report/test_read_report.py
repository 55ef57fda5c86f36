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
from napari_wse2xai.report import _figures, _learnt_figures
from napari_wse2xai.report._card import _draw_head, _html, _words
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
    return "\n".join(f"== {name}\n{figure_text(draw())}" for name, draw in jobs.items())


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
