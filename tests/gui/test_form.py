"""Forms: what is put in comes out, for every stage there is or will be; what is wrong is said in one sentence."""

import pytest
from qtpy.QtWidgets import QLabel, QTableWidget

from napari_wse2xai.gui.parts import fields
from napari_wse2xai.gui.parts.form import Form
from napari_wse2xai.gui.parts.table import SettingsTable
from napari_wse2xai.recipe import preset, preset_names
from napari_wse2xai.stages import STAGES, Baseline, Calibrate, CorrectResponse, Deconvolve, Despike, FindFlake, Peak, Settings
from napari_wse2xai.stages.baseline import AsymmetricLeastSquares, PiecewiseLinear, Snip
from napari_wse2xai.stages.correct_response import Spectrum
from napari_wse2xai.stages.despike import AreaThreshold, FirstDifference
from napari_wse2xai.stages.references import KnownLine, Lamp, LaserLine, OwnLines, Silicon

CHANGED: list[Settings] = [
    FindFlake(corner="top right", corner_size=3, k=3.25, window=(183.5, 300), fill_holes=False, edge_fraction=0.125),
    Despike(method=FirstDifference(threshold=7.5, areas=(AreaThreshold(window=(200, 300), threshold=12),))),
    Baseline(method=PiecewiseLinear(areas=((150, 330), (330, 440.25)), margin=5.5)),
    Baseline(method=AsymmetricLeastSquares(smoothness=3e12, asymmetry=1e-4)),
    Baseline(method=Snip(half_window=17)),
    Calibrate(reference=Silicon(position=520.5), drift="by columns", search=7.5),
    Calibrate(reference=LaserLine(), pixels="everywhere", detection=4),
    Calibrate(reference=Lamp(element="mercury"), correction="quadratic"),
    Calibrate(reference=OwnLines(lines=(KnownLine(name="a", position=640.2248), KnownLine(position=650.5)), shape="gaussian")),
    CorrectResponse(dark=Spectrum(axis=(1, 2), values=(3, 4)), response=Spectrum(axis=(1, 2), values=(3, 4), file="white.txt"), unit="nm"),
    Deconvolve(
        peaks=(
            Peak(name="A1'", position=249.8, fwhm=4, window=(183, 300), source="a paper"),
            Peak(name="X0", shape="gaussian", position=1.65, fwhm=0.0512345, height=3e4, window=(1.5, 1.8), max_shift=0.01),
        ),
        pixels="everywhere",
        position_penalty=1e-9,
        width_range=(0.5, 2.5),
    ),
]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
def test_a_fresh_form_shows_the_defaults(qtbot, stage) -> None:
    form = Form(stage)
    qtbot.addWidget(form)
    assert form.value() == stage()


@pytest.mark.parametrize("settings", CHANGED, ids=lambda settings: type(settings).__name__)
def test_what_is_put_comes_out(qtbot, settings) -> None:
    form = Form(type(settings))
    qtbot.addWidget(form)
    form.put(settings)
    assert form.value() == settings


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_fits_into_the_forms(qtbot, name: str) -> None:
    recipe = preset(name)
    for section in (recipe.raman, recipe.pl):
        for stage in section.stages() if section is not None else ():
            form = Form(type(stage))
            qtbot.addWidget(form)
            form.put(stage)
            assert form.value() == stage


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
def test_every_setting_has_its_help_at_hand(qtbot, stage) -> None:
    form = Form(stage)
    qtbot.addWidget(form)
    for name, field in stage.model_fields.items():
        assert form._inputs[name].native.toolTip().replace("cm⁻¹", "cm-1") == field.description


@pytest.mark.parametrize(
    ("stage", "setting", "typed", "sentence"),
    [
        (FindFlake, "k", "five", "Threshold k: 'five' is no number."),
        (FindFlake, "k", "-1", "Threshold k: Input should be greater than 0."),
        (FindFlake, "window", "300 – 183", "Window: a window goes from low to high, not from 300 to 183."),
        (FindFlake, "window", "183", "Window: '183' is no range; type it as 183 – 300."),
    ],
)
def test_a_wrong_value_is_said_in_one_sentence(qtbot, stage, setting: str, typed: str, sentence: str) -> None:
    form = Form(stage)
    qtbot.addWidget(form)
    form._inputs[setting].widget.value = typed
    with pytest.raises(ValueError, match="^" + sentence.replace(".", r"\.") + "$"):
        form.value()


