"""Files that may come from a stranger: none shows another file's content, fills the memory, or changes unseen while it is read."""

import json
import os
import shutil
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import zarr

from napari_wse2xai.data import AxisKind, Explanation, Frame, Record, Results, SpectralMap, TrainedModel
from napari_wse2xai.errors import DataError, DataWarning, ReaderError, SettingsError
from napari_wse2xai.io import list_items, read, read_results, write_map, write_results
from napari_wse2xai.io.readers import netcdf as netcdf_reader
from napari_wse2xai.recipe import from_history
from napari_wse2xai.stages import CorrectResponse, FindFlake
from napari_wse2xai.stages.correct_response import Spectrum

NY, NX, N = 4, 3, 6
SECRET = b"root:x:0:0:root:/root:/bin/bash\n" * 40
HUGE = 1 << 33


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """What only this user may read."""
    (tmp_path / "passwd").write_bytes(SECRET)
    return tmp_path / "passwd"


@pytest.fixture
def source() -> SpectralMap:
    counts = np.arange(NY * NX * N, dtype=np.float32).reshape(NY, NX, N)
    return SpectralMap.from_arrays(
        counts,
        100.0 + np.arange(N),
        AxisKind.RAMAN_SHIFT,
        frame=Frame((NY, NX), (0.5, 0.25), (1.0, 2.0)),
        flake=np.ones((NY, NX), bool),
        repaired=np.zeros((NY, NX), np.uint16),
    )


def raw_elsewhere(file: h5py.File, name: str, secret: Path) -> None:
    file.create_dataset(name, (NY, NX, N), "f4", external=[(str(secret), 0, NY * NX * N * 4)])


def linked_elsewhere(file: h5py.File, name: str, secret: Path) -> None:
    with h5py.File(secret.with_suffix(".h5"), "w") as other:
        other["data"] = np.ones((NY, NX, N), np.float32)
    file[name] = h5py.ExternalLink(str(secret.with_suffix(".h5")), "/data")


def made_of_others(file: h5py.File, name: str, secret: Path) -> None:
    layout = h5py.VirtualLayout((NY, NX, N), "f4")
    with h5py.File(secret.with_suffix(".h5"), "w") as other:
        other["data"] = np.ones((NY, NX, N), np.float32)
    layout[...] = h5py.VirtualSource(str(secret.with_suffix(".h5")), "data", (NY, NX, N))
    file.create_virtual_dataset(name, layout)


@pytest.mark.parametrize("lead_out", [raw_elsewhere, linked_elsewhere, made_of_others])
@pytest.mark.parametrize(("name", "within"), [("map.nc", "counts"), ("map.nc", "flake"), ("map.hspy", "Experiments/x/data")])
def test_hdf5_that_shows_another_file_is_refused(tmp_path, source, secret, lead_out, name, within) -> None:
    path = tmp_path / name
    if name.endswith(".nc"):
        write_map(source, path)
    else:
        with h5py.File(path, "w") as file:
            for index, size in enumerate((NY, NX, N)):
                record = {"navigate": index < 2, "size": size, "scale": 1.0, "offset": 100.0, "units": "nm", "name": "a"}
                file.create_group(f"Experiments/x/axis-{index}").attrs.update(record)
    with h5py.File(path, "a") as file:
        if within in file:
            del file[within]
        lead_out(file, within, secret)
    for work in (read, list_items):
        with pytest.raises(ReaderError, match="lies in another file"):
            work(path)


def test_results_that_show_another_file_are_refused(tmp_path, source, secret) -> None:
    write_results(Results({"raman": source}, {}), tmp_path / "results.nc")
    with h5py.File(tmp_path / "results.nc", "a") as file:
        raw_elsewhere(file, "raman/map/other", secret)
    with pytest.raises(ReaderError, match="'raman/map/other' lies in another file"):
        read_results(tmp_path / "results.nc")


def test_links_within_a_file_are_followed(tmp_path, source) -> None:
    write_map(source, tmp_path / "map.nc")
    with h5py.File(tmp_path / "map.nc", "a") as file:
        file.move("flake", "kept")
        file["flake"] = h5py.SoftLink("/kept")
        file["nowhere"] = h5py.SoftLink("/none")
    np.testing.assert_array_equal(read(tmp_path / "map.nc").flake, source.flake)


def folder_of(path: Path, source: SpectralMap) -> Path:
    root = zarr.create_group(path, zarr_format=2)
    root.create_array("counts", data=source.counts, chunks=(2, NX, N), compressors=None).attrs["_ARRAY_DIMENSIONS"] = ["y", "x", "w"]
    array = root.create_array("w", data=source.axis.values)
    array.attrs.update({"_ARRAY_DIMENSIONS": ["w"], "units": "nm"})
    return path


