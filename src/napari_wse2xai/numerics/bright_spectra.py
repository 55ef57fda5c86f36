"""What bright spectra of a map have more of than dark ones, and whether that is narrow, points upwards, or is shown by the faintest too."""

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.local_baseline import CURVED, CUT, HALF, Values, without_curve

BRIGHT, DARK = 0.5, 0.25
"""Shares of the brightest tenth's light from which, and up to which, a spectrum shows what bright and dark ones have in common."""
FEWEST = 3
"""Spectra that a typical one is taken from, at least."""
FEW = 20
"""Rows of a product whose vectors are all found as soon as one."""
ROUNDS = 4
"""Times that bright and dark spectra are chosen anew, by the difference that the last choice showed."""
BENDS = (40.0, 20.0, 10.0)
"""Shares of the window over which a pattern is asked which way it bends most."""
CERTAIN, SECOND = 4.0, 8.0
"""Noise standard deviations of a single spectrum from which lines are there, and from which there are others besides."""
A_THIRD, VISIBLE = 1 / 3, 5.0
"""Share of what bright spectra show, and noise standard deviations, from which dark spectra show the lines themselves."""
LIKE = 0.25
"""How often dark spectra may have the lines for more or less of them to be no light: a bright strip of the substrate."""
FAINTEST, FAINT, SAME = 0.01, 0.08, 0.7
"""Share of all spectra that are the faintest; of bright spectra's lines that these show, and likeness of what bright ones have more of to
what dark ones have, from which a film covers the scan, thin in places."""


def learnt(lines: Values, light: Values, noise: Values, at: Values) -> tuple[Values, Values, float]:
    """What bright spectra (m, n) have more of than dark ones, what the dark ones have, and how clearly one shows the difference."""
    more, below, contrast = np.zeros(lines.shape[1]), np.zeros(lines.shape[1]), 0.0
    if len(lines) < 2 * FEWEST:
        return more, below, contrast
    before = None
    for _ in range(ROUNDS):
        if not np.ptp(light):  # nothing at all in most of the spectra
            break
        bright, dark = _bright_and_dark(light)
        if before is not None and np.array_equal(before, (bright, dark)):
            break
        before = (bright, dark)
        below = np.median(lines[dark], axis=0)
        more = np.median(lines[bright], axis=0) - below
        light = lines @ without_curve(more, 1, at)
    if before is not None:
        # A median has pi / 2 = 1.57 times the variance of a mean.
        variance = sum(1.57 * float((noise[which] ** 2).mean()) / int(which.sum()) for which in before)
        # Noise alone has that square, on average: only what goes beyond it is a difference.
        excess = float((without_curve(more, 1, at) ** 2).sum()) - len(more) * variance
        contrast = float(np.sqrt(max(excess, 0.0)) / np.median(noise))
    return more, below, contrast


def _bright_and_dark(light: Values) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which of (m,) spectra are near the brightest, and which near the darkest, some of each."""
    low, high = np.percentile(light, [1, 98])
    rank = light.argsort().argsort()
    bright = (light >= low + BRIGHT * (high - low)) | (rank >= len(rank) - FEWEST)
    return bright, ((light <= low + DARK * (high - low)) | (rank < FEWEST)) & ~bright


def learnt_of_narrow(lines: Values, light: Values, noise: Values, at: Values) -> tuple[Values, Values, float]:
    """The same of narrow lines, which tell themselves which of the spectra are the bright ones."""
    more, below, contrast = learnt(lines, light, noise, at)
    if contrast < SECOND:  # few pixels may be all that is bright, and those are found from their side only
        more, below, contrast = max(learnt(lines, -light, noise, at), (more, below, contrast), key=lambda found: found[2])
    return (-more, below + more, contrast) if is_narrow(-more) else (more, below, contrast)


def is_other_place(other: Values, more: Values) -> bool:
    """Whether narrow lines (n,) are light of other places, not the first ones in other proportions."""
    return is_narrow(other) and bool(np.abs(other) @ np.abs(more) < LIKE * np.linalg.norm(other) * np.linalg.norm(more))


def is_narrow(lines: Values) -> bool:
    """Whether lines (n,) are narrow and high, and what lies between them wide and low."""
    return bool((lines**3).sum() > HALF * (np.abs(lines) ** 3).sum())


def shown_by_the_faintest(lines: Values, noise: Values, more: Values, below: Values, at: Values) -> bool:
    """Whether spectra (m, n) show, to the faintest, what the bright ones have, curves apart, and these nothing but more of it."""
    dark, extra = without_curve(below, CURVED, at), without_curve(more, CURVED, at)
    bright = dark + extra
    if likeness(dark, extra) < SAME or len(lines) < 2 * FEWEST:
        return False
    shown = without_curve(lines, CURVED, at) @ bright / float(bright @ bright)
    usual = float(np.median(shown[shown >= np.median(shown)]))
    few = np.argsort(shown)[: max(FEWEST, int(FAINTEST * len(shown)))]
    # 1.57 is pi / 2: the variance of a median over that of a mean.
    error = float(np.sqrt(1.57 * np.mean(noise[few] ** 2) / len(few))) / float(np.linalg.norm(bright))
    faintest = float(np.median(shown[few]))
    return faintest > FAINT * usual and faintest > VISIBLE * error


def likeness(one: Values, other: Values) -> float:
    """Correlation of two spectra (n,) about zero; 0 of nothing."""
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / size if size else 0.0


def way(lines: Values) -> Values:
    """(n,) way in which some spectra (m, n) differ most, its lines upwards."""
    way = smooth_way(lines)
    return way if upwards(way) else -way


def upwards(spectrum: Values) -> bool:
    """Whether lines in a spectrum (n,) point upwards: one bends most at its top, whatever curve was taken off."""
    from scipy.ndimage import gaussian_filter1d

    scales = [len(spectrum) / share for share in BENDS]
    bends = [gaussian_filter1d(spectrum, scale, order=2) * scale**2 for scale in scales]
    return sum(float((bend**3).sum()) for bend in bends) <= 0


def smooth_way(lines: Values) -> Values:
    """(n,) first guess of what some spectra (m, n) have more of: the way in which they differ most, turned upwards."""
    centred = lines - np.median(lines, axis=0)
    # 1.5 median deviations are about one standard deviation (1.4826 for normal noise).
    reach = CUT * np.maximum(np.median(np.abs(centred)), 1e-300) * 1.5
    way = first_direction(np.clip(centred, -reach, reach))
    return way if way.sum() >= 0 else -way


def first_direction(table: Values) -> Values:
    """(n,) unit vector along which the rows of a table (m, n) reach farthest from zero: its first right singular vector."""
    from scipy.sparse.linalg import ArpackError, eigsh

    across = table.shape[0] < table.shape[1]
    small = table @ table.T if across else table.T @ table
    if len(small) <= FEW or not small.any():
        first = np.linalg.eigh(small)[1][:, -1]
    else:  # one vector of the smaller product: all of them take ten times as long
        try:
            first = eigsh(small, k=1, v0=np.random.default_rng(0).standard_normal(len(small)), tol=1e-9)[1][:, 0]
        except ArpackError:  # many ways reach equally far, and it went round among them
            first = np.linalg.eigh(small)[1][:, -1]
    way = table.T @ first if across else first
    length = float(np.linalg.norm(way))
    return np.asarray(way / length if length else np.full(len(way), 1 / np.sqrt(len(way))))
