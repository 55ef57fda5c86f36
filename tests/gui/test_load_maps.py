"""Load maps: what is in a file is seen before loading; what is said of it is kept; nothing wrong stays unsaid."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, Picture, SpectralMap
from napari_wse2xai.data.acquisition import Acquisition
from napari_wse2xai.errors import DataError, DataWarning, ReaderError
from napari_wse2xai.gui.contributions import read_layers
from napari_wse2xai.gui.maps.load_maps import LoadMaps, described
from napari_wse2xai.gui.session import contents
from napari_wse2xai.io import Item, list_items, read, write_map
from napari_wse2xai.layers import shown_in
from napari_wse2xai.session import opening
from napari_wse2xai.session.opening import PL, RAMAN, ItemChoice, all_of, as_measured, listing_of, opened


@pytest.fixture
def panel(viewer) -> LoadMaps:
    widget = LoadMaps(viewer)
    viewer.window.add_dock_widget(widget)
    yield widget
    widget.close()


def test_a_file_is_looked_into_chosen_from_and_loaded(panel: LoadMaps, viewer, settle, small: SpectralMap, light: SpectralMap, tmp_path):
    for name, source in (("raman", small), ("pl", light)):
        write_map(source, tmp_path / f"{name}.nc")
    (tmp_path / "broken.nc").write_bytes(b"no map")
    assert [panel.unit.itemText(index) for index in range(1, panel.unit.count())] == ["cm-1", "nm", "eV", "abs. cm-1"]
    panel.look_into([tmp_path / name for name in ("raman.nc", "broken.nc", "pl.nc")])
    settle(lambda: panel.tree.topLevelItemCount() == 3 and not panel.work.runner.busy)
    assert "'broken.nc' cannot be read" in panel.work.message.text()
    assert panel.choice().path.name == "raman.nc"
    assert panel.measures.currentData() == RAMAN
    assert "16 × 12 pixels, 101 channels" in panel.details.text()
    panel.tree.setCurrentItem(panel.tree.topLevelItem(2).child(0))
    assert panel.measures.currentData() == PL
    panel.laser.setValue(488.0)
    panel.work.begin_button.click()
    settle(lambda: len(viewer.layers) == 1)
    loaded = contents.map_of(viewer.layers[0])
    assert (loaded.axis.kind, loaded.axis.laser_nm, loaded.frame) == (AxisKind.ENERGY, 488.0, light.frame)
    assert np.array_equal(loaded.counts, light.counts)
    assert loaded.history[-1].settings == {"measures": PL, "laser_nm": 488.0}
    settle(lambda: not panel.work.runner.busy)
    assert (panel.work.message.text(), panel.work.begin_button.isEnabled()) == ("Loaded.", True)


def test_of_a_file_without_anything_in_it_the_reason_stays(panel: LoadMaps, settle, tmp_path):
    (tmp_path / "broken.nc").write_bytes(b"no map")
    panel.look_into([tmp_path / "broken.nc"])
    settle(lambda: panel.tree.topLevelItemCount() == 1 and not panel.work.runner.busy)
    assert "'broken.nc' cannot be read" in panel.work.message.text() and not panel.work.begin_button.isEnabled()
    panel.look_into([tmp_path / "broken.nc"])
    panel.work.cancel_button.click()
    assert panel.work.bar.isHidden() and not panel.work.runner.busy


def test_pictures_come_below_the_map_and_once_only(panel: LoadMaps, viewer, settle, small: SpectralMap):
    below = Picture(small.frame, np.ones(small.frame.shape, np.float32), "Height", "nm")
    for number in range(2):
        panel._on_loaded([below, small])
        assert len(viewer.layers) == 2 * number  # they come in turns
        settle()
    assert [shown_in(layer.metadata).part for layer in viewer.layers] == ["picture", "map", "map"]
    assert viewer.layers[0].units[0] == viewer.layers[1].units[-1]


def test_nothing_can_be_loaded_before_something_is_chosen(panel: LoadMaps):
    assert panel.choice() is None
    assert not panel.work.begin_button.isEnabled()
    panel.load()
    assert not panel.work.runner.busy


def test_a_file_with_no_spectra_gives_its_pictures(shared_data):
    layers = read_layers(str(shared_data / "ntmdt" / "GaAs_map.mdt"))
    assert [(kind, keywords["name"]) for _, keywords, kind in layers] == [("image", "1F:Iprobe (nA)"), ("image", "1B:Iprobe (nA)")]


def test_what_is_not_optical_cannot_be_chosen(shared_data):
    path = shared_data / "ntmdt" / "GaAs_map.mdt"
    items = {item.name: item for item in list_items(path)}
    (picture,) = opened(ItemChoice(path, items["1B:Iprobe"]))
    assert (picture.name, picture.frame.shape) == ("1B:Iprobe", (256, 256))
    with pytest.raises(ReaderError, match="not optical"):
        opened(ItemChoice(path, items["I_(BV)"]))


def test_a_raman_map_in_nm_gets_a_raman_shift(shared_data):
    path = shared_data / "ntmdt" / "Spectra.mdt"
    (item, _) = list_items(path)
    (spectrum,) = opened(ItemChoice(path, item, RAMAN))
    assert spectrum.axis.kind is AxisKind.RAMAN_SHIFT
    assert spectrum.axis.span == pytest.approx((17.06, 845.8), abs=1.0)
    assert [record.step for record in spectrum.history] == ["read", "load", "ConvertAxis"]


def test_a_map_that_nothing_is_said_of_stays_as_it_is(small: SpectralMap):
    assert as_measured(small, None, None) is small
    assert as_measured(small, PL, 532.0).axis.kind is AxisKind.ENERGY


def test_what_is_known_is_told_before_loading():
    item = Item("a < b", (3, 4, 5), "88–2821 cm-1", step_um=(0.5, 0.25), laser_nm=532.0, date="today", objective="x100")
    assert list(described(item)) == [
        "<b>a &lt; b</b>: 4 × 3 pixels, 5 channels",
        "Axis: 88–2821 cm-1",
        "Step: 0.25 × 0.5 µm (x × y)",
        "Laser: 532 nm",
        "Date: today",
        "Objective: x100",
    ]


def test_a_missing_file_is_told_and_the_others_listed(tmp_path, small: SpectralMap):
    write_map(small, tmp_path / "here.nc")
    gone, here = listing_of([tmp_path / "gone.nc", tmp_path / "here.nc"])
    assert "does not exist" in gone.problem
    assert (here.problem, here.items[0].shape) == ("", (12, 16, 101))
    with pytest.raises(ReaderError, match="does not exist"):
        all_of(tmp_path / "gone.nc")


def test_a_damaged_picture_keeps_no_map_from_being_opened(tmp_path, small: SpectralMap, monkeypatch):
    def damaged(path):
        raise ReaderError("the picture is damaged; copy the file again.")

    monkeypatch.setattr(opening, "pictures", damaged)
    write_map(small, tmp_path / "map.nc")
    with pytest.warns(DataWarning, match="the picture is damaged"):
        (found,) = all_of(tmp_path / "map.nc")
    assert found.frame == small.frame
    with pytest.raises(ReaderError, match="does not exist"):
        all_of(tmp_path / "gone.nc")


def test_light_on_a_raman_shift_becomes_an_energy_with_its_laser_or_says_what_is_missing(small: SpectralMap):
    unsaid = replace(small, axis=replace(small.axis, laser_nm=None))
    with pytest.raises(DataError, match=r"'small' is on a Raman shift .*enter the laser's wavelength"):
        as_measured(unsaid, PL, None)
    found = as_measured(unsaid, PL, 633.0)
    shift = unsaid.axis.values[0]
    assert found.axis.values[-1] == pytest.approx(1239.841984 / (1 / (1 / 633.0 - shift / 1e7)), abs=1e-9)


@pytest.mark.parametrize("code", ["cm-1", "abs. cm-1", "nm", "eV"])
@pytest.mark.parametrize("name", ["renishaw/renishaw_test_map.wdf", "labram/map_nm.txt.gz", "witec/LineX.mat"])
@pytest.mark.filterwarnings("ignore::napari_wse2xai.errors.DataWarning")
def test_the_unit_of_any_file_can_be_repaired(shared_data: Path, name: str, code: str):
    (listing,) = listing_of([shared_data / name])
    usual, repaired = (opened(ItemChoice(listing.path, listing.items[0], unit=unit))[-1] for unit in (None, code))
    assert repaired.axis.kind is AxisKind.from_unit(code)
    np.testing.assert_allclose(repaired.axis.values, usual.axis.values)
    assert read(listing.path, listing.items[0].name, unit=code).axis.kind is repaired.axis.kind


def test_a_wavenumber_of_light_is_not_offered_as_raman(small: SpectralMap, tmp_path: Path):
    write_map(replace(small, axis=replace(small.axis, kind=AxisKind.WAVENUMBER)), tmp_path / "light.nc")
    ((item,),) = (listing.items for listing in listing_of([tmp_path / "light.nc"]))
    assert item.axis == "200–300 abs. cm-1"
    assert not item.is_raman_shift
    assert Item("a", (1, 1, 5), "88–2821 cm-1").is_raman_shift
    assert not Item("a", (1, 1, 5), "88–2821 (unit ?)").is_raman_shift


def test_exposure_and_power_are_told_before_loading():
    item = Item("a", (3, 4, 5), "88–2821 cm-1", acquisition=Acquisition(0.5, 3, 2.0, "", "600 gr/mm", "x50"))
    assert list(described(item))[2:] == ["Exposure: 0.5 s × 3", "Laser power: 2 mW", "Grating: 600 gr/mm"]
    assert str(item).endswith("(map), exposure 0.5 s × 3, laser power 2 mW, grating 600 gr/mm, objective x50")


def test_a_stitched_spectrum_is_joined_and_turned_as_the_panel_says(panel: LoadMaps, viewer, settle, tmp_path: Path):
    axis = np.concatenate([150 + 2.0 * np.arange(20), 180 + 2.0 * np.arange(20)])
    for name in ("one", "two"):
        lines = ["\t".join(["", "", *map(str, axis)])]
        lines += ["\t".join(map(str, [y, x, *(1000 * y + 100 * x + axis)])) for x in (0.0, 1.0, 2.0) for y in (5.0, 6.0)]
        (tmp_path / f"{name}.txt").write_text("#AxisUnit[1]=\t1/cm\n" + "\n".join(lines) + "\n")
    panel.look_into([tmp_path / "one.txt", tmp_path / "two.txt"])
    settle(lambda: panel.tree.topLevelItemCount() == 2 and not panel.work.runner.busy)
    assert "join its pieces with the option 'overlap'" in panel.work.message.text()
    assert "swap x and y" in panel.work.message.text()
    panel.work.begin_button.click()
    settle(lambda: not panel.work.runner.busy)
    assert "option 'overlap'" in panel.work.message.text()
    assert not viewer.layers
    panel.overlap.setCurrentText("join as measured")
    panel.swap_xy.setChecked(True)
    panel.work.begin_button.click()
    settle(lambda: len(viewer.layers) == 1)
    loaded = contents.map_of(viewer.layers[0])
    assert loaded.frame.shape == (2, 3)
    truth = 1000 * loaded.frame.y_um[:, None, None] + 100 * loaded.frame.x_um[None, :, None] + loaded.axis.values
    np.testing.assert_allclose(loaded.counts, truth, rtol=1e-6)
    assert (np.diff(loaded.axis.values) > 0).all()
    settle(lambda: not panel.work.runner.busy)
    panel.tree.setCurrentItem(panel.tree.topLevelItem(1).child(0))
    assert (panel.choice().overlap, panel.choice().swap_xy) == (None, False)
