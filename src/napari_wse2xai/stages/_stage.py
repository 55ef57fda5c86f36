"""What every stage is: frozen settings that can be called on an artefact."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_wse2xai._version import __version__
from napari_wse2xai.data import Frame, Record, SpectralMap
from napari_wse2xai.data.history import environment, now
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.progress import Progress, silent
from napari_wse2xai.stages._bands import computed_once, spending


@dataclass(frozen=True)
class SoFar:
    """What a long step has of one map before it is done."""

    frame: Frame
    name: str
    """What is shown, in words."""
    values: NDArray[np.float32]
    """(ny, nx) NaN where nothing is known yet."""


@runtime_checkable
class LiveProgress(Protocol):
    """A `Progress` that also wants to see what there is so far."""

    def __call__(self, fraction: float, message: str) -> None:
        """See `Progress`."""

    def show(self, so_far: SoFar) -> None:
        """Take what there is; called after every chunk, so it must be quick."""


class Artefact(Protocol):
    """What a stage gives: it can carry one more record."""

    def with_record(self, record: Record) -> Self:
        """Return the same artefact with one more step in its history."""
        ...


KEPT = "kept"
"""Context of a validation that tells settings from a file's history, which may be a stranger's, from the user's own."""
Source = TypeVar("Source")
Result = TypeVar("Result", bound=Artefact)


class Settings(BaseModel):
    """Values that a user can set: validation, form, recipe, help, history and docs are all read from the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants", allow_inf_nan=False)


AnySettings = TypeVar("AnySettings", bound=Settings)


class Step(Settings):
    """What every step of a run says of itself: recipe, run, window, report, help and docs take it from here (`stages.TABLE`)."""

    key: ClassVar[str]
    """Name of its section in a recipe; that of the class in small letters where none is given."""
    title: ClassVar[str]
    """Name in the window and in the docs."""
    order: ClassVar[int]
    """Its place among all steps, the first the lowest."""
    takes: ClassVar[tuple[type, ...]] = (SpectralMap,)
    """Kinds of artefacts that it is called with, one after the other."""
    series: ClassVar[bool] = False
    """Whether it is called with a list of them, one per flake."""
    gives: ClassVar[type] = SpectralMap
    effort: ClassVar[float] = 1.0
    """Its share of the time of a run, against one for a quick step."""
    usual: ClassVar[bool] = False
    """Whether it runs on every map, also where a recipe does not name it."""
    kept: ClassVar[str] = ""
    """Where `Results` keep what it gives; empty for a map and its peaks, which they keep by modality."""
    optional: ClassVar[bool] = False
    """Whether a run goes on without it where the data do not allow it, and says why."""
    without: ClassVar[str] = ""
    """What a run then says before the reason."""
    shows: ClassVar[tuple[str, ...]] = ("map",)
    """Parts of the map that it gives which the window shows."""

    @classmethod
    def summary(cls, result: Any) -> str:
        """What a run gave, in one line for the window."""
        return "Done."

    @classmethod
    def facts(cls, result: Any) -> list[tuple[str, str]]:
        """What the report says of it: titles and words."""
        return []

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        if "key" not in vars(cls):
            cls.key = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def what(cls) -> str:
        """What it does, in a sentence: the first line of its docstring."""
        return (cls.__doc__ or "").strip().splitlines()[0]

    def on(self, known: Mapping[type, Any], progress: Progress = silent) -> Any:
        """Run on the artefacts that there are, by their kinds."""
        run: Any = self
        return run(*self.given(known), progress=progress)

    def given(self, known: Mapping[type, Any]) -> list[Any]:
        """What it is called with of what there is; one thing is a series too."""
        found = [known[kind] for kind in self.takes]
        return [each if isinstance(each, list) else [each] for each in found] if self.series else found


class Stage(Step, Generic[Source, Result]):
    """A step that takes one thing; its fields are its settings."""

    def __call__(self, source: Source, progress: Progress = silent) -> Result:
        """Run on an artefact; the result carries these settings in its history.

        Each block of a lazy map is computed once, and the map that comes of it keeps them: bands of rows would ask for them often.
        """
        with _in_hand(source, progress) as taken:
            return recorded(self, lambda: self.run(taken, progress), self.taken(taken))

    def taken(self, source: Source) -> tuple[str, ...]:
        """Marks of what a run takes, where the history of its result does not begin with theirs."""
        return (source.fingerprint,) if isinstance(source, SpectralMap) and not source.history else ()

    def run(self, source: Source, progress: Progress) -> Result:
        """Do the work; what subclasses define."""
        raise NotImplementedError


@contextmanager
def _in_hand(source: Source, progress: Progress) -> Iterator[Source]:
    """The same with the counts of a lazy map computed, which the step may write over: nobody else has them."""
    if not isinstance(source, SpectralMap):
        yield source
        return
    counts = computed_once(source.counts, lambda done: progress(0.0, f"computing the map: {done:.0%}"))
    if counts is source.counts:
        yield source
        return
    with spending(counts):
        yield replace(source, counts=counts)


def recorded(settings: Settings, work: Callable[[], Result], of: tuple[str, ...] = ()) -> Result:
    """Do some work, and put the settings, version and time of it into the history of what it gives.

    Parameters
    ----------
    of : marks of what the work was given, where the history of its result does not begin with theirs
    """
    started = perf_counter()
    result = work()
    took = round(perf_counter() - started, 3)
    with_what = environment(getattr(result, "device", None) or "cpu")
    done = Record(type(settings).__name__, settings.model_dump(mode="json"), __version__, took, now(), of, with_what)
    return result.with_record(done)


def as_kept(stage: type[AnySettings], record: Record) -> AnySettings:
    """Settings that a history holds, checked like those of a recipe: the file may be a stranger's.

    Raises
    ------
    SettingsError
        Settings that this version does not know, or that are none.
    """
    try:
        return stage.model_validate(dict(record.settings), context=KEPT)
    except ValidationError as error:
        place, words, _ = first_problem(error)
        words = f"{place}: {words}".removeprefix(": ")
        raise SettingsError(
            f"The history's step {record.step} was made by version {record.version or 'unknown'} with settings that this version does not "
            f"know ({words}); open the result with that version, or run it again from its recipe."
        ) from error


def first_problem(error: ValidationError) -> tuple[str, str, str | None]:
    """The first thing that is wrong with settings: its place, what it is, and what was given where the words do not say that."""
    first = error.errors(include_url=False)[0]
    words = first["msg"].removeprefix("Value error, ")
    return ".".join(map(str, first["loc"])), words, str(first["input"]) if words == first["msg"] else None


def setting(default: Any = ..., *, title: str, description: str, unit: str = "", **limits: Any) -> Any:
    """Declare one setting, once: default, range, label, help text and unit."""
    return Field(default, title=title, description=description, json_schema_extra={"unit": unit}, **limits)
