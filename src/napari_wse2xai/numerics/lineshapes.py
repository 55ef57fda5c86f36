"""Line shapes, with the same code for numpy arrays and torch tensors.

Only operators that both libraries overload are used, so that drawing a fit needs no torch and a solver no numpy.

A peak has up to four parameters: position, FWHM, height, and for some shapes a fourth, its form.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = Any
"""A numpy array or a torch tensor (or a float); all arguments of one call broadcast against each other."""
LN2 = float(np.log(2.0))
NODES = ((-(0.15**0.5), 5 / 18), (0.0, 8 / 18), (0.15**0.5, 5 / 18))
"""Places in a channel, in its width off its middle, and their weights (Gauss and Legendre): means over channels are right to 0.5 % for
lines one channel wide, to 0.02 % for two."""


def lorentzian(x: Array, position: Array, fwhm: Array, height: Array, form: Array = 0.0) -> Array:
    """Lorentzian ``h / (1 + ((x - p) / (w/2))^2)``."""
    u = (x - position) * (2.0 / fwhm)
    return height / (1.0 + u * u)


def gaussian(x: Array, position: Array, fwhm: Array, height: Array, form: Array = 0.0) -> Array:
    """Gaussian ``h exp(-4 ln2 ((x - p) / w)^2)``, which is ``h (1/16)^(((x - p) / w)^2)``."""
    u = (x - position) / fwhm
    return height * 0.0625 ** (u * u)


def pseudo_voigt(x: Array, position: Array, fwhm: Array, height: Array, form: Array = 0.5) -> Array:
    """Lorentzian and Gaussian of equal FWHM, mixed; the form is the Lorentzian's share, 0 to 1."""
    share = form * lorentzian(x, position, fwhm, 1.0) + (1.0 - form) * gaussian(x, position, fwhm, 1.0)
    return height * share


def fano(x: Array, position: Array, fwhm: Array, height: Array, form: Array = 0.0) -> Array:
    """Breit-Wigner-Fano line ``h (1 + s u)^2 / (1 + u^2)``, ``u = (x - p) / (w/2)``; the form is s = 1/q (Fano 1961)."""
    u = 2.0 * (x - position) / fwhm
    skew = 1.0 + form * u
    return height * skew * skew / (1.0 + u * u)


def asymmetric_gaussian(x: Array, position: Array, fwhm: Array, height: Array, form: Array = 0.0) -> Array:
    """Two half Gaussians of one top; the form is by how much the upper side is the wider, ``(w+ - w-) / (w+ + w-)``."""
    return gaussian(x, position, fwhm * _side(x, position, form), height)


def asymmetric_lorentzian(x: Array, position: Array, fwhm: Array, height: Array, form: Array = 0.0) -> Array:
    """Two half Lorentzians of one top; the form as of `asymmetric_gaussian`."""
    return lorentzian(x, position, fwhm * _side(x, position, form), height)


def _side(x: Array, position: Array, form: Array) -> Array:
    """Width of the side that a place lies on, over the FWHM: ``1 + f`` above the position, ``1 - f`` below."""
    return 1.0 + form * (2.0 * (x > position) - 1.0)


def asymmetric_gaussian_derivatives(x: Array, position: Array, fwhm: Array, height: Array, form: Array = 0.0) -> tuple[Array, ...]:
    """Derivatives of `asymmetric_gaussian` by position, FWHM, height and form."""
    return _sided(gaussian_derivatives, x, position, fwhm, height, form)


def asymmetric_lorentzian_derivatives(x: Array, position: Array, fwhm: Array, height: Array, form: Array = 0.0) -> tuple[Array, ...]:
    """Derivatives of `asymmetric_lorentzian` by position, FWHM, height and form."""
    return _sided(lorentzian_derivatives, x, position, fwhm, height, form)


def _sided(
    derivatives: Callable[..., tuple[Array, ...]], x: Array, position: Array, fwhm: Array, height: Array, form: Array
) -> tuple[Array, ...]:
    side = _side(x, position, form)
    by_position, by_width, by_height = derivatives(x, position, fwhm * side, height)
    return by_position, by_width * side, by_height, by_width * fwhm * (2.0 * (x > position) - 1.0)


