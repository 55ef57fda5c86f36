"""What needs BLAS runs on one thread of it, also where it is loaded later."""

import os
import subprocess
import sys

import pytest

LATE = """
from napari_wse2xai.numerics.library_threads import single_threaded
with single_threaded():
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.kernel_ridge import KernelRidge
    from threadpoolctl import threadpool_info
    print(*(library["num_threads"] for library in threadpool_info()))
print(*(library["num_threads"] for library in threadpool_info()))
"""


def test_a_library_that_is_loaded_inside_keeps_to_one_thread_too() -> None:
    free = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}  # the suite itself runs on one
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=True, env=free)
    inside, after = done.stdout.splitlines()
    if set(after.split()) == {"1"}:
        pytest.skip("this machine has one core")
    assert set(inside.split()) == {"1"}
