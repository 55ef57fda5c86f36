"""A map that is worked out of peak parameters."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.declared import PLACES, along


@dataclass(frozen=True, eq=False)
class ComputedMap:
    """One quantity at every pixel, such as the distance of two lines, with its standard error."""

    name: Annotated[str, along(stored="computed", says="name of the computed map")]
    expression: Annotated[str, along(stored="computed_expression", says="formula over peak parameters")]
    """Formula over peak parameters, as it was typed."""
    unit: Annotated[str, along(stored="computed_unit", says="unit of the computed map")]
    """1 for a plain number."""
    value: Annotated[
        NDArray[np.float32], along(*PLACES, stored="computed_value", column="{label}", says="worked out of the peaks' parameters")
    ]
    """(ny, nx) NaN where a parameter has no value, or where a divisor is no farther from zero than chance."""
    error: Annotated[
        NDArray[np.float32], along(*PLACES, stored="computed_error", column="{label}_error", says="standard error of computed_value")
    ]
    """(ny, nx) one standard error to first order, with the covariances of the fit; NaN where a parameter that it needs has none."""
