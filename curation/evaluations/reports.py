"""A stored report as a page shows it: tables by part of the held-out questions, targets, plots.

Pure functions of the JSON that `workers.evaluation` writes (its `Report`); figures are objects
`{"value", "low", "high", "n"}` in which all but `n` may be null.
"""

from dataclasses import dataclass, field
from typing import Any

from curation.figures.rounding import half_up, in_percent
from curation.questions.models import Split

FIGURES = ("accuracy", "validity", "length_ratio", "similarity")
ENDED_ENOUGH = 0.95
SHARES = ("accuracy", "validity")
STANDING = {
    "met": ("good", "met"),
    "met_by_estimate": ("warn", "met by the estimate only"),
    "missed_by_estimate": ("warn", "missed by the estimate"),
    "missed": ("bad", "missed"),
    "unknown": ("", "cannot be judged"),
}
TARGET_NAMES = {
    "accuracy": "Right answers",
    "validity": "Valid steps",
    "length_ratio": "Length ratio",
    "similarity": "Similarity",
}
ORDER = ("student", "control", "teacher", "base")
SUBSETS = {
    "paraphrase": ("The same kinds in other words", ""),
    "new words": ("New names and things", ""),
    "new_words": ("New names and things", ""),
    "floor": (
        "Floor: kinds and sizes never seen",
        "Every model of this size is near zero here. It shows where the floor is, and judges nobody.",
    ),
}


@dataclass(frozen=True)
class Cell:
    """A figure in words: `text` with its `interval`, and the colour that its target gives it."""

    text: str
    interval: str = ""
    level: str = ""
    why: str = ""


@dataclass(frozen=True)
class Row:
    name: str
    role: str
    cells: list[Cell]
    tokens: float | None
    ended: Cell
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Part:
    """One part of the held-out questions with every model's figures on it."""

    key: str
    title: str
    note: str
    n: int
    rows: list[Row]
    is_primary: bool
    bars: list[Cell] = field(default_factory=list)


def blind(report: dict[str, Any]) -> dict[str, Any]:
    """The report for people who review blind: of teachers nothing but how often they are right.

    That tells nobody who wrote a rationale at the bench; how long, how valid and how alike a named teacher's
    rationales are would. Their answers are withheld as well, see `selectors.chosen`.
    """
    models = [
        {**model, "groups": [_plain(group) for group in model["groups"]]}
        if model["role"] == "teacher"
        else model
        for model in report.get("models", [])
    ]
    return {**report, "models": models} if models else report


def _plain(group: dict[str, Any]) -> dict[str, Any]:
    unknown = {"value": None, "low": None, "high": None, "n": 0}
    hidden = {name: unknown for name in (*FIGURES[1:], "ended") if name in group}
    return {**group, **hidden, **({"mean_tokens": None} if "mean_tokens" in group else {})}


def part_key(split: str, subset: str) -> str:
    """How a part is named in an address."""
    return f"{split}:{subset}"


def part_title(split: str, subset: str) -> tuple[str, str]:
    """(title, note) of a part."""
    if not subset:
        return {
            Split.EVAL: "Held-out questions",
            Split.OOD: "Out of distribution",
        }.get(split, split), ""
    if subset in SUBSETS:
        return SUBSETS[subset]
    kind = "out of distribution" if split == Split.OOD else "held out"
    return f"{subset}, {kind}", ""


def figure(name: str, found: dict[str, Any] | None, level: str = "", why: str = "") -> Cell:
    """One figure: shares in percent, ratios as numbers; a dash where it is not known."""
    if not found or found.get("value") is None:
        return Cell("–")
    value, low, high = found["value"], found.get("low"), found.get("high")
    if name in (*SHARES, "ended", "gain"):
        text = f"{in_percent(value, 1)}%"
        # Only shares and ends of them have no sense below zero: a control may fall short of the base.
        dash = " to " if low is not None and low < 0 else "–"
        ends = "" if low is None else f"{in_percent(low, 1)}{dash}{in_percent(high, 1)}"
        text, ends = text.replace("-", "−"), ends.replace("-", "−")
    else:
        text = half_up(value, 2)
        ends = "" if low is None else f"{half_up(low, 2)}–{half_up(high, 2)}"
    return Cell(text, ends, level, why)


def parts(report: dict[str, Any]) -> list[Part]:
    """The tables, the part that the targets are judged on first."""
    primary = (report.get("primary_split"), report.get("primary_subset"))
    standing = {
        (t["model"], t["name"]): STANDING.get(t["status"], ("", "")) for t in _targets(report)
    }
    found: dict[tuple[str, str], list[tuple[dict[str, Any], dict[str, Any]]]] = {}
    for model in report.get("models", []):
        for group in model["groups"]:
            found.setdefault((group["split"], group["subset"]), []).append((model, group))
    made = []
    for where, lines in found.items():
        is_primary = where == primary
        title, note = part_title(*where)
        rows = [_row(model, group, standing if is_primary else {}) for model, group in lines]
        made.append(
            Part(
                part_key(*where), title, note, max(g["n"] for _, g in lines), rows, is_primary,
                _bars(report) if is_primary else [],
            )
        )  # fmt: skip
    return sorted(made, key=lambda part: (not part.is_primary, bool(part.note)))


