"""What the functions of this room give: scikit-learn's `Bunch`, with types."""

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:

    class Bunch(dict[str, Any]):
        """Arrays by name; what is none says so."""

        layers: list[str]
        rules: list[str]

        def __getattr__(self, name: str) -> NDArray[Any]: ...

else:
    from sklearn.utils import Bunch as Bunch
