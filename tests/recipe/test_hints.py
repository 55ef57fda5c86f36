"""A preset is named where it lists the line that a fit lacks, and is for the same material."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind
from napari_wse2xai.recipe import hint, preset
from napari_wse2xai.stages import Peak, Proposal


def missing(place):
    return Proposal("missing line", "A line is not in the list.", 50.0, Peak(name="P", position=place, fwhm=5, window=(180, 900)))


def fitted(name, kind=AxisKind.RAMAN_SHIFT, moved=0.5, lacks=257.2):
    places = [peak.position + moved for peak in preset(name).raman.deconvolve.peaks if peak.position != lacks]
    return SimpleNamespace(axis=SimpleNamespace(kind=kind), position=np.tile(np.array(places)[:, None, None], (1, 3, 4)))


def test_the_preset_that_lists_the_line_is_named():
    assert hint(missing(257.2), fitted("wse2-532")) == " It is in the preset wse2-532."


@pytest.mark.parametrize(("place", "name", "kind"), [(257.2, "mos2-532", AxisKind.RAMAN_SHIFT), (700.0, "wse2-532", AxisKind.RAMAN_SHIFT)])
def test_no_preset_is_named_for_another_material_or_a_line_that_none_lists(place, name, kind):
    assert hint(missing(place), fitted(name, kind)) == ""
    assert hint(missing(257.2), fitted("wse2-532", AxisKind.ENERGY)) == ""
