"""What a reader says of the files that it reads; `docs/make_formats.py` writes the table of all of them from that."""

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

TABLES = ("*.txt", "*.txt.gz", "*.csv", "*.csv.gz", "*.tsv", "*.tsv.gz", "*.asc", "*.dat", "*.dpt", "*.prn", "*.xyz")
"""Names of tables of text, which are told apart by what is in them."""


@dataclass(frozen=True)
class Format:
    """Files of one kind."""

    name: str
    patterns: tuple[str, ...]
    """File name patterns, in lower case; a file's case does not matter."""
    is_folder: bool = False
    """Whether a data set of this format is a folder, not a file."""
    order: int = 0
    """When it is tried among the formats that share a suffix, the lowest first."""
    holds: str = ""
    """What is read, for the docs; empty for a table of text, which has a place of its own there."""
    needs: str = ""
    """Library that it is read with, for the docs."""
    licence: str = "–"
    """Of that library."""
    module: str = ""
    """That reads it, filled in where the table is made."""

    def matches(self, path: Path) -> bool:
        """Whether a file's name is one of this format."""
        return any(fnmatch(path.name.lower(), pattern) for pattern in self.patterns)
