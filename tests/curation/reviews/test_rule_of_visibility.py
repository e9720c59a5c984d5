"""Who may see what is said in curation/reviews/visibility.py alone: apps left of the reviews neither reach
them by reflection nor know their states, and what was taken back is left out by one name."""

import ast
from collections.abc import Iterator
from pathlib import Path

import curation

CURATION = Path(curation.__file__).parent
LEFT = ("projects", "webhooks", "questions", "rationales")
STATES = {"control", "adjudicate"}
# Of an edit that its reviewer took back, no score is wanted: asked along the relation, see ScoringRun.
OF_EDITS = "edit_review__withdrawn_at__isnull"
# Where `withdrawn_at` is a column: the models with their querysets, and the triggers that guard it.
COLUMN = ("reviews/models/review.py", "reviews/decisions/audit_triggers.py")


def sources(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        for path in sorted((CURATION / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(CURATION)), ast.parse(path.read_text())


def test_apps_left_of_the_reviews_reach_them_neither_by_reflection_nor_by_their_states() -> None:
    found = []
    for name, tree in sources(*LEFT):
        for node in ast.walk(tree):
            place = f"{name}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Attribute) and ast.unparse(node).endswith("rel.related_model"):
                found.append(f"{place} reaches a model by reflection")
            if isinstance(node, ast.Constant) and node.value in STATES:
                found.append(f"{place} knows the state {node.value!r}")
            words = node.value if isinstance(node, ast.Constant) else getattr(node, "arg", None)
            if isinstance(words, str) and "queue_item__status" in words:
                found.append(f"{place} asks for the state of a question")
    assert not found, "ask curation.projects.viewers instead:\n" + "\n".join(found)


def test_what_was_taken_back_is_left_out_by_one_name() -> None:
    found = []
    for name, tree in sources("."):
        if name in COLUMN:
            continue
        for node in ast.walk(tree):
            if not isinstance(node, ast.keyword) or node.arg == OF_EDITS:
                continue
            is_column = (node.arg or "").endswith(("withdrawn_at", "withdrawn_at__isnull"))
            if is_column and ast.unparse(node.value) in ("None", "True"):
                found.append(f"{name}:{node.value.lineno}")
    assert not found, "use .standing(), or .open() of flags:\n" + "\n".join(found)


def test_templates_do_not_work_out_who_is_shown_the_teachers() -> None:
    templates = CURATION.parent / "templates"
    found = [
        str(path.relative_to(templates))
        for path in sorted(templates.rglob("*.html"))
        if "is_blind and not is_admin" in path.read_text()
    ]
    assert not found, f"say shows_teachers: {found}"
