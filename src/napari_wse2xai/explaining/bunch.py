"""What the functions of this room give."""

from typing import Any

from numpy.typing import NDArray


class Bunch(dict[str, Any]):
    """Arrays by name, as scikit-learn's class of that name, which would load all of it for ten lines; what is none says so."""

    layers: list[str]
    rules: list[str]

    def __getattr__(self, name: str) -> NDArray[Any]:
        try:
            return self[name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(name) from None