@pytest.mark.skipif(os.name != "posix", reason="links need a right on Windows")
def test_a_folder_with_links_to_files_elsewhere_is_refused(tmp_path, source, secret) -> None:
    chunk = folder_of(tmp_path / "map.zarr", source) / "counts" / "0.0.0"
    whole = read(tmp_path / "map.zarr").counts
    secret.write_bytes(SECRET[: chunk.stat().st_size])
    chunk.rename(chunk.with_name("kept"))
    chunk.symlink_to(secret)
    for work in (read, list_items):
        with pytest.raises(ReaderError, match=r"'counts/0\.0\.0' is a link to a file elsewhere"):
            work(tmp_path / "map.zarr")
    chunk.unlink()
    chunk.symlink_to("kept")
    np.testing.assert_array_equal(read(tmp_path / "map.zarr").counts, whole)
    chunk.unlink()
    os.mkfifo(chunk)
    with pytest.raises(ReaderError, match="is a pipe"):
        read(tmp_path / "map.zarr")
    shutil.rmtree(tmp_path / "map.zarr" / "w")
    (tmp_path / "map.zarr" / "w").symlink_to(tmp_path)
    with pytest.raises(ReaderError, match="'w' is a link"):
        read(tmp_path / "map.zarr")


def never_written(file: h5py.Group, name: str) -> None:
    """In place of a data set one of the same dimensions that claims gigabytes and holds nothing."""
    old = file[name]
    shape, kind, attributes = old.shape, old.dtype, {key: value for key, value in old.attrs.items() if key == "units"}
    del file[name]
    huge = (HUGE, *shape[1:]) if len(shape) == 1 else (1 << 20, 1 << 13, *shape[2:])
    new = file.create_dataset(name, huge, kind, chunks=tuple(min(64, size) for size in huge))
    new.attrs.update(attributes)


def data_sets(path: Path) -> list[str]:
    found: list[str] = []
    with h5py.File(path) as file:
        file.visititems(lambda name, node: found.append(name) if isinstance(node, h5py.Dataset) and node.ndim else None)
    return found


def test_no_data_set_of_a_map_is_believed_a_size_that_the_file_cannot_hold(tmp_path, source) -> None:
    write_map(source, tmp_path / "map.nc")
    for name in data_sets(tmp_path / "map.nc"):
        shutil.copy(tmp_path / "map.nc", tmp_path / "huge.nc")
        with h5py.File(tmp_path / "huge.nc", "a") as file:
            never_written(file, name)
            del file.attrs["step_um"]  # as in others' files, whose grid is that of the coordinates
            file["counts"].attrs.pop("DIMENSION_LIST", None)
        with pytest.raises(ReaderError, match=r"claims \d+ values but holds") as caught:
            read(tmp_path / "huge.nc")
            pytest.fail(name)
        assert name in str(caught.value)


def test_nor_any_of_results(tmp_path, source, raman_peaks, trained: TrainedModel, explanation: Explanation) -> None:
    """Whatever is read of them is guarded: a data set that claims too much is refused, or is not read."""
    whole = tmp_path / "results.nc"
    write_results(Results({"raman": source}, {"raman": raman_peaks}, model=trained, explanation=explanation), whole)
    refused, names = 0, data_sets(whole)[::9]
    for name in names:
        shutil.copy(whole, tmp_path / "huge.nc")
        with h5py.File(tmp_path / "huge.nc", "a") as file:
            never_written(file, name)
        try:
            read_results(tmp_path / "huge.nc")
        except ReaderError as error:
            refused += 1
            assert "memory" not in str(error), name
            assert "allocate" not in str(error), name
    assert refused > 0.5 * len(names)


@pytest.mark.parametrize("name", ["hugeflake.nc", "hugerep.nc", "hugespec.nc"])
def test_the_ten_kilobytes_that_asked_for_gigabytes(shared_data, name) -> None:
    path = shared_data.parent / "cases" / "faults" / name
    if not path.exists():
        pytest.skip("the made-up cases are not on this machine")
    with pytest.raises(ReaderError, match="claims 8589934592 values but holds 0 bytes"):
        read(path)


def test_a_chunk_larger_than_its_data_set_is_refused(tmp_path, source) -> None:
    write_map(source, tmp_path / "map.nc")
    with h5py.File(tmp_path / "map.nc", "a") as file:
        del file["flake"]
        file.create_dataset("flake", (NY, NX), np.int8, chunks=(1 << 15, 1 << 15), maxshape=(None, None), compression="gzip")
    with pytest.raises(ReaderError, match="claims"):
        read(tmp_path / "map.nc")


