"""Write the JSON schema of recipes from the classes: ``python docs/make_schema.py``."""

import json
from pathlib import Path

from napari_wse2xai.recipe import recipe_schema

PLACE = Path(__file__).parents[1] / "src" / "napari_wse2xai" / "recipe.schema.json"


def text() -> str:
    """Schema as it lies in the package."""
    return json.dumps(recipe_schema(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    PLACE.write_text(text(), encoding="utf-8")
    print(f"{PLACE.name}: {PLACE.stat().st_size} bytes")
