"""Numbers of docs/method.md and docs/theory_live.md that follow from a formula alone: ``python benchmarks/closed_forms.py``."""

import math

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.interpolate import CubicSpline
from scipy.special import erf

SPEED_OF_LIGHT = 2.99792458e-5
"""In cm per fs."""


def read_between(shift: float, channels: int = 101) -> tuple[float, float]:
    """Noise of a channel, and of the difference of two neighbours, read off a cubic spline so far beside white noise of one and √2."""
    spline = CubicSpline(np.arange(channels), np.eye(channels))
    one, next_one = spline(channels // 2 + shift), spline(channels // 2 + 1 + shift)
    return float(np.linalg.norm(one)), float(np.linalg.norm(next_one - one) / math.sqrt(2))


def lorentzian_over_a_channel(channels: float) -> float:
    """How much the value in the middle of the channel at the top exceeds the mean over the channel, by the line's FWHM."""
    return channels * math.atan(1 / channels)


def three_points_miss(channels: float) -> float:
    """How far three points of Gauss and Legendre miss that mean, over the height."""
    nodes, weights = leggauss(3)
    by_points = float((weights / 2 / (1 + (nodes / channels) ** 2)).sum())
    return abs(by_points - lorentzian_over_a_channel(channels))


def beside(fwhm: float = 1.0) -> float:
    """What a Gaussian of so many channels, in the middle of one, leaves in the next, over what it has in its own."""
    to_edge = 0.5 / fwhm * 2 * math.sqrt(math.log(2))
    return float((erf(3 * to_edge) - erf(to_edge)) / 2 / erf(to_edge))


def dark_level_bends(counts: float = 600, at: float = 1.75, ends: tuple[float, float] = (1.5, 2.0)) -> float:
    """How far a level in nm, so high at one energy in eV, lies there below the straight line through what it is at two others."""
    return float(np.interp(at, ends, counts * (at / np.array(ends)) ** 2) - counts)


def verlet_is_high(wavenumber: float, step_fs: float) -> float:
    """By how many cm-1 velocity Verlet puts a harmonic vibration too high."""
    angle = math.pi * SPEED_OF_LIGHT * wavenumber * step_fs
    return wavenumber * (math.asin(angle) / angle - 1)


def main() -> None:
    """Print them."""
    half, over = read_between(0.5), np.mean([read_between(shift)[1] for shift in np.linspace(0, 1, 101)])
    print(f"cubic spline half a channel on: noise {half[0]:.2f}, differences {half[1]:.2f}; differences over all shifts {over:.2f}")
    print(f"Lorentzian 2.7 channels wide: its middle {1 / lorentzian_over_a_channel(2.7) - 1:.1%} above its mean over the channel")
    print(f"three points, a line 2 channels wide: {three_points_miss(2.0):.3%} off")
    print(f"Gaussian of one channel: {beside():.0%} beside it")
    print(f"dark level of 600 at 1.75 eV, window 1.5 to 2 eV: {dark_level_bends():.0f} below the straight line")
    for step in (5.0, 10.0):
        print(f"velocity Verlet, 250 cm-1, {step:g} fs: {verlet_is_high(250, step):.1f} cm-1 too high")


if __name__ == "__main__":
    main()
