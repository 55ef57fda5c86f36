"""What a spectrum is made of: peaks, with what is known of them beforehand."""

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import model_validator

from napari_wse2xai.data.quantities import Feature
from napari_wse2xai.numerics.expressions import Expression, ExpressionError
from napari_wse2xai.numerics.lineshapes import OWN, SEEN_AT, SHAPES, Shape
from napari_wse2xai.numerics.resolved_shapes import CAN_BE
from napari_wse2xai.stages._stage import Settings, setting
from napari_wse2xai.stages._windows import Window

KINDS = ("position", "fwhm", "height", "form")
_LED_BY = {"fwhm": "width_of", "position": "distance_from", "height": "height_of"}
"""Setting that names the peak which a parameter follows."""
_WIDEST = 10
"""FWHM of a line in widths of its window: one as wide is as flat as the background."""


class Peak(Settings):
    """One peak: where it is expected, and the window in which it is fitted together with the others of that window."""

    name: str = setting(title="Name", description="Name of the mode or emission, such as A1' or X0.", min_length=1)
    shape: Literal["lorentzian", "gaussian", "voigt", "pseudo-voigt", "fano", "asymmetric gaussian", "asymmetric lorentzian", "own"] = (
        setting(
            "lorentzian", title="Shape", description="Line shape; fano is the Breit-Wigner-Fano line, own the formula that is given beside."
        )
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
        description="Lorentzian share of a voigt or pseudo-voigt, 1/q of a fano line, excess width of an asymmetric line's upper side; "
        "empty for the usual one.",
        gt=-1,
        le=1,
    )
    formula: str = setting(
        "",
        title="Formula",
        description="Of an own shape, over u = (x - position) / FWHM and perhaps form (0 to 1), such as 1/cosh(u); it is scaled to the "
        "peak's top and FWHM.",
    )
    position_bounds: Window | None = setting(
        None, title="Position from – to", unit="axis", description="Bounds of the position, instead of the farthest shift."
    )
    fwhm_bounds: Window | None = setting(
        None, title="FWHM from – to", unit="axis", description="Bounds of the FWHM, instead of those that the whole list shares."
    )
    height_bounds: Window | None = setting(
        None, title="Height from – to", unit="counts", description="Bounds of the height; empty for anything above 0."
    )
    form_bounds: Window | None = setting(
        None, title="Form from – to", description="Bounds of the form; empty for all that the shape can be."
    )
    instrument_fwhm: float | None = setting(
        None,
        title="Instrument",
        unit="axis",
        description="FWHM of the instrument's profile at this line, where it differs from that of the whole list.",
        gt=0,
    )
    fixed: str = setting("", title="Fixed", description="What keeps its expected value: position, fwhm, height, form, with commas between.")
    shared: str = setting(
        "",
        title="Shared",
        description="What is the same in all pixels, found from all of them together: position, fwhm, form, with commas between.",
    )
    width_of: str = setting(
        "", title="Width of", description="Name of a peak of the same window whose FWHM this one shares, in proportion."
    )
    distance_from: str = setting("", title="Distance from", description="Name of a peak from which this one keeps its expected distance.")
    height_of: str = setting("", title="Height of", description="Name of a peak to whose height this one keeps its expected ratio.")
    ties: str = setting(
        "",
        title="Ties",
        description="What follows other peaks of the window, such as fwhm = 0.5*A1'.fwhm; position = A1'.position + 12: sums of multiples, "
        "with semicolons between.",
    )
    optional: bool = setting(
        False, title="Optional", description="Pixel by pixel, leave the peak out where the spectrum is described as well without (BIC)."
    )
    source: str = setting("", title="Source", description="Where the expected position and FWHM are taken from.")

    @model_validator(mode="after")
    def _inside_its_window(self) -> Self:
        if not self.window[0] <= self.position <= self.window[1]:
            raise ValueError(f"peak {self.name} at {self.position:g} lies outside its window {self.window[0]:g} to {self.window[1]:g}")
        low, high = self.window
        if self.fwhm > _WIDEST * (high - low):
            told = f"peak {self.name} has a FWHM of {self.fwhm:g}, more than {_WIDEST} times its window {low:g} to {high:g}"
            raise ValueError(f"{told}, so that it is no line there; give its FWHM in the unit of the axis")
        unknown = set(self.fixed_kinds) - set(KINDS)
        if unknown:
            raise ValueError(f"peak {self.name} fixes '{sorted(unknown)[0]}'; what can be fixed is {', '.join(KINDS)}")
        unknown = set(self.shared_kinds) - {"position", "fwhm", "form"}
        if unknown:
            raise ValueError(f"peak {self.name} shares '{sorted(unknown)[0]}'; what can be shared is position, fwhm, form")
        if (self.shape == "own") != bool(self.formula.strip()):
            raise ValueError(f"peak {self.name} needs a formula and the shape own together, or neither")
        if self.instrument_fwhm is not None and self.shape not in CAN_BE:
            raise ValueError(f"peak {self.name} is {self.shape}; an instrument's FWHM can be given for {' and '.join(CAN_BE)} lines alone")
        try:
            shape = SHAPES[self.line_shape]
        except ExpressionError as error:
            raise ValueError(f"the shape of peak {self.name}: {error}") from None
        self._check_bounds(shape)
        return self

    @property
    def line_shape(self) -> str:
        """Name of the shape in `numerics.lineshapes.SHAPES`: of one's own, the formula."""
        if self.instrument_fwhm is not None:
            return f"{self.shape}{SEEN_AT}{self.instrument_fwhm:.9g}"
        return f"{OWN} {self.formula.strip()}" if self.shape == "own" else self.shape

    def _check_bounds(self, shape: Shape) -> None:
        for kind, (low, high) in self.bounds.items():
            expected = getattr(self, kind)
            if kind in self.fixed_kinds:
                raise ValueError(f"the {kind} of peak {self.name} is fixed, so it has no bounds; leave one of the two out")
            if kind == "form" and (shape.form is None or not -1 <= low < high <= 1):
                raise ValueError(f"peak {self.name} has bounds of its form, which its shape has none of, or beyond -1 to 1")
            if kind in ("fwhm", "height") and low < 0:
                raise ValueError(f"the {kind} of peak {self.name} cannot be below 0, but may come to {low:g}")
            if expected is not None and not low <= expected <= high:
                raise ValueError(f"the expected {kind} {expected:g} of peak {self.name} lies outside its bounds {low:g} to {high:g}")

    @property
    def bounds(self) -> dict[str, tuple[float, float]]:
        """Bounds that were set, by parameter."""
        each = {kind: getattr(self, f"{kind}_bounds") for kind in KINDS}
        return {kind: bounds for kind, bounds in each.items() if bounds is not None}

    def formulas(self, names: Sequence[str]) -> dict[str, tuple[dict[str, float], float]]:
        """Parameters that follow others: the factors of these, ``A1'.fwhm`` and so on, and a constant.

        Parameters
        ----------
        names : peaks of the window

        Raises
        ------
        ValueError
            With one sentence.
        """
        found: dict[str, tuple[dict[str, float], float]] = {}
        for kind, part in self._written_ties():
            _, equals, right = part.partition("=")
            if not equals or kind not in KINDS or kind in found:
                raise ValueError(
                    f"the tie '{part}' of peak {self.name} is not written as fwhm = 0.5*A.fwhm, once for each of {', '.join(KINDS)}"
                )
            found[kind] = _followed(f"the tie '{part}' of peak {self.name}", right, [name for name in names if name != self.name])
        return found

    def _written_ties(self) -> list[tuple[str, str]]:
        """Parameter of each tie, and the tie as it is written."""
        parts = filter(None, (part.strip() for part in self.ties.split(";")))
        return [(part.partition("=")[0].strip().removeprefix(f"{self.name}.").lower(), part) for part in parts]

    @property
    def fixed_kinds(self) -> tuple[str, ...]:
        """Names of the fixed parameters."""
        return tuple(part.strip().lower() for part in self.fixed.split(",") if part.strip())

    @property
    def shared_kinds(self) -> tuple[str, ...]:
        """Names of the parameters that all pixels share."""
        return tuple(part.strip().lower() for part in self.shared.split(",") if part.strip())

    @property
    def may_share_its_width(self) -> bool:
        """Whether the FWHM is neither fixed, nor bounded, nor tied, nor the same in all pixels already."""
        held = {*self.fixed_kinds, *self.shared_kinds, *self.leaders, *self.bounds, *(kind for kind, _ in self._written_ties())}
        return "fwhm" not in held

    def sharing_its_width(self) -> Self:
        """The peak with one FWHM for all pixels, where it may have one."""
        return self.model_copy(update={"shared": ", ".join([*self.shared_kinds, "fwhm"])}) if self.may_share_its_width else self

    def without_hold(self, kind: str) -> dict[str, str]:
        """Settings with which a parameter is neither fixed, nor shared by all pixels, nor follows another peak."""
        ties = "; ".join(part for tied, part in self._written_ties() if tied != kind)
        fixed, shared = (", ".join(one for one in kinds if one != kind) for kinds in (self.fixed_kinds, self.shared_kinds))
        return {"fixed": fixed, "shared": shared, "ties": ties, **({_LED_BY[kind]: ""} if kind in _LED_BY else {})}

    @property
    def reach(self) -> float:
        """Farthest shift of the position, axis unit."""
        return self.max_shift or 1.5 * self.fwhm

    @property
    def leaders(self) -> dict[str, str]:
        """Parameter that follows another peak's, and the name of that peak."""
        return {kind: name for kind, setting_name in _LED_BY.items() if (name := getattr(self, setting_name))}


