"""The workflows of the hosted CI, which cannot run here: what they call is there, and they cover what pyproject.toml claims."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in (ROOT / ".github" / "workflows").glob("*.yml")}


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in WORKFLOWS[name]["jobs"].values() for step in job["steps"]]


def said(name: str) -> list[str]:
    """Every command line."""
    run = [step["run"] if "run" in step else step.get("with", {}).get("run", "") for step in steps(name)]
    return [line for text in run for line in text.splitlines() if line]


def test_the_matrix_has_three_systems_both_toolkits_and_every_python_of_the_classifiers() -> None:
    matrix = WORKFLOWS["test"]["jobs"]["systems"]["strategy"]["matrix"]
    named = {text.split(" :: ")[-1] for text in PROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", text)}
    assert named <= set(matrix["python"])
    assert min(matrix["python"], key=lambda text: int(text[2:])) == PROJECT["project"]["requires-python"].removeprefix(">=")
    assert {system.split("-")[0] for system in matrix["os"]} == {"ubuntu", "windows", "macos"}
    assert {*matrix["toolkit"], *(extra["toolkit"] for extra in matrix["include"])} == {"pyside6", "pyqt6"}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_what_a_workflow_calls_is_there(name: str) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    lines = said(name)
    assert lines
    assert {target for line in lines for target in re.findall(r"\bmake ([\w-]+)", line)} <= targets
    assert {group for line in lines for group in re.findall(r"--group (\S+)", line)} <= set(PROJECT["dependency-groups"])
    assert all((ROOT / line.split()[0]).is_file() for line in lines if line.startswith("."))


def test_the_tests_are_told_the_toolkit_that_napari_is_told() -> None:
    """pytest-qt takes that of pyproject.toml otherwise: two toolkits in one process."""
    found = [step["env"] for step in steps("test") if "QT_API" in step.get("env", {})]
    assert [env["QT_API"] for env in found] == [
        env.get("PYTEST_QT_API", PROJECT["tool"]["pytest"]["ini_options"]["qt_api"]) for env in found
    ]
    assert len(found) == 2


def test_a_release_is_published_without_a_password_and_is_the_tag() -> None:
    publish = WORKFLOWS["publish"]["jobs"]["publish"]
    assert publish["permissions"] == {"id-token": "write"}
    assert any(
        step["uses"].startswith("pypa/gh-action-pypi-publish@") and "password" not in step.get("with", {}) for step in publish["steps"]
    )
    assert any(step.get("with", {}).get("fetch-depth") == 0 for step in steps("publish")), "the version comes from the tag"
    assert "vcs" in PROJECT["tool"]["hatch"]["version"]["source"]
