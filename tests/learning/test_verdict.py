from dataclasses import replace

import numpy as np
import pytest
from island import Island

from napari_wse2xai.data import Level, NullTest, Score
from napari_wse2xai.data.trained_model import Beyond
from napari_wse2xai.learning.common_mode import CommonMode
from napari_wse2xai.learning.null_test import null_test
from napari_wse2xai.learning.power import SHARES, Power
from napari_wse2xai.learning.unexplained import Shares
from napari_wse2xai.learning.verdict import Evidence, judge


def score(model, validation, r2):
    return Score(model, "height", validation, "validation", r2, 1.0, 1.0, 1.0)


@pytest.fixture
def evidence():
    """A network that predicts well everywhere."""
    null = {"random": np.linspace(0.3, 0.7, 99), "blocks": np.linspace(-0.6, 0.3, 99)}
    test = NullTest("height", "kernel ridge", {"random": 0.95, "blocks": 0.9}, null, {"random": 0.01, "blocks": 0.01})
    scores = (score("CNN", "random", 0.94), score("CNN", "blocks", 0.9), score("ridge", "random", 0.8), score("ridge", "blocks", 0.7))
    return Evidence("height", 1200, scores, test, ceiling=0.98)


def with_test(evidence, **changes):
    return replace(evidence, null_test=replace(evidence.null_test, **changes))


@pytest.mark.parametrize(
    ("seed", "target", "level"),
    [(0, "law", Level.INTERPRETABLE), (0, "law times unseen", Level.LOCAL_ONLY), (1, "independent", Level.DO_NOT_INTERPRET)],
)
def test_three_flakes_three_verdicts(seed, target, level):
    island = Island(seed)
    maps = {"law": island.law(), "independent": island.field(), "law times unseen": island.law() + 1.0 * island.field()}
    test = null_test(island.features, maps[target], island.coordinates, target="height", count=39)
    verdict = judge(Evidence("height", len(maps[target]), (), test))
    assert verdict.level is level, verdict.text


def test_a_pairing_that_is_not_sure_caps_the_verdict(evidence):
    verdict = judge(replace(evidence, doubts=("'PL' on 'RS': A mirrored placing of PL fits as well.",)))
    assert verdict.level is Level.LOCAL_ONLY
    assert verdict.reasons[0].startswith("The pairing is not sure. 'PL' on 'RS': A mirrored placing")


def test_all_well(evidence):
    verdict = judge(evidence)
    assert verdict.level is Level.INTERPRETABLE
    assert "The fast model reaches R2 0.90 in blocks" in verdict.text
    assert "The network predicts best in spatial blocks, R2 0.90" in verdict.text


def test_every_number_behind_the_reasons_is_told_by_its_name(evidence):
    shared = CommonMode("height", 0.9, True, 0.9, {}, {"random": 0.5, "blocks": 0.1}, {"random": 0.4, "blocks": 0.3}, {})
    shares, power = Shares(0.6, 0.02, 0.1), Power(1200, np.linspace(0, 1, len(SHARES)), 5000.0)
    told = judge(replace(evidence, common_mode=shared, shares=shares, power=power)).numbers
    assert {name: round(value, 3) for name, value in told.items()} == {
        "pixels": 1200, "r2_ceiling": 0.98, "kept": 0.947, "settled": 0.6, "settled_error": 0.02, "hidden": 0.3, "noise": 0.1,
        "least_share": 0.6, "pixels_needed": 5000,
        "r2_random": 0.95, "p_random": 0.01, "r2_network_random": 0.94, "r2_rival_random": 0.8, "surrogate_r2_95_random": 0.68,
        "r2_blocks": 0.9, "p_blocks": 0.01, "r2_network_blocks": 0.9, "r2_rival_blocks": 0.7, "surrogate_r2_95_blocks": 0.255,
        "r2_normalised_random": 0.5, "p_normalised_random": 0.4, "r2_normalised_blocks": 0.1, "p_normalised_blocks": 0.3,
    }  # fmt: skip


def test_chance_between_neighbours_forbids_and_comes_first(evidence):
    verdict = judge(with_test(evidence, p_value={"random": 0.4, "blocks": 0.01}))
    assert verdict.level is Level.DO_NOT_INTERPRET
    assert "p = 0.40" in verdict.reasons[0]


def test_so_smooth_that_all_maps_are_predicted_proves_nothing(evidence):
    crowded = {**evidence.null_test.surrogate_r2, "random": np.linspace(0.9, 0.948, 99)}
    assert judge(with_test(evidence, surrogate_r2=crowded)).level is Level.DO_NOT_INTERPRET


def test_chance_across_blocks_leaves_the_neighbourhood(evidence):
    assert judge(with_test(evidence, p_value={"random": 0.01, "blocks": 0.2})).level is Level.LOCAL_ONLY


