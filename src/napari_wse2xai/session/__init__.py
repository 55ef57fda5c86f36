"""What lies on the table: several flakes, each with its artefacts, and which came from which.  No Qt, no napari."""

from napari_wse2xai.session.flakes import named_results
from napari_wse2xai.session.session import Artefact, Session, among, of_one_measurement

__all__ = ["Artefact", "Session", "among", "named_results", "of_one_measurement"]
