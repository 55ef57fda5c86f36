"""Exposure, accumulations, power, grating and objective in the words of each instrument's files."""

from pathlib import Path

import pytest

from napari_wse2xai.data.acquisition import Acquisition, intensity_unit, is_rate
from napari_wse2xai.io import read


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (  # LabSpec
            {
                "Acq. time (s)": "0.2",
                "Accumulations": "2",
                "ND Filter": "0.1%",
                "Grating": "300 gr/mm",
                "Objective": "x50",
                "Full time(mm:ss)": "3:44",
            },
            Acquisition(0.2, 2, None, "0.1%", "300 gr/mm", "x50"),
        ),
        (  # WITec
            {
                "Integration Time [s]": "1.03492",
                "Integration Time (Trace) [s]": "9",
                "Number Of Accumulations": "10",
                "Laser Power [mW]": "2.5",
                "Grating": "T1: 600 g/mm BLZ=750nm",
                "Objective Name": "Zeiss EC Epiplan 100x / 0.9",
            },
            Acquisition(1.03492, 10, 2.5, "", "T1: 600 g/mm BLZ=750nm", "Zeiss EC Epiplan 100x / 0.9"),
        ),
        (  # WiRE
            {"Accumulations": "4", "Exposure time": "500 ms", "Laser power": "10%", "Scan": "static"},
            Acquisition(0.5, 4, None, "10%"),
        ),
        (  # JASCO
            {"Exposure": "10 sec", "Accumulation": "3", "Laser power": "3.2 mW", "Objective lens": "MPLFLN 100 x"},
            Acquisition(10.0, 3, 3.2, "", "", "MPLFLN 100 x"),
        ),
        (  # HyperSpy
            {
                "Acquisition_instrument.Detector.exposure_per_frame": "2.0",
                "Acquisition_instrument.Detector.integration_time": "6.0",
                "Acquisition_instrument.Detector.frames": "3.0",
                "Acquisition_instrument.Laser.power": "1.5",
                "Acquisition_instrument.Laser.Filter.optical_density": "0.01",
                "Acquisition_instrument.Laser.objective_magnification": "50.0",
                "Acquisition_instrument.Spectrometer.Grating.groove_density": "600.0",
            },
            Acquisition(2.0, 3, 1.5, "0.01", "600 gr/mm", "50x"),
        ),
        (  # the log of an SPC file, Andor
            {"EXPOSURE_TIME": "0,5", "Number of Accumulations": "20", "LASER_POWER (uW)": "120"},
            Acquisition(0.5, 20, 0.12),
        ),
        ({"Exposure Time (secs)": "1e-1", "POWER (W)": "0.002"}, Acquisition(0.1, None, 2.0)),
        ({"Exposure": "0", "Accumulations": "0", "Laser power": "high", "Temperature": "300"}, Acquisition(attenuation="high")),
        ({}, Acquisition()),
    ],
)
def test_what_each_program_writes(metadata: dict[str, str], expected: Acquisition) -> None:
    assert Acquisition.from_metadata(metadata) == expected


@pytest.mark.parametrize(
    ("file", "facts"),
    [
        ("labram/map_nm.txt.gz", ["0.2 s × 1", "0.1%", "300 gr/mm", "x50"]),
        ("witec/LineScans.WIP", None),
        ("renishaw/renishaw_test_map.wdf", ["1 s × 2"]),
    ],
)
@pytest.mark.filterwarnings("ignore::napari_wse2xai.errors.DataWarning")
def test_real_files(shared_data: Path, file: str, facts: list[str] | None) -> None:
    found = Acquisition.from_metadata(read(shared_data / file).metadata).facts()
    if facts is None:
        assert dict(found)["Exposure"] == "1.01222 s × 1"
    else:
        assert [value for _, value in found][: len(facts)] == facts


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        *((text, "counts") for text in ("Cnt", "counts", "CCD cts", "Counts", "Intensity (counts)", "Intensity (Counts)")),
        *(
            (text, "counts/s")
            for text in ("Cnt/sec", "counts/s", "cps", "CPS", "Cnt/s", "Counts/s", "counts per second", "counts s-1", "counts s⁻¹")
        ),
        *((text, text) for text in ("a.u.", "", "counts/(s mW)", "counts nm/eV", "V", "counts/s/mW")),
    ],
)
def test_units_of_intensity_as_people_write_them(written: str, expected: str) -> None:
    assert intensity_unit(written) == expected
    assert is_rate(expected) == (expected in ("counts/s", "counts/(s mW)", "counts/s/mW"))
