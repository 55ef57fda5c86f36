"""A widget that is refreshed when the session changes, and not at every layer that comes, goes or moves."""

from napari_wse2xai.gui.parts.docked import FollowsLayers
from napari_wse2xai.gui.session import contents


class FollowsSession(FollowsLayers):
    """Hears of results that come or go; once after a burst of them."""

    def listen(self) -> None:
        """Hear of the session."""
        contents.session(self.viewer).changed.connect(self._later)
        self._later()

    def let_go(self) -> None:
        """Hear of nothing more."""
        contents.session(self.viewer).changed.disconnect(self._later, missing_ok=True)
