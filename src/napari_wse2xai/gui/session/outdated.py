"""A line that stands while a result rests on a step that was run again since."""

from napari import Viewer

from napari_wse2xai.gui.parts.message_label import NOTE, MessageLabel
from napari_wse2xai.gui.session import contents
from napari_wse2xai.session import Artefact


class Outdated(MessageLabel):
    """Empty and out of the way for what is up to date."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer)
        self.setVisible(False)

    def about(self, artefact: Artefact | None) -> None:
        """Say of a result whether it is out of date, and why."""
        words = "" if artefact is None else contents.session(self._viewer).outdated(artefact)
        self.say(words, NOTE)
        self.setVisible(bool(words))
