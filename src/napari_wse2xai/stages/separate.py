"""Strain, charge and temperature apart: lines that move differently for each tell them by their positions."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.stages._stage import Settings, setting
from napari_wse2xai.stages.computed import Computed
from napari_wse2xai.stages.references import SILICON_CM1

CAUSES = {"per_strain": ("strain", "%"), "per_charge": ("electron density", "1e13 cm-2"), "per_temperature": ("temperature change", "K")}
"""Name and unit of what each coefficient is of."""
HOLES = ("shift of G by holes", "cm-1")
"""What graphene's set gives in place of a density: its line moves with the charge, but not in proportion."""
ALIKE = 50.0
"""Condition number of the coefficients, each cause in its own units, above which the lines move too much alike."""


class LineShift(Settings):
    """How far one line moves."""

    name: str = setting(title="Name", description="Name of the peak.", min_length=1)
    undisturbed: float = setting(
        title="Undisturbed",
        unit="cm-1",
        description="Position without strain and charge, best measured on a free sample by the same instrument.",
    )
    per_strain: float = setting(
        0.0, title="Per strain", unit="cm-1 per %", description="Shift for 1 % of strain; a published set has its own."
    )
    per_charge: float = setting(
        0.0, title="Per charge", unit="cm-1 per 1e13 cm-2", description="Shift for 1e13 electrons per cm²; a published set has its own."
    )
    per_temperature: float = setting(0.0, title="Per kelvin", unit="cm-1 per K", description="Shift for 1 K; a published set knows none.")


class Separate(Settings):
    """Which of strain, charge and temperature moved the lines, as maps with errors.

    Shifts are taken to be sums of what each cause does in proportion: as many lines as causes give one answer.  The errors are those of
    the fitted positions, covariances included; neither those of the coefficients nor those of the undisturbed positions, which move
    the whole map alike.

    Notes
    -----
    Lee et al., Nat. Commun. 3, 1024 (2012); Michail et al., Appl. Phys. Lett. 108, 173102 (2016).  The published sets are those of the
    library ramansep, which names the source of each number.  Not for lines that split, nor where another layer or material lies
    beneath part of the flake.
    """

    coefficients: Literal["own", "mos2_eprime_a1", "mos2_a1_2la", "graphene_g_2d_lee2012"] = setting(
        "own",
        title="Coefficients",
        description="Own numbers for each line, or a published set of ramansep: its lines in the order of its name.",
    )
    lines: tuple[LineShift, ...] = setting((), title="Lines", description="One for each cause: two for strain and charge.")
    silicon: str = setting(
        "",
        title="Silicon",
        description="Name of the map's own silicon peak, whose shift is taken off pixel by pixel; empty for none.",
    )
    silicon_position: float = setting(
        SILICON_CM1, title="Silicon at", unit="cm-1", description="Where the silicon line stands on a right scale.", gt=0
    )
    source: str = setting("", title="Source", description="Where numbers of your own come from.")

    @model_validator(mode="after")
    def _check(self) -> "Separate":
        if not self.lines:
            return self
        if self.coefficients == "own":
            _inverse([[getattr(line, cause) for cause in self._own_causes()] for line in self.lines], self.lines)
        elif len(self.lines) != 2:
            raise ValueError(f"{self.coefficients} takes two lines, not {len(self.lines)}; give its two in the order of its name")
        return self

    def _own_causes(self) -> list[str]:
        return [cause for cause in CAUSES if any(getattr(line, cause) for line in self.lines)]

    def maps(self) -> tuple[Computed, ...]:
        """One computed map per cause, none without lines, for ``Deconvolve(computed=...)`` or `compute`.

        Raises
        ------
        SettingsError
            A published set is asked for and ramansep is not installed.
        """
        if not self.lines:
            return ()
        names, matrix, source = self._coefficients()
        return tuple(
            Computed(name=name, expression=self._formula(row), unit=unit, source=source)
            for (name, unit), row in zip(names, _inverse(matrix, self.lines), strict=True)
        )

    def _coefficients(self) -> tuple[list[tuple[str, str]], Sequence[Sequence[float]], str]:
        """Names and units of the causes, (line, cause) coefficients, and where they come from."""
        if self.coefficients == "own":
            causes = self._own_causes()
            return [CAUSES[cause] for cause in causes], [[getattr(line, cause) for cause in causes] for line in self.lines], self.source
        published = _published(self.coefficients)
        strain, density = CAUSES["per_strain"], CAUSES["per_charge"]
        return [strain, HOLES if self.coefficients.startswith("graphene") else density], published.matrix(), str(published.reference)

    def _formula(self, row: NDArray[np.float64]) -> str:
        return " + ".join(f"({weight:.9g}) * ({self._shift(line)})" for weight, line in zip(row, self.lines, strict=True))

    def _shift(self, line: LineShift) -> str:
        own = f'"{line.name}".position - {line.undisturbed:.9g}'
        return f'{own} - ("{self.silicon}".position - {self.silicon_position:.9g})' if self.silicon else own


def _published(key: str) -> Any:
    try:
        return getattr(import_module("ramansep"), key)()
    except ImportError as error:
        raise SettingsError(
            f"The coefficients {key} come with ramansep, which is not installed: pip install 'napari-wse2xai[strain]', or give your own."
        ) from error


def _inverse(matrix: Sequence[Sequence[float]], lines: Sequence[LineShift]) -> NDArray[np.float64]:
    """(cause, line) what one cm-1 of each line tells of each cause; raises ValueError where the lines cannot tell."""
    k = np.asarray(matrix, dtype=np.float64)
    if k.ndim != 2 or not k.size or k.shape[0] != k.shape[1]:
        causes = k.shape[1] if k.ndim == 2 else 0
        raise ValueError(f"{len(lines)} lines and {causes} causes with coefficients; give as many lines as there are causes")
    names = ", ".join(line.name for line in lines)
    if np.linalg.cond(k / np.linalg.norm(k, axis=0)) > ALIKE:
        raise ValueError(f"the lines {names} move nearly alike for all causes and cannot tell them apart; choose others")
    return np.asarray(np.linalg.inv(k))
