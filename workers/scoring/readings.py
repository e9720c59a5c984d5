"""What a person read in a rationale counts instead of what the scorer reads there, and tells how well it
reads: each such reading is a case that every scoring tries again."""

from workers.scoring.contract import Item
from workers.scoring.extract.answers import Found
from workers.scoring.grade.grading import Grade, grade

METHOD = "person"
REASON = "A person read the answer so."


def as_read(item: Item) -> tuple[Found, Grade]:
    """The answer and its grade as the person of `item.reading` gave them."""
    answer, verdict = item.reading
    unread = "nothing_found" if verdict == "not_read" else ""
    graded = Grade(verdict, REASON, unread, reference=item.references[0] if item.references else "")
    if answer is None:
        return Found(None, method=METHOD), graded
    start = item.rationale.rfind(answer)
    end = start + len(answer) if start >= 0 else -1
    return Found(answer, start, end, METHOD), graded


def own_reading(item: Item, found: Found, graded: Grade, *, hard=None) -> dict:
    """What the scorer itself reads, and whether that `passes`: it says the person's verdict, of an answer
    that is the person's, in whatever form."""
    answer, verdict = item.reading
    if answer is None or found.answer is None:
        same = answer is found.answer
    else:
        same = found.answer.strip() == answer or (
            grade(found, [answer], item.answer_type, item.choices, item.question, hard=hard).verdict
            == "right"
        )
    return {
        "answer": found.answer,
        "verdict": graded.verdict,
        "unread": graded.unread,
        "passes": same and graded.verdict == verdict,
    }
