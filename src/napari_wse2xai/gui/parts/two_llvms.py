"""Two LLVMs in one process: Mesa's, which draws the canvas, and Triton's, which PyTorch's CUDA build loads with its first optimiser.

Loaded after Mesa's, Triton's ends the process while it is being loaded (docs/crash.md). Nothing here needs Triton, and without it PyTorch
goes on as its CPU build does.
"""

import sys
from pathlib import Path

LOADED = Path("/proc/self/maps")
"""Where Linux tells what libraries a process has; no other system has Triton."""


def keep_triton_out() -> None:
    """Let ``import triton`` find nothing where Mesa's LLVM is loaded; what is loaded already stays."""
    if "triton" not in sys.modules and LOADED.exists() and "libLLVM" in LOADED.read_text(encoding="utf-8", errors="replace"):
        sys.modules["triton"] = None  # type: ignore[assignment]  # Python's way to say that there is no such module
