"""What an evaluation means, in sentences. No figure stands without its interval."""

from __future__ import annotations

from workers.evaluation.rounding import half_up, in_percent
from workers.evaluation.types import Estimate, ModelResult, PairResult, Report, TargetResult

_TARGET_NAMES = {
    "accuracy": "Right answers",
    "validity": "Valid rationales",
    "length_ratio": "Length against the teacher",
    "similarity": "Similarity to the teacher",
}
_STANDING = {
    "met": "met, the whole interval is on the right side",
    "met_by_estimate": "met by the estimate only, the interval reaches past the target",
    "missed_by_estimate": "missed by the estimate, the interval still reaches the target",
    "missed": "missed, the whole interval is on the wrong side",
}
_BARE = {
    "met_by_estimate": "met by the estimate only",
    "missed_by_estimate": "missed by the estimate",
}
ENDED_ENOUGH = 0.95
NOT_READ_MUCH = 0.05


def verdict(report: Report) -> list[str]:
    """The sentences, most important first: accuracy, gain, share, targets, groups, what next."""
    primary = (report.primary_split, report.primary_subset)
    sentences: list[str] = []
    students = report.by_role("student")
    if not students:
        return ["No trained student was measured. Train one, then evaluate it beside its base."]
    sentences += _teachers(report)
    for student in students:
        group = student.group(*primary)
        if group is None or group.accuracy.value is None:
            where = _group_name(*primary)
            sentences.append(f"{student.name} has no answer on {where}: nothing can be said of it.")
            continue
        sentences.append(
            f"{student.name} answers {_share(group.accuracy)} of "
            f"{group.accuracy.n:,} questions right ({_group_name(*primary)})."
        )
        sentences += _gain(report, student)
        sentences += _control(report, student)
        sentences += _share_of_teacher(report, student)
        sentences += _targets(report, student)
        sentences += _other_groups(report, student, primary)
        sentences += _troubles(group, student.name)
        sentences.append(_next_step(report, student, group))
    sentences.append(
        "The intervals (95%) speak of these questions and this one training; another seed moves a "
        "small student by several points more."
    )
    return sentences


def _teachers(report: Report) -> list[str]:
    teachers = report.by_role("teacher")
    if len(teachers) < 2 or not report.better_teacher:
        return []
    found = []
    for other in teachers:
        if other.name == report.better_teacher:
            continue
        pair = report.pair(report.better_teacher, other.name)
        if pair is not None and not pair.apart:
            found.append(
                f"{report.better_teacher} is taken as the better teacher, but it and {other.name} "
                f"cannot be told apart ({_points(pair)})."
            )
    return found


def _gain(report: Report, student: ModelResult) -> list[str]:
    found = []
    for base in report.by_role("base"):
        pair = report.pair(student.name, base.name)
        if pair is None or pair.difference.value is None:
            continue
        if pair.apart:
            way = "more" if pair.difference.value > 0 else "fewer"
            value = in_percent(abs(pair.difference.value), 1)
            found.append(
                f"That is {value} points {way} than its base, {base.name} ({_interval_points(pair)})."
            )
        else:
            found.append(
                f"It and its base, {base.name}, cannot be told apart ({_points(pair)}): the training "
                "has not shown an effect."
            )
    return found


def _control(report: Report, student: ModelResult) -> list[str]:
    """How much of the gain the first words of a rationale alone would bring."""
    found = []
    for one in report.controls:
        if one.student == student.name and one.why:
            found.append(f"Control: there is none for {student.name}: {one.why}.")
            continue
        control = report.model(one.control)
        group = control.group(report.primary_split, report.primary_subset) if control else None
        pair = report.pair(student.name, one.control)
        if one.student != student.name or group is None or pair is None:
            continue
        if group.accuracy.value is None or pair.difference.value is None:
            continue
        said = (
            f"Control: {one.base or 'its base student'}, without any training and only made to begin its "
            f"answers with “{one.begin}”, answers {_share(group.accuracy)} right"
        )
        if one.gain.value is not None:
            said += f"; that alone reaches {_share(one.gain)} of the gain"
        apart = "" if pair.apart else ": they cannot be told apart"
        found.append(f"{said}. {student.name} minus this control: {_points(pair)}{apart}.")
    return found


def _share_of_teacher(report: Report, student: ModelResult) -> list[str]:
    return [
        f"It reaches {_share(share.estimate)} of the accuracy of {share.teacher}, the better teacher."
        for share in report.shares
        if share.model == student.name and share.estimate.value is not None
    ]


def _targets(report: Report, student: ModelResult) -> list[str]:
    return [_target(result) for result in report.targets if result.model == student.name]


