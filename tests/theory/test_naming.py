"""Names for measured peaks: nearest mode of the right symmetry, or none."""

import numpy as np
import pytest

from napari_wse2xai.theory.naming import propose, symmetry_of

MODES = {"A1'": 249.0, "E'": 247.7, "E''": 176.0, "A2''": 310.0}


def named(peak, position, fwhm=1.0):
    (found,) = propose([peak], [position], [fwhm], MODES)
    return found


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("A1'", "A1'"),
        ("E'", "E'"),
        ("E''", "E''"),
        ('E"', "E''"),
        ("A2''", "A2''"),
        ("A1g", "A1'"),
        ("A_1g", "A1'"),
        ("E2g(G)", "E'"),
        ("E′ low", "E'"),
        ("P240", ""),
        ("2LA(M)", ""),
        ("Eg", ""),
        ("A1'+LA", ""),
    ],
)
def test_a_name_tells_its_symmetry_or_none(name, mode):
    assert symmetry_of(name) == mode


def test_the_nearest_mode_of_the_right_symmetry_is_proposed_even_where_another_lies_nearer():
    found = named("E'", 249.1, fwhm=0.05)
    assert (found.mode, found.calculated) == ("E'", 247.7)
    assert found.distance == pytest.approx(1.4)
    assert found.sentence == "E' at 247.7 cm-1, 1.4 cm-1 below"


@pytest.mark.parametrize(("position", "mode"), [(259.0, "A1'"), (259.1, ""), (237.8, "E'"), (237.6, "")])
def test_ten_wavenumbers_are_the_end(position, mode):
    found = named("P", position)
    assert found.mode == mode
    assert (found.sentence == "none within 10 cm-1") == (mode == "")


def test_a_peak_without_a_symmetry_is_given_only_what_light_along_z_shows():
    assert named("P176", 176.0).mode == ""
    assert named("P310", 310.0).mode == ""
    assert named("E''", 177.0).mode == "E''"


def test_what_lies_within_the_width_is_named_too():
    assert named("A1'", 249.7, fwhm=4.0).also == ("E'",)
    assert named("A1'", 249.7, fwhm=1.5).also == ()


def test_one_mode_is_not_two_peaks_without_a_word():
    far, near = propose(["P240", "A1'"], [240.3, 249.6], [9.0, 4.0], MODES)
    assert far.mode == "E'"
    assert far.nearer == "A1'"
    assert "A1' lies nearer to it" in far.sentence
    assert near.nearer == ""


def test_a_peak_that_is_nowhere_and_a_mode_that_was_not_calculated():
    assert named("A1'", np.nan).sentence == "not found in the flake"
    (found,) = propose(["E''"], [176.0], [3.0], {"A1'": 249.0, "E''": np.nan})
    assert found.mode == ""
