"""What is no ordinary file is refused before it is opened: nothing waits, and nothing fills the memory."""

import gzip
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from napari_wse2xai.data import Frame
from napari_wse2xai.errors import DataError, DataWarning, ReaderError
from napari_wse2xai.io import read, unpacking
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.io.readers.labspec import FRAME_KEY
from napari_wse2xai.ordinary import require_ordinary, shown

posix = pytest.mark.skipif(os.name != "posix", reason="pipes and devices with a file's name are a matter of Unix")
PATIENCE_S = 60


def told(*arguments: str) -> str:
    """Only line of the command line's answer; a command that waits is stopped, and fails the test."""
    done = subprocess.run(
        [sys.executable, "-m", "napari_wse2xai", *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    return line


@posix
@pytest.mark.parametrize("name", ["map.txt", "map.nc", "map.npy", "map.csv", "map.wip", "map.txt.gz"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    assert "is a pipe, not a file" in told("convert", str(tmp_path / name), str(tmp_path / "out.nc"))


@posix
def test_a_device_and_a_socket(tmp_path: Path) -> None:
    (tmp_path / "zero.txt").symlink_to("/dev/zero")
    assert "is a device, not a file" in told("convert", str(tmp_path / "zero.txt"), str(tmp_path / "out.nc"))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(tmp_path / "s.nc"))
        with pytest.raises(ReaderError, match="is a socket"):
            read(tmp_path / "s.nc")


@posix
def test_a_pipe_as_the_axis_beside_an_array(tmp_path: Path) -> None:
    np.save(tmp_path / "map.npy", np.ones((2, 3, 4)))
    os.mkfifo(tmp_path / "map_axis.txt")
    assert "needs its spectral axis beside it" in told("convert", str(tmp_path / "map.npy"), str(tmp_path / "out.nc"))


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match=r"'a+\.\.\.a+\.txt \(5,004 characters\)' cannot be looked at") as caught:
        read("a" * 5000 + ".txt")
    assert len(str(caught.value)) < 400
    with pytest.raises(ReaderError, match="a character that none can have"):
        read(tmp_path / "a\0b.txt")
    with pytest.raises(ReaderError, match="does not exist"):
        read(tmp_path / "none" / "map.txt")
    assert require_ordinary(tmp_path / "none") is None
    assert shown("a\x1b[2Jb") == "a?[2Jb"


def test_header_lines_alike_take_a_time_in_proportion(tmp_path: Path) -> None:
    seconds = []
    for count in (5_000, 40_000):
        names = "#AxisType[2]=X\n#AxisType[3]=Y\n"
        (tmp_path / "map.txt").write_text("#a=\t1\n" * count + names + "\t\t100\t200\t300\n0\t0\t1\t2\t3\n0\t1\t4\t5\t6\n")
        started = time.perf_counter()
        with pytest.warns(DataWarning, match="does not say the unit"):
            found = read(tmp_path / "map.txt")
        seconds.append(time.perf_counter() - started)
        assert list(found.metadata)[:3] == ["a", "a (2)", "a (3)"]
        assert len(found.metadata) == count + 2
    assert seconds[1] < 25 * seconds[0], "64 times as long where each line looks at all before it"


def test_compressed_text_that_swells_is_refused_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "_NEVER_TOO_MUCH", 1 << 22)
    path = tmp_path / "bomb.txt.gz"
    block = b"1\t" * (1 << 20)
    with gzip.open(path, "wb") as stream:
        stream.write(b"\t\t100\t200\n")
        for _ in range(20):
            stream.write(block)
    with pytest.raises(ReaderError, match=r"'bomb\.txt\.gz' unpacks to more than 4 MB"):
        read(path)


def test_a_header_line_with_an_impossible_grid_is_left_out_aloud(tmp_path: Path) -> None:
    for grid in ('{"shape":[-1,-2],"step_um":[0,0],"origin_um":[0,0],"sample":"x"}', "[" * 100_000, '{"shape":[1e999,1]}'):
        names = "#AxisUnit[1]=\t1/cm\n#AxisType[2]=X\n#AxisType[3]=Y\n"
        (tmp_path / "map.txt").write_text(f"#{FRAME_KEY}=\t{grid}\n{names}\t\t100\t200\t300\n7\t0\t1\t2\t3\n7\t2\t4\t5\t6\n")
        with pytest.warns(DataWarning, match="its header line with the grid is damaged"):
            found = read(tmp_path / "map.txt")
        assert found.frame.shape in ((1, 2), (2, 1))


@pytest.mark.parametrize("grid", [{"shape": (-1, 2)}, {"step_um": (0.0, 1.0)}, {"step_um": (1.0, np.nan)}, {"origin_um": (np.inf, 0.0)}])
def test_what_is_no_grid_is_refused(grid: dict[str, tuple[float, float]]) -> None:
    with pytest.raises(DataError, match="correct the positions"):
        Frame(**({"shape": (2, 3)} | grid)).checked()  # type: ignore[arg-type]


def test_what_the_machine_refuses_is_no_damage(tmp_path: Path) -> None:
    cases = {
        MemoryError("64 GiB"): "needs more memory than is free",
        PermissionError(13, "Permission denied"): "you may not read it",
        OSError(5, "Input/output error"): "the disk or the network gave an error",
        OSError("Unable to open file (unable to open file, errno = 13, error message = 'Permission denied')"): "you may not read it",
    }
    for error, words in cases.items():
        with pytest.raises(ReaderError, match=words) as caught, readable_as("a file", tmp_path / "map.nc"):
            raise error
        assert "damaged" not in str(caught.value)
    with pytest.raises(ReaderError, match="incomplete, damaged"), readable_as("a file", tmp_path / "map.nc"):
        raise OSError("truncated file: eof = 96")
