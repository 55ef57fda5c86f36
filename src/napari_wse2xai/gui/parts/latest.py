"""Work of which only the newest matters: what was asked meanwhile comes next, what lies between is left out."""

from qtpy.QtCore import QObject, Signal

from napari_wse2xai.gui.parts.run import Runner, Work


class Latest(QObject):
    """Does in a thread what was asked for last."""

    finished = Signal(object)
    failed = Signal(str)

    def __init__(self, description: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.runner = Runner(self)
        self._description = description
        self._next: Work | None = None
        self.runner.finished.connect(self._on_finished)
        self.runner.failed.connect(self._on_failed)

    def ask(self, work: Work) -> None:
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
            self.runner.start(work, self._description)

    def _on_finished(self, result: object) -> None:
        if self._next is None:  # else it is out of date already
            self.finished.emit(result)
        self._begin()

    def _on_failed(self, text: str) -> None:
        self.failed.emit(text)
        self._begin()
