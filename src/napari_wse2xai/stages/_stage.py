"""What every stage is: frozen settings that can be called on an artefact."""

from collections.abc import Callable
from time import perf_counter
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from napari_wse2xai._version import __version__
from napari_wse2xai.data import Record

Progress = Callable[[float, str], None]
"""Called with the fraction done (0 to 1) and a few words; may raise `Cancelled`."""


def silent(fraction: float, message: str) -> None:
    """Report nothing: the progress of a call from Python."""


class Artefact(Protocol):
    """What a stage gives: it can carry one more record."""

    def with_record(self, record: Record) -> Self:
        """Return the same artefact with one more step in its history."""
        ...


Source = TypeVar("Source")
Result = TypeVar("Result", bound=Artefact)


class Settings(BaseModel):
    """Values that a user can set: validation, form, recipe, help, history and docs are all read from the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class Stage(Settings, Generic[Source, Result]):
    """One step of the chain; its fields are its settings."""

    title: ClassVar[str]
    """Name of the stage in the window and in the docs."""

    def __call__(self, source: Source, progress: Progress = silent) -> Result:
        """Run on an artefact; the result carries these settings in its history."""
        started = perf_counter()
        result = self.run(source, progress)
        settings = self.model_dump(mode="json")
        return result.with_record(Record(type(self).__name__, settings, __version__, round(perf_counter() - started, 3)))

    def run(self, source: Source, progress: Progress) -> Result:
        """Do the work; what subclasses define."""
        raise NotImplementedError


def setting(default: Any = ..., *, title: str, description: str, unit: str = "", **limits: Any) -> Any:
    """Declare one setting, once: default, range, label, help text and unit."""
    return Field(default, title=title, description=description, json_schema_extra={"unit": unit}, **limits)