def _followed(what: str, text: str, names: Sequence[str]) -> tuple[dict[str, float], float]:
    """Factors and constant of the right side of a tie."""
    words = f"the other peaks of its window {', '.join(names) or '(there is none)'}, each with .{', .'.join(KINDS)}"
    try:
        factors, constant = Expression.of(text, [f"{name}.{kind}" for name in names for kind in KINDS], words=words).linear()
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None
    if not factors:
        raise ValueError(f"{what} names no other peak; what keeps its value is 'fixed'")
    return factors, constant


def check_formulas(peaks: Sequence[Peak]) -> None:
    """Refuse ties by formulas that lead nowhere, or to what follows itself; raises ValueError with the reason."""
    for peak in peaks:
        formulas = peak.formulas([other.name for other in peaks if other.window == peak.window])
        for kind, (factors, _) in formulas.items():
            if kind in (*peak.fixed_kinds, *peak.shared_kinds, *peak.leaders, *peak.bounds):
                raise ValueError(f"the {kind} of peak {peak.name} is tied, so it cannot be fixed, shared, bounded or tied otherwise too")
            for name, led in map(Feature.of, factors):
                leader = next(other for other in peaks if other.name == name)
                if led in leader.leaders or led in leader.formulas([other.name for other in peaks]):
                    raise ValueError(f"the {kind} of peak {peak.name} follows {name}.{led}, which follows others itself; name those")