def voigt(x: Array, position: Array, fwhm: Array, height: Array, form: Array = 0.5) -> Array:
    """Convolution of a Lorentzian and a Gaussian, of given total FWHM; the form is the Lorentzian's FWHM over the total, 0 to 1."""
    value, *_ = _voigt_with_slopes(x, position, fwhm, form)
    return height * value


def lorentzian_derivatives(x: Array, position: Array, fwhm: Array, height: Array, form: Array = 0.0) -> tuple[Array, ...]:
    """Derivatives of `lorentzian` by position, FWHM and height."""
    scale = 2.0 / fwhm
    u = (x - position) * scale
    profile = 1.0 / (1.0 + u * u)
    by_position = u * profile * profile * (2.0 * height * scale)
    return by_position, by_position * u * 0.5, profile


def gaussian_derivatives(x: Array, position: Array, fwhm: Array, height: Array, form: Array = 0.0) -> tuple[Array, ...]:
    """Derivatives of `gaussian` by position, FWHM and height."""
    u = (x - position) / fwhm
    profile = 0.0625 ** (u * u)
    by_u = -8.0 * LN2 * height * u * profile
    return -by_u / fwhm, -u * by_u / fwhm, profile


def pseudo_voigt_derivatives(x: Array, position: Array, fwhm: Array, height: Array, form: Array = 0.5) -> tuple[Array, ...]:
    """Derivatives of `pseudo_voigt` by position, FWHM, height and form."""
    of_lorentzian = lorentzian_derivatives(x, position, fwhm, height)
    of_gaussian = gaussian_derivatives(x, position, fwhm, height)
    mixed = [form * one + (1.0 - form) * other for one, other in zip(of_lorentzian, of_gaussian, strict=True)]
    return (*mixed, height * (of_lorentzian[2] - of_gaussian[2]))


def fano_derivatives(x: Array, position: Array, fwhm: Array, height: Array, form: Array = 0.0) -> tuple[Array, ...]:
    """Derivatives of `fano` by position, FWHM, height and form."""
    u = 2.0 * (x - position) / fwhm
    skew, resonance = 1.0 + form * u, 1.0 / (1.0 + u * u)
    by_u = 2.0 * height * skew * resonance * (form - u * skew * resonance)
    return -2.0 * by_u / fwhm, -u * by_u / fwhm, skew * skew * resonance, 2.0 * height * u * skew * resonance


def voigt_derivatives(x: Array, position: Array, fwhm: Array, height: Array, form: Array = 0.5) -> tuple[Array, ...]:
    """Derivatives of `voigt` by position, FWHM, height and form."""
    value, by_position, by_fwhm, by_form = _voigt_with_slopes(x, position, fwhm, form)
    return height * by_position, height * by_fwhm, value, height * by_form


def _faddeeva_coefficients(terms: int) -> tuple[float, tuple[float, ...]]:
    """Scale and coefficients of Weideman's expansion of the Faddeeva function (1994, SIAM J. Numer. Anal. 31, 1497)."""
    count = 2 * terms
    scale = float(np.sqrt(terms / np.sqrt(2.0)))
    theta = np.arange(-count + 1, count) * np.pi / count
    t = scale * np.tan(theta / 2)
    samples = np.concatenate([[0.0], np.exp(-(t**2)) * (scale**2 + t**2)])
    return scale, tuple(float(c) for c in np.flipud(np.real(np.fft.fft(np.fft.fftshift(samples)))[1 : terms + 1] / (2 * count)))


_SCALE, _TERMS = _faddeeva_coefficients(32)


def _faddeeva(z: Array) -> Array:
    """w(z) = exp(-z^2) erfc(-iz) in the upper half plane, to about 1e-12; operators only."""
    below = 1.0 / (_SCALE - 1j * z)
    turned = (_SCALE + 1j * z) * below
    total: Array = _TERMS[0]
    for term in _TERMS[1:]:
        total = total * turned + term
    return 2.0 * total * below * below + float(1 / np.sqrt(np.pi)) * below


