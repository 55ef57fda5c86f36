"""Two lines of work: the second is waited for, told of, and ended with the first."""

from threading import Event

import pytest

from napari_wse2xai.errors import Cancelled, StopTraining
from napari_wse2xai.learning.side_by_side import beside
from napari_wse2xai.progress import Progress


def test_both_go_on_at_once_and_who_waits_is_told_how_far_the_other_is() -> None:
    here, there, told = Event(), Event(), list[tuple[float, str]]()

    def work(progress: Progress) -> int:
        progress(0.5, "halfway")
        there.set()
        assert here.wait(60)
        return 7

    def listen(*latest: float | str) -> None:
        told.append(latest)
        here.set()
        raise StopTraining  # is for those who train

    with beside(work) as outcome:
        assert there.wait(60), "it began before it was waited for"
        assert outcome(listen) == 7
    assert told[0] == (0.5, "halfway")


def test_it_ends_with_the_first_and_its_fault_is_the_first_ones() -> None:
    begun, ended = Event(), Event()

    def endless(progress: Progress) -> None:
        try:
            while True:
                progress(0.0, "")
                begun.set()
        except Cancelled:
            ended.set()
            raise

    with pytest.raises(KeyError), beside(endless):
        assert begun.wait(60)
        raise KeyError
    assert ended.is_set()

    def wrong(progress: Progress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), beside(wrong) as outcome:
        outcome(lambda fraction, message: None)
