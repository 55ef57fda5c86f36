"""What a spectrum is made of: peaks, with what is known of them beforehand."""

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import model_validator

from napari_wse2xai.stages._stage import Settings, setting
from napari_wse2xai.stages._windows import Window

KINDS = ("position", "fwhm", "height", "form")


class Peak(Settings):
    """One peak: where it is expected, and the window in which it is fitted together with the others of that window."""

    name: str = setting(title="Name", description="Name of the mode or emission, such as A1' or X0.", min_length=1)
    shape: Literal["lorentzian", "gaussian", "voigt", "pseudo-voigt", "fano"] = setting(
        "lorentzian", title="Shape", description="Line shape; fano is the asymmetric Breit-Wigner-Fano line."
    )
    position: float = setting(title="Position", unit="axis", description="Expected position.")
    fwhm: float = setting(title="FWHM", unit="axis", description="Expected full width at half maximum.", gt=0)
    height: float | None = setting(
        None, title="Height", unit="counts", description="Expected height; empty to take it from the data.", gt=0
    )
    window: Window = setting(
        title="Window", unit="axis", description="Spectral range of the fit; peaks of equal or overlapping windows are fitted together."
    )
    max_shift: float | None = setting(
        None, title="Max shift", unit="axis", description="Farthest shift from the expected position; empty for 1.5 FWHM.", gt=0
    )
    form: float | None = setting(
        None,
        title="Form",
        description="Lorentzian share of a voigt or pseudo-voigt, 1/q of a fano line; empty for the usual one.",
        gt=-1,
        le=1,
    )
    fixed: str = setting("", title="Fixed", description="What keeps its expected value: position, fwhm, height, form, with commas between.")
    shared: str = setting(
        "",
        title="Shared",
        description="What is the same in all pixels, found from their mean spectrum: position, fwhm, form, with commas between.",
    )
    width_of: str = setting(
        "", title="Width of", description="Name of a peak of the same window whose FWHM this one shares, in proportion."
    )
    distance_from: str = setting("", title="Distance from", description="Name of a peak from which this one keeps its expected distance.")
    height_of: str = setting("", title="Height of", description="Name of a peak to whose height this one keeps its expected ratio.")
    optional: bool = setting(
        False, title="Optional", description="Pixel by pixel, leave the peak out where the spectrum is described as well without (BIC)."
    )
    source: str = setting("", title="Source", description="Where the expected position is taken from.")

    @model_validator(mode="after")
    def _inside_its_window(self) -> Self:
        if not self.window[0] <= self.position <= self.window[1]:
            raise ValueError(f"peak {self.name} at {self.position:g} lies outside its window {self.window[0]:g} to {self.window[1]:g}")
        unknown = set(self.fixed_kinds) - set(KINDS)
        if unknown:
            raise ValueError(f"peak {self.name} fixes '{sorted(unknown)[0]}'; what can be fixed is {', '.join(KINDS)}")
        unknown = set(self.shared_kinds) - {"position", "fwhm", "form"}
        if unknown:
            raise ValueError(f"peak {self.name} shares '{sorted(unknown)[0]}'; what can be shared is position, fwhm, form")
        return self

    @property
    def fixed_kinds(self) -> tuple[str, ...]:
        """Names of the fixed parameters."""
        return tuple(part.strip().lower() for part in self.fixed.split(",") if part.strip())

    @property
    def shared_kinds(self) -> tuple[str, ...]:
        """Names of the parameters that all pixels share."""
        return tuple(part.strip().lower() for part in self.shared.split(",") if part.strip())

    @property
    def reach(self) -> float:
        """Farthest shift of the position, axis unit."""
        return self.max_shift or 1.5 * self.fwhm

    @property
    def leaders(self) -> dict[str, str]:
        """Parameter that follows another peak's, and the name of that peak."""
        named = {"fwhm": self.width_of, "position": self.distance_from, "height": self.height_of}
        return {kind: name for kind, name in named.items() if name}


def check_ties(peaks: Sequence[Peak]) -> None:
    """Refuse ties that lead nowhere; raises ValueError with the reason."""
    by_name = {peak.name: peak for peak in peaks}
    for peak in peaks:
        for kind, name in peak.leaders.items():
            leader = by_name.get(name)
            if leader is None or leader.window != peak.window or leader is peak:
                raise ValueError(f"peak {peak.name} is tied to '{name}', which is no other peak of its window")
            if kind in leader.leaders or kind in peak.fixed_kinds:
                raise ValueError(f"the {kind} of peak {peak.name} cannot follow {name}: one of them is tied or fixed already")
            if kind == "height" and (peak.height is None or leader.height is None):
                raise ValueError(f"peaks {peak.name} and {name} keep the ratio of their expected heights, so give both heights")
