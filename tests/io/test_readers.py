"""Choice of the format, and files that are not what they seem, for every format alike."""

from importlib import import_module

import numpy as np
import pytest

from napari_wse2xai.errors import DataError, ReaderError
from napari_wse2xai.io import FORMATS, list_items, read

SUFFIXES = sorted({pattern.lstrip("*") for entry in FORMATS for pattern in entry.patterns})


@pytest.mark.parametrize("entry", FORMATS, ids=lambda entry: entry.name)
def test_every_format_has_what_the_table_promises(entry):
    reader = import_module(f"napari_wse2xai.io.readers.{entry.module}")
    assert callable(reader.read)
    shared = [other for other in FORMATS if set(other.patterns) & set(entry.patterns)]
    assert entry is shared[-1] or callable(reader.recognises)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("action", [read, list_items])
@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8,
        b"<html>no map</html>",
        b"\n\n\n",
        b"\t\t\t",
        b"\0",
        b"\xff\xfe#\0",
        np.random.default_rng(0).bytes(5000),
    ],
    ids=["png", "html", "newlines", "tabs", "zero", "utf-16", "noise"],
)
def test_wrong_content_under_a_right_name(tmp_path, suffix, content, action):
    path = tmp_path / f"flake{suffix}"
    path.write_bytes(content)
    with pytest.raises((ReaderError, DataError)) as caught:
        action(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_empty_file(tmp_path, suffix):
    (tmp_path / f"flake{suffix}").touch()
    with pytest.raises(ReaderError, match="empty"):
        read(tmp_path / f"flake{suffix}")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_missing_file_and_folder(tmp_path, suffix):
    with pytest.raises(ReaderError, match="does not exist"):
        read(tmp_path / f"none{suffix}")
    (tmp_path / f"folder{suffix}").mkdir()
    is_store = any(entry.is_folder for entry in FORMATS if f"*{suffix}" in entry.patterns)
    with pytest.raises(ReaderError, match="cannot be read as" if is_store else "is a folder"):
        read(str(tmp_path / f"folder{suffix}"))


def test_unknown_suffix_names_the_known_ones(tmp_path):
    (tmp_path / "flake.docx").write_bytes(b"PK")
    with pytest.raises(ReaderError, match=r"no known format.*\.nc.*\.txt\.gz.*\.wip"):
        read(tmp_path / "flake.docx")


def test_plain_text_named_gz_is_told(tmp_path):
    (tmp_path / "map.txt.gz").write_text("\t\t1\t2\n0\t0\t1\t2\n")
    with pytest.raises(ReaderError, match=r"cannot be read as a text table.*gzip"):
        read(tmp_path / "map.txt.gz")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("map.l6m", "Horiba LabSpec.*export it as text"),
        ("point.L6S", "Horiba LabSpec.*export it as text"),
        ("scan.0", "Bruker OPUS.*data point table"),
        ("scan.12", "Bruker OPUS.*data point table"),
    ],
)
@pytest.mark.parametrize("action", [read, list_items])
def test_a_known_format_that_is_not_read_names_the_way_out(tmp_path, name, words, action):
    (tmp_path / name).write_bytes(b"LabSpec6 or anything")
    with pytest.raises(ReaderError, match=words):
        action(tmp_path / name)
