"""Triton stays out of a process that Mesa's LLVM is in, and out of no other."""

import sys
from types import ModuleType

import pytest

from napari_wse2xai.gui.parts import two_llvms

MESA = "7f00-7f01 r-xp 0 fe:00 1 /usr/lib/x86_64-linux-gnu/libLLVM-15.so.1\n"
NVIDIA = "7f00-7f01 r-xp 0 fe:00 1 /usr/lib/x86_64-linux-gnu/libGLX_nvidia.so.0\n"


@pytest.mark.parametrize(("loaded", "kept_out"), [(MESA, True), (NVIDIA, False), (None, False)])
def test_triton_is_kept_out_where_its_llvm_would_meet_anothers(tmp_path, monkeypatch, loaded, kept_out):
    monkeypatch.setattr(two_llvms, "LOADED", tmp_path / "maps")
    monkeypatch.setitem(sys.modules, "triton", None)  # so that all is as before afterwards
    del sys.modules["triton"]
    if loaded is not None:
        (tmp_path / "maps").write_text(loaded)
    two_llvms.keep_triton_out()
    assert ("triton" in sys.modules) == kept_out
    if kept_out:
        with pytest.raises(ImportError):
            import triton  # noqa: F401


def test_a_triton_that_was_loaded_first_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(two_llvms, "LOADED", tmp_path / "maps")
    (tmp_path / "maps").write_text(MESA)
    there = ModuleType("triton")
    monkeypatch.setitem(sys.modules, "triton", there)
    two_llvms.keep_triton_out()
    assert sys.modules["triton"] is there
