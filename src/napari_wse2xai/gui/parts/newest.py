"""Work of which only the newest counts: what was asked for last is done in a thread, what lies between is left out."""

from qtpy.QtCore import QObject, Signal

from napari_wse2xai.gui.parts.run import Runner, Work


class Newest(QObject):
    """Does one thing at a time; while it is at it only the last that was asked for waits.

    With `skip_stale` a result is not given when something newer waits already; else it is, as a picture on the way there.
    """

    gave = Signal(object)
    refused = Signal(str)

    def __init__(self, description: str, parent: QObject | None = None, *, skip_stale: bool = False) -> None:
        super().__init__(parent)
        self.runner = Runner(self)
        self._description, self._skip_stale = description, skip_stale
        self._next: Work | None = None
        self.runner.finished.connect(self._on_finished)
        self.runner.failed.connect(self._on_failed)

    def do(self, work: Work) -> None:
        """Do this soon."""
        self._next = work
        if not self.runner.busy:
            self._begin()

    def forget(self) -> None:
        """Do nothing more."""
        self._next = None
        self.runner.cancel()

    def _begin(self) -> None:
        work, self._next = self._next, None
        if work is not None:
            self.runner.start(work, self._description, with_bar=False)

    def _on_finished(self, result: object) -> None:
        if self._next is None or not self._skip_stale:
            self.gave.emit(result)
        self._begin()

    def _on_failed(self, text: str) -> None:
        self.refused.emit(text)
        self._begin()
