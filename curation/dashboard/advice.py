"""What to do next in a project, and why: one sentence each, and where the button leads.

A pure function of what is known; the page and its tests call it alike.
"""

from dataclasses import dataclass
from math import ceil, floor, inf, sqrt

from curation.dashboard.selectors import Counts, Pace, Running, Student
from curation.figures.intervals import Z, clustered
from curation.templatetags.look import duration

FIRST_TRAINING = 1000
WORTH_AGAIN = 0.25  # train again when so many more are approved, against those learned last
LEAST_TIMED = 20  # reviewed questions; fewer say nothing of a pace
# Work that brings rationales.
COMING = ("import_detail", "run_detail")


@dataclass(frozen=True)
class Advice:
    """`view` is the name of an address below the project, `pk` its number; `posts` makes the button
    a form that is sent there; `key` presses it."""

    text: str
    why: str = ""
    button: str = ""
    view: str = ""
    pk: int | None = None
    posts: bool = False
    key: str = ""


@dataclass(frozen=True)
class Known:
    counts: Counts
    pace: Pace
    student: Student
    running: list[Running]
    can_write: bool
    has_student: bool
    is_admin: bool

    def runs(self, view: str) -> Running | None:
        return next((one for one in self.running if one.view == view), None)


def next_step(known: Known) -> Advice:
    """The one thing that brings the project on."""
    advice = _before_review(known) or _review(known) or _after_review(known)
    if known.is_admin or advice.view in ("", "review", *WATCHED):
        return advice
    if known.pace.waiting:
        return _more_reviews(known)
    return Advice("Nothing waits for you now.", f"An admin comes next: {_as_clause(advice.text)}")


WATCHED = ("import_detail", "run_detail", "training_detail", "evaluation_detail")


def _as_clause(text: str) -> str:
    """The sentence after "Next: …", without it."""
    return text.removeprefix("Next: ")


def _before_review(known: Known) -> Advice | None:
    counts = known.counts
    if not counts.questions:
        if one := known.runs("import_detail"):
            return Advice("Questions are on their way in.", "", "Watch", "import_detail", one.pk)
        return Advice(
            "Next: import questions.",
            "A JSONL file with a question and its reference answer on each line will do; GSM8K’s "
            "files are read as they are.",
            "Import questions",
            "import_new",
        )
    if not counts.rationales:
        return _first_rationales(known)
    if not counts.scored:
        return _first_scores(known)
    return None


def _first_rationales(known: Known) -> Advice:
    if one := known.runs("run_detail"):
        return Advice(
            "The teachers write.",
            "The first rationales can be reviewed as soon as they are scored.",
            "Watch",
            "run_detail",
            one.pk,
        )
    if not known.can_write:
        return Advice(
            "Next: name a teacher.",
            "A teacher is a model that writes rationales: one on the worker, or any "
            "OpenAI-compatible address.",
            "Add a teacher",
            "teacher_new",
        )
    return Advice(
        "Next: let the teachers write.",
        f"{known.counts.trainable:,} questions wait for rationales. A few at different temperatures "
        "give the reviewers something to choose from.",
        "Order rationales",
        "run_new",
    )


def _first_scores(known: Known) -> Advice:
    if any(one.title == "Scoring" for one in known.running):
        return Advice("The rationales are being scored.", "They come to review as they are done.")
    if one := known.runs("run_detail"):
        return Advice("The teachers write; scores follow.", "", "Watch", "run_detail", one.pk)
    return Advice(
        "Next: score the rationales.",
        "Without scores nothing comes to review.",
        "Score now",
        "score_now",
        posts=True,
    )


def _review(known: Known) -> Advice | None:
    """Reviewing, while too little is approved for a training worth its time."""
    counts = known.counts
    if not known.pace.waiting or known.student.job or _training(known):
        return None
    if counts.passing < FIRST_TRAINING and _scores_come(known):
        # How many there will be to approve is not known yet; a goal that moved would be none.
        return Advice(
            f"Next: review. {known.pace.waiting:,} questions wait already.",
            f"{counts.scored:,} of {counts.rationales:,} rationales are scored; how many approved ones make "
            "a first training worth while is said when all are.",
            "Review",
            "review",
            key="r",
        )
    missing = min(FIRST_TRAINING, counts.passing) - counts.approved
    if missing <= 0:
        return None
    rationales = "rationale makes" if missing == 1 else "rationales make"
    return Advice(
        f"Next: {missing:,} more approved {rationales} a first training worth while.",
        _at_this_pace(known, missing),
        "Review",
        "review",
        key="r",
    )


def _scores_come(known: Known) -> bool:
    """Whether rationales are being written or scored, or still have no scores."""
    counts = known.counts
    if counts.scored < counts.rationales or counts.stale_groups:
        return True
    return any(one.title == "Scoring" or one.view in COMING for one in known.running)


