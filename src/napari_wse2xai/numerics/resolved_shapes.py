"""Lines as an instrument of known resolution shows them, so that the FWHM is the sample's.

The instrument's profile is a Gaussian of a given FWHM; the height is that of the line as it is measured.
"""

from dataclasses import dataclass
from typing import Any

from napari_wse2xai.numerics.lineshapes import (
    GAUSSIAN_AREA,
    Shape,
    gaussian,
    gaussian_derivatives,
    voigt,
    voigt_area,
    voigt_derivatives,
)

CAN_BE = ("lorentzian", "gaussian")
"""Shapes of the sample that the instrument's profile is known to make other known ones of."""


def resolved_shape(kind: str, resolution: float) -> Shape:
    """Shape of a line of a kind seen at a resolution, FWHM in the axis unit; KeyError for another kind."""
    if kind not in CAN_BE:
        raise KeyError(kind)
    own = _Lorentzian(resolution) if kind == "lorentzian" else _Gaussian(resolution)
    return Shape(own.value, own.derivatives, area_of_width=own.area, precise=True)


@dataclass(frozen=True)
class _Lorentzian:
    """A Voigt line whose Gaussian part is known: total FWHM ``0.5346 w + sqrt(0.2166 w^2 + g^2)`` (Olivero and Longbothum 1977)."""

    resolution: float

    def _total(self, fwhm: Any) -> tuple[Any, Any, Any, Any]:
        """Total FWHM and its slope, Lorentzian's share and its slope."""
        # Olivero and Longbothum 1977: the FWHM of a Voigt profile from those of its Lorentzian and its Gaussian.
        root = (0.2166 * fwhm * fwhm + self.resolution**2) ** 0.5
        total, slope = 0.5346 * fwhm + root, 0.5346 + 0.2166 * fwhm / root
        return total, slope, fwhm / total, (total - fwhm * slope) / (total * total)

    def value(self, x: object, position: object, fwhm: object, height: object, form: object = 0.0) -> Any:
        """Value at some places."""
        total, _, share, _ = self._total(fwhm)
        return voigt(x, position, total, height, share)

    def derivatives(self, x: object, position: object, fwhm: object, height: object, form: object = 0.0) -> tuple[Any, ...]:
        """By position, FWHM of the sample, and height."""
        total, slope, share, of_share = self._total(fwhm)
        by_position, by_total, by_height, by_share = voigt_derivatives(x, position, total, height, share)
        return by_position, by_total * slope + by_share * of_share, by_height

    def area(self, fwhm: object, form: object) -> Any:
        """Area over height times FWHM."""
        total, _, share, _ = self._total(fwhm)
        return voigt_area(share) * total / fwhm


@dataclass(frozen=True)
class _Gaussian:
    """A Gaussian whose square of a FWHM is the sum of the sample's and the instrument's."""

    resolution: float

    def _total(self, fwhm: Any) -> Any:
        return (fwhm * fwhm + self.resolution**2) ** 0.5

    def value(self, x: object, position: object, fwhm: object, height: object, form: object = 0.0) -> Any:
        """Value at some places."""
        return gaussian(x, position, self._total(fwhm), height)

    def derivatives(self, x: object, position: object, fwhm: object, height: object, form: object = 0.0) -> tuple[Any, ...]:
        """By position, FWHM of the sample, and height."""
        total = self._total(fwhm)
        by_position, by_total, by_height = gaussian_derivatives(x, position, total, height)
        return by_position, by_total * fwhm / total, by_height

    def area(self, fwhm: object, form: object) -> Any:
        """Area over height times FWHM."""
        return GAUSSIAN_AREA * self._total(fwhm) / fwhm
