"""Draw the figures of docs/gallery.md by the pieces of code that stand above them: ``python docs/make_gallery.py``."""

import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "gallery.md"
PIECES = re.compile(r"```python\n(.*?)```(?:\s*!\[[^]]*\]\((images/gallery_\w+\.png)\))?", re.DOTALL)
DPI = 90


def main() -> None:
    """Run all pieces in their order, and save the figure that each leaves."""
    known: dict[str, Any] = {}
    for code, picture in PIECES.findall(PAGE.read_text(encoding="utf-8")):
        exec(compile(code, str(PAGE), "exec"), known)
        if picture:
            known["figure"].savefig(PAGE.parent / picture, dpi=DPI)


if __name__ == "__main__":
    main()
