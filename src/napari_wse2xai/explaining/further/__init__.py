"""Further questions about every parameter, asked where a recipe or the form names them: one module each, found in this folder.

A module declares a `Question`; file, report, table, ranking in the window and docs take the answer from there.
"""

from importlib import import_module
from pkgutil import iter_modules

from napari_wse2xai.data.questions import Answer
from napari_wse2xai.explaining.further._question import Asking, Question
from napari_wse2xai.progress import Progress

QUESTIONS: dict[str, Question] = {
    found.name: import_module(f"{__name__}.{found.name}").QUESTION for found in iter_modules(__path__) if not found.name.startswith("_")
}
"""Questions by their keys."""

__all__ = ["QUESTIONS", "Asking", "Question", "answer"]


def answer(key: str, asking: Asking, progress: Progress) -> Answer:
    """Ask one of them."""
    question = QUESTIONS[key]
    values, errors, sentence = question.ask(asking, progress)
    return Answer(key, question.title, question.says, question.unit, values, errors, sentence)
