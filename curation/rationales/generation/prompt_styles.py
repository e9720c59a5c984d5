"""The prompt styles that an order can name. The templates themselves are filled by the workers."""

import json
from dataclasses import dataclass
from functools import cache

from django.conf import settings

HINT, FEW_SHOT = "hint", "few-shot"


@dataclass(frozen=True)
class Style:
    """A versioned way to ask; `needs`: what the order must bring beside the question."""

    name: str
    version: int
    title: str
    description: str
    needs: tuple[str, ...]

    @property
    def label(self) -> str:
        """As it stands on a rationale: ``step-by-step@1``."""
        return f"{self.name}@{self.version}"


@cache
def styles() -> dict[str, Style]:
    """All styles by name, from the file that the workers read their templates from."""
    path = settings.BASE_DIR / "templates" / "prompts" / "styles.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    return {
        row["name"]: Style(
            row["name"], row["version"], row["title"], row["description"], tuple(row["needs"])
        )
        for row in rows
    }


def choices(*, for_teacher: bool = False) -> list[tuple[str, str]]:
    """Names and titles for a form; a teacher's own style needs nothing but the question."""
    return [(one.name, one.title) for one in styles().values() if not (for_teacher and one.needs)]
