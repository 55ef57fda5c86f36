"""How long opening a map takes against reading its bytes: ``python benchmarks/open_map.py [--megabytes 100] [--rounds 5]``."""

import argparse
import hashlib
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from rounds import median_seconds, print_ratios

from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.io import read, write_map, write_map_table
from napari_wse2xai.layers import to_layers

CHANNELS = 1024


def random_map(megabytes: float) -> SpectralMap:
    """Noise of about so many bytes as float32, on a nearly square grid."""
    side = max(2, round((megabytes * 1e6 / 4 / CHANNELS) ** 0.5))
    counts = np.random.default_rng(0).normal(500, 20, (side, side, CHANNELS)).round()
    return SpectralMap.from_arrays(counts, np.linspace(100.0, 560.0, CHANNELS), AxisKind.RAMAN_SHIFT)


def shown(path: Path) -> object:
    """What napari does when a file is dropped, up to the layer's data."""
    return to_layers(read(path))


def sha256(path: Path) -> str:
    """Take the checksum that a map's history keeps."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def main() -> None:
    """Write the maps, open them, print ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        binary, text = Path(folder) / "map.nc", Path(folder) / "map.txt"
        write_map(random_map(given.megabytes), binary)
        write_map_table(random_map(given.megabytes / 10), text)
        print(f"NetCDF, {binary.stat().st_size / 1e6:.0f} MB")
        rivals = {
            "bytes of the file": binary.read_bytes,
            "SHA-256 of the file, which read takes too": lambda: sha256(binary),
            "read": lambda: read(binary),
            "read and to_layers": lambda: shown(binary),
        }
        print_ratios(median_seconds(rivals, given.rounds), to="bytes of the file")
        print(f"LabSpec text, {text.stat().st_size / 1e6:.0f} MB")
        header = sum(line.startswith(b"#") for line in text.read_bytes().splitlines()[:100])
        rivals = {
            "pandas.read_csv": lambda: pd.read_csv(text, sep="\t", skiprows=header, header=None, encoding="latin-1"),
            "read": lambda: read(text),
            "read and to_layers": lambda: shown(text),
        }
        print_ratios(median_seconds(rivals, given.rounds), to="pandas.read_csv")


if __name__ == "__main__":
    main()
