"""A call that is made later: by whatever toolkit, once, and not for a widget that is gone."""

from functools import partial

from qtpy.QtCore import QObject

from napari_wse2xai.gui.parts.later import later


def test_a_call_is_made_once_in_its_turn_and_not_for_an_owner_that_is_gone(qtbot):
    owner, going = QObject(), QObject()
    done: list[str] = []
    for msec, word in ((0, "now"), (10, "soon")):
        later(owner, partial(done.append, word), msec)
        later(going, lambda: done.append("of nobody"), msec)
    assert done == []
    going.setParent(owner_of_going := QObject())
    del going
    delete(owner_of_going)
    qtbot.wait(60)
    assert done == ["now", "soon"]
    assert not owner.children()


def delete(thing: QObject) -> None:
    """Destroy an object at once, children too."""
    try:
        import shiboken6 as binding
    except ImportError:
        from PyQt6 import sip as binding
    binding.delete(thing)
