"""Stitched spectra in files of every kind: refused with the option's name, joined where the user asks for it."""

import warnings

import h5py
import numpy as np
import pytest
from scipy.io import savemat
from wdf_file import origins, plan, wdf_bytes

from napari_wse2xai import cli
from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.io import list_items, read, write_map

Y, X = (10.0, 12.0, 14.0), (-3.0, -1.5, 0.0, 1.5)
LOW, HIGH = 150 + 1.5 * np.arange(40), 196.2 + 1.5 * np.arange(50)
"""150 to 208.5 and 196.2 to 269.7 cm-1."""
AXIS = np.concatenate([LOW, HIGH])
WEAKER = 1.25


def light(values):
    """Spectra (3, 4, n) by formula: slopes and a broad line outside of the overlap, in which straight lines are exact."""
    row, column = np.indices((len(Y), len(X)))[..., None]
    line = np.where((values > 196) & (values < 209), 0, (400 + 50 * row + 10 * column) / (1 + ((values - 240) / 8) ** 2))
    return 1000 + 2.0 * values + 30 * row + 5 * column + line


COUNTS = np.concatenate([light(LOW), light(HIGH) / WEAKER], axis=-1)
FLAT = COUNTS.reshape(-1, len(AXIS))


def write_labspec(path):
    head = "#AxisUnit[1]=\t1/cm\n#AxisType[2]=X\n#AxisType[3]=Y\n"
    lines = ["\t".join(["", "", *map(str, AXIS)])]
    lines += ["\t".join(map(str, [y, x, *COUNTS[i, j]])) for i, y in enumerate(Y) for j, x in enumerate(X)]
    path.write_text(head + "\n".join(lines) + "\n")


def write_long(path):
    lines = [f"{x}\t{y}\t{w}\t{c}" for i, y in enumerate(Y) for j, x in enumerate(X) for w, c in zip(AXIS, COUNTS[i, j], strict=True)]
    path.write_text("#X\t#Y\t#Raman shift (cm-1)\t#Intensity\n" + "\n".join(lines) + "\n")


def rows_of_wide():
    yield ["x", "y", *AXIS.tolist()]
    yield from ([x, y, *COUNTS[i, j].tolist()] for i, y in enumerate(Y) for j, x in enumerate(X))


def write_wide(path):
    path.write_text("\n".join(",".join(map(str, row)) for row in rows_of_wide()) + "\n")


def write_xlsx(path):
    book = pytest.importorskip("openpyxl").Workbook()
    for row in rows_of_wide():
        book.active.append(row)
    book.save(path)


def write_mat(path):
    savemat(path, {"counts": COUNTS, "raman_shift": AXIS, "y": np.array(Y), "x": np.array(X)})


def write_npz(path):
    np.savez(path, counts=COUNTS, raman_shift=AXIS, y=Y, x=X)


def write_h5(path):
    with h5py.File(path, "w") as file:
        for name, values in (("counts", COUNTS), ("raman_shift", AXIS), ("y", Y), ("x", X)):
            file[name] = values


def write_npy(path):
    np.save(path, COUNTS)
    np.savetxt(path.with_name("map_axis.txt"), AXIS, header="Raman shift (cm-1)", comments="")


def write_wdf(path):
    y, x = (values.ravel() for values in np.meshgrid(Y, X, indexing="ij"))
    path.write_bytes(wdf_bytes(FLAT.astype(np.float32), AXIS, origins(y, x, 12), plan((3, 4), (2.0, 1.5), (10.0, -3.0))))


FILES = {
    "map.txt": write_labspec,
    "long.txt": write_long,
    "wide.csv": write_wide,
    "map.xlsx": write_xlsx,
    "map.mat": write_mat,
    "map.npz": write_npz,
    "map.h5": write_h5,
    "map.npy": write_npy,
    "map.wdf": write_wdf,
}


@pytest.fixture(params=FILES)
def path(request, tmp_path):
    place = tmp_path / request.param
    FILES[request.param](place)
    return place


def quietly(path, **told):
    """Map, and what its warnings say of the joining."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        found = read(path, **told)
    return found, [str(each.message) for each in caught if "joined" in str(each.message)]


def test_it_is_listed_and_refused_with_the_name_of_the_option(path):
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always", DataWarning)
        (item,) = list_items(path)
    assert item.shape[:2] == (3, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        with pytest.raises(DataError, match=r"turns back at 196\.2 cm-1.*option 'overlap'.*--overlap scale"):
            read(path)


def test_pieces_are_joined_where_it_is_asked_for(path):
    found, (words,) = quietly(path, unit="cm-1", overlap="scale")
    assert "over 196.2 to 208.5 cm-1, the second multiplied by 1.25" in words
    assert (np.diff(found.axis.values) > 0.7).all()
    assert found.axis.span == (150.0, pytest.approx(269.7))
    np.testing.assert_allclose(found.counts, light(found.axis.values), rtol=2e-5)
    assert found.history[-1].settings["overlap"] == "scale"
    assert "multiplied by 1.25" in found.metadata["Joined"]
    plain, (words,) = quietly(path, unit="cm-1", overlap="blend")
    assert "as they were measured" in words
    over = plain.axis.values > 209
    np.testing.assert_allclose(plain.counts[..., over], light(plain.axis.values)[..., over] / WEAKER, rtol=2e-5)


def test_the_command_line_joins_and_keeps_what_was_done(tmp_path, capsys):
    write_labspec(tmp_path / "map.txt")
    arguments = ["convert", str(tmp_path / "map.txt"), str(tmp_path / "map.nc")]
    assert cli.main(arguments) == 2
    assert "--overlap scale" in capsys.readouterr().err
    assert not (tmp_path / "map.nc").exists()
    assert cli.main([*arguments, "--overlap", "scale"]) == 0
    assert "multiplied by 1.25" in capsys.readouterr().err
    again = read(tmp_path / "map.nc")
    assert again.metadata["Joined"].startswith("two pieces of its spectral axis were joined over 196.2")


def test_a_spectrum_at_one_place_twice_is_two_spectra_not_two_pieces(tmp_path):
    lines = [f"1.0\t{w}\t{w + 100 * repeat}" for repeat in range(2) for w in LOW]
    (tmp_path / "twice.txt").write_text("#X\t#Raman shift (cm-1)\t#Intensity\n" + "\n".join(lines) + "\n")
    with pytest.warns(DataWarning, match="at one place"):
        found = read(tmp_path / "twice.txt")
    np.testing.assert_allclose(found.counts[:, 0], [LOW, LOW + 100], rtol=1e-6)


def test_a_map_of_this_package_is_never_taken_for_a_stitched_one(small_map, tmp_path):
    write_map(small_map, tmp_path / "map.nc")
    assert np.array_equal(read(tmp_path / "map.nc", overlap="scale").counts, small_map.counts)


@pytest.fixture
def small_map(tmp_path):
    write_labspec(tmp_path / "map.txt")
    return quietly(tmp_path / "map.txt", overlap="blend")[0]
