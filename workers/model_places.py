"""Where a model of a project lies on this worker."""

from pathlib import Path

DEMO = Path(__file__).parent / "demo" / "models"


def resolve_model(name: str) -> str:
    """`demo:strong` is the shipped demo model of that name; all else is a folder or a hub's name.

    Raises ValueError for a demo name that is not shipped.
    """
    if not name.startswith("demo:"):
        return name
    short = name.removeprefix("demo:")
    known = sorted(p.name for p in DEMO.iterdir() if p.is_dir()) if DEMO.is_dir() else []
    if short not in known:
        raise ValueError(f"There is no demo model {short!r}; shipped are: {', '.join(known)}.")
    return str(DEMO / short)