def _row(model: dict[str, Any], group: dict[str, Any], standing: dict[Any, Any]) -> Row:
    cells = []
    for name in FIGURES:
        level, why = standing.get((model["name"], name), ("", ""))
        cells.append(figure(name, group.get(name), level, why))
    return Row(
        model["name"],
        model["role"],
        cells,
        group.get("mean_tokens"),
        figure("ended", group.get("ended")),
        _notes(group),
    )


def _not_read(group: dict[str, Any]) -> int:
    """A report of an older worker has it by another name."""
    return group.get("n_not_read", group.get("n_ungraded", 0))


def _if_right(group: dict[str, Any]) -> str:
    """How far the share of right answers could rise if all that was not read were right."""
    accuracy = group["accuracy"]
    if not accuracy["n"] or accuracy["value"] is None:
        return "none was read"
    most = accuracy["value"] + _not_read(group) / accuracy["n"]
    return f"at most {in_percent(most, 1)}% right, if all of them were"


def _notes(group: dict[str, Any]) -> list[str]:
    """What makes a row's figures worth less than they seem."""
    notes = []
    if group["n_failed"]:
        notes.append(f"{group['n_failed']:,} not answered")
    if unread := _not_read(group):
        notes.append(f"{unread:,} not read ({_if_right(group)})")
    ended = group["ended"]["value"]
    if ended is not None and ended < ENDED_ENOUGH:
        notes.append(f"only {in_percent(ended)}% end by themselves")
    return notes


def _bars(report: dict[str, Any]) -> list[Cell]:
    """The row of targets; the bar for right answers depends on the better teacher."""
    values = report.get("target_values", {})
    bars = {t["name"]: t["bar"] for t in _targets(report)}
    cells = []
    for name in FIGURES:
        bar = bars.get(name) or (None if name == "accuracy" else values.get(name))
        sign = "≤" if name == "length_ratio" else "≥"
        text = figure(name, {"value": bar}).text
        cells.append(Cell(f"{sign} {text}" if bar else "–"))
    return cells


def _targets(report: dict[str, Any]) -> list[dict[str, Any]]:
    return report.get("targets", [])


@dataclass(frozen=True)
class Target:
    model: str
    name: str
    cell: Cell
    bar: str
    level: str
    words: str


def targets(report: dict[str, Any]) -> list[Target]:
    made = []
    for one in _targets(report):
        level, words = STANDING.get(one["status"], ("", one["status"]))
        sign = "at most" if one["name"] == "length_ratio" else "at least"
        bar = figure(one["name"], {"value": one["bar"]}).text
        name = TARGET_NAMES.get(one["name"], one["name"])
        made.append(
            Target(
                one["model"], name, figure(one["name"], one["estimate"]), f"{sign} {bar}", level,
                words,
            )
        )  # fmt: skip
    return made


def standing(report: dict[str, Any]) -> list[Target]:
    """The targets of the first student, for a line of the list."""
    main = next(iter(students(report)), "")
    return [one for one in targets(report) if one.model == main]


# How the verdict's sentences about targets begin (workers/evaluation/verdict.py); the page shows
# those of the first student as tiles.
TARGET_SENTENCES = (
    "Right answers: ",
    "Valid rationales: ",
    "Length against the teacher: ",
    "Similarity to the teacher: ",
)


def arranged(sentences: list[str], tiles: list[Target]) -> tuple[list[str], list[str]]:
    """(the sentences that lead, the others), without those that the tiles say already."""
    lead: list[str] = []
    rest: list[str] = []
    said = 0
    for sentence in sentences:
        if said < len(tiles) and sentence.startswith(TARGET_SENTENCES):
            said += 1
        else:
            (rest if said or len(lead) == 3 else lead).append(sentence)
    return lead, rest


@dataclass(frozen=True)
class Difference:
    """Two models on the same questions: accuracy of `a` minus that of `b`, in points."""

    a: str
    b: str
    cell: Cell
    only_a: int
    only_b: int
    p: str
    apart: bool


def differences(report: dict[str, Any]) -> list[tuple[str, list[Difference]]]:
    """(title of a part, every pair of models on it), students first; the primary part first."""
    roles = {m["name"]: ORDER.index(m["role"]) for m in report["models"]}
    by_part: dict[str, list[Difference]] = {}
    for pair in report.get("pairs", []):
        made = _difference(pair, roles)
        by_part.setdefault(part_key(pair["split"], pair["subset"]), []).append(made)
    for found in by_part.values():
        found.sort(key=lambda one: (roles.get(one.a, 3), one.a))
    return [(part.title, by_part[part.key]) for part in parts(report) if part.key in by_part]


