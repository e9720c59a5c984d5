"""Turns the flat rows of a file into questions, as its mapping says."""

import hashlib
from collections.abc import Sequence
from typing import Any

from curation.questions.rows import RationaleRow, Row, RowError, storable, text_of
from curation.questions.shapes import stepwise
from curation.questions.shapes.chats import Chat, is_chat, read_chat
from curation.questions.shapes.choices import (
    Choices,
    Tally,
    cut_options,
    letters,
    places,
    read_choices,
)
from curation.questions.shapes.columns import Record
from curation.questions.shapes.finals import final_answer, short_answer
from curation.questions.shapes.mapping import Mapping
from curation.questions.shapes.names import split_of
from curation.questions.shapes.rationales import RationaleReader
from curation.questions.shapes.types import ANSWER_TYPES, type_by_name, type_of_answer
from curation.questions.shapes.values import (
    answers_of,
    check_own_list,
    is_nothing,
    long_text,
    metadata_of,
)

SPLIT_VALUES = ("train", "eval", "ood")


class Converter:
    """Makes Rows under one mapping. `tallies` count, by column, how all rows name the right choice."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self.tallies: dict[str, Tally] = {}
        self.by_role: dict[str, list[tuple[str, str]]] = {}
        for name, role in mapping.roles.items():
            kind, _, argument = role.partition(":")
            self.by_role.setdefault(kind, []).append((name, argument))
        self.rationales = RationaleReader(mapping, self.by_role)
        self._right = [
            (name, kind.removeprefix("right_choice").lstrip("_"))
            for kind in ("right_choice", "right_choice_0", "right_choice_1")
            for name, _ in self.by_role.get(kind, ())
        ]
        self._metadata = self.by_role.get("metadata", ())

    def row(self, line: int, record: Record) -> Row:
        """Raises RowError with what is wrong."""
        chat = self._chat(record)
        if self.mapping.is_shepherd:
            return self._shepherd(line, record)
        text, choices = self._question(record, chat)
        reference, others, worked, answer_type, warning = self._answer(record, choices)
        if found := self._first_text(record, "worked_solution"):
            worked = found if not worked or worked in found else f"{found}\n\n{worked}"
        wrong = [v for n, _ in self.by_role.get("wrong_choice", ()) for v in self._wrong(record, n)]
        if wrong and reference and choices is None:
            choices, reference = _shuffled(text, reference, wrong)
            answer_type, others = "choice", []
        rationales = self.rationales.read(record, chat, reference)
        if reference is None and not choices:
            reference, others = self._from_work(worked, rationales), []
        answer_type = self._type(record, answer_type, reference, choices)
        return Row(
            line=line,
            question=text,
            reference_answer=reference,
            other_answers=tuple(one for one in dict.fromkeys(others) if one != reference),
            worked_solution=worked,
            answer_type=answer_type,
            choices=choices.texts if choices else (),
            id=self._short(record, "id", 200),
            domain=self._short(record, "domain", 100),
            difficulty=self._short(record, "difficulty", 40),
            split=self._split(record),
            subset=self._short(record, "subset", 60),
            rationales=rationales,
            metadata=self._kept(record, chat),
            warning=warning,
        )

    # The question

    def _chat(self, record: Record) -> Chat | None:
        for name, _ in self.by_role.get("messages", ()):
            value = record.get(name)
            if is_chat(value):
                return read_chat(value)
            if not is_nothing(value):
                raise RowError(f"{name} must be a list of turns with role and content")
        return None

    def _question(self, record: Record, chat: Chat | None) -> tuple[str, Choices | None]:
        text = self._asked(record, chat)
        if not text.strip():
            raise RowError("the question is empty")
        choices = self._choices(record)
        if choices is None and self.mapping.cuts_options:
            text, options = cut_options(text)
            choices = Choices(options, letters(len(options))) if options else None
        before: list[tuple[str, str]] = []
        for name, _ in self.by_role.get("context", ()):
            if found := long_text(record.get(name), name):
                before.append((name, found))
        if chat is not None and chat.earlier:
            before.append(("messages", storable(chat.earlier, "the conversation")))
        for name, context in reversed(before):
            if context in text:
                continue
            if name.rsplit(".", 1)[-1].lower() == "body":
                # The story and its question are one text (SVAMP, ASDiv).
                context = context if context[-1] in ".?!,。？！" else f"{context}."
                text = f"{context} {text.strip()}"
            else:
                who = "User: " if name == "messages" else ""  # the last turn of a transcript
                text = f"{context}\n\n{who}{text.strip()}"
        for name, _ in self.by_role.get("input", ()):
            if found := long_text(record.get(name), name):
                text = f"{text.strip()}\n\n{found}"
        return storable(text, "the question with its context"), choices

    def _asked(self, record: Record, chat: Chat | None) -> str:
        columns = self.by_role.get("question", ())
        for name, _ in columns:
            value = record.get(name)
            if is_nothing(value):
                continue
            if isinstance(value, list) and name in self.mapping.lists:
                return long_text(value, name)
            return text_of(value, name)
        if chat is not None and chat.question:
            return storable(chat.question, "the conversation")
        for name, _ in self.by_role.get("rationale", ()):
            if is_chat(record.get(name)):  # chosen and rejected, each with its question
                return storable(read_chat(record[name]).question, name)
        if columns and not any(name in record for name, _ in columns):
            raise RowError(f"{columns[0][0]} is missing")
        return ""

    def _choices(self, record: Record) -> Choices | None:
        for name, _ in self.by_role.get("choices", ()):
            value = record.get(name)
            if is_nothing(value):
                continue
            found = read_choices(value, name)
            if found is None:
                if isinstance(value, str):
                    continue
                raise RowError(f"{name} must be a list of texts")
            return Choices(
                tuple(storable(t, name) for t in found.texts), found.labels, found.scores
            )
        texts = []
        for name, _ in self.by_role.get("choice", ()):
            if not is_nothing(record.get(name)):
                texts.append(long_text(record[name], name))
        return Choices(tuple(texts), letters(len(texts))) if len(texts) >= 2 else None

    def _wrong(self, record: Record, name: str) -> list[str]:
        value = record.get(name)
        if isinstance(value, list):
            return [text_of(one, name).strip() for one in value if not is_nothing(one)]
        return [] if is_nothing(value) else [text_of(value, name).strip()]

    # The answer

    def _answer(
        self, record: Record, choices: Choices | None
    ) -> tuple[str | None, list[str], str, str, str]:
        """(reference, others, work, type, warning)."""
        if choices is not None:
            if choices.scores:
                found = places(list(choices.scores), choices, "score")
                if found:
                    named = [letters(len(choices.texts))[n] for n in found]
                    return named[0], named[1:], "", "choice", ""
            for name, fixed in self._right:
                value = record.get(name)
                if not is_nothing(value):
                    return (*self._right_choice(name, value, choices, fixed, record), "choice", "")[
                        :5
                    ]  # type: ignore[return-value]
        reference, others, worked = None, [], ""
        for name, _ in self._reference_columns(choices):
            value = record.get(name)
            if name == "reference_answer" and isinstance(value, list):
                check_own_list(value)
            if is_nothing(value):
                continue
            reference, others, worked = answers_of(value, name)
            if reference is not None or worked:
                break
        for name, _ in self.by_role.get("other_answers", ()):
            if not is_nothing(record.get(name)):
                more = answers_of(_as_list(record[name]), name)
                found_more = [*filter(None, [more[0]]), *more[1]]
                if reference is None and found_more:
                    reference, *found_more = found_more
                others += found_more
        if choices is not None and reference is not None:
            for how in ("label", "text"):
                if found := places(reference, choices, how):
                    return (
                        self._named(found, choices, is_set=len(found) > 1),
                        [],
                        worked,
                        "choice",
                        "",
                    )
        return reference, others, worked, "choice" if choices else "", ""

    def _reference_columns(self, choices: Choices | None) -> Sequence[tuple[str, str]]:
        found = list(self.by_role.get("reference_answer", ()))
        if choices is None:  # a row without choices in a file of choices
            found += [(name, "") for name, _ in self._right]
        return found

    def _right_choice(
        self, name: str, value: Any, choices: Choices, fixed: str, record: Record
    ) -> tuple[str | None, list[str], str]:
        if not fixed:
            self.tallies.setdefault(name, Tally()).take(value, choices)
        how = fixed or self.mapping.reads.get(name, "label")
        tried = [how] if how in ("0", "1") else [how, *(h for h in ("label", "text") if h != how)]
        for one in tried:
            found = places(value, choices, one)
            if found is None:
                continue
            if one == "score":
                named = [letters(len(choices.texts))[n] for n in found]
                return named[0], named[1:], ""
            return self._named(found, choices, is_set=len(found) > 1), [], ""
        if isinstance(value, str):
            reference, others, worked = answers_of(value, name)
            if reference and reference != value.strip():
                for one in ("label", "text"):
                    if found := places(reference, choices, one):
                        return self._named(found, choices, is_set=len(found) > 1), [], worked
            return reference, others, worked
        return answers_of(value, name)

    @staticmethod
    def _named(found: list[int], choices: Choices, *, is_set: bool) -> str:
        named = letters(len(choices.texts))
        return ", ".join(named[n] for n in sorted(found)) if is_set else named[found[0]]

    def _from_work(self, worked: str, rationales: Sequence[RationaleRow]) -> str | None:
        """The answer that the worked solution ends with; else, in a file without any reference, the one
        that its only rationale gives."""
        if worked and (found := final_answer(worked)):
            return storable(found, "the answer")
        if self.mapping.has_references or len(rationales) != 1:
            return None
        one = rationales[0]
        if one.labelled_right is False or one.step_labels:
            return None
        return final_answer(one.text) or short_answer(one.text) or None

    def _type(
        self, record: Record, found: str, reference: str | None, choices: Choices | None
    ) -> str:
        word = self._first_text(record, "answer_type")
        if word and found != "choice":
            named = type_by_name(word)
            if self.mapping.is_strict and word not in ANSWER_TYPES:
                raise RowError(f"answer_type {word!r} is not one of {', '.join(ANSWER_TYPES)}")
            if word == "choice":
                raise RowError("answer_type is choice, and choices are missing")
            if named and named != "choice":
                return named
        if choices is not None:
            return "choice"
        return type_of_answer(reference)

    # The rest

    def _first_text(self, record: Record, role: str) -> str:
        for name, _ in self.by_role.get(role, ()):
            value = record.get(name)
            if not is_nothing(value):
                return long_text(value, name)
        return ""

    def _short(self, record: Record, role: str, most: int) -> str:
        for name, _ in self.by_role.get(role, ()):
            value = record.get(name)
            if is_nothing(value):
                continue
            if isinstance(value, list):
                return ", ".join(
                    text_of(one, name) for one in value if not isinstance(one, list | dict)
                )[:most]
            return text_of(value, name).strip()[:most]
        return ""

    def _split(self, record: Record) -> str:
        word = self._first_text(record, "split")
        if not word:
            return ""
        found = split_of(word)
        if not found:
            raise RowError(f"split {word!r} is not one of {', '.join(SPLIT_VALUES)}")
        return found

    def _kept(self, record: Record, chat: Chat | None) -> dict[str, Any]:
        kept = {
            name[:100]: metadata_of(record[name])
            for name, _ in self._metadata
            if not is_nothing(record.get(name))
        }
        system = self._first_text(record, "system_prompt") or (chat.system if chat else "")
        if system:
            kept["system_prompt"] = metadata_of(system)
        word = self._first_text(record, "answer_type")
        if word and not type_by_name(word):
            kept["answer_type"] = metadata_of(word)
        return kept

    def _shepherd(self, line: int, record: Record) -> Row:
        name = self.by_role["question"][0][0]
        marks = [record.get(n) for n, _ in self.by_role.get("step_labels", ())]
        text, answer, rationale = stepwise.shepherd(
            text_of(record.get(name), name), marks[0] if marks and isinstance(marks[0], str) else ""
        )
        if not text:
            raise RowError("the question is empty")
        return Row(
            line=line,
            question=text,
            reference_answer=answer or None,
            answer_type=type_of_answer(answer),
            domain=self._short(record, "domain", 100),
            rationales=(rationale,) if rationale else (),
            metadata=self._kept(record, None),
        )


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _shuffled(question: str, right: str, wrong: Sequence[str]) -> tuple[Choices, str]:
    """The right answer among the wrong ones, in an order that the question's text draws: the same each
    time, and no place is right more often than another."""
    texts = list(dict.fromkeys([right, *wrong]))

    def drawn(text: str) -> bytes:
        return hashlib.sha256(f"{question}\0{text}".encode(errors="replace")).digest()

    texts.sort(key=drawn)
    return Choices(tuple(texts), letters(len(texts))), letters(len(texts))[texts.index(right)]
