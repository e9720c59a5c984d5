"""Says how an answer was found and graded, for people: `python -m workers.scoring FILE --explain ID`."""

from collections.abc import Iterator
from pathlib import Path

from workers.scoring.contract import BadLine, Item, item_from, parse_line
from workers.scoring.extract.answers import Found, find_answer
from workers.scoring.extract.sections import Body, final_text
from workers.scoring.grade.grading import Grade, grade
from workers.scoring.scorer import kind_of

AROUND = 160  # characters of the rationale that are shown on each side of the answer
RULES = {
    "boxed": r"a box, \boxed{...}",
    "hash": "the line '#### answer'",
    "a-line": "the line 'A: answer'",
    "answer-is": "words that name the answer ('the answer is', 'Final answer:', and in other languages)",
    "choice": "words that name an option ('Option B', 'choose C')",
    "tag": "the tag <answer>",
    "json": 'a field "answer" of JSON',
    "denied": "words that say only what the answer is not",
    "conclusion": "the sentence that concludes, in plain words: nothing marks the answer",
    "bare": "the rationale is nothing but an answer",
    "none": "no rule found an answer",
    "cut-off": "the text ends before it gave an answer",
    "empty": "there is no text outside of thoughts and control tokens",
    "refusal": "the model refused to answer",
    "ambiguous": "the rationale can be read as giving more than one answer",
}


def explain(item: Item) -> str:
    """Some lines on how the answer of a rationale was found, read and graded."""
    kind = kind_of(item)
    body = final_text(item.rationale)
    found = find_answer(item.rationale, kind, item.choices, item.finish_reason)
    graded = grade(found, item.references, item.answer_type, item.choices, item.question)
    return "\n".join(_lines(item, kind, body, found, graded))


def _lines(item: Item, kind: str | None, body: Body, found: Found, graded: Grade) -> Iterator[str]:
    yield f"id            {item.id}"
    yield f"verdict       {graded.verdict}" + (f" ({graded.unread})" if graded.unread else "")
    yield f"why           {graded.reason}"
    yield f"looked for    {kind or 'any kind of answer'}" + (
        f" (the question's type is {item.answer_type})"
        if item.answer_type not in (None, kind)
        else ""
    )
    yield f"looked in     characters {body.start} to {body.stop} of {len(item.rationale)}{_left_out(body)}"
    yield f"ended with    {item.finish_reason or 'not known'}"
    yield f"rule          {RULES[found.method]}"
    if found.start >= 0:
        yield f"found at      characters {found.start} to {found.end}"
        yield f"in the text   {_in_text(item.rationale, found)}"
    yield f"answer        {found.answer if found.answer is not None else '(none)'}"
    yield f"read as       {graded.read or '(not compared)'}"
    yield f"reference     {graded.reference or ' | '.join(item.references) or '(none)'}"
    yield f"read as       {graded.reference_read or '(not compared)'}"
    if found.decimal_comma:
        yield "decimals      the rationale writes them with a comma"


def _left_out(body: Body) -> str:
    if body.is_open:
        return "; a thought that never ended is left out"
    return "; a next question or turn is left out" if body.turn >= 0 else ""


def _in_text(text: str, found: Found) -> str:
    start, end = max(0, found.start - AROUND), min(len(text), found.end + AROUND)
    before, answer, after = (
        text[start : found.start],
        text[found.start : found.end],
        text[found.end : end],
    )
    shown = (
        f"{'...' if start else ''}{before}>>>{answer}<<<{after}{'...' if end < len(text) else ''}"
    )
    return " ".join(shown.split())


def explain_in_file(path: Path, name: str) -> Iterator[str]:
    """An explanation for each line of a file that has this id. Bad lines are passed over."""
    with path.open("rb") as file:
        for raw in file:
            if not raw.strip():
                continue
            try:
                row = parse_line(raw)
                if str(row.get("id")) == name:
                    yield explain(item_from(row))
            except BadLine as error:
                if name.encode() in raw:
                    yield f"id            {name}\nthe line cannot be scored: {error}"
