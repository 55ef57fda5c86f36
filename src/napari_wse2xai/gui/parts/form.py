"""A form for any settings class, made from its fields: label, range, unit and help are declared there and nowhere else."""

from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from qtpy.QtCore import QSize, Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from napari_wse2xai.data.quantities import pretty
from napari_wse2xai.gui.parts import fields
from napari_wse2xai.gui.parts.describe import AXIS, described, limits, one_sentence, options, unit
from napari_wse2xai.gui.parts.fields import Input
from napari_wse2xai.session.opening import spectrum_in
from napari_wse2xai.stages import Settings

Changed = Callable[[], None]


class Form(QWidget):
    """Shows a settings object and gives it back: `value`, `put`, `changed`."""

    changed = Signal()

    def __init__(self, model: type[Settings], parent: QWidget | None = None, *, rows: QFormLayout | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._inputs: dict[str, fields.Input] = {}
        self._hidden: dict[str, Any] = {}
        self._of_axis: dict[str, QLabel] = {}
        layout = rows
        if layout is None:
            layout = QFormLayout(self)
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name, field in model.model_fields.items():
            if field.title is None:  # a tag such as `kind`, chosen by the combobox above
                self._hidden[name] = field.default
                continue
            self._add(layout, name, field)

    def _add(self, layout: QFormLayout, name: str, field: FieldInfo) -> None:
        inner = _settings_in(field.annotation)
        entry: Input | Group = input_for(field.annotation, field) if inner is None else Group(inner, layout, self)
        self._inputs[name] = entry
        if isinstance(entry, Group):
            entry.on_change(self.changed.emit)
            entry.put(field.get_default(call_default_factory=True))
            return
        entry.native.setToolTip(described(field))
        entry.native.setObjectName(name)
        if field.examples and isinstance(entry.native, QLineEdit):
            entry.native.setPlaceholderText(str(field.examples[0]))
        entry.on_change(self.changed.emit)
        label = QLabel(f"{field.title} ({pretty(unit(field))})" if unit(field) else str(field.title))
        label.setToolTip(described(field))
        if unit(field) == AXIS:
            self._of_axis[str(field.title)] = label
        if isinstance(entry, Table | Choice):
            layout.addRow(label)
            layout.addRow(entry.native)
        else:
            layout.addRow(label, entry.native)
        if not field.is_required():
            entry.put(field.get_default(call_default_factory=True))

    def show_axis(self, axis_unit: str) -> None:
        """Name the unit of the chosen map's axis where a setting is in that unit; empty where no map is chosen."""
        for title, label in self._of_axis.items():
            label.setText(f"{title} ({axis_unit or AXIS})")
        for entry in self._inputs.values():
            if isinstance(entry, Table | Choice | Group):
                entry.show_axis(axis_unit)

    def value(self) -> Settings:
        """Settings as shown; raises ValueError with one sentence where they are not valid."""
        values = dict(self._hidden)
        for name, entry in self._inputs.items():
            try:
                values[name] = entry.get()
            except ValueError as error:
                if isinstance(entry, Group):  # says itself of which setting it speaks
                    raise
                raise ValueError(f"{self._model.model_fields[name].title}: {str(error).rstrip('.')}.") from None
        try:
            return self._model(**values)
        except ValidationError as error:
            raise ValueError(one_sentence(self._model, error)) from None

    def put(self, settings: Settings) -> None:
        """Show settings."""
        for name, entry in self._inputs.items():
            entry.put(getattr(settings, name))

    def put_one(self, name: str, value: Any) -> None:
        """Show one setting, whatever the others are."""
        self._inputs[name].put(value)


class Group:
    """Settings that are a setting of others: their rows stand among those of the whole."""

    def __init__(self, model: type[Settings], rows: QFormLayout, parent: Form) -> None:
        self.native = self._form = Form(model, parent, rows=rows)
        self._form.hide()
        self.get, self.put, self.show_axis = self._form.value, self._form.put, self._form.show_axis

    def on_change(self, callback: Changed) -> None:
        """Call whenever the user changes one of them."""
        self._form.changed.connect(callback)


class Table:
    """Inputs for a list of settings objects, such as the peaks; drawn by `gui.table`."""

    def __init__(self, model: type[Settings]) -> None:
        from napari_wse2xai.gui.parts.table import SettingsTable

        self.native = self._table = SettingsTable(model)
        self.get, self.put, self.show_axis = self._table.value, self._table.put, self._table.show_axis

    def on_change(self, callback: Changed) -> None:
        """Call whenever the user changes a cell or the number of rows."""
        self._table.changed.connect(callback)


class Choice:
    """One of several kinds of settings, each with a form of its own: a method with its parameters."""

    def __init__(self, models: tuple[type[Settings], ...]) -> None:
        self._models = models
        self._kinds = tuple(str(model.model_fields["kind"].default) for model in models)
        self._kind = fields.choice(self._kinds)
        self._forms = [Form(model) for model in models]
        self._stack = _FittingStack()
        for form in self._forms:
            self._stack.addWidget(form)
        self.native = QWidget()
        layout = QVBoxLayout(self.native)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._kind.native)
        layout.addWidget(self._stack)
        self._kind.on_change(lambda: self._stack.setCurrentIndex(self._kinds.index(self._kind.get())))

    def get(self) -> Settings:
        """Settings of the chosen kind."""
        return self._forms[self._kinds.index(self._kind.get())].value()

    def put(self, value: Settings) -> None:
        """Choose the kind and show its settings."""
        index = self._models.index(type(value))
        self._kind.put(self._kinds[index])
        self._stack.setCurrentIndex(index)
        self._forms[index].put(value)

    def show_axis(self, axis_unit: str) -> None:
        """Name the unit of the chosen map's axis."""
        for form in self._forms:
            form.show_axis(axis_unit)

    def on_change(self, callback: Changed) -> None:
        """Call whenever the user changes the kind or one of its settings."""
        self._kind.on_change(callback)
        for form in self._forms:
            form.changed.connect(callback)