def _voigt_with_slopes(x: Array, position: Array, fwhm: Array, form: Array) -> tuple[Array, Array, Array, Array]:
    """Voigt profile of height 1 and its derivatives by position, FWHM and form.

    With ``w_L = f w`` and ``w_G = w sqrt((1 - 0.5346 f)^2 - 0.2166 f^2)`` (Olivero and Longbothum 1977) the total FWHM is w to 2e-4.
    """
    gauss = ((1.0 - 0.5346 * form) ** 2 - 0.2166 * form * form + 1e-5) ** 0.5  # w_G / w; never zero, where the form is 1
    by_gauss = (-0.5346 * (1.0 - 0.5346 * form) - 0.2166 * form) / gauss
    root = float(np.sqrt(LN2))
    u, y = 2.0 * root * (x - position) / (gauss * fwhm), root * form / gauss
    # Adding 0 u gives y the shape of u, in numpy and in torch alike.
    z, zero = u + 1j * (y + 0.0 * u), 1j * y + 0.0 * u
    w, top = _faddeeva(z), _faddeeva(zero)
    # w'(z) = -2 z w(z) + 2i / sqrt(pi) (Abramowitz and Stegun, 7.1.20): derivatives cost no further evaluation.
    slope, slope_top = -2.0 * z * w + 2j / float(np.sqrt(np.pi)), -2.0 * zero * top + 2j / float(np.sqrt(np.pi))
    peak = top.real
    by_u, by_y = slope.real / peak, (-slope.imag + w.real * slope_top.imag / peak) / peak
    y_by_form = root / gauss - y * by_gauss / gauss
    return w.real / peak, -by_u * 2.0 * root / (gauss * fwhm), -by_u * u / fwhm, -by_u * u * by_gauss / gauss + by_y * y_by_form


@dataclass(frozen=True)
class Shape:
    """One line shape: what to write in a recipe is its key in `SHAPES`."""

    value: Callable[..., Array]
    derivatives: Callable[..., tuple[Array, ...]]
    form: tuple[float, float, float] | None = None
    """Lowest, usual and highest value of the fourth parameter; None for a shape without one."""
    area: Callable[[Array], Array] = lambda form: np.pi / 2
    """Area over height times FWHM, for a form."""
    area_of_width: Callable[[Array, Array], Array] | None = None
    """The same for a FWHM and a form, where it hangs on the FWHM too."""
    entire: bool = False
    """Whether the ends of the form are those of the shape, a pure Gaussian and a pure Lorentzian, so that no line lies beyond."""
    precise: bool = False
    """Whether derivatives want double precision, although there is no form."""

    def factor(self, fwhm: Array, form: Array) -> Array:
        """Area over height times FWHM."""
        return self.area(form) if self.area_of_width is None else self.area_of_width(fwhm, form)

    def area_slopes(self, fwhm: Array, height: Array, form: Array) -> tuple[Array, Array, Array, Array]:
        """Area of numpy arrays of one shape, and its derivatives by FWHM, height and form."""
        factor = self.factor(fwhm, form) + 0.0 * form
        # An area is smooth in form and width: central differences of 1e-4 are right to 1e-8, whatever the shape.
        less, more = (np.clip(form + step, *((self.form[0], self.form[2]) if self.form else (-1, 1))) for step in (-1e-4, 1e-4))
        by_form = (self.factor(fwhm, more) - self.factor(fwhm, less)) / (more - less) + 0.0 * form
        by_share = (self.factor(fwhm * 1.0001, form) - self.factor(fwhm * 0.9999, form)) / 2e-4  # of the FWHM itself
        return factor * fwhm * height, (factor + by_share) * height, factor * fwhm, by_form * fwhm * height

    def __call__(self, x: Array, position: Array, fwhm: Array, height: Array, *form: Array, width: Array | None = None) -> Array:
        """Evaluate the shape at some places, or its means over channels of some width about them."""
        own = form if self.form is not None else ()
        if width is None:
            return self.value(x, position, fwhm, height, *own)
        return sum(weight * self.value(x + place * width, position, fwhm, height, *own) for place, weight in NODES)

    def slopes(self, x: Array, width: Array | None, *parameters: Array) -> tuple[Array, ...]:
        """Derivatives by the parameters of what `__call__` gives."""
        if width is None:
            return self.derivatives(x, *parameters)
        parts = [self.derivatives(x + place * width, *parameters) for place, _ in NODES]
        return tuple(sum(weight * each for (_, weight), each in zip(NODES, column, strict=True)) for column in zip(*parts, strict=True))


