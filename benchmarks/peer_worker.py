"""Times another program's engine on spectra in a file, in that program's own environment: nothing of this package is loaded here.

``python benchmarks/peer_worker.py {spectroview,fitspy} spectra.npz``.  Prints the processor time of one fit and the share that converged.
"""

import os
import sys
import time

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np

Data = dict[str, np.ndarray]
TRIED = 100
"""Spectra given to an engine that fits one after the other."""


def spectroview(data: Data) -> tuple[int, float]:
    """One batch, as its API's `fit_batch` does it, with the weights that it has by default."""
    from spectroview.fit_engine.vbf_engine import VBFengine

    names = ("x0", "fwhm", "ampli")
    each = zip(data["start"], data["lower"], data["upper"], strict=True)
    models = {
        str(k): {"Lorentzian": {name: {"value": v[i], "min": a[i], "max": b[i]} for i, name in enumerate(names)}}
        for k, (v, a, b) in enumerate(each)
    }
    found = VBFengine().fit_spectra(data["x"], data["spectra"], {"peak_models": models})
    return len(data["spectra"]), float(np.mean(found[1]))


def fitspy(data: Data) -> tuple[int, float]:
    """One spectrum after the other with lmfit, which is what it uses, by its own `Spectrum`."""
    from fitspy.core.spectrum import Spectrum

    some = data["spectra"][:: max(1, len(data["spectra"]) // TRIED)]
    good = 0
    for counts in some:
        spectrum = Spectrum()
        spectrum.x0 = spectrum.x = data["x"]
        spectrum.y0 = spectrum.y = counts.astype(np.float64)
        for start, low, high in zip(data["start"], data["lower"], data["upper"], strict=True):
            spectrum.add_peak_model(
                "Lorentzian", x0=start[0], ampli=start[2], fwhm=start[1], dx0=(start[0] - low[0], high[0] - start[0]), dfwhm=high[1]
            )
        spectrum.fit()
        good += bool(spectrum.result_fit.success)
    return len(some), good / len(some)


def main() -> None:
    """Fit twice, the first time to load everything."""
    engine, path = {"spectroview": spectroview, "fitspy": fitspy}[sys.argv[1]], sys.argv[2]
    data = dict(np.load(path))
    for _ in range(2):
        started = time.process_time()
        spectra, good = engine(data)
        taken = time.process_time() - started
    print(taken / spectra, good)


if __name__ == "__main__":
    main()
