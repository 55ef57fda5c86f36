"""Partial dependence drawn as scikit-learn draws it, with curves that are evaluated all at once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_wse2xai.explaining.bunch import Bunch
from napari_wse2xai.explaining.curves import partial_dependence
from napari_wse2xai.explaining.interactions import partial_dependence_pairs
from napari_wse2xai.explaining.model import Numbers
from napari_wse2xai.explaining.subject import Subject

if TYPE_CHECKING:
    from sklearn.inspection import PartialDependenceDisplay as Drawn


DECILES = np.arange(0.1, 1.0, 0.1)


class PartialDependenceDisplay:
    """Makes scikit-learn's display of the same name from our curves."""

    @classmethod
    def from_estimator(
        cls,
        estimator: object,
        X: Numbers | None,  # noqa: N803 - scikit-learn's name
        features: Sequence[int | tuple[int, int]],
        *,
        feature_names: Sequence[str] | None = None,
        kind: str = "average",
        ax: object = None,
        n_cols: int = 3,
        **options: Any,
    ) -> "Drawn":
        """Draw the partial dependence on some columns, and on pairs of them.

        Parameters
        ----------
        estimator, X : as for `partial_dependence`
        features : columns, and pairs of columns, which become contours
        feature_names : one per column
        kind : ``average``, ``individual`` or ``both``; pairs are averages
        ax, n_cols : as scikit-learn has them
        options : of `partial_dependence`

        Returns
        -------
        `sklearn.inspection.PartialDependenceDisplay`, drawn; its ``pd_results`` are ours
        """
        from sklearn.inspection import PartialDependenceDisplay as Display

        subject = Subject.of(estimator, X)
        table = subject.table
        columns = [(one,) if isinstance(one, int | np.integer) else tuple(one) for one in features]
        display = Display(
            [_result(subject, some, kind, options) for some in columns],
            features=columns,
            feature_names=list(feature_names or (f"x{column}" for column in range(table.shape[1]))),
            target_idx=0,
            deciles={column: np.quantile(table[:, column], DECILES) for some in columns for column in some},
            kind=["average" if len(some) > 1 else kind for some in columns],
            subsample=None,
            random_state=0,
        )
        return display.plot(ax=ax, n_cols=n_cols)


def _result(subject: Subject, columns: tuple[int, ...], kind: str, options: dict[str, Any]) -> Bunch:
    """Curves or a surface in scikit-learn's shapes: (output, ...), grids as a list."""
    if len(columns) > 1:
        found = partial_dependence_pairs(subject, None, [(columns[0], columns[1])])
        return Bunch(grid_values=list(found.grid_values[0]), average=found.average[:1])
    found = partial_dependence(subject, None, columns, kind="both" if kind == "individual" else kind, **options)
    individual = {"individual": found.individual} if kind != "average" else {}
    return Bunch(grid_values=[found.grid_values[0]], average=found.average[:1], **individual)
