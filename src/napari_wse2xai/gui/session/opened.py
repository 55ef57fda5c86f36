"""A session between window and file, and its results between session and canvas."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from napari import Viewer

from napari_wse2xai.data import Picture
from napari_wse2xai.errors import counted
from napari_wse2xai.gui.parts.run import Work
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.layers import LayerSnapshot, layer_again, session_layers
from napari_wse2xai.layers import LayerTuple, part_layer, shown_in, to_layers
from napari_wse2xai.progress import Progress
from napari_wse2xai.session import Artefact, Missing, Session, State
from napari_wse2xai.session.moments import Held


def saved(session: Session, path: Path, view: list[dict[str, Any]], *, spectra: bool) -> Work:
    """Work that writes a session as it is now."""
    now = Session()
    now.adopt(session.all_held, "")  # what is done meanwhile is not of this file

    def work(progress: Progress) -> Path:
        progress(0.0, f"saving {path.name}")
        now.save(path, spectra=spectra, view=view)
        return path

    return work


@dataclass(frozen=True)
class Opened:
    """What lay in a file."""

    path: Path
    held: dict[str, Held]
    view: tuple[LayerSnapshot, ...]

    @property
    def words(self) -> str:
        """What was opened, and what could not be had."""
        gone = [each for each in self.held.values() if isinstance(each, Missing) and each.fingerprint]
        first = f" {counted(len(gone), 'map')} could not be had: {gone[0].why}" if gone else ""
        return f"Opened {self.path.name}: {counted(len(self.held), 'result')}.{first}"

    def seen(self) -> tuple[LayerSnapshot, ...]:
        """What a window is to show of it."""
        return self.view or tuple(_usual_view(self.held))

    def layers(self) -> list[LayerTuple]:
        """Layers that show it."""
        made = ((each, layer_again(self.held[each.node], each)) for each in self.seen() if each.node in self.held)
        return [(layer[0], layer[1] | {"visible": each.visible}, layer[2]) for each, layer in made if layer is not None]

    def into(self, viewer: Viewer) -> Iterator[Callable[[], object]]:
        """Acts that put it into a window: results at once, then layer by layer."""
        known = session_layers(viewer)
        yield partial(known.session.adopt, self.held, f"Open {self.path.name}")
        for each in self.seen():
            yield partial(known.show, (each,))


def open_file(path: Path, progress: Progress) -> Opened:
    """Read a session, or the results of a run."""
    from napari_wse2xai.session.files import is_session, read_held, view_in

    held = read_held(path, progress)
    view = view_in(path) if is_session(path) else []
    return Opened(path, held, tuple(map(LayerSnapshot.from_record, view)))


def _usual_view(held: dict[str, Held]) -> Iterator[LayerSnapshot]:
    """What a window shows of results that no window has shown: the layers of all that holds; seen are those of the first map."""
    session = Session()
    session.adopt(held, "")
    for number, node in enumerate(node for node in session.nodes if node.state is State.CURRENT):
        for _, keywords, _ in to_layers(node.artefact):
            is_ = shown_in(keywords["metadata"])
            if is_ is not None:
                yield LayerSnapshot(node.id, is_.part, is_.flake, visible=number == 0 and is_.part == "map")


def show_alone(viewer: Viewer, artefact: Artefact) -> None:
    """Show the layers of one result, made anew where they were deleted, and hide all others but pictures."""
    own = [layer for layer, _ in contents.layers_of(viewer, artefact)]
    if not own:
        own = contents.add(viewer, to_layers(artefact))
    for layer in viewer.layers:
        is_ = contents.shown(layer)
        if is_ is not None and is_.artefact is not artefact and not isinstance(is_.artefact, Picture):
            contents.see(layer, False)
    if not any(layer.visible for layer in own):
        own[-1].visible = True
    viewer.layers.selection.active = next(layer for layer in reversed(own) if layer.visible)


def shown_of(viewer: Viewer, made: Any) -> None:
    """Show what was made again where what it was made anew of is shown; the former layers stay, hidden."""
    instead = {id(former): new for former, new in made.instead}
    for layer in list(viewer.layers):
        is_ = contents.shown(layer)
        new = None if is_ is None else instead.get(id(is_.artefact))
        again = None if new is None or is_ is None else part_layer(new, is_.part, is_.flake)
        if again is not None:
            contents.add(viewer, [(again[0], again[1] | {"visible": layer.visible}, again[2])])
            contents.see(layer, False)
