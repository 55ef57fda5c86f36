"""Some of many, from all over them: what is learnt of these does not depend on how the work is divided, as of the first few it would."""

import numpy as np
from numpy.typing import NDArray


def all_over(count: int, most: int) -> NDArray[np.intp]:
    """Places of at most so many of `count` things, the first and the last among them, rising."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.intp))
