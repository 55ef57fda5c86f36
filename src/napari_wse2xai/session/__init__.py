"""What lies on the table: several flakes, each with its artefacts, which came from which, and the way back.  No Qt, no napari."""

from napari_wse2xai.session.flakes import named_results
from napari_wse2xai.session.lineage import Artefact, Lineage, among, of_one_measurement
from napari_wse2xai.session.moments import Change
from napari_wse2xai.session.node import Missing, Node, State
from napari_wse2xai.session.session import Session

__all__ = ["Artefact", "Change", "Lineage", "Missing", "Node", "Session", "State", "among", "named_results", "of_one_measurement"]
