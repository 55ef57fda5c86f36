"""Files that belong together take their places together: a folder never holds new results beside an old report."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from napari_wse2xai.errors import UserError
from napari_wse2xai.io.atomic import told_plainly
from napari_wse2xai.io.left_over import clear_left_over, temporary_name

UNFINISHED = "UNFINISHED.txt"
"""Stands in a folder while its files take their places, and where that was cut short."""
_TEXT = "The run that wrote to this folder did not come to its end: some files are missing, or are those of an earlier run. Run it again.\n"


@contextmanager
def delivered(folder: Path, *, first: str, last: str, replaced: Sequence[str]) -> Iterator[Path]:
    """Give a hidden folder to write to; when the block ends well, its files take their places in `folder`.

    Until then the folder stays as it was.  Should the machine stop while they take their places, `UNFINISHED` stands there and `last`
    is missing.

    Parameters
    ----------
    first : file that is worth keeping alone, should the others fail to be written, where the folder has none of that name yet
    last : file that says that all is there: the old one goes before any other comes, the new one comes last
    replaced : patterns of files of an earlier run, which go unless the new one has them too
    """
    with told_plainly(folder / first):
        folder.mkdir(parents=True, exist_ok=True)
        clear_left_over(folder)
        staged = folder / temporary_name("new")
        staged.mkdir()
    try:
        yield staged
        with told_plainly(folder / first):
            _put_in_place(staged, folder, last, replaced)
    except UserError:
        if (staged / first).exists() and not (folder / first).exists():
            mark_unfinished(folder, last)
            (staged / first).replace(folder / first)
        raise
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _put_in_place(staged: Path, folder: Path, last: str, replaced: Sequence[str]) -> None:
    mark_unfinished(folder, last)
    names = sorted((str(path.relative_to(staged)) for path in staged.rglob("*") if path.is_file()), key=lambda name: (name == last, name))
    for stale in [place for pattern in replaced for place in folder.glob(pattern)]:
        if str(stale.relative_to(folder)) not in names:
            stale.unlink(missing_ok=True)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (staged / name).replace(folder / name)
    (folder / UNFINISHED).unlink()


def mark_unfinished(folder: Path, last: str) -> None:
    """Say in a folder that its files are about to be others, and take away the one that says that all is there."""
    (folder / UNFINISHED).write_text(_TEXT, encoding="utf-8")
    (folder / last).unlink(missing_ok=True)


def require_room(folder: Path, files: Sequence[str], folders: Sequence[str] = ()) -> None:
    """Refuse, before any work, a folder in which a folder stands where a file is to come, or the other way round."""
    advice = "rename it, or choose another output folder"
    for name in files:
        if (folder / name).is_dir():
            raise UserError(f"In '{folder}' a folder is called '{name}', where a file is to come; {advice}.")
    for name in folders:
        if (folder / name).exists() and not (folder / name).is_dir():
            raise UserError(f"In '{folder}' a file is called '{name}', where a folder is to come; {advice}.")
