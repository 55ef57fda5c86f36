"""Links that lead out of ``docs/`` (benchmarks, examples, changes) point at the repository on the built site."""

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
OUTSIDE = re.compile(r"\]\(((?:\.\./)+)([^)]+)\)")


def source_address() -> str:
    """Where the files can be read, from pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"{project['urls']['Source']}/blob/main"


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Called by mkdocs for every page."""
    here = (ROOT / "docs" / page.file.src_uri).parent

    def outside(link: re.Match[str]) -> str:
        target = (here / link[1] / link[2].partition("#")[0]).resolve()
        if target.is_relative_to(ROOT / "docs"):
            return link[0]
        return f"]({source_address()}/{target.relative_to(ROOT).as_posix()})"

    return OUTSIDE.sub(outside, markdown)