def check_scaled(peaks: Sequence[Peak]) -> None:
    """Refuse ties that RAdam does not keep, whose heights are shares of a spectrum's highest count; raises ValueError."""
    for peak in peaks:
        for kind, (factors, constant) in peak.formulas([other.name for other in peaks if other.window == peak.window]).items():
            if any(Feature.of(name).parameter != kind for name in factors) or (kind == "height" and constant):
                raise ValueError(f"the solver RAdam cannot keep the tie of the {kind} of peak {peak.name}; use the solver automatic")


def check_ties(peaks: Sequence[Peak]) -> None:
    """Refuse ties that lead nowhere; raises ValueError with the reason."""
    by_name = {peak.name: peak for peak in peaks}
    for peak in peaks:
        for kind, name in peak.leaders.items():
            leader = by_name.get(name)
            if leader is None or leader.window != peak.window or leader is peak:
                raise ValueError(f"peak {peak.name} is tied to '{name}', which is no other peak of its window")
            if kind in leader.leaders or kind in peak.fixed_kinds or kind in peak.bounds:
                raise ValueError(f"the {kind} of peak {peak.name} cannot follow {name}: one of them is tied, bounded or fixed already")
            if kind == "height" and (peak.height is None or leader.height is None):
                raise ValueError(f"peaks {peak.name} and {name} keep the ratio of their expected heights, so give both heights")
