"""results.nc: everything comes back, and xarray reads it."""

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest
import xarray

from napari_wse2xai.data import PARAMETERS, AxisKind, Frame, PairedMaps, PeakMaps, Record, Results, SpectralMap, Status, Transform
from napari_wse2xai.data import history as histories
from napari_wse2xai.errors import DataWarning, ReaderError, UserError
from napari_wse2xai.io import list_items, read, read_results, write_map, write_results
from napari_wse2xai.stages import Deconvolve, Despike, Peak

ARRAYS = (*PARAMETERS, *(f"{name}_error" for name in PARAMETERS), "status", "reduced_chi2")


def make_map(seed, kind, low, high):
    rng = np.random.default_rng(seed)
    return SpectralMap.from_arrays(
        rng.normal(100, 5, (4, 3, 40)),
        np.linspace(low, high, 40),
        kind,
        frame=Frame((4, 3), (-0.3, 0.7), (1.0, 2.0), "flake 1"),
        laser_nm=532.0,
        name=f"map {seed}",
        flake=rng.random((4, 3)) > 0.5,
        repaired=rng.integers(0, 3, (4, 3)).astype(np.uint16),
        metadata={"Objective": "x100"},
        history=(Record("read", {"file": "a.txt", "sha256": "ff"}, "0.1", 0.5), Record("FindFlake", {"k": 5.0}, "0.1")),
    )


def make_peaks(source, names):
    rng = np.random.default_rng(7)
    shape = (len(names), *source.frame.shape)
    values = {name: rng.normal(size=shape).astype(np.float32) for name in ARRAYS[:6]}
    values["height"][:, 0, 0] = np.nan
    return PeakMaps(
        source.frame,
        source.axis,
        names,
        ("lorentzian",) * len(names),
        tuple((100.5 + i, 200.25) for i in range(len(names))),
        **values,
        status=rng.choice([code.value for code in Status], source.frame.shape).astype(np.uint8),
        reduced_chi2=rng.random(source.frame.shape).astype(np.float32),
        name=source.name,
        metadata=source.metadata,
        history=(*source.history, Record("Deconvolve", {"peaks": [{"name": name} for name in names]}, "0.1", 3.0)),
    )


@pytest.fixture
def results():
    raman, pl = make_map(1, AxisKind.RAMAN_SHIFT, 100, 400), make_map(2, AxisKind.ENERGY, 1.5, 1.8)
    return Results(
        {"raman": raman, "pl": pl},
        {"raman": make_peaks(raman, ("A1'", "2LA(M) µ")), "pl": make_peaks(pl, ("X",))},
        "preset: wse2-532\n# ü\n",
    )


def assert_same_peaks(found, wanted):
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
        assert getattr(found, name).dtype == getattr(wanted, name).dtype
    for name in ("frame", "names", "shapes", "windows", "name", "intensity_unit", "metadata", "history"):
        assert getattr(found, name) == getattr(wanted, name)
    np.testing.assert_array_equal(found.axis.values, wanted.axis.values)
    assert (found.axis.kind, found.axis.laser_nm) == (wanted.axis.kind, wanted.axis.laser_nm)


def test_round_trip(results, tmp_path):
    write_results(results, tmp_path / "results.nc")
    found = read_results(tmp_path / "results.nc")
    assert list(found.maps) == list(found.peaks) == ["raman", "pl"]
    assert found.recipe == results.recipe
    for modality in ("raman", "pl"):
        assert_same_peaks(found.peaks[modality], results.peaks[modality])
        for name in ("counts", "flake", "repaired"):
            np.testing.assert_array_equal(getattr(found.maps[modality], name), getattr(results.maps[modality], name))
        assert found.maps[modality].frame == results.maps[modality].frame
        assert found.maps[modality].history == results.maps[modality].history


def test_one_modality_and_no_flake_and_no_peaks(results, tmp_path):
    bare = replace(results.maps["pl"], flake=None, repaired=None)
    write_results(Results({"pl": bare}), tmp_path / "results.nc")
    found = read_results(tmp_path / "results.nc")
    assert (found.maps["pl"].flake, found.maps["pl"].repaired, found.peaks) == (None, None, {})


def test_xarray_reads_the_groups_of_the_contract(results, tmp_path):
    write_results(results, tmp_path / "results.nc")
    with xarray.open_datatree(tmp_path / "results.nc") as tree:
        for modality, unit in (("raman", "cm-1"), ("pl", "eV")):
            assert tree[f"/{modality}/map/counts"].dims == ("y", "x", "spectral")
            assert tree[f"/{modality}/map/spectral"].attrs["units"] == unit
            assert tree[f"/{modality}/map"].attrs["laser_nm"] == 532.0
            assert tree[f"/{modality}/flake/flake"].dims == ("y", "x")
            peaks = tree[f"/{modality}/peaks"]
            for parameter in PARAMETERS:
                assert peaks[parameter].dims == peaks[f"{parameter}_error"].dims == ("peak", "y", "x")
            assert peaks["position"].attrs["units"] == unit
            assert peaks["reduced_chi2"].dims == ("y", "x")
        assert list(tree["/raman/peaks/peak"].values) == ["A1'", "2LA(M) µ"]
        assert tree.attrs["recipe"] == results.recipe
        status = tree["/raman/peaks/status"]
        assert list(status.attrs["flag_values"]) == [code.value for code in Status]
        assert status.attrs["flag_meanings"].split() == [code.meaning.replace(" ", "_") for code in Status]


