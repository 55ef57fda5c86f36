"""To be imported by a server of processes: what every job needs is loaded then."""

from napari_wse2xai.processes import load_needed

load_needed()