def _target(result: TargetResult) -> str:
    name = _TARGET_NAMES[result.name]
    if result.status == "unknown" or result.bar is None:
        return f"{name}: cannot be judged, there is nothing to compare with."
    sign = "at most" if result.name == "length_ratio" else "at least"
    as_share = result.name in ("accuracy", "validity")
    figure = _share(result.estimate) if as_share else _plain(result.estimate)
    bar = f"{in_percent(result.bar, 1)}%" if as_share else half_up(result.bar, 2)
    standing = _STANDING[result.status] if result.estimate.low is not None else _BARE[result.status]
    return f"{name}: {figure}, target {sign} {bar}: {standing}."


def _other_groups(report: Report, student: ModelResult, primary) -> list[str]:
    found = []
    for group in student.groups:
        if (group.split, group.subset) == primary or group.accuracy.value is None:
            continue
        beside = []
        for other in (*report.by_role("base"), *report.by_role("teacher")):
            theirs = other.group(group.split, group.subset)
            if theirs is not None and theirs.accuracy.value is not None:
                beside.append(f"{other.name} {in_percent(theirs.accuracy.value, 1)}%")
        tail = f" ({', '.join(beside)})" if beside else ""
        found.append(
            f"On {_group_name(group.split, group.subset)}, {group.accuracy.n:,} questions: "
            f"{_share(group.accuracy)}{tail}."
        )
    return found


def _troubles(group, name: str) -> list[str]:
    found = []
    if group.n_failed:
        found.append(
            f"{group.n_failed:,} questions got no answer from {name} for technical reasons and are "
            "left out. Run the evaluation again: only those are asked."
        )
    if group.accuracy.n and group.n_not_read / group.accuracy.n > NOT_READ_MUCH:
        most = group.accuracy.value + group.n_not_read / group.accuracy.n
        found.append(
            f"{group.n_not_read:,} answers of {name} could not be read: they are neither right nor wrong. "
            f"Were all of them right, it would answer {in_percent(most, 1)}% right. Look at some."
        )
    if group.ended.value is not None and group.ended.value < ENDED_ENOUGH:
        found.append(f"Only {_share(group.ended)} of its answers end by themselves.")
    return found


def _next_step(report: Report, student: ModelResult, group) -> str:
    """The one thing that is most likely to help."""
    status = {r.name: r.status for r in report.targets if r.model == student.name}
    if group.ended.value is not None and group.ended.value < ENDED_ENOUGH:
        return (
            "Next: see why answers do not end (end token, or the limit of tokens), before anything "
            "else: a model that does not stop is not measured fairly."
        )
    if status.get("accuracy") in ("missed", "missed_by_estimate"):
        return (
            "Next: approve more rationales, first for the questions that it gets wrong here, and train "
            "again; more examples helped most in our trials."
        )
    if status.get("validity") in ("missed", "missed_by_estimate"):
        return "Next: review the rationales with flagged steps; wrong steps are being taught."
    if status.get("length_ratio") in ("missed", "missed_by_estimate"):
        return "Next: approve the shortest right rationale of each group, and train again."
    if status.get("similarity") in ("missed", "missed_by_estimate"):
        return "Next: look at right answers that read unlike the teacher's; they may be fine."
    if "met_by_estimate" in status.values():
        return "Next: measure on more questions; some intervals still reach past their target."
    if status and set(status.values()) == {"met"}:
        return "Next: every target is met. Try it on questions of another kind."
    return "Next: add a teacher to the evaluation, so that the targets can be judged."


def _group_name(split: str, subset: str) -> str:
    names = {"eval": "held-out questions", "ood": "questions out of distribution"}
    name = names.get(split, f"split {split}")
    return f"{name}, {subset}" if subset else name


def _share(found: Estimate) -> str:
    if found.low is None:
        return f"{_minus(in_percent(found.value, 1))}% (no interval can be given)"
    value, low, high = (_minus(in_percent(end, 1)) for end in (found.value, found.low, found.high))
    return f"{value}% ({low} to {high})"


def _plain(found: Estimate) -> str:
    if found.low is None:
        return f"{half_up(found.value, 2)} (no interval can be given)"
    value, low, high = (half_up(end, 2) for end in (found.value, found.low, found.high))
    return f"{value} ({low} to {high})"


def _interval_points(pair: PairResult) -> str:
    low, high = sorted((abs(pair.difference.low), abs(pair.difference.high)))
    return f"{in_percent(low, 1)} to {in_percent(high, 1)}"


def _points(pair: PairResult) -> str:
    return points(pair.difference)


def points(found: Estimate) -> str:
    """A difference of two shares in points, with its interval."""
    if found.low is None:
        return f"{_signed(found.value)} points, no interval can be given"
    return f"{_signed(found.value)} points, {_signed(found.low)} to {_signed(found.high)}"


def _signed(value: float) -> str:
    return _minus(in_percent(value, 1, sign="+"))


def _minus(text: str) -> str:
    return text.replace("-", "−")
