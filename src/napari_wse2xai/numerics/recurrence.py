"""Channels that are called cosmic rays in too many spectra: those come anywhere, light at one place is of the sample or the room."""

import numpy as np
from numpy.typing import NDArray

FEWEST = 4
"""Spectra that must show it at one channel."""
CHANCE = 1e-3
"""Probability that cosmic rays alone come so often to any channel of a map."""


def recurrent(channels: NDArray[np.integer], n: int) -> NDArray[np.bool_]:
    """Where something comes again that is no cosmic ray.

    Parameters
    ----------
    channels : channel of each conviction, of all spectra of a map; a spike of two channels stands there twice
    n : channels of a spectrum

    Returns
    -------
    (n,) True where convictions are too many, by Poisson's distribution about the rate of the others, at two channels side by side at
    least, and beside these

    Notes
    -----
    A detector's pixel that flickers does so alone; light fills two (a Gaussian of one channel's width leaves 16 % beside it).
    """
    struck, often = np.bincount(channels, minlength=n), np.zeros(n, dtype=bool)
    if (struck < FEWEST).all():  # of most maps: what comes below takes longer to load than a map to fit
        return often
    from scipy import ndimage
    from scipy.special import gammainc

    while not often.all():
        # One more than was seen: a rate of nought would convict the first that comes.
        rate = (struck[~often].sum() + 1) / (~often).sum()
        # The incomplete gamma function is Poisson's tail: the chance of so many or more.  Any channel may be the one, hence over n.
        more = often | ((struck >= FEWEST) & (gammainc(np.maximum(struck, 1), rate) < CHANCE / n))
        if (more == often).all():
            break
        often = more
    lines = ndimage.binary_opening(often, np.ones(2, dtype=bool))
    return np.asarray(ndimage.binary_dilation(lines, np.ones(3, dtype=bool)))