def test_a_file_is_read_when_it_is_chosen(qtbot, tmp_path) -> None:
    form = Form(CorrectResponse)
    qtbot.addWidget(form)
    (tmp_path / "white.txt").write_text("600 1.5\n700 2.5\n", encoding="utf-8")
    form._inputs["response"].widget.value = tmp_path / "white.txt"
    assert form.value() == CorrectResponse(response=tmp_path / "white.txt")
    form._inputs["dark"].widget.value = tmp_path / "gone.txt"
    with pytest.raises(ValueError, match=r"^Dark spectrum: the spectrum .*gone\.txt cannot be read .*correct the path\.$"):
        form.value()


def test_a_change_is_announced(qtbot) -> None:
    form = Form(FindFlake)
    qtbot.addWidget(form)
    with qtbot.waitSignal(form.changed, timeout=1000):
        form._inputs["corner"].put("top left")


def test_choosing_another_method_shows_its_own_settings(qtbot) -> None:
    form = Form(Baseline)
    qtbot.addWidget(form)
    form._inputs["method"]._kind.put("asls")
    assert form.value() == Baseline(method=AsymmetricLeastSquares())


def peak(name: str) -> Peak:
    return Peak(name=name, position=250, fwhm=4, window=(200, 300))


def test_rows_are_added_and_removed(qtbot) -> None:
    table = SettingsTable(Peak)
    qtbot.addWidget(table)
    table.put((peak("a"), peak("b")))
    table.add_row()
    assert [row.name for row in table.value()] == ["a", "b", "b 2"]
    table.findChild(QTableWidget).setCurrentCell(0, 0)
    table.remove_row()
    assert [row.name for row in table.value()] == ["b", "b 2"]


def test_a_row_can_be_added_after_a_row_that_is_not_valid(qtbot) -> None:
    table = SettingsTable(Peak)
    qtbot.addWidget(table)
    table.put((peak("a"),))
    table.findChild(QTableWidget).item(0, 2).setText("nonsense")
    table.add_row()
    assert table.findChild(QTableWidget).rowCount() == 2


def test_an_empty_table_takes_rows_and_gives_the_last_one_up(qtbot) -> None:
    table = SettingsTable(Peak)
    qtbot.addWidget(table)
    table.add_row()
    table.add_row()
    with pytest.raises(ValueError, match=r"^row 1, Position: '' is no number"):
        table.value()
    for _ in range(3):
        table.remove_row()
    assert table.value() == ()


def test_the_table_begins_with_what_must_be_given_and_names_the_axis_s_unit(qtbot) -> None:
    form = Form(Deconvolve)
    qtbot.addWidget(form)
    table = form.findChild(QTableWidget)
    heads = [table.horizontalHeaderItem(index).text() for index in range(table.columnCount())]
    assert heads[:4] == ["Name\n", "Position\naxis", "FWHM\naxis", "Window\naxis"]
    assert heads[-1] == "Source\n"
    form.show_axis("eV")
    assert table.horizontalHeaderItem(1).text() == "Position\neV"


def test_a_setting_on_the_axis_is_labelled_with_the_axis_s_unit(qtbot) -> None:
    form = Form(FindFlake)
    qtbot.addWidget(form)
    form.show_axis("cm⁻¹")
    assert "Window (cm⁻¹)" in [label.text() for label in form.findChildren(QLabel)]
    form.show_axis("")
    assert "Window (axis)" in [label.text() for label in form.findChildren(QLabel)]


def test_yes_and_no_are_chosen_in_a_table(qtbot) -> None:
    table = SettingsTable(Peak)
    qtbot.addWidget(table)
    table.put((peak("a").model_copy(update={"optional": True}), peak("b")))
    assert [row.optional for row in table.value()] == [True, False]


def test_a_wrong_cell_names_its_row_and_column(qtbot) -> None:
    table = SettingsTable(Peak)
    qtbot.addWidget(table)
    table.put((peak("a"), peak("b")))
    table.findChild(QTableWidget).item(1, 1).setText("280x")
    with pytest.raises(ValueError, match=r"^row 2, Position: '280x' is no number$"):
        table.value()
    table.findChild(QTableWidget).item(1, 1).setText("350")
    with pytest.raises(ValueError, match=r"^row 2, Peak b at 350 lies outside its window 200 to 300"):
        table.value()


@pytest.mark.parametrize("text", ["183 – 300", "183-300", "183 300", "183 to 300", "183,0 – 300", "183 - 300"])
def test_a_range_is_understood_as_people_type_it(text: str) -> None:
    assert fields.read_window(text) == (183.0, 300.0)


def test_a_range_may_be_negative() -> None:
    assert fields.read_window("-20 – -5") == (-20.0, -5.0)
    assert fields.read_window(fields.write_window((-20.0, 5e-7))) == (-20.0, 5e-7)
