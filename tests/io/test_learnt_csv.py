"""Tables of scores, curves and slopes hold the numbers of the nouns."""

from dataclasses import replace

import numpy as np
import pandas as pd

from learned import A_HEIGHT, make_explanation, make_model, make_samples, with_questions
from napari_wse2xai.data import Level
from napari_wse2xai.io.learnt_csv import write_pdp_csv, write_ranking_csv, write_scores_csv, write_slopes_csv


def test_scores_of_several_networks_stand_in_one_table(tmp_path, trained):
    models = {("convolution", "on"): trained, ("residual", "off"): make_model(level=Level.LOCAL_ONLY)}
    write_scores_csv(models, tmp_path / "scores.csv", keys=("architecture", "condition"))
    table = pd.read_csv(tmp_path / "scores.csv")
    assert len(table) == 2 * len(trained.scores)
    row = table.query("condition == 'off' and model == 'CNN' and validation == 'blocks' and part == 'validation'").iloc[0]
    assert (row["architecture"], row["verdict"], row["R2"], row["MAPE (%)"]) == ("residual", "local only", 0.93, 3.25)
    write_scores_csv({(): trained}, tmp_path / "one.csv")
    assert list(pd.read_csv(tmp_path / "one.csv").columns[:3]) == ["target", "verdict", "model"]


def test_curves_are_written_point_by_point(tmp_path, explanation):
    write_pdp_csv(explanation, tmp_path / "pdp.csv")
    table = pd.read_csv(tmp_path / "pdp.csv")
    mine = table[table["feature"] == "A1'.height"]
    np.testing.assert_allclose(mine["value"], explanation.pdp_grid[A_HEIGHT], rtol=1e-6)
    np.testing.assert_allclose(mine["PL height (counts)"], explanation.pdp[A_HEIGHT], rtol=1e-6)
    np.testing.assert_array_equal(mine["supported"], explanation.supported[A_HEIGHT])
    np.testing.assert_allclose(mine["ALE"], explanation.ale[A_HEIGHT], rtol=1e-6)


def test_the_ranking_stands_in_its_order_with_errors(tmp_path, explanation):
    write_ranking_csv(with_questions(explanation), tmp_path / "ranking.csv")
    table = pd.read_csv(tmp_path / "ranking.csv")
    further = table.set_index("feature")["R² lost (left out)"]
    assert (further["A1'.height"], further["E'.fwhm"], further["2LA(M).position"]) == (0.61, 0.02, 0.11)
    order = list(explanation.ranking)
    assert list(table["feature"]) == [explanation.features[index] for index in order]
    np.testing.assert_allclose(table["PDP spread (counts)"], explanation.importance[order], rtol=1e-6)
    np.testing.assert_allclose(table["error (counts)"], explanation.importance_error[order], rtol=1e-6)
    np.testing.assert_allclose(table["R2 lost (peak)"], explanation.permutation[order], rtol=1e-6)
    assert set(table["verdict"]) == {"interpretable"}
    earlier = replace(explanation, ale=None, permutation=None, permutation_error=None)
    write_ranking_csv(earlier, tmp_path / "ranking.csv")
    write_pdp_csv(earlier, tmp_path / "pdp.csv")
    assert pd.read_csv(tmp_path / "ranking.csv")["R2 lost (peak)"].isna().all()
    assert pd.read_csv(tmp_path / "pdp.csv")["ALE"].isna().all()


def test_slopes_are_written_pixel_by_pixel_with_their_place(tmp_path):
    samples = make_samples(flakes=2)
    explanation = make_explanation(samples)
    write_slopes_csv(explanation, tmp_path / "slopes.csv")
    table = pd.read_csv(tmp_path / "slopes.csv")
    assert len(table) == len(samples)
    np.testing.assert_allclose(table["A1'.height slope (counts / counts)"], explanation.slope[A_HEIGHT], rtol=1e-6)
    np.testing.assert_array_equal(table["A1'.height sure"], explanation.sure(A_HEIGHT))
    np.testing.assert_allclose(table[["y_um", "x_um"]], samples.coordinates_um, rtol=1e-6)
    assert set(table["flake"]) == {0, 1}