def _difference(pair: dict[str, Any], roles: dict[str, int]) -> Difference:
    a, b, found = pair["a"], pair["b"], pair["difference"]
    only_a, only_b = pair["only_a"], pair["only_b"]
    if roles.get(b, 3) < roles.get(a, 3):  # the student's gain, not its base's loss
        a, b, only_a, only_b = b, a, only_b, only_a
        turned = {"value": found["value"], "low": found["high"], "high": found["low"]}
        found = {key: None if end is None else -end for key, end in turned.items()}
    low, high, p = found["low"], found["high"], pair["p_value"]
    apart = low is not None and (low > 0 or high < 0) and p < 0.05
    return Difference(
        a, b, _points(found), only_a, only_b, "< 0.001" if p < 0.001 else f"{p:.3f}", apart
    )


@dataclass(frozen=True)
class Control:
    """The base student without training, made to begin its answers as the rationales do."""

    student: str
    begin: str
    accuracy: Cell
    trained: Cell
    gain: Cell
    difference: Cell
    apart: bool
    why: str = ""  # why there is none


def controls(report: dict[str, Any]) -> list[Control]:
    """Each student beside its control, on the part that the targets are judged on."""
    primary = report.get("primary_split"), report.get("primary_subset")
    accuracy = {
        m["name"]: group["accuracy"]
        for m in report.get("models", [])
        for group in m["groups"]
        if (group["split"], group["subset"]) == primary
    }
    pairs = {
        (one.a, one.b): one
        for pair in report.get("pairs", [])
        if (pair["split"], pair["subset"]) == primary
        for one in [
            _difference(pair, {m["name"]: ORDER.index(m["role"]) for m in report["models"]})
        ]
    }
    found = []
    for one in report.get("controls", []):
        pair = pairs.get((one["student"], one["control"]))
        found.append(
            Control(
                one["student"],
                one["begin"],
                figure("accuracy", accuracy.get(one["control"])),
                figure("accuracy", accuracy.get(one["student"])),
                figure("gain", one["gain"]),
                pair.cell if pair else Cell("–"),
                bool(pair and pair.apart),
                one.get("why", ""),
            )
        )
    return found


def students(report: dict[str, Any]) -> list[str]:
    return [m["name"] for m in report.get("models", []) if m["role"] == "student"]


def model_names(report: dict[str, Any], *, teachers: bool = True) -> list[str]:
    """All models, students first; or all but the teachers."""
    models = [m for m in report.get("models", []) if teachers or m["role"] != "teacher"]
    return [m["name"] for m in sorted(models, key=lambda m: m["role"] != "student")]


def headline(report: dict[str, Any]) -> Cell | None:
    """The first student's right answers on the part that counts."""
    for part in parts(report):
        if part.is_primary:
            return next((row.cells[0] for row in part.rows if row.role == "student"), None)
    return None


def accuracy_plot(report: dict[str, Any]) -> dict[str, Any]:
    """Right answers with intervals by model and part, for static/plots.js; shares from 0 to 1."""
    tables = parts(report)
    models: dict[str, dict[str, Any]] = {}
    by_place = {
        (m["name"], part_key(g["split"], g["subset"])): g["accuracy"]
        for m in report.get("models", [])
        for g in m["groups"]
    }
    for model in report.get("models", []):
        points = [by_place.get((model["name"], part.key)) or {} for part in tables]
        models[model["name"]] = {
            "name": model["name"],
            "role": model["role"],
            **{end: [point.get(end) for point in points] for end in ("value", "low", "high")},
        }
    return {"parts": [part.title for part in tables], "models": list(models.values())}


def curation_plot(report: dict[str, Any]) -> dict[str, Any] | None:
    """Students of approved beside students of unfiltered rationales, by teacher; None where not measured."""
    rows = report.get("curation") or []
    if not rows:
        return None
    return {
        "teachers": [row["teacher"] for row in rows],
        "series": [
            {
                "name": name,
                **{end: [row[name].get(end) for row in rows] for end in ("value", "low", "high")},
            }
            for name in ("approved", "unfiltered")
        ],
    }


def curation_rows(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "teacher": row["teacher"],
            "approved": figure("accuracy", row["approved"]),
            "unfiltered": figure("accuracy", row["unfiltered"]),
            "difference": _points(row["difference"]),
            "apart": row["apart"],
            "sentence": row["sentence"],
        }
        for row in report.get("curation") or []
    ]


def _points(found: dict[str, Any]) -> Cell:
    if found.get("value") is None:
        return Cell("–")
    low, high = found.get("low"), found.get("high")
    ends = (
        "" if low is None else f"{in_percent(low, 1, sign='+')} to {in_percent(high, 1, sign='+')}"
    )
    text = in_percent(found["value"], 1, sign="+")
    return Cell(text.replace("-", "−"), ends.replace("-", "−"))