def test_where_rs_tells_the_place_blocks_show_little(evidence):
    """As on a crystal whose RS tells its growth: a hidden field was kept in blocks, and so was every smooth map (R2 0.77 to 0.79)."""
    told = {**evidence.null_test.surrogate_r2, "blocks": np.linspace(0.1, 0.8, 99)}
    verdict = judge(with_test(evidence, surrogate_r2=told))
    assert verdict.level is Level.LOCAL_ONLY
    assert verdict.reasons[0].startswith("RS tells where on the flake a pixel lies: even maps that owe nothing")
    assert "R2 up to 0.77" in verdict.reasons[0]
    assert judge(with_test(evidence, surrogate_r2={**told, "blocks": np.linspace(-0.2, 0.5, 99)})).level is Level.INTERPRETABLE


def test_a_refused_or_missing_null_test_proves_nothing(evidence):
    refused = with_test(evidence, refused="The surrogates miss the variogram.")
    assert judge(refused).level is Level.DO_NOT_INTERPRET
    assert judge(refused).reasons[0] == "The surrogates miss the variogram."
    assert judge(replace(evidence, null_test=None)).level is Level.DO_NOT_INTERPRET


def test_what_is_lost_between_neighbours_and_blocks_counts(evidence):
    verdict = judge(with_test(evidence, r2={"random": 0.95, "blocks": 0.8}))
    assert verdict.level is Level.LOCAL_ONLY
    assert "R2 0.80 in blocks" in verdict.reasons[0]


def test_what_the_fast_model_cannot_carry_over_the_flake_another_may(evidence):
    lost = with_test(evidence, r2={"random": 0.95, "blocks": 0.7})
    process = [score("Gaussian process", "random", 0.98), score("Gaussian process", "blocks", 0.94)]
    verdict = judge(replace(lost, scores=(*evidence.scores, *process)))
    assert verdict.level is Level.INTERPRETABLE
    assert "the Gaussian process keeps in blocks what any model finds between neighbours, 0.94 of 0.98." in verdict.text
    process[1] = score("Gaussian process", "blocks", 0.92)  # 0.94 of what it finds between neighbours
    assert judge(replace(lost, scores=(*evidence.scores, *process))).level is Level.LOCAL_ONLY
    logarithmic = replace(lost.null_test, scale="logarithmic")
    process[1] = score("Gaussian process", "blocks", 0.98)
    assert judge(replace(lost, scores=(*evidence.scores, *process), null_test=logarithmic)).level is Level.LOCAL_ONLY


def test_a_flake_without_blocks_is_local(evidence):
    scores = (score("CNN", "random", 0.94),)
    bare = with_test(replace(evidence, scores=scores), r2={"random": 0.95}, surrogate_r2={"random": np.zeros(99)}, p_value={"random": 0.01})
    verdict = judge(bare)
    assert verdict.level is Level.LOCAL_ONLY
    assert "Spatial blocks were not tested" in verdict.reasons[0]


def test_the_model_that_predicts_best_is_named_and_it_need_not_be_the_network(evidence):
    scores = (*evidence.scores, score("MLP ensemble", "random", 0.99))
    verdict = judge(replace(evidence, scores=scores))
    assert verdict.level is Level.INTERPRETABLE
    assert "The MLP ensemble predicts best between neighbours, R2 0.99; the network reaches 0.94." in verdict.text
    weak = (score("CNN", "random", 0.94), score("CNN", "blocks", 0.69), score("ridge", "random", 0.9))
    verdict = judge(replace(evidence, scores=weak))
    assert verdict.level is Level.LOCAL_ONLY
    assert "The network (R2 0.69) misses what the fast model finds in spatial blocks (R2 0.90)" in verdict.reasons[0]


def test_without_a_network_the_fast_model_is_judged_alone(evidence):
    verdict = judge(replace(evidence, scores=()))
    assert verdict.level is Level.INTERPRETABLE
    assert "network" not in verdict.text


def test_what_only_the_brightness_of_rs_predicts_may_be_the_focus(evidence):
    shared = CommonMode(
        "height", 0.9, True, 0.95, evidence.null_test.r2, {"random": 0.5, "blocks": 0.1}, {"random": 0.4, "blocks": 0.3}, {}
    )
    verdict = judge(replace(evidence, common_mode=shared))
    assert verdict.level is Level.DO_NOT_INTERPRET
    assert "a drifting focus would do the same" in verdict.reasons[0]
    assert verdict.numbers["p_normalised_random"] == 0.4
    assert judge(replace(evidence, common_mode=replace(shared, p_normalised={"random": 0.01, "blocks": 0.3}))).level is Level.LOCAL_ONLY
    harmless = judge(replace(evidence, common_mode=replace(shared, p_normalised={"random": 0.01, "blocks": 0.01})))
    assert harmless.level is Level.INTERPRETABLE
    assert "All RS heights move together (first component 90%" in harmless.text
    assert "R2 in spatial blocks:" in harmless.text and "0.10 with the heights divided" in harmless.text
    unasked = replace(evidence, common_mode=replace(shared, p_normalised={"random": 0.01}))
    assert judge(unasked).level is Level.INTERPRETABLE, "blocks that were not asked lose nothing"
    across = replace(shared, p_normalised={"random": 0.4, "blocks": 0.03})
    for first_share, correlation, level in (
        (0.3, 0.3, Level.INTERPRETABLE),
        (0.3, 0.95, Level.DO_NOT_INTERPRET),  # their brightness settles PL by itself
        (0.9, 0.3, Level.DO_NOT_INTERPRET),  # all heights move together
    ):
        apart = replace(across, first_share=first_share, correlation=correlation)
        assert judge(replace(evidence, common_mode=apart)).level is level


