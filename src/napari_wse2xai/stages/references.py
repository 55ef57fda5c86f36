"""Known lines that a spectral axis can be held against."""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_wse2xai.data import AxisKind, SpectralAxis
from napari_wse2xai.data.axis import Medium, convert_values, to_vacuum
from napari_wse2xai.stages._stage import Settings, setting

LineShape = Literal["lorentzian", "gaussian"]
SILICON_CM1 = 520.7
LAMP_LINES_NM = {
    "neon": (
        540.05618, 585.24878, 588.18950, 594.48340, 602.99968, 607.43376, 609.61630, 614.30627, 616.35937, 621.72812, 626.64952,
        630.47893, 633.44276, 638.29914, 640.2248, 650.65277, 653.28824, 659.89528, 667.82766, 671.70430, 692.94672, 703.24128,
        717.39380, 724.51665, 743.88981, 753.57739, 754.40439,
    ),
    "argon": (
        696.5431, 706.7218, 714.7042, 727.2936, 738.3980, 750.3869, 751.4652, 763.5106, 794.8176, 800.6157, 801.4786, 810.3693,
        811.5311, 826.4522, 840.8210, 842.4648, 852.1442, 866.7944, 912.2967, 922.4499, 965.7786,
    ),
    "mercury": (253.6521, 289.3601, 296.7283, 302.1504, 334.1484, 365.0158, 404.6565, 435.8335, 546.0750, 576.9610, 579.0670),
}  # fmt: skip
"""Strong lines in air, nm, without those closer than a spectrometer resolves.  Ne and Ar: NIST Atomic Spectra Database (Ne: Saloman and
Sansonetti 2004); Hg: pencil lamps, Sansonetti, Salit and Reader 1996, Appl. Opt. 35, 74."""


class _Reference(Settings):
    """What all references have in common."""

    @property
    def words(self) -> str:
        """Name in messages."""
        raise NotImplementedError

    @property
    def line_shape(self) -> LineShape:
        """Shape that is fitted."""
        return "gaussian"

    def positions(self, axis: SpectralAxis) -> NDArray[np.float64]:
        """True positions in the unit of an axis, rising; also those outside the axis."""
        raise NotImplementedError


class Silicon(_Reference):
    """The optical phonon of the silicon under or beside the flake."""

    kind: Literal["silicon"] = "silicon"
    position: float = setting(
        SILICON_CM1, title="Position", unit="cm-1", description="Raman shift of the silicon line; laboratories use 520.5 to 521.", gt=0
    )

    @property
    def words(self) -> str:
        """Name in messages."""
        return "silicon"

    @property
    def line_shape(self) -> LineShape:
        """Shape that is fitted."""
        return "lorentzian"

    def positions(self, axis: SpectralAxis) -> NDArray[np.float64]:
        """The one line, in the unit of the axis."""
        return convert_values([self.position], AxisKind.RAMAN_SHIFT, axis.kind, axis.laser_nm, axis.medium)


class LaserLine(_Reference):
    """The Rayleigh line: laser light at a Raman shift of zero."""

    kind: Literal["laser line"] = "laser line"

    @property
    def words(self) -> str:
        """Name in messages."""
        return "the laser line"

    def positions(self, axis: SpectralAxis) -> NDArray[np.float64]:
        """The one line, in the unit of the axis."""
        return convert_values([0.0], AxisKind.RAMAN_SHIFT, axis.kind, axis.laser_nm, axis.medium)


class Lamp(_Reference):
    """Lines of a lamp whose light is in the spectra."""

    kind: Literal["lamp"] = "lamp"
    element: Literal["neon", "argon", "mercury"] = setting(
        "neon", title="Lamp", description="Gas of the lamp; its lines in air are taken from tables of NIST. Room light shows mercury."
    )

    @property
    def words(self) -> str:
        """Name in messages."""
        return f"the {self.element} lamp"

    def positions(self, axis: SpectralAxis) -> NDArray[np.float64]:
        """All lines of the lamp, in the unit of the axis."""
        air = np.array(LAMP_LINES_NM[self.element])
        own = to_vacuum(air) if axis.medium is Medium.VACUUM else air
        return np.sort(convert_values(own, AxisKind.WAVELENGTH, axis.kind, axis.laser_nm, axis.medium))


class KnownLine(Settings):
    """One line whose position is known."""

    name: str = setting("", title="Name", description="Name of the line, for you.")
    position: float = setting(title="Position", unit="axis", description="True position.")


class OwnLines(_Reference):
    """Lines of your own, in the unit of the axis."""

    kind: Literal["own lines"] = "own lines"
    lines: tuple[KnownLine, ...] = setting((), title="Lines", description="Positions that are known.")
    shape: LineShape = setting("lorentzian", title="Shape", description="Line shape that is fitted.")

    @property
    def words(self) -> str:
        """Name in messages."""
        return "your lines"

    @property
    def line_shape(self) -> LineShape:
        """Shape that is fitted."""
        return self.shape

    def positions(self, axis: SpectralAxis) -> NDArray[np.float64]:
        """The lines as given."""
        return np.unique([line.position for line in self.lines])


Reference = Annotated[Silicon | LaserLine | Lamp | OwnLines, Field(discriminator="kind")]
