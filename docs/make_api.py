"""Write the pages of the API from what the packages offer: ``python docs/make_api.py``.

A page names every public object by the module that it is written in; mkdocstrings sets its signature and docstring when the site is built.
"""

from importlib import import_module
from pathlib import Path

DOCS = Path(__file__).parent
PAGES = {
    "core": ("The package: read, work on, keep", ("napari_wse2xai",), "Everything here can be had as `napari_wse2xai.NAME`."),
    "learning": (
        "Models, splits, verdict",
        ("napari_wse2xai.learning",),
        "scikit-learn's conventions: arrays in, any table will do. Had as `napari_wse2xai.learning.NAME`.",
    ),
    "explaining": (
        "Curves, slopes, importance",
        ("napari_wse2xai.explaining",),
        "What a fitted model makes of its inputs. Had as `napari_wse2xai.explaining.NAME`.",
    ),
    "batch": ("Whole runs without a window", ("napari_wse2xai.batch",), "Had as `napari_wse2xai.batch.NAME`."),
}


def page(title: str, modules: tuple[str, ...], words: str) -> str:
    """Text of a page."""
    offered = [getattr(import_module(module), name) for module in modules for name in import_module(module).__all__]
    homes = {f"{found.__module__}.{found.__qualname__}" for found in offered if callable(found) and found.__doc__}
    by_name = sorted(homes, key=lambda home: (home.rpartition(".")[2].lower(), home))
    return "\n".join([f"# {title}\n", f"{words}\n", *(f"::: {home}\n" for home in by_name)])


def written() -> dict[Path, str]:
    """Every page with its text."""
    return {DOCS / "api" / f"{name}.md": page(*content) for name, content in PAGES.items()}


if __name__ == "__main__":
    (DOCS / "api").mkdir(exist_ok=True)
    for place, text in written().items():
        place.write_text(text, encoding="utf-8")
