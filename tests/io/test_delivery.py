"""Files that belong together come together; what a killed run left is cleared by the next, what a live one writes is not."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from napari_wse2xai.errors import Cancelled, UserError
from napari_wse2xai.io import UNFINISHED, delivered, new_file, require_room
from napari_wse2xai.io.left_over import clear_left_over, temporary_name

posix = pytest.mark.skipif(os.name != "posix", reason="whether a process lives is asked by a signal of Unix")


def deliver(folder: Path, *, stop: BaseException | None = None, **files: str) -> None:
    with delivered(folder, first="results", last="report", replaced=("card", "figures/model_*")) as staged:
        for name, text in files.items():
            place = staged / name.replace("__", "/")
            place.parent.mkdir(exist_ok=True)
            place.write_text(text)
        if stop is not None:
            raise stop


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_new_files_replace_those_of_an_earlier_run_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    deliver(tmp_path, results="1", report="1", card="1", figures__model_a="1", figures__raman="1")
    deliver(tmp_path, results="2", report="2", figures__raman="2")
    assert contents(tmp_path) == {"notes.txt": "mine", "results": "2", "report": "2", "figures/raman": "2"}


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), Cancelled(), ValueError()])
def test_what_stops_before_the_end_leaves_the_folder_as_it_was(tmp_path: Path, stop: BaseException) -> None:
    deliver(tmp_path, results="1", report="1")
    with pytest.raises(type(stop)):
        deliver(tmp_path, stop=stop, results="2", report="2", other="2")
    assert contents(tmp_path) == {"results": "1", "report": "1"}
    assert len(list(tmp_path.iterdir())) == 2


def test_results_are_kept_where_the_rest_cannot_be_written_and_none_were_there(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        deliver(tmp_path, stop=UserError("the disk is full"), results="1")
    assert set(contents(tmp_path)) == {"results", UNFINISHED}
    deliver(tmp_path, results="2", report="2")
    assert contents(tmp_path) == {"results": "2", "report": "2"}
    with pytest.raises(UserError):
        deliver(tmp_path, stop=UserError("the disk is full"), results="3")
    assert contents(tmp_path) == {"results": "2", "report": "2"}


def test_at_no_moment_lie_new_results_beside_an_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped before each of its moves in turn, as by a cut of power."""
    plain, moves = Path.replace, 0

    def stopping(self: Path, target: Path) -> Path:
        nonlocal moves
        if moves == stop_at:
            raise SystemExit
        moves += 1
        return plain(self, target)

    monkeypatch.setattr(Path, "replace", stopping)
    for stop_at in range(4):
        moves, folder = -100, tmp_path / str(stop_at)
        deliver(folder, results="1", report="1", card="1", table="1")
        moves = 0
        with pytest.raises(SystemExit):
            deliver(folder, results="2", report="2", card="2", table="2") if stop_at < 4 else None
        found = contents(folder)
        assert "report" not in found
        assert found.pop(UNFINISHED).endswith("Run it again.\n")
        assert set(found.values()) <= {"1", "2"}


def test_a_folder_where_a_file_is_to_come_is_told_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "card.html").mkdir()
    (tmp_path / "figures").write_text("x")
    with pytest.raises(UserError, match=r"a folder is called 'card\.html', where a file is to come"):
        require_room(tmp_path, ["report.html", "card.html"])
    with pytest.raises(UserError, match="a file is called 'figures', where a folder is to come"):
        require_room(tmp_path, ["report.html"], ["figures"])
    require_room(tmp_path, ["report.html"], ["new"])


KILLED = """
import os, sys
from pathlib import Path
from napari_wse2xai.io import delivered, new_file
with new_file(Path(sys.argv[1]) / "map.nc") as place:
    place.write_text("half")
    with delivered(Path(sys.argv[1]), first="a", last="b", replaced=()) as staged:
        (staged / "a").write_text("half")
        print("writing", flush=True)
        if sys.argv[2] == "die":
            os._exit(9)
        sys.stdin.readline()
"""


@posix
def test_what_a_killed_run_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), "die"], check=False, capture_output=True)
    assert len(list(tmp_path.iterdir())) == 2
    (tmp_path / ".hidden~of~mine").write_text("x")
    with new_file(tmp_path / "map.nc") as place:
        place.write_text("whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden~of~mine", "map.nc"]


@posix
def test_what_a_live_run_writes_is_left_alone(tmp_path: Path) -> None:
    live = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path), "live"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert live.stdout is not None
    assert live.stdout.readline() == "writing\n"
    with new_file(tmp_path / "other.nc") as place:
        place.write_text("whole")
    live.communicate("\n")
    assert live.returncode == 0
    assert contents(tmp_path) == {"a": "half", "map.nc": "half", "other.nc": "whole"}


def test_what_another_computer_writes_is_left_alone_for_a_day(tmp_path: Path) -> None:
    other = tmp_path / temporary_name("map", ".nc").replace(f"~{os.getpid()}~", "~1~")
    head, _, tail = other.name.partition("~")
    other = tmp_path / f"{head}~00000000~{tail.partition('~')[2]}"
    other.write_text("half")
    clear_left_over(tmp_path)
    assert other.exists()
    os.utime(other, (time.time() - 2 * 86400,) * 2)
    clear_left_over(tmp_path)
    assert not other.exists()
