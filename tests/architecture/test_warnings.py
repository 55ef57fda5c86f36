"""Our own warnings are errors in the tests, whichever line they are attributed to."""

import warnings

import pytest

from napari_wse2xai.errors import DataWarning


def test_a_data_warning_that_no_test_expects_is_an_error():
    with pytest.raises(DataWarning):
        warnings.warn("the map has holes", DataWarning, stacklevel=2)


@pytest.mark.parametrize("module", ["napari_wse2xai", "napari_wse2xai.io.readers.labspec"])
@pytest.mark.parametrize("category", [RuntimeWarning, DeprecationWarning])
def test_any_warning_out_of_a_module_of_ours_is_an_error(module, category):
    with pytest.raises(category):
        warnings.warn_explicit("mean of empty slice", category, "somewhere.py", 1, module=module)
