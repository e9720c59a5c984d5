"""What can be said at once of a text that somebody is still writing.

As `score_items`, without what needs other rationales, sentence embeddings or a judge: some milliseconds.
"""

from workers.scoring.contract import Item
from workers.scoring.isolation.process import TextProcess
from workers.scoring.metrics.conciseness import StudentLimit
from workers.scoring.scorer import score_items

# Of the contract's score: what a rationale that stands alone has.
ALONE = (
    "answer",
    "correctness",
    "verdict",
    "unread",
    "structure",
    "validity",
    "redundancy",
    "steps",
    "flags",
)
HOW = (
    "reason",
    "answer_start",
    "answer_end",
    "equations_checked",
    "equations_failed",
    "length",
    "scorer_version",
)


def check_item(
    item: Item, *, limit: StudentLimit | None = None, process: TextProcess | None = None
) -> dict:
    """The fields ALONE of the contract's score and HOW of its details, for one text.

    limit: what the project's student can take; a longer text gets the flag `too_long`; process: reads
    the text. Raises TextError with the reason where the text could not be scored there.
    """
    (scored,) = score_items([item], limit=limit, process=process)
    score, how = scored.to_dict(), scored.details()
    return {name: score[name] for name in ALONE} | {name: how[name] for name in HOW}
