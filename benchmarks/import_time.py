"""What start-up costs against a bare interpreter: ``python benchmarks/import_time.py [--rounds 9]``."""

import argparse
import subprocess
import sys

from rounds import median_seconds, print_ratios

STARTS = {
    "bare interpreter": ["-c", "pass"],
    "import napari_wse2xai": ["-c", "import napari_wse2xai"],
    "import numpy": ["-c", "import numpy"],
    "napari-wse2xai --help": ["-m", "napari_wse2xai", "--help"],
    "from napari_wse2xai.io import read": ["-c", "from napari_wse2xai.io import read"],
    "from napari_wse2xai.stages import Deconvolve": ["-c", "from napari_wse2xai.stages import Deconvolve"],
}


def slowest_imports(count: int = 6) -> list[str]:
    """Modules that cost ``import napari_wse2xai`` most by themselves, from ``-X importtime``."""
    done = subprocess.run([sys.executable, "-X", "importtime", "-c", "import napari_wse2xai"], capture_output=True, text=True, check=True)
    lines = [line.removeprefix("import time:").split("|") for line in done.stderr.splitlines()[1:]]
    return [f"{name.strip()} {int(own)} us" for own, _, name in sorted(lines, key=lambda line: -int(line[0]))[:count]]


def main() -> None:
    """Start Python in turns and print ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    runs = {
        name: lambda arguments=arguments: subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        for name, arguments in STARTS.items()
    }
    print_ratios(median_seconds(runs, given.rounds), to="bare interpreter")
    print("most expensive within import napari_wse2xai:", ", ".join(slowest_imports()))


if __name__ == "__main__":
    main()