class _FittingStack(QStackedWidget):
    """A stack as high as the page on top, not as the highest one."""

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        page = self.currentWidget()
        return page.sizeHint() if page else super().sizeHint()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        page = self.currentWidget()
        return page.minimumSizeHint() if page else super().minimumSizeHint()


def _settings_in(annotation: Any) -> type[Settings] | None:
    """The class of settings that a type is, where it is one and no other."""
    kinds, optional = options(annotation)
    of_settings = len(kinds) == 1 and not optional and isinstance(kinds[0], type) and issubclass(kinds[0], Settings)
    return kinds[0] if of_settings and not hasattr(kinds[0], "load") else None


def input_for(annotation: Any, field: FieldInfo | None = None) -> Any:
    """Input that fits a type."""
    kinds, optional = options(annotation)
    kind = kinds[0]
    if kinds[1:] == [str] and get_origin(kind) is Literal:
        return fields.suggestions(get_args(kind))
    if len(kinds) > 1:
        return Choice(tuple(kinds))
    if get_origin(kind) is Literal:
        return fields.choice(get_args(kind))
    if get_origin(kind) is tuple:
        return _input_for_tuple(get_args(kind), optional)
    if hasattr(kind, "load"):
        return fields.from_file(spectrum_in)
    if kind is bool:
        return fields.flag()
    if kind is int and not optional:
        return fields.whole(*limits(field))
    return fields.text() if kind is str else fields.number(optional=optional)


def _input_for_tuple(members: tuple[Any, ...], optional: bool) -> Any:
    (first, *others), _ = options(members[0])
    if get_origin(first) is Literal and others:
        return fields.several(get_args(first), others="computed maps; with semicolons between")
    if first is str:
        return fields.names()
    if first is int and Ellipsis not in members:
        return fields.size()
    if isinstance(first, type) and issubclass(first, BaseModel):
        return Table(first)  # type: ignore[arg-type]
    if get_origin(first) is Literal:
        return fields.several(get_args(first))
    return fields.windows() if get_origin(first) is tuple else fields.window(optional=optional)
