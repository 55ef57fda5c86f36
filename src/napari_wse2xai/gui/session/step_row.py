"""The run row of a step: what fails there stands in the session."""

from collections.abc import Sequence
from typing import Any
from weakref import ref

from napari import Viewer

from napari_wse2xai.errors import UserError
from napari_wse2xai.gui.parts.run import Work
from napari_wse2xai.gui.parts.work_row import WorkRow
from napari_wse2xai.gui.session import contents
from napari_wse2xai.session import Artefact
from napari_wse2xai.stages import Step


class StepRow(WorkRow):
    """A `WorkRow` that lets the session know what step failed, on what, and why."""

    def __init__(self, viewer: Viewer, verb: str, **options: Any) -> None:
        super().__init__(viewer, verb, **options)
        self._viewer = viewer
        self._running: tuple[Step, Sequence[ref[Artefact]]] | None = None
        self.refused.connect(self._note)

    def begin_step(self, step: Step, given: Sequence[Artefact], work: Work, description: str, words: str) -> None:
        """Start work that is a step; ignored while other work is going on.

        Parameters
        ----------
        given : what it works on; what the result's history will begin with comes first
        """
        if not self.runner.busy:
            self._running = step, [ref(each) for each in given]
            self.begin(work, description, words)

    def _note(self, error: UserError) -> None:
        if self._running is None:
            return
        step, given = self._running
        there = [each for one in given if (each := one()) is not None]
        if len(there) == len(given):  # else they have been closed meanwhile
            contents.session(self._viewer).note_failure_of(step, there, str(error))
