"""The verdict on a real flake: E' and A1' of a CVD triangle of MoS2 against silicon's line of the same spectra.

``python benchmarks/real_flake.py mos2_triangle.txt.gz``: fitspy's example of that name (GPL-3, so not shipped; LabSpec text, gzipped or
not).  The flake weakens silicon, and an instrument's bright strip that RS does not show lies over both: "local only" is right.
"""

import argparse
import warnings
from pathlib import Path

from napari_wse2xai.data import Pairable, Samples
from napari_wse2xai.io import read
from napari_wse2xai.learning.null_test import null_test
from napari_wse2xai.learning.verdict import Evidence, judge
from napari_wse2xai.stages import Deconvolve, Despike, FindFlake, Pair, Peak

CRYSTAL = (Peak(name="E'", position=384.5, fwhm=3, window=(360, 430)), Peak(name="A1'", position=404, fwhm=5, window=(360, 430)))
SILICON = (Peak(name="silicon", position=520.5, fwhm=5, window=(490, 550)),)


def main() -> None:
    """Print the level, the reasons and R2."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    warnings.simplefilter("ignore")
    clean = Despike()(FindFlake(window=(360, 430))(read(parser.parse_args().file, unit="cm-1")))
    crystal, silicon = (Deconvolve(peaks=peaks)(clean) for peaks in (CRYSTAL, SILICON))
    table = Samples.of([Pair()(Pairable(crystal, silicon))])
    test = null_test(table.features, table.targets[:, 0], table.coordinates_um, target="height")
    verdict = judge(Evidence("height", len(table), (), test))
    print(f"{len(table)} pixels: {verdict.text}")
    print({name: round(value, 2) for name, value in dict(verdict.numbers).items()})


if __name__ == "__main__":
    main()
