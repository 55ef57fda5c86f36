"""Pack the Hessians of the 4 x 4 WSe2 cells, pristine and with one defect, by two engines, into the file that the plugin ships.

    python tools/pack_supercells.py FOLDER src/napari_wse2xai/theory/wse2_supercells.npz

FOLDER holds ``harm_ENGINE_KIND_4.npz`` (arrays H in eV/A^2, P in A, m in u, sym, cell in A) of ENGINE diep (2.0.0, MatPES r2SCAN) and gfn1
(GFN1-xTB, tblite 0.8.0) and KIND P (pristine), V (Se vacancy) and O (oxygen on a Se site).  A Hessian is symmetric: its upper triangle is
kept, in single precision.
"""

import sys
from pathlib import Path

import numpy as np

ENGINES = {"diep": "diep", "gfn1": "GFN1-xTB"}
STRUCTURES = {"P": "pristine", "V": "V_Se", "O": "O_Se"}


def main(folder: Path, target: Path) -> None:
    """Read the six cells and write them as one file."""
    arrays = {}
    for engine, name in ENGINES.items():
        for kind, structure in STRUCTURES.items():
            with np.load(folder / f"harm_{engine}_{kind}_4.npz") as cell:
                key = f"{name}/{structure}"
                arrays[f"{key}/hessian"] = cell["H"][np.triu_indices(len(cell["H"]))].astype(np.float32)
                arrays[f"{key}/positions"] = cell["P"].astype(np.float32)
                arrays[f"{key}/lattice"] = cell["cell"]
                arrays[f"{key}/symbols"] = cell["sym"]
    np.savez_compressed(target, **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