def test_a_folder_whose_arrays_claim_what_their_files_cannot_hold(tmp_path, source) -> None:
    for name, change in (("w", {"shape": [HUGE], "chunks": [64]}), ("counts", {"chunks": [1 << 15, 1 << 15, N]})):
        path = folder_of(tmp_path / f"{name}.zarr", source) / name / ".zarray"
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
        with pytest.raises(ReaderError, match="claims"):
            read(tmp_path / f"{name}.zarr")


def test_what_is_compressed_twice_is_refused(tmp_path, source) -> None:
    write_map(source, tmp_path / "map.nc")
    with h5py.File(tmp_path / "map.nc", "a") as file:
        del file["counts"]
        how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        how.set_chunk((NY, NX, N))
        how.set_deflate(9)
        how.set_deflate(9)
        space = h5py.h5s.create_simple((NY, NX, N))
        h5py.h5d.create(file.id, b"counts", h5py.h5t.IEEE_F32LE, space, how).write(h5py.h5s.ALL, h5py.h5s.ALL, source.counts)
    with pytest.raises(ReaderError, match="compressed twice"):
        read(tmp_path / "map.nc")


@pytest.mark.parametrize("kind", [np.complex64, np.complex128])
def test_complex_counts_are_refused(tmp_path, source, kind) -> None:
    write_map(source, tmp_path / "map.nc")
    with h5py.File(tmp_path / "map.nc", "a") as file:
        del file["counts"]
        file["counts"] = source.counts.astype(kind)
    with pytest.raises(ReaderError, match="holds complex numbers, counts are real"):
        read(tmp_path / "map.nc")
    array = zarr.open_group(folder_of(tmp_path / "map.zarr", source), mode="a")
    del array["counts"]
    array.create_array("counts", data=source.counts.astype(kind)).attrs["_ARRAY_DIMENSIONS"] = ["y", "x", "w"]
    with pytest.raises(ReaderError, match="holds complex numbers"):
        read(tmp_path / "map.zarr")


@pytest.mark.parametrize("when", ["before it is read", "after it is read"])
def test_a_file_that_changes_while_it_is_read_is_told(tmp_path, source, monkeypatch, when) -> None:
    """The checksum in the history would be of other bytes than those that were read."""
    path, plain = tmp_path / "map.nc", netcdf_reader.read
    write_map(source, path)
    write_map(SpectralMap(source.frame, source.axis, source.counts + 1), tmp_path / "other.nc")

    def changing(place: Path, item: str | None, unit: str | None) -> SpectralMap:
        time.sleep(0.05)  # the checksum is taken meanwhile
        found = plain(place, item, unit) if when == "after it is read" else None
        path.write_bytes((tmp_path / "other.nc").read_bytes())
        return found or plain(place, item, unit)

    monkeypatch.setattr(netcdf_reader, "read", changing)
    with pytest.raises(ReaderError, match=r"'map\.nc' was changed while it was read"):
        read(path)


HISTORIES = [
    "77",
    "[7]",
    '[{"step": ["FindFlake"], "settings": {}}]',
    '[{"step": "FindFlake", "settings": "k"}]',
    '[{"step": "FindFlake", "settings": {}, "seconds": "long"}]',
    '[{"step": "FindFlake", "settings": {}, "version": null}]',
    '[{"step": "FindFlake", "settings": {"k": ' + "[" * 100 + "]" * 100 + "}}]",
    "[" * 100_000,
    '[{"step": "FindFlake", "settings": {}, "extra": 1}]',
]


@pytest.mark.parametrize("text", HISTORIES)
def test_a_history_that_is_none_is_refused(tmp_path, source, text) -> None:
    write_map(source, tmp_path / "map.nc")
    with h5py.File(tmp_path / "map.nc", "a") as file:
        file.attrs["history"] = text if text.startswith("[") else f"[{text}]"
    with pytest.raises(DataError, match="history in the file is damaged"):
        read(tmp_path / "map.nc")


def test_a_strangers_history_is_checked_like_a_recipe_and_opens_no_file(source, secret) -> None:
    def made_with(step: str, **settings: object) -> SpectralMap:
        return source.with_record(Record(step, settings, "0.1"))

    spectrum = Spectrum(axis=(1.0, 2.0), values=(1.0, 1.0))
    assert from_history(made_with("CorrectResponse", dark=spectrum.model_dump(mode="json"))).stages == (CorrectResponse(dark=spectrum),)
    secret.write_text("1 1\n2 2\n3 4\n")
    with pytest.raises(SettingsError, match="dark: a history holds its spectra themselves"):
        from_history(made_with("CorrectResponse", dark=str(secret)))
    with pytest.raises(SettingsError, match=r"does not know \(k: Input should be a valid number"):
        from_history(made_with("FindFlake", k=["a"]))
    with pytest.raises(SettingsError, match="Extra inputs are not permitted"):
        from_history(made_with("FindFlake", kk=1))
    assert from_history(made_with("FindFlake", k=4)).stages == (FindFlake(k=4),)