def test_every_group_has_its_history(results, tmp_path):
    write_results(results, tmp_path / "results.nc")
    with xarray.open_datatree(tmp_path / "results.nc") as tree:
        found = {node.path: [record.step for record in histories.from_json(node.attrs["history"])] for node in tree.subtree}
    assert set(found) == {"/", *(f"/{m}{part}" for m in ("raman", "pl") for part in ("", "/map", "/flake", "/peaks"))}
    assert found["/raman/peaks"] == found["/raman"] == ["read", "FindFlake", "Deconvolve"]
    assert found["/pl/flake"] == ["read", "FindFlake"]


def test_maps_in_results_are_items(results, tmp_path):
    path = tmp_path / "results.nc"
    write_results(results, path)
    assert {item.name for item in list_items(path)} == {"raman/map", "pl/map"}
    found = read(path, "pl/map")
    np.testing.assert_array_equal(found.counts, results.maps["pl"].counts)
    np.testing.assert_array_equal(found.flake, results.maps["pl"].flake)
    with pytest.warns(DataWarning, match="more than one item"):
        read(path)


def test_what_is_no_result(results, tmp_path):
    with pytest.raises(ReaderError, match="does not exist"):
        read_results(tmp_path / "none.nc")
    (tmp_path / "bad.nc").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    with pytest.raises(ReaderError, match="cannot be read as NetCDF-4"):
        read_results(tmp_path / "bad.nc")
    write_map(results.maps["pl"], tmp_path / "map.nc")
    with pytest.raises(ReaderError, match="no results of a run"):
        read_results(tmp_path / "map.nc")
    write_results(results, tmp_path / "cut.nc")
    content = (tmp_path / "cut.nc").read_bytes()
    (tmp_path / "cut.nc").write_bytes(content[: len(content) // 2])
    with pytest.raises(ReaderError):
        read_results(tmp_path / "cut.nc")


@pytest.mark.parametrize("shape", [[1 << 20, 1 << 15], [-4, 3], [1 << 40, 3]])
def test_a_pl_scan_that_no_file_can_hold_is_refused(results, tmp_path, shape) -> None:
    raman, pl = results.peaks["raman"], results.peaks["pl"]
    paired = PairedMaps(raman, replace(pl, frame=raman.frame), pl.frame, Transform.identity(), 0.1, 0.05, 0.9, "stage coordinates")
    write_results(replace(results, paired=paired), tmp_path / "results.nc")
    assert read_results(tmp_path / "results.nc").paired.pl_frame == pl.frame
    with h5py.File(tmp_path / "results.nc", "a") as file:
        record = json.loads(file["pair"].attrs["pl_frame"]) | {"shape": shape}
        file["pair"].attrs["pl_frame"] = json.dumps(record)
    with pytest.raises(UserError, match=r"more than the file can hold|is none") as caught:
        read_results(tmp_path / "results.nc")
    assert "\n" not in str(caught.value)


def test_what_is_known_of_single_channels_comes_back_and_a_fit_from_the_file_is_the_same(tmp_path):
    rng = np.random.default_rng(0)
    x = np.arange(200.0, 300.0)
    counts = 500 / (1 + ((x - 250) / 3) ** 2) + 100 + rng.normal(0, 3, (6, 9, 100))
    counts[..., 20] = np.nan  # dead everywhere
    counts[2, 3, 70] = np.nan  # a gap
    counts[4, 5:8] = np.minimum(counts[4, 5:8] * 3, 600)  # clipped
    source = SpectralMap.from_arrays(counts.astype(np.float32), x, AxisKind.RAMAN_SHIFT)
    with pytest.warns(DataWarning, match="nothing in any pixel"):
        clean = Despike()(source)
    assert len(clean.saturated)
    assert clean.bad_channels.tolist() == [20]
    write_map(clean, tmp_path / "clean.nc")
    back = read(tmp_path / "clean.nc")
    for name in ("replaced", "saturated", "bridged", "bad_channels"):
        assert np.array_equal(getattr(back, name), getattr(clean, name)), name
    assert read(tmp_path / "clean.nc", swap_xy=True).saturated[:, 1].max() == 4
    stage = Deconvolve(peaks=(Peak(name="A", position=250, fwhm=6, window=(210, 290)),))
    with pytest.warns(DataWarning, match="saturated"):
        before = stage(clean)
    with pytest.warns(DataWarning, match="saturated"):
        after = stage(back)
    assert np.array_equal(before.status, after.status)
    assert (before.status == Status.SATURATED).sum() == 3


def test_nothing_asked_and_nothing_found_are_told_apart(tmp_path):
    source = SpectralMap.from_arrays(np.random.default_rng(0).normal(100, 3, (4, 5, 60)), np.arange(60.0), AxisKind.RAMAN_SHIFT)
    write_map(source, tmp_path / "raw.nc")
    write_map(replace(source, saturated=np.empty((0, 3), dtype=np.int32)), tmp_path / "asked.nc")
    assert read(tmp_path / "raw.nc").saturated is None
    assert read(tmp_path / "asked.nc").saturated.shape == (0, 3)
