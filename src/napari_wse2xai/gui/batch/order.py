"""What a batch is to do, as it is chosen in the panel."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from napari_wse2xai import io, recipe
from napari_wse2xai.data import Results
from napari_wse2xai.errors import SettingsError

OWN_RECIPE = "batch.yaml"
"""Recipe in the folder of results, where that was made here: the command line takes it too."""


@dataclass(frozen=True)
class BatchOrder:
    """Settings, maps, and where the results go."""

    source: Path | Results
    """A recipe's file, or the flake of the window that others are to be done like."""
    patterns: Mapping[str, str]
    """Of the maps' files, by modality; of no account where the recipe names its flakes."""
    output: Path

    @cached_property
    def names_flakes(self) -> bool:
        """Whether the recipe says itself which flakes it is for."""
        return isinstance(self.source, Path) and recipe.is_series(self.source)

    @property
    def place(self) -> Path:
        """Recipe of the batch."""
        return self.source if isinstance(self.source, Path) and self.names_flakes else self.output / OWN_RECIPE

    def text(self) -> str:
        """Recipe of the batch as YAML."""
        if isinstance(self.source, Path) and self.names_flakes:
            return self.source.read_text(encoding="utf-8")
        if not self.patterns:
            raise SettingsError("The settings are of one flake; say which maps they are for, RS, PL or both.")
        return recipe.series_yaml(self._of_one(), self.patterns)

    def _of_one(self) -> recipe.Recipe:
        """Settings of one flake."""
        if isinstance(self.source, Path):
            text, place = self.source.read_text(encoding="utf-8"), self.source
        else:
            text, place = recipe.recipe_of(self.source), self.output / OWN_RECIPE
        return recipe.parse_with(text, (), source=place.name, folder=place.parent)

    def series(self) -> recipe.Series:
        """Flakes with their settings."""
        return recipe.parse_series(self.text(), self.place.absolute(), there=False)

    def written(self) -> Path:
        """Recipe of the batch, put into the folder of results where it lies nowhere yet."""
        if not self.names_flakes:
            text = self.text()
            with io.new_file(self.place) as place:
                place.write_text(recipe.schema_line() + text, encoding="utf-8")
        return self.place