def test_our_own_results_are_opened_as_ever(tmp_path, source) -> None:
    from dataclasses import replace

    write_map(replace(source, history=(Record("FindFlake", {"k": 5.0}, "0.1", 1.0),)), tmp_path / "map.nc")
    assert read(tmp_path / "map.nc").history[0].settings == {"k": 5.0}
    with pytest.warns(DataWarning, match="flake and history is damaged"):
        from napari_wse2xai.io.table_kept import restored

        restored(source, '{"name": "a", "history": [{"step": 7, "settings": {}}]}')


@pytest.mark.parametrize("lead_out", [raw_elsewhere, linked_elsewhere, made_of_others])
@pytest.mark.parametrize("name", ["map.h5", "map.nxs", "map.mat"])
@pytest.mark.filterwarnings("ignore::napari_wse2xai.errors.DataWarning")
def test_an_array_beside_one_that_lies_elsewhere_is_read(tmp_path, source, secret, lead_out, name) -> None:
    path = tmp_path / name
    with h5py.File(path, "w") as file:
        file["counts"] = source.counts
        file["wavelength_nm"] = source.axis.values + 400
        lead_out(file, "other/secret", secret)
        file["through"] = h5py.SoftLink("/other/secret")
        file["round"] = h5py.SoftLink("/round")
        file["deeper"] = h5py.ExternalLink(str(secret), "/")
        file["within"] = h5py.SoftLink("/deeper/x/y")
    np.testing.assert_array_equal(read(path).counts, source.counts)
    listed = {item.name: item.what for item in list_items(path)}
    assert "lies in another file" in listed["other/secret"]
    assert "lies in another file" in listed["deeper"]
    with pytest.raises(ReaderError, match="lies in another file"):
        read(path, "other/secret")
    del_counts(path)
    with pytest.raises(ReaderError, match="lies in another file"):
        read(path)


def del_counts(path: Path) -> None:
    with h5py.File(path, "a") as file:
        del file["counts"], file["wavelength_nm"]


def test_nothing_is_opened_on_the_way_to_what_lies_elsewhere(tmp_path, secret, monkeypatch) -> None:
    with h5py.File(secret.with_suffix(".h5"), "w") as other:
        other.create_group("Experiments").attrs["x"] = 1
    with h5py.File(tmp_path / "map.h5", "w") as file:
        file["Experiments"] = h5py.ExternalLink(str(secret.with_suffix(".h5")), "/Experiments")
        file["counts"], file["wavelength_nm"] = np.ones((2, 3, 20)), np.arange(20) + 500.0
    secret.with_suffix(".h5").write_bytes(b"no HDF5: an error, if it were opened")
    with pytest.warns(DataWarning):
        assert read(tmp_path / "map.h5").counts.shape == (2, 3, 20)


def test_complex_counts_are_refused_in_part_too(tmp_path) -> None:
    with h5py.File(tmp_path / "map.hspy", "w") as file:
        file.attrs["file_format"] = "HyperSpy"
        file["Experiments/x/data"] = np.ones((2, NY, NX, N), np.complex64)
        for index, size in enumerate((2, NY, NX, N)):
            record = {"navigate": index < 3, "size": size, "scale": 1.0, "offset": 100.0, "units": "s" if not index else "nm", "name": "a"}
            file.create_group(f"Experiments/x/axis-{index}").attrs.update(record)
    with pytest.raises(ReaderError, match="complex numbers"), pytest.warns(DataWarning, match="more than one item"):
        read(tmp_path / "map.hspy")


def test_a_part_of_packed_numbers_is_unpacked(tmp_path) -> None:
    values = np.arange(2 * NY * NX * 12, dtype=np.int16).reshape(2, NY, NX, 12)
    with h5py.File(tmp_path / "map.h5", "w") as file:
        file["counts"], file["wavelength_nm"], file["time"] = values, np.arange(12) + 500.0, np.arange(2.0)
        file["counts"].attrs.update({"scale_factor": 0.5, "add_offset": 100.0})
    with pytest.warns(DataWarning):
        found = read(tmp_path / "map.h5")
    np.testing.assert_array_equal(found.counts, 100 + 0.5 * values[0])
