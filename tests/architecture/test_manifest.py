"""The manifest: found, true to the code, and shipped with everything else that is not Python."""

from importlib import import_module
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

import pytest
from npe2 import PluginManifest

from napari_wse2xai.data import PeakMaps, SpectralMap
from napari_wse2xai.io.exporters import endings_for
from napari_wse2xai.io.images import PlainImage
from napari_wse2xai.io.readers import FORMATS, LABSPEC_BINARY
from napari_wse2xai.recipe import preset_names

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    return PluginManifest.from_file(ROOT / "src" / "napari_wse2xai" / "napari.yaml")


def test_the_link_at_the_top_reads_as_the_manifest(manifest: PluginManifest) -> None:
    assert PluginManifest.from_file(ROOT / "napari.yaml") == manifest


def test_npe2_finds_the_manifest_of_the_installed_package(manifest: PluginManifest) -> None:
    assert [entry.value for entry in entry_points(group="napari.manifest", name="napari-wse2xai")] == ["napari_wse2xai:napari.yaml"]
    assert PluginManifest.from_distribution("napari-wse2xai").contributions == manifest.contributions


def test_napari_offers_exactly_the_files_that_can_be_read_or_are_refused_with_a_way_out(manifest: PluginManifest) -> None:
    offered = [pattern for reader in manifest.contributions.readers or () for pattern in reader.filename_patterns]
    assert set(offered) == {pattern for known in FORMATS for pattern in known.patterns} | set(LABSPEC_BINARY)


def test_napari_offers_exactly_the_endings_that_can_be_written(manifest: PluginManifest) -> None:
    offered = {writer.layer_types[0]: set(writer.filename_extensions) for writer in manifest.contributions.writers or ()}
    assert offered == {"image": set(endings_for(SpectralMap, PeakMaps, PlainImage)), "labels": set(endings_for(PlainImage))}


def test_every_command_of_the_manifest_leads_to_a_callable(manifest: PluginManifest) -> None:
    commands = manifest.contributions.commands or []
    assert commands
    for command in commands:
        module, _, name = str(command.python_name).partition(":")
        assert callable(getattr(import_module(module), name)), command.id


def test_what_is_not_python_lies_in_the_package() -> None:
    package = files("napari_wse2xai")
    assert "wse2-532" in preset_names()
    for name in ("napari.yaml", "py.typed", "report/templates/report.html.j2"):
        assert package.joinpath(name).is_file(), name