GAUSSIAN_AREA = float(np.sqrt(np.pi / LN2) / 2)
"""Area of a Gaussian of height 1 and FWHM 1."""


def voigt_area(form: Array) -> Array:
    """Area of a Voigt profile of height 1 and FWHM 1: the profile's peak is ``Re w(iy) sqrt(4 ln2 / pi) / w_G``."""
    gauss = ((1.0 - 0.5346 * form) ** 2 - 0.2166 * form * form + 1e-5) ** 0.5
    return gauss * GAUSSIAN_AREA / _faddeeva(1j * float(np.sqrt(LN2)) * form / gauss).real


class Shapes(dict[str, Shape]):
    """Shapes by name; one whose name is a formula, ``= 1/cosh(u)``, is made when it is first asked for."""

    def __missing__(self, name: str) -> Shape:
        """Make what the name describes."""
        if not name.startswith(OWN):
            self[name] = _resolved(name)
            return self[name]
        from napari_wse2xai.numerics.own_shapes import own_shape

        self[name] = own_shape(name.removeprefix(OWN).strip())
        return self[name]


def _resolved(name: str) -> Shape:
    """Shape at a resolution, ``lorentzian @ 1.2``."""
    from napari_wse2xai.numerics.resolved_shapes import resolved_shape

    kind, at, resolution = name.partition(SEEN_AT)
    if not at:
        raise KeyError(name)
    return resolved_shape(kind, float(resolution))


SEEN_AT = " @ "
"""Between a shape and the FWHM of the instrument that shows it, in the axis unit."""
OWN = "="
"""What the name of a shape of one's own begins with; the formula follows."""
SHAPES: dict[str, Shape] = Shapes(
    {
        "lorentzian": Shape(lorentzian, lorentzian_derivatives),
        "gaussian": Shape(gaussian, gaussian_derivatives, area=lambda form: GAUSSIAN_AREA),
        "voigt": Shape(voigt, voigt_derivatives, (0.0, 0.5, 1.0), voigt_area, entire=True),
        "pseudo-voigt": Shape(
            pseudo_voigt,
            pseudo_voigt_derivatives,
            (0.0, 0.5, 1.0),
            lambda form: form * np.pi / 2 + (1 - form) * GAUSSIAN_AREA,
            entire=True,
        ),
        "asymmetric gaussian": Shape(
            asymmetric_gaussian, asymmetric_gaussian_derivatives, (-0.9, 0.0, 0.9), area=lambda form: GAUSSIAN_AREA
        ),
        "asymmetric lorentzian": Shape(asymmetric_lorentzian, asymmetric_lorentzian_derivatives, (-0.9, 0.0, 0.9)),
        "fano": Shape(fano, fano_derivatives, (-0.95, 0.0, 0.95), lambda form: (1 - form * form) * np.pi / 2),
    }
)
"""Every line shape by its name in a recipe.  A Fano line's area is that above its constant tail ``h s^2``."""


def components(x: NDArray[np.float64], shapes: tuple[str, ...], parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """One curve per peak.

    Parameters
    ----------
    x : (n,) float64
        Axis values.
    shapes : names of `SHAPES`, one per peak
    parameters : (peak, 3 or 4) float64
        Position and FWHM in the axis unit, height in counts, form.

    Returns
    -------
    (peak, n) float64, counts; a peak without a value (NaN) gives a row of NaN
    """
    return np.stack([SHAPES[shape](x, *values) for shape, values in zip(shapes, parameters, strict=True)])
