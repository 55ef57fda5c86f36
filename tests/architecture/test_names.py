"""One name stands for one class."""

import ast
from collections import Counter, defaultdict
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "napari_wse2xai"


def test_no_two_modules_have_a_class_of_one_name() -> None:
    homes = defaultdict(list)
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                homes[node.name].append(path.relative_to(SOURCE).as_posix())
    assert len(homes) > 300
    assert not {name: files for name, files in homes.items() if len(files) > 1}


def test_no_two_test_files_have_one_name() -> None:
    """pytest refuses the second where both are collected, and only there."""
    names = Counter(file.name for file in Path(__file__).parents[1].rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
