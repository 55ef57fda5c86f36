"""A session as one reads it: flakes, in each the steps of RS and of PL, then what both together gave."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from napari_wse2xai.data import Components, Explanation, PairedMaps, PeakMaps, Record, TrainedModel
from napari_wse2xai.data.history import mark_of
from napari_wse2xai.data.quantities import SIDES
from napari_wse2xai.session.lineage import MEASURED_SIDE, mark_in
from napari_wse2xai.session.node import ON_AN_AXIS, Node
from napari_wse2xai.session.rerun import BY_NAME
from napari_wse2xai.session.session import Session
from napari_wse2xai.stages import Review
from napari_wse2xai.stages.review import words_of

TITLES = {"read": "Read", "load": "As it was loaded", "synthetic": "Sample flake", "flake edited by hand": "Flake edited by hand"}
TOGETHER = ""
"""Title of what is neither of RS nor of PL alone."""


@dataclass(frozen=True)
class Row:
    """One line: a result, or a step on the way to one that has no result of its own here."""

    title: str
    node: Node
    """The result; of a step without one, the first that went through it."""
    step: str = ""
    """Name of the step that has no result of its own; empty where the node is the result."""


@dataclass
class Branch:
    """One flake, or what was learnt from several."""

    name: str
    sides: dict[str, list[Row]] = field(default_factory=dict)
    """Rows by `RS`, `PL` and `TOGETHER`."""


def outline(session: Session) -> list[Branch]:
    """Every result in its place, flake by flake, in the order in which they came."""
    nodes = session.nodes
    measured = [node for node in nodes if issubclass(node.kind, MEASURED_SIDE)]
    groups = _together(measured)
    branches = [Branch(name) for name in _names(groups)]
    at = {node.id: branch for branch, group in zip(branches, groups, strict=True) for node in group}
    several = Branch("Several flakes")
    for node in nodes:
        branch = at.get(node.id) or _branch_of(node, at, several)
        at[node.id] = branch
        rows = branch.sides.setdefault(SIDES.get(node.modality, TOGETHER), [])
        rows += [*_steps_before(node, session), Row(title_of(node), node)]
    for branch in branches:
        branch.sides = {side: branch.sides[side] for side in (*SIDES.values(), TOGETHER) if side in branch.sides}
    return [*branches, *([several] if several.sides else [])]


def _together(nodes: list[Node]) -> list[list[Node]]:
    """Groups of results that hang together, each a flake."""
    groups: list[list[Node]] = []
    for node in nodes:
        near = [group for group in groups if any(other.id in node.parents or node.id in other.parents for other in group)]
        if not near:
            groups.append([node])
            continue
        near[0] += [*(other for group in near[1:] for other in group), node]
        groups = [group for group in groups if group not in near[1:]]
    return groups


def _names(groups: Iterable[list[Node]]) -> list[str]:
    """Name of each flake: the sample's, else that of its first map; numbered where two have the same."""
    names: list[str] = []
    for group in groups:
        frames = [node.artefact.frame for node in group if isinstance(node.artefact, MEASURED_SIDE)]
        name = next((frame.sample for frame in frames if frame.sample), group[0].name)
        count = sum(other == name or other.startswith(f"{name} (") for other in names)
        names.append(f"{name} ({count + 1})" if count else name)
    return names


def _branch_of(node: Node, at: dict[str, Branch], several: Branch) -> Branch:
    """Flake of what was learnt: the one that all of it comes from."""
    parents = {id(at[parent]): at[parent] for parent in node.parents if parent in at}
    return next(iter(parents.values())) if len(parents) == 1 else several


def _steps_before(node: Node, session: Session) -> list[Row]:
    """Steps of a map's or of peaks' history that have no result of their own, told with the first result that went through them."""
    if not isinstance(node.artefact, ON_AN_AXIS) or node.parents:
        return []
    history = node.artefact.history
    marks = {mark_in(each) for each in session}
    return [
        Row(_title(record), node, record.step) for index, record in enumerate(history[:-1]) if mark_of(history[: index + 1]) not in marks
    ]


def title_of(node: Node) -> str:
    """What a result is, in words."""
    artefact = node.artefact
    if isinstance(artefact, PeakMaps) and node.record.step == Review.__name__:
        return f"{_title(node.record)}: {'; '.join(words_of(artefact)) or 'nothing'}"
    if isinstance(artefact, PeakMaps):
        return f"{_title(node.record)}: {', '.join(artefact.names)}"
    if isinstance(artefact, Components):
        return f"{_title(node.record)}: {artefact.method}, {len(artefact.names)}"
    if isinstance(artefact, TrainedModel):
        return f"{_title(node.record)}: PL {', '.join(artefact.samples.target_names)}"
    if isinstance(artefact, Explanation):
        return f"{_title(node.record)}: PL {artefact.target}"
    if isinstance(artefact, PairedMaps):
        return f"{_title(node.record)}: {int(artefact.paired.sum())} pixels"
    return _title(node.record) if node.record.step != "measured" else node.name


def _title(record: Record) -> str:
    if record.step in BY_NAME:
        return str(getattr(BY_NAME[record.step], "title", record.step))
    file = f" {record.settings['file']}" if record.step == "read" and "file" in record.settings else ""
    return f"{TITLES.get(record.step, record.step)}{file}"


def record_of(row: Row) -> Record:
    """Step that a line tells of."""
    artefact = row.node.artefact
    if not row.step or artefact is None:
        return row.node.record
    return next(record for record in reversed(artefact.history) if record.step == row.step)


def settings_line(record: Record) -> str:
    """Settings of a step in a line: those that are not the usual ones."""
    stage = BY_NAME.get(record.step)
    if stage is None:
        return ""
    usual = stage().model_dump(mode="json")
    told = [f"{key} {_brief(value)}" for key, value in record.settings.items() if value != usual.get(key)]
    return ", ".join(told) or "usual settings"


def _brief(value: object) -> str:
    """A setting as short as it is understood: of a method its kind, of a list of things how many, of two numbers from and to."""
    if isinstance(value, Mapping):
        return str(value.get("kind", f"({len(value)})"))
    if isinstance(value, list | tuple):
        numbers = [each for each in value if isinstance(each, int | float)]
        return f"{numbers[0]:g}–{numbers[1]:g}" if len(numbers) == len(value) == 2 else f"({len(value)})"
    return f"{value:g}" if isinstance(value, float) else str(value)


def done_at(record: Record) -> str:
    """When a step was done, by the clock here; with its day where that is not today's.  Empty where nobody knows."""
    if not record.when:
        return ""
    when = datetime.fromisoformat(record.when).astimezone()
    today = datetime.now(UTC).astimezone().date()
    return f"{when:%H:%M}" if when.date() == today else f"{when:%d %b, %H:%M}"


def about(node: Node) -> str:
    """What is worth knowing of a result, line by line: why it does not hold, when it was made, which settings are not the usual ones."""
    told = [node.why] if node.why else []
    if node.record.when:
        told.append(f"{node.record.when[:19].replace('T', ' ')} UTC, {node.record.seconds:.1f} s, version {node.record.version}")
    return "\n".join([*told, *unusual(node.record)])


def unusual(record: Record) -> list[str]:
    """Settings of a step that differ from the usual ones."""
    stage = BY_NAME.get(record.step)
    if stage is None:
        return []
    usual = stage().model_dump(mode="json")
    return [f"{key}: {_short(value)}" for key, value in record.settings.items() if value != usual.get(key)]


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) < 80 else f"{text[:77]}…"