def _at_this_pace(known: Known, missing: int) -> str:
    """How long the missing ones may take: a 95% range over how often people approve and how long a
    question takes them; nothing before it says something."""
    pace, counts = known.pace, known.counts
    waiting = f"{pace.waiting:,} question{'s wait' if pace.waiting != 1 else ' waits'}"
    share = clustered(counts.by_people, counts.reviewed, counts.decided)
    if pace.timed < LEAST_TIMED or not pace.rationales or not pace.seconds or share is None:
        reviewed = f"{pace.timed} of {LEAST_TIMED} questions" if pace.timed else "none yet"
        return (
            f"{waiting}, those at which the teachers disagree in front. Too early to tell how long "
            f"that takes: a pace needs {LEAST_TIMED} reviewed questions ({reviewed})."
        )
    a_rationale = pace.seconds * pace.timed / pace.rationales * pace.overlap / max(pace.people, 1)
    off = Z * pace.spread / sqrt(pace.timed) / pace.seconds
    low = missing / share[1] * a_rationale * max(0.2, 1 - off)
    high = missing / max(share[0], 0.01) * a_rationale * (1 + off)
    # All that waits takes no longer than this, and brings no more.
    whole = pace.waiting * pace.seconds * pace.overlap / max(pace.people, 1)
    if low > whole:
        return (
            f"{waiting}, which at the share that people approve will not bring so many: more rationales, "
            "or more questions, would."
        )
    high = min(high, whole * (1 + off))
    people = "one reviewer" if pace.people == 1 else f"each of {pace.people} reviewers"
    return (
        f"At the pace of the last two weeks, {duration(pace.seconds)} a question, that is "
        f"{_span(low, high)} of work for {people}."
    )


def _span(low: float, high: float) -> str:
    """A range of times, rounded outwards to what people would say: "40 to 70 min", "2 to 5 hours"."""
    for name, unit, most in (("min", 60.0, 90 * 60.0), ("hours", 3600.0, inf)):
        if high <= most:
            step = unit * (1 if high <= 15 * unit else 5 if high <= 60 * unit else 10)
            first, last = floor(low / step) * step / unit, ceil(high / step) * step / unit
            if first < 1:
                return f"at most {last:.0f} {name}"
            return f"{last:.0f} {name}" if first == last else f"{first:.0f} to {last:.0f} {name}"
    raise AssertionError("hours take any length")


def _training(known: Known) -> Running | None:
    return known.runs("training_detail") or known.runs("dataset_detail")


def _after_review(known: Known) -> Advice:
    student, counts = known.student, known.counts
    if one := known.runs("training_detail"):
        return Advice(
            "The student learns.", "It is measured as soon as it is done.", "Watch",
            "training_detail", one.pk,
        )  # fmt: skip
    if one := known.runs("evaluation_detail"):
        return Advice("The student is being measured.", "", "Watch", "evaluation_detail", one.pk)
    if not counts.approved:
        return _nothing_approved(known)
    if student.job is None:
        return _train(known, f"{counts.approved:,} approved rationales are enough to begin with.")
    if student.evaluation is None:
        return Advice(
            f"Next: measure training {student.job.pk}.",
            "Nobody knows yet what the student has learned.",
            "Measure",
            "evaluation_new",
        )
    return _another_round(known)


def _nothing_approved(known: Known) -> Advice:
    if known.pace.waiting:
        return _more_reviews(known)
    return Advice(
        "No rationale is approved, and none waits for review.",
        "Let the teachers write more, or look at the rubric: nothing passes it."
        if not known.counts.passing
        else "Let the teachers write more.",
        "Order rationales",
        "run_new",
    )


def _train(known: Known, why: str, again: bool = False) -> Advice:
    if not known.has_student:
        return Advice("Next: name the student to train.", why, "Settings", "settings")
    text = "Next: train again." if again else "Next: export and train."
    return Advice(text, why, "Export and train", "export_and_train", posts=True)


def _another_round(known: Known) -> Advice:
    student, more = known.student, known.student.approved_since
    if more >= WORTH_AGAIN * max(student.job.dataset.example_count, 1):
        return _train(
            known, f"{more:,} rationales were approved since training {student.job.pk}.", True
        )
    if student.missed and known.pace.waiting:
        return Advice(
            "Next: review the kinds at which the student fails.",
            f"Evaluation {student.evaluation.pk} put them in front of the queue; the student misses "
            f"{_listed(student.missed)}.",
            "Review",
            "review",
            key="r",
        )
    if student.missed:
        return Advice(
            "Next: more rationales for the kinds at which the student fails.",
            f"It misses {_listed(student.missed)}; everything that was written is reviewed.",
            "Order rationales",
            "run_new",
        )
    return Advice(
        "Every target is met.",
        "Measure on more questions, or on another kind, before relying on it.",
        "See the evaluation",
        "evaluation_detail",
        student.evaluation.pk,
    )


def _more_reviews(known: Known) -> Advice:
    return Advice(
        f"Next: review. {known.pace.waiting:,} questions wait.",
        "Those at which the teachers disagree stand in front.",
        "Review",
        "review",
        key="r",
    )


TARGETS = {
    "accuracy": "right answers",
    "validity": "valid steps",
    "length_ratio": "length",
    "similarity": "similarity",
}


def _listed(names: tuple[str, ...]) -> str:
    words = [TARGETS.get(name, name) for name in dict.fromkeys(names)]
    listed = " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
    return f"the target{'s' if len(words) > 1 else ''} for {listed}"
