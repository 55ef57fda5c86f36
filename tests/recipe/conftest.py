"""Recipes given as text."""

import pytest

from napari_wse2xai import recipe


@pytest.fixture
def load(tmp_path):
    """Load a recipe given as text, beside an (unread) map file."""
    (tmp_path / "map.txt").touch()

    def load(text):
        path = tmp_path / "recipe.yaml"
        path.write_text(text, encoding="utf-8")
        return recipe.load(path)

    return load
