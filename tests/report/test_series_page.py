"""The page of a series: a row for each network, flake and trend, with the numbers that were given."""

import re
from dataclasses import replace

import numpy as np
import pytest

from learned import make_explanation, make_model, make_samples
from napari_wse2xai.data import Level
from napari_wse2xai.report import Overview, series_page

DONE = {
    "condition": "on", "name": "one", "state": "done", "reason": "", "folder": "on/one", "value": 2.5, "raman_ok": 0.914, "pl_ok": 0.5,
    "misalignment_um": 0.1234, "misalignment_error_um": 0.045, "verdict": "height: interpretable", "warnings": 3, "seconds": 12.34,
}  # fmt: skip
ALONE = DONE | {
    "name": "two",
    "folder": "off/two",
    "condition": "off",
    "pl_ok": None,
    "misalignment_um": None,
    "misalignment_error_um": None,
}
FAILED = dict.fromkeys(DONE) | {"condition": "off", "name": "three", "state": "failed", "reason": "The file is cut.", "warnings": 0}
TREND = {
    "condition": "on", "modality": "pl", "peak": "A exciton", "parameter": "height", "unit": "counts", "points": 4,
    "slope": 31.41, "slope_error": 0.59, "exponent": 1.02, "exponent_error": 0.034,
}  # fmt: skip


def rows(page: str, after: str) -> list[list[str]]:
    """Cells of the table that follows a heading, as they are read."""
    table = re.search(rf">{re.escape(after)}<.*?<table.*?>(.*?)</table>", page, re.DOTALL)
    assert table is not None
    lines = re.findall(r"<tr>(.*?)</tr>", table[1], re.DOTALL)
    return [[re.sub(r"<[^>]+>", " ", cell).strip() for cell in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", line, re.DOTALL)] for line in lines]


@pytest.fixture(scope="module")
def page() -> str:
    """Two networks, one of which must not be interpreted and lacks its blocks; three flakes of two conditions; two trends."""
    two = make_model(make_samples(flakes=2))
    doubtful = make_model(level=Level.DO_NOT_INTERPRET)
    doubtful = replace(doubtful, scores=tuple(each for each in doubtful.scores if each.validation != "blocks"))
    models = {("convolution", "on"): two, ("residual", "off"): doubtful}
    overview = Overview(
        [DONE, ALONE, FAILED],
        {("convolution", "on"): "on/net", ("residual", "off"): "off/net"},
        {("convolution", "on"): make_explanation()},
        [TREND, TREND | {"parameter": "position", "exponent": np.nan}, TREND | {"parameter": "fwhm", "slope": np.nan}],
        over="power (mW)",
    )
    return series_page(models, {}, overview, title="A series", warnings=("Beware.",))


def test_each_network_has_its_verdict_scores_and_pixels(page: str) -> None:
    (_, *found) = rows(page, "Networks")
    first, second = ([re.sub(r"\s+", " ", cell) for cell in row] for row in found)
    pixels, of_two = len(make_samples()), len(make_samples(flakes=2))
    assert first == ["on", "convolution", "height", "interpretable", "0.980 0.970", "3.2 3.2", "0.930", f"{of_two} 2 flakes"]
    assert second == ["off", "residual", "height", "do not interpret", "0.980 0.970", "3.2 3.2", "–", f"{pixels} 1 flake"]
    assert 'class="badge no"' in page and 'href="on/net/report.html"' in page


def test_the_five_parameters_that_a_network_relies_on_most_are_named_in_their_order(page: str) -> None:
    explanation = make_explanation()
    ((name, named),) = rows(page, "What they rely on")
    assert name == "on, convolution"
    words = [
        explanation.features[index].replace(".height", " height").replace(".position", " position") for index in explanation.ranking[:5]
    ]
    assert [each.replace(".fwhm", " FWHM") for each in words] == named.replace("&#39;", "'").split(", ")


def test_each_flake_stands_with_what_became_of_it(page: str) -> None:
    heading, one, two, three = rows(page, "Flakes")
    assert heading == ["Condition", "Flake", "power (mW)", "State", "Fits that are ok", "Misalignment (µm)", "Warnings", "Seconds"]
    assert one == ["on", "one", "2.5", "done", "RS 91%, PL 50%", "0.123 ± 0.045", "3", "12.3"]
    assert two == ["off", "two", "2.5", "done", "RS 91%", "", "3", "12.3"]
    assert three == ["off", "three", "", "failed", "The file is cut."]
    assert 'href="on/one/report.html"' in page and "<li>Beware.</li>" in page


def test_trends_that_are_known_stand_with_their_errors(page: str) -> None:
    _, height, position = rows(page, "Against power (mW)")
    assert height == ["on", "pl A exciton height", "31.41 ± 0.59", "counts", "1.020 ± 0.034", "4"]
    assert position[4] == ""


def test_what_no_flake_has_is_no_column() -> None:
    alone = series_page({}, {}, Overview([ALONE], {}, {}), title="RS alone")
    assert rows(alone, "Flakes") == [["Flake", "State", "Fits that are ok", "Warnings", "Seconds"], ["two", "done", "RS 91%", "3", "12.3"]]
    assert "Networks" not in alone and "Against" not in alone