def test_weak_prediction_and_few_pixels_forbid(evidence):
    weak = (score("CNN", "random", 0.2), score("CNN", "blocks", 0.19))
    poor = with_test(
        replace(evidence, scores=weak),
        r2={"random": 0.22, "blocks": 0.2},
        surrogate_r2={name: np.zeros(99) for name in ("random", "blocks")},
    )
    assert judge(poor).level is Level.DO_NOT_INTERPRET
    few = judge(replace(evidence, pixels=60))
    assert few.level is Level.DO_NOT_INTERPRET
    assert few.reasons[0].startswith("60 pixels are too few")


def test_absent_lines_and_noise_are_told_without_changing_the_level(evidence):
    verdict = judge(replace(evidence, absent={"P195": 0.8}, ceiling=0.4))
    assert verdict.level is Level.INTERPRETABLE
    assert "P195 (80% lack it)" in verdict.text
    assert "at most R2 0.40" in verdict.text


def test_an_edge_that_settles_much_less_than_rs_cannot_be_all(evidence):
    told = [Beyond("", "blocks", 0.3, np.zeros(99), 0.01), Beyond("edge", "blocks", 0.05, np.zeros(49), 0.3, alone=0.85)]
    rim = judge(with_test(evidence, beyond=tuple(told)))
    assert rim.level is Level.LOCAL_ONLY
    assert "these distances may have shaped both" in rim.reasons[0]
    law = judge(with_test(evidence, beyond=(told[0], replace(told[1], alone=0.5))))
    assert law.level is Level.INTERPRETABLE
    assert "by itself it settles 50% of PL where RS settles 90%, so it cannot be all" in law.text
    unknown = judge(with_test(evidence, beyond=(told[0], replace(told[1], alone=np.nan))))
    assert unknown.level is Level.LOCAL_ONLY


def test_traces_beyond_the_edge_are_no_law(evidence):
    """A rim-shaped PL on RS that has a rim: beyond it chance was passed with a ninth of the correlation, and it was believed."""
    rim = [Beyond("", "blocks", 0.9, np.zeros(39), 0.025), Beyond("edge", "blocks", 0.1, np.zeros(39), 0.025, alone=0.88)]
    told = judge(with_test(evidence, beyond=tuple(rim)))
    assert told.level is Level.LOCAL_ONLY
    assert "RS tells but traces of PL" in told.reasons[0]
    law = judge(with_test(evidence, beyond=(rim[0], replace(rim[1], correlation=0.3))))
    assert law.level is Level.INTERPRETABLE


def test_pl_that_follows_rs_better_mirrored_is_refused(evidence):
    own = (Beyond("", "blocks", 0.1, np.zeros(99), 0.01),)
    told = judge(with_test(evidence, beyond=own, turned={"mirrored left to right": 0.8, "turned by 90°": 0.0}))
    assert told.level is Level.DO_NOT_INTERPRET
    assert told.reasons[0].startswith("PL mirrored left to right follows RS better than PL as it is drawn")
    assert judge(with_test(evidence, beyond=own, turned={"mirrored left to right": 0.13})).level is Level.INTERPRETABLE
    chance = (replace(own[0], correlation=-0.01, surrogate_correlation=np.linspace(-0.1, 0.2, 99)),)
    for best, level in ((0.15, Level.INTERPRETABLE), (0.21, Level.DO_NOT_INTERPRET)):
        assert judge(with_test(evidence, beyond=chance, turned={"turned by 180°": best})).level is level


@pytest.mark.parametrize(
    ("within", "beyond", "level"),
    [
        ({"p_value": {"random": 0.05, "blocks": 0.01}}, {"p_value": {"random": 0.06, "blocks": 0.01}}, Level.DO_NOT_INTERPRET),
        ({"p_value": {"random": 0.01, "blocks": 0.05}}, {"p_value": {"random": 0.01, "blocks": 0.06}}, Level.LOCAL_ONLY),
    ],
)
def test_better_than_chance_is_one_in_twenty_at_most(evidence, within, beyond, level):
    """As docs/verdict.md promises."""
    assert judge(with_test(evidence, **within)).level is Level.INTERPRETABLE
    assert judge(with_test(evidence, **beyond)).level is level


def test_fewer_than_150_pixels_are_not_judged(evidence):
    assert judge(replace(evidence, pixels=150)).level is Level.INTERPRETABLE
    assert judge(replace(evidence, pixels=149)).level is Level.DO_NOT_INTERPRET


def test_what_is_told_beyond_the_edge_counts_where_nothing_was_asked_without_it(evidence):
    alone = (Beyond("edge", "blocks", 0.1, np.zeros(39), 0.025, alone=0.88),)
    assert judge(with_test(evidence, beyond=alone)).level is Level.INTERPRETABLE
