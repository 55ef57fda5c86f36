"""Make every picture of the documents anew, from the code as it is; on two cores in four minutes.

xvfb-run -a -s "-screen 0 1600x1200x24" python docs/make_pictures.py
"""

import subprocess
import sys
from pathlib import Path

from PIL import Image

DOCS = Path(__file__).parent
WINDOW, IDEA = (1500, 1000), (990, 352)
"""Width and height of a picture of the window, and of a page's drawing; pixels."""
GALLERY = {"maps": 252, "spectrum": 360, "pair": 288, "trained": 306, "explained": 306, "slope": 270}
"""Heights of the figures of the gallery, pixels."""
PICTURES = {
    "make_screenshot.py": {"window.png": WINDOW},
    "make_tutorial.py": {
        f"first_{number}_{name}.png": WINDOW
        for number, name in enumerate(("opened", "flake", "peaks", "paired", "trained", "explained"), start=1)
    },
    "make_gallery.py": {f"gallery_{name}.png": (810, height) for name, height in GALLERY.items()},
    "make_ideas.py": {f"ideas_{name}.png": IDEA for name in ("ice", "ale", "blocks", "null")},
}
"""What each script makes."""


def main() -> None:
    """Run the scripts, and ask whether they made what is expected."""
    for script, pictures in PICTURES.items():
        subprocess.run([sys.executable, script], cwd=DOCS, check=True)
        for name, size in pictures.items():
            found = Image.open(DOCS / "images" / name).size
            if found != size:
                raise SystemExit(f"docs/images/{name} is {found[0]} x {found[1]} pixels, not {size[0]} x {size[1]}; correct {script}.")


if __name__ == "__main__":
    main()
