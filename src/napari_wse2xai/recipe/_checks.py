"""What can be refused before any work is done."""

from dataclasses import replace

import numpy as np

from napari_wse2xai._version import __version__
from napari_wse2xai.data import AxisKind, Frame, Record, SpectralMap
from napari_wse2xai.errors import DataError, UserError
from napari_wse2xai.recipe._model import Recipe, Section
from napari_wse2xai.stages import Calibrate, ConvertAxis, CorrectResponse, Deconvolve

FARTHEST_SHIFT = 4500.0
"""No vibration lies above this Raman shift (H2 comes last, at 4161 cm-1), cm-1."""


def with_laser(source: SpectralMap, section: Section) -> SpectralMap:
    """Give a map the laser that the recipe declares, where that is another than its file's; its history says so."""
    if section.laser_nm in (None, source.axis.laser_nm):
        return source
    told = Record("load", {"laser_nm": section.laser_nm}, __version__)
    return replace(source, axis=replace(source.axis, laser_nm=section.laser_nm)).with_record(told)


def check(recipe: Recipe, maps: dict[str, SpectralMap]) -> None:
    """Refuse maps that the recipe's chains cannot work on, naming the place in the recipe.

    Parameters
    ----------
    recipe : recipe with a section for every map
    maps : maps as read, by modality, with the laser as declared
    """
    _check_training(recipe)
    if recipe.theory is not None:
        recipe.theory.check()
    for name, section in recipe.sections().items():
        try:
            _check_kind(name, maps[name], section)
            _check_stages(maps[name], recipe, name)
        except DataError as error:
            raise DataError(f"{name}: {error}") from error


def _check_training(recipe: Recipe) -> None:
    """Refuse to learn from a PL peak that is not fitted."""
    train, pl = recipe.training, recipe.pl
    if train is None or not train.pl_peak or pl is None or pl.deconvolve is None:
        return
    names = [peak.name for peak in pl.deconvolve.peaks]
    if train.pl_peak not in names:
        raise DataError(f"train.pl_peak is '{train.pl_peak}', but the PL peaks are {', '.join(names)}; name one of these, or none.")


def _check_kind(modality: str, source: SpectralMap, section: Section) -> None:
    """Refuse a Raman map where photoluminescence is expected, and the other way round."""
    kind = source.axis.kind
    if modality == "pl" and kind is AxisKind.RAMAN_SHIFT:
        _check_light(source, section)
    if modality == "raman" and kind is not AxisKind.RAMAN_SHIFT:
        _check_convertible(source, section)


def _check_light(source: SpectralMap, section: Section) -> None:
    """Refuse PL on a Raman shift that is not converted to what light has."""
    if not _is_light_told_as_shift(source, section):
        raise DataError(
            f"'{source.name}' has an axis in cm-1, as a Raman map has; name it under raman, or, if it is photoluminescence recorded in "
            "Raman shift, set laser_nm and convert_axis: {to: eV} (if the axis says cm-1 wrongly, set unit)."
        )


def _is_light_told_as_shift(source: SpectralMap, section: Section) -> bool:
    """Whether the recipe converts a Raman shift to an axis of light, and looks for a peak where that axis then is."""
    if section.convert_axis is None or section.convert_axis.to == "cm-1" or source.axis.laser_nm is None:
        return False
    low, high = section.convert_axis(_one_pixel(source)).axis.span
    return section.deconvolve is None or any(low <= peak.position <= high for peak in section.deconvolve.peaks)


def _check_convertible(source: SpectralMap, section: Section) -> None:
    if source.axis.laser_nm is None:
        raise DataError(
            f"'{source.name}' has an axis in {source.axis.unit}, as a photoluminescence map has; name it under pl, or, if it is a Raman "
            "map, set laser_nm so that it can be converted to cm-1."
        )
    if section.convert_axis is None or section.convert_axis.to != "cm-1":
        raise DataError(f"'{source.name}' has an axis in {source.axis.unit}; add convert_axis: {{to: cm-1}}.")
    low, high = section.convert_axis(_one_pixel(source)).axis.span
    if high < 0 or low > FARTHEST_SHIFT:
        raise DataError(
            f"'{source.name}' covers {low:.0f} to {high:.0f} cm-1 from its {source.axis.laser_nm:g} nm laser, where no Raman line lies; "
            "name it under pl if it is photoluminescence, or correct laser_nm."
        )


def _check_stages(source: SpectralMap, recipe: Recipe, modality: str) -> None:
    """Let response, calibration and fit refuse what does not fit the axis, now and not after minutes."""
    chain = recipe.chains()[modality]
    tiny = _one_pixel(source)
    for kind in (CorrectResponse, ConvertAxis):
        stage = chain.stage(kind)
        tiny = tiny if stage is None else stage.on({SpectralMap: tiny})
    for stage in (chain.stage(Calibrate), chain.stage(Deconvolve)):
        if isinstance(stage, Calibrate | Deconvolve):
            stage.check(tiny)


def conversion_for(settings: Deconvolve, source: SpectralMap) -> ConvertAxis | None:
    """Conversion after which the peaks of a deconvolution lie on a map's axis; None where they do so as it is, or none would help."""
    tiny = _one_pixel(source)
    if _lie_on(settings, tiny):
        return None
    for to in ("eV", "nm", "cm-1"):
        conversion = ConvertAxis(to=to)
        try:
            converted = conversion(tiny)
        except UserError:  # without a laser there is no Raman shift
            continue
        if converted.axis.kind is not source.axis.kind and _lie_on(settings, converted):
            return conversion
    return None


def _lie_on(settings: Deconvolve, source: SpectralMap) -> bool:
    low, high = source.axis.span
    return any(low <= peak.position <= high for peak in settings.peaks)


def _one_pixel(source: SpectralMap) -> SpectralMap:
    """Shrink a map to one empty pixel: what can be learned from the axis alone is learned at no cost."""
    counts = np.zeros((1, 1, len(source.axis)), dtype=np.float32)
    return replace(source, frame=Frame((1, 1)), counts=counts, flake=None, repaired=None, replaced=None, saturated=None, bridged=None)
