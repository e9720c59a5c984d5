"""Proposes what each column of a file becomes, from its name and from what its first rows hold."""

import re
from collections.abc import Iterable, Sequence

from curation.questions.shapes.chats import is_chat
from curation.questions.shapes.choices import read_choices
from curation.questions.shapes.columns import Column, Record, profile
from curation.questions.shapes.names import (
    ANY_QUESTION,
    NO_QUESTION,
    known,
    split_of,
)
from curation.questions.shapes.proposing.families import choice_families
from curation.questions.shapes.stepwise import is_prm800k, is_shepherd
from curation.questions.shapes.types import type_by_name

Roles = dict[str, str]
LONG_ANSWER = 160  # characters: a column of longer texts holds no reference answers
FEW = 3
MANY = 10
INNER = ("text", "texts", "value", "spans", "content")


class Proposal:
    """`roles`: what each column becomes; decided in one pass, the certain ones first."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.columns = profile(records)
        self.roles: Roles = {}
        self.count = max(len(records), 1)
        for name, column in self.columns.items():
            if not column.seen and name != "reference_answer":
                self.roles[name] = "unused"
        for step in (
            self._special, self._ids, self._conversations, self._choices, self._question, self._context,
            self._steps, self._answers, self._rationales, self._facts,
        ):  # fmt: skip
            step()
        for name in self.columns:
            self.roles.setdefault(name, "unused")
        self.roles = {name: self.roles[name] for name in self.columns}

    # What is asked of columns

    def free(self) -> Iterable[Column]:
        return [c for name, c in self.columns.items() if name not in self.roles]

    def named(self, role: str, free: bool = True) -> list[Column]:
        """The columns whose name is one for `role`, the best name first."""
        found = []
        for column in self.free() if free else self.columns.values():
            rank = known(role, column.last)
            if rank is None and column.key != column.last:
                rank = known(role, column.key.replace(".", "_"))
                if (
                    rank is None and column.last in INNER and role == "answer"
                ):  # answers.text of SQuAD
                    rank = known(role, column.key.split(".")[-2].strip("_"))
            if rank is not None:
                found.append((rank, column.key.count("."), column))
        return [column for *_, column in sorted(found, key=lambda one: one[:2])]

    def has(self, role: str) -> bool:
        return any(r.partition(":")[0] == role for r in self.roles.values())

    def of(self, role: str) -> list[Column]:
        return [self.columns[n] for n, r in self.roles.items() if r.partition(":")[0] == role]

    def together(self, one: Column, other: Column) -> bool:
        """Do both have a value in some row?"""
        return any(
            r.get(one.name) not in (None, "") and r.get(other.name) not in (None, "")
            for r in self.records
        )

    def or_metadata(self, column: Column, role: str) -> str:
        """The role, unless another column has it in the same rows: then it is metadata."""
        taken = any(self.together(column, one) for one in self.of(role))
        return "metadata" if taken else role

    # The steps

    def _special(self) -> None:
        for column in self.columns.values():
            if column.values and is_prm800k(column.values[0]):
                self.roles[column.name] = "steps"
                for other in self.free():
                    if other.last == "finish_reason":
                        self.roles[other.name] = "verdict"
        for column in self.columns.values():
            if (
                column.values
                and all(map(is_shepherd, column.values[:5]))
                and column.last == "input"
            ):
                self.roles[column.name] = "question"
                for other in self.free():
                    if other.last == "label":
                        self.roles[other.name] = "step_labels"

    def _ids(self) -> None:
        for column in self.named("id"):
            whole = column.seen >= 0.9 * self.count or column.last == "id"
            single = column.kind in ("text", "number") and column.median_length <= 80
            # Two questions of one id are told by the import; an id of groups is none of questions.
            differ = 2 * len(column.distinct) >= column.seen
            if (
                whole
                and single
                and differ
                and not (column.last == "key" and self._is_letters(column))
            ):
                self.roles[column.name] = self.or_metadata(column, "id")
            elif column.last in ("id", "qid", "question_id") and single:
                self.roles[column.name] = "metadata"  # of a passage, say: several questions have it
        for column in self.free():
            if (
                column.last.endswith("id")
                and column.last.replace("_", "").isalnum()
                and not self.has("id")
                and self._is_id(column)
            ):
                self.roles[column.name] = "id"
        for column in self.free():  # pandas' index
            if (
                re.fullmatch(r"unnamed_\d+|column_1|_c0|_?index_?\w{0,5}", column.key)
                and column.distinct
            ):
                numbers = [v for v in column.values if re.fullmatch(r"\d+", str(v))]
                rising = (
                    [int(v) for v in numbers]
                    == list(range(int(numbers[0]), int(numbers[0]) + len(numbers)))
                    if numbers
                    else False
                )
                if rising and len(numbers) == column.seen > FEW:
                    self.roles[column.name] = "metadata" if self.has("id") else "id"

    def _is_id(self, column: Column) -> bool:
        return (
            column.kind in ("text", "number")
            and column.seen >= 0.9 * self.count
            and len(column.distinct) == column.seen
            and column.median_length <= 80
            and all(" " not in str(v) for v in column.values[:20])
        )

    @staticmethod
    def _is_letters(column: Column) -> bool:
        return all(len(str(v)) <= 2 for v in column.distinct)

    def _conversations(self) -> None:
        chats = [c for c in self.free() if c.values and all(map(is_chat, c.values[:20]))]
        preferred = [c for c in chats if known("rationale", c.last) is not None]
        plain = [c for c in chats if c not in preferred]
        for column in preferred:
            self.roles[column.name] = f"rationale:{column.name.rsplit('.', 1)[-1]}"
        has_question = any(
            rank is not None and rank < 300 and c.kind == "text"
            for c in self.free()
            for rank in [known("question", c.last)]
        )
        has_text = has_question and any(
            c.kind in ("text", "texts")
            for role in ("worked_solution", "rationale")
            for c in self.named(role)
        )
        for n, column in enumerate(plain):
            # Beside a question and its solution a conversation says the same again.
            self.roles[column.name] = "unused" if n or has_text else "messages"

    def _choices(self) -> None:
        self._list_choices()
        if self.has("choices"):
            return
        for family in choice_families(list(self.free())):
            if family.is_wrong or self._has_right(family.names):
                for name in family.names:
                    self.roles[name] = "wrong_choice" if family.is_wrong else "choice"
                if not family.is_wrong:
                    return

    def _list_choices(self) -> None:
        for column in self.named("choices"):
            values = [read_choices(v, column.name) for v in column.values[:50]]
            least = 1 if column.kind in ("texts", "objects") else 2
            good = [v for v in values if v is not None and len(v.texts) >= least]
            if len(good) * 2 < len(values):
                continue
            if column.kind == "text" and not self._has_right([column.name]):
                continue
            is_answers = column.last in (
                "answers",
                "candidates",
                "possible_answers",
                "alternatives",
            )
            if is_answers and not self._has_index([column.name]):
                continue
            if column.last == "candidates" and column.kind == "text":
                continue
            self.roles[column.name] = "metadata" if self.has("choices") else "choices"

    def _has_right(self, besides: Sequence[str]) -> bool:
        return any(c.name not in besides for c in self.named("right_choice"))

    def _has_index(self, besides: Sequence[str]) -> bool:
        """Is there a column of letters or small numbers that could say which one is right?"""
        return any(
            all(re.fullmatch(r"[A-Za-z]|\d{1,2}|\[?\d?\]?", str(v)) for v in c.values[:50])
            for c in self.named("right_choice")
            if c.name not in besides
        )

    def _is_text(self, column: Column) -> bool:
        return column.kind in ("text", "texts") and (
            column.kind == "texts" or column.median_length >= 1
        )

    def _question(self) -> None:
        if self.has("question"):
            return
        ranked: list[tuple[int, int, Column]] = []
        for place, column in enumerate(self.free()):
            rank = known("question", column.last)
            if (
                rank is None
                and ANY_QUESTION.search(column.last)
                and not NO_QUESTION.search(column.last)
            ):
                rank = 90 if column.median_length >= 12 else 290
            if rank is None or not self._is_text(column):
                continue
            if column.kind == "texts" and column.last not in (
                "turns",
                "question",
                "questions",
                "prompt",
            ):
                continue
            if column.is_constant and column.seen >= MANY:
                rank += 400
            ranked.append((rank, place, column))
        ranked.sort(key=lambda one: one[:2])
        if self.has("messages") and (not ranked or ranked[0][0] >= 300):
            return
        if not ranked:
            return
        rank, _, first = ranked[0]
        self.roles[first.name] = "question"
        for other_rank, _, other in ranked[1:]:
            # Another shape of row in the same file calls it by another name.
            if other_rank < 300 and not self.together(first, other):
                self.roles[other.name] = "question"
        self._beside_the_question(first, [c for _, _, c in ranked[1:] if c.name not in self.roles])

    def _beside_the_question(self, first: Column, others: Sequence[Column]) -> None:
        for other in others:
            if (
                other.last in ("input", "inputs")
                and first.last
                in (
                    "instruction",
                    "prompt",
                    "task",
                    "question",
                )
            ) or (
                other.last == "query" and first.last == "question" and self._differ(first, other)
            ):
                self.roles[other.name] = "input"
            elif other.last in ("instruction", "instructions") and other.is_constant:
                self.roles[other.name] = "context"
            elif other.last == "hypothesis" and first.last in ("premise",):
                self.roles[other.name] = "input"

    def _differ(self, one: Column, other: Column) -> bool:
        return all(
            str(r.get(other.name)) not in str(r.get(one.name))
            and str(r.get(one.name)) not in str(r.get(other.name))
            for r in self.records[:50]
        )

    def _context(self) -> None:
        if not (self.has("question") or self.has("messages")):
            return
        for column in self.named("context"):
            if column.last in ("text", "body", "table") and not self._is_text(column):
                continue
            if column.kind in ("number", "bool", "numbers", "bools"):
                continue
            if (
                not self.has("context")
                or column.last in ("premise", "premises", "instruction")
                or not any(self.together(column, c) for c in self.of("context"))
            ):
                self.roles[column.name] = "context"
        for column in self.named("system_prompt"):
            if column.kind == "text":
                self.roles[column.name] = "system_prompt"

    def _steps(self) -> None:
        """Steps with their labels: two lists of one length, or the number of the first wrong step."""
        for column in self.named("steps"):
            if column.kind not in ("texts", "lists", "objects"):
                continue
            beside = [
                c for c in self.named("step_labels")
                if c is not column and c.kind in ("numbers", "bools", "texts", "lists")
                and self._same_lengths(column, c)
            ]  # fmt: skip
            first = [c for c in self.named("first_wrong_step") if self._is_place(c)]
            if column.last == "completions" and not beside:
                continue
            if not beside and not first and self._is_written_out(column):
                self.roles[column.name] = "unused"
                continue
            self.roles[column.name] = "steps"
            if beside:
                self.roles[beside[0].name] = "step_labels"
            elif first:
                self.roles[first[0].name] = "first_wrong_step"

    @staticmethod
    def _is_place(column: Column) -> bool:
        """Numbers of steps, some of them missing: none is a text."""
        numbers = [v for v in column.values if re.fullmatch(r"-?\d+", str(v))]
        others = [str(v).lower() for v in column.values if v not in numbers]
        return bool(numbers) and all(
            v.startswith("[") or v in ("n/a", "none", "nan", "null") for v in others
        )

    def _is_written_out(self, steps: Column) -> bool:
        """Does a column beside the steps hold them as one text?"""
        stem = steps.last.split("_step")[0]
        return any(
            c.last == stem and c.kind == "text" and known("rationale", c.last) is not None
            for c in self.free()
        )

    def _same_lengths(self, one: Column, other: Column) -> bool:
        pairs = [
            (len(r[one.name]), len(r[other.name]))
            for r in self.records[:100]
            if isinstance(r.get(one.name), list) and isinstance(r.get(other.name), list)
        ]
        return bool(pairs) and all(a == b for a, b in pairs)

    def _answers(self) -> None:
        from curation.questions.shapes.proposing.answers import propose_answers

        propose_answers(self)

    def _rationales(self) -> None:
        from curation.questions.shapes.proposing.authors import propose_rationales

        propose_rationales(self)

    def _facts(self) -> None:
        """Domain, difficulty, split and their like; what is known and has no field is metadata."""
        for column in self.named("split"):
            values = [str(v).strip().lower() for v in column.distinct]
            # Of a few rows an unknown word is told; a column of such words names subsets.
            is_split = all(map(split_of, values)) or column.seen < MANY
            self.roles[column.name] = "split" if is_split else "subset"
        for role in ("subset", "difficulty", "domain"):
            for column in self.named(role):
                if column.kind not in ("text", "number", "texts") or column.median_length > 100:
                    continue
                self.roles[column.name] = self.or_metadata(column, role)
        for column in self.named("answer_type"):
            words = [str(v) for v in column.distinct]
            if any(map(type_by_name, words)) or column.last == "answer_type":
                self.roles[column.name] = "answer_type"
        for column in self.named("metadata"):
            self.roles[column.name] = "metadata"
        for column in self.free():
            if known("domain", column.last) is not None and column.kind == "texts":
                self.roles[column.name] = "metadata"


def propose(records: Sequence[Record]) -> Roles:
    """What each column of the flat `records` becomes: `role` or `role:argument`."""
    return Proposal(records).roles
