"""The rationales of a row: single, several in a list, in steps, in a conversation, or in our own form."""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from typing import Any

from curation.questions.rows import RationaleRow, RowError, storable, text_of
from curation.questions.shapes import stepwise
from curation.questions.shapes.chats import Chat, is_chat, read_chat
from curation.questions.shapes.choices import squeezed
from curation.questions.shapes.columns import Record, normal
from curation.questions.shapes.finals import split_thought
from curation.questions.shapes.finish import finish_reason
from curation.questions.shapes.mapping import Mapping
from curation.questions.shapes.values import is_nothing, long_text, verdict_of

MOST = 10_000  # rationales of one row
NAMED_BY = ("teacher", "model", "response_model", "model_name", "generator", "name")
HOLDS = (
    "text",
    "response",
    "content",
    "rationale",
    "solution",
    "output",
    "completion",
    "answer",
    "generation",
)
UNNAMED = "import"


class RationaleReader:
    def __init__(
        self, mapping: Mapping, by_role: AnyMapping[str, Sequence[tuple[str, str]]]
    ) -> None:
        self._by_role = by_role
        self._mapping = mapping
        self._columns = by_role.get("rationale", ())
        self._any = any(
            by_role.get(role)
            for role in ("rationale", "rationales", "steps", "messages", "reasoning")
        )

    def read(
        self, record: Record, chat: Chat | None, reference: str | None
    ) -> tuple[RationaleRow, ...]:
        if not self._any:
            return ()
        found: dict[tuple[str, str], RationaleRow] = {}
        for one in self._all(record, chat, reference):
            found.setdefault((one.teacher, one.text), one)
        if len(found) > MOST:
            raise RowError(f"the row has {len(found):,} rationales, more than {MOST:,}")
        return tuple(found.values())

    def _all(
        self, record: Record, chat: Chat | None, reference: str | None
    ) -> Iterator[RationaleRow]:
        for name, _ in self._by_role.get("rationales", ()):
            yield from native(record.get(name), name)
        for name, argument in self._columns:
            yield from self._column(record, name, argument, reference)
        for name, argument in self._by_role.get("steps", ()):
            yield from self._steps(record, name, argument)
        if chat is not None and (chat.answer or chat.reasoning):
            yield self._of_chat(record, chat, reference)
        elif not self._columns and chat is None:
            for name, _ in self._by_role.get("reasoning", ()):
                if text := long_text(record.get(name), name):
                    yield RationaleRow(self._teacher(record, "", 0), text)

    def _of_chat(self, record: Record, chat: Chat, reference: str | None) -> RationaleRow:
        thought = chat.reasoning
        for name, _ in self._by_role.get("reasoning", ()):
            thought = thought or long_text(record.get(name), name)
        text, thought = (chat.answer, thought) if chat.answer else (thought, "")
        return RationaleRow(
            self._teacher(record, "", 0),
            storable(text, "the conversation"),
            self._temperature(record),
            self._verdict(record, "", None, reference),
            storable(thought, "the conversation"),
            finish_reason=self._finish(record, 0),
        )

    def _column(
        self, record: Record, name: str, argument: str, reference: str | None
    ) -> Iterator[RationaleRow]:
        value = record.get(name)
        if is_nothing(value):
            return
        if is_chat(value):
            said = read_chat(value)
            value = (
                said.answer
                if not said.reasoning
                else f"<think>{said.reasoning}</think>{said.answer}"
            )
        several = isinstance(value, list)
        for place, one in enumerate(value if several else [value]):
            if one is None or one == "":
                continue
            if isinstance(one, dict | list):
                one = read_chat(one).answer if is_chat(one) else long_text(one, name)
            text = text_of(one, name)
            thought, text = split_thought(text)
            at = place if several else None
            thought = thought or self._thought(record, name, at)
            if not text:
                text, thought = thought, ""
            if text.strip():
                yield RationaleRow(
                    self._teacher(record, argument, place),
                    text.strip(),
                    self._temperature(record),
                    self._verdict(record, name, at, reference),
                    thought.strip(),
                    finish_reason=self._finish(record, place),
                )

    def _steps(self, record: Record, name: str, argument: str) -> Iterator[RationaleRow]:
        value = record.get(name)
        if is_nothing(value):
            return
        teacher = self._teacher(record, argument, 0)
        if stepwise.is_prm800k(value):
            one = stepwise.prm800k(value, "PRM800K" if teacher == UNNAMED else teacher)
        else:
            labels: Any = None
            zero_is_neutral = False
            for column, _ in self._by_role.get("step_labels", ()):
                labels, zero_is_neutral = record.get(column), "rating" in normal(column)
            for column, _ in self._by_role.get("first_wrong_step", ()):
                base = 0 if self._mapping.steps_from_zero else 1
                labels = stepwise.from_first_wrong(value, record.get(column), base)
                zero_is_neutral = True
            one = stepwise.from_lists(
                value, labels, teacher, name=name, zero_is_neutral=zero_is_neutral,
                has_minus=self._mapping.has_minus,
            )  # fmt: skip
        if one is None or not one.text.strip():
            return
        verdict = self._verdict(record, name, None, None)
        yield RationaleRow(
            one.teacher, one.text, self._temperature(record), verdict, "", one.step_labels
        )

    def _thought(self, record: Record, target: str, place: int | None) -> str:
        for name, of in self._by_role.get("reasoning", ()):
            value = record.get(name)
            if is_nothing(value) or (of and of != target):
                continue
            if isinstance(value, list) and place is not None:
                value = value[place] if place < len(value) else ""
            return long_text(value, name)
        return ""

    def _teacher(self, record: Record, argument: str, place: int) -> str:
        for name, _ in self._by_role.get("teacher", ()):
            value = record.get(name)
            if isinstance(value, list):
                value = value[place] if place < len(value) else None
            if isinstance(value, str) and value.strip():
                teacher = storable(value, name)[:80].strip()
                several = len(self._columns) > 1 and argument
                return f"{teacher} ({argument})"[:80] if several else teacher
        if argument:
            teacher = storable(argument, "the name of a teacher")[:80].strip()
            if not teacher:
                raise RowError("a teacher has no name")
            return teacher
        return UNNAMED

    def _finish(self, record: Record, place: int) -> str:
        for name, _ in self._by_role.get("finish_reason", ()):
            value = record.get(name)
            if isinstance(value, list):
                value = value[place] if place < len(value) else None
            if said := finish_reason(value):
                return said
        return ""

    def _temperature(self, record: Record) -> float | None:
        for name, _ in self._by_role.get("temperature", ()):
            value = record.get(name)
            if isinstance(value, str):
                try:
                    value = float(value)
                except ValueError:
                    return None
            if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 10:
                return float(value)
        return None

    def _verdict(
        self, record: Record, target: str, place: int | None, reference: str | None
    ) -> bool | None:
        for name, of in self._by_role.get("verdict", ()):
            value = record.get(name)
            if is_nothing(value) or (of and target and of != target):
                continue
            if isinstance(value, list):
                if place is None or place >= len(value):
                    continue
                value = value[place]
            return verdict_of(value)
        for name, _ in self._by_role.get("predicted_answer", ()):
            value = record.get(name)
            if not is_nothing(value) and reference and not isinstance(value, list | dict):
                said, right = squeezed(str(value)), squeezed(reference)
                if said == right:
                    return True
                if len(said) == len(right) == 1 and said.isalpha() and right.isalpha():
                    return False
        return None


def native(value: Any, name: str) -> Iterator[RationaleRow]:
    """Our own list of {teacher, text, temperature}; also {model, response} and their like."""
    if is_nothing(value):
        return
    if not isinstance(value, list):
        raise RowError("rationales must be a list")
    for number, one in enumerate(value, 1):
        if isinstance(one, str):
            one = {"text": one}
        if not isinstance(one, dict):
            raise RowError(f"rationale {number} must be an object with teacher and text")
        keys = {normal(str(k)): v for k, v in one.items()}
        temperature = one.get("temperature")
        if temperature is not None and (
            isinstance(temperature, bool)
            or not isinstance(temperature, int | float)
            or not 0 <= temperature <= 10
        ):
            raise RowError(f"temperature of rationale {number} must be a number from 0 to 10")
        held = next((k for k in HOLDS if keys.get(k) is not None), "text")
        if keys.get(held) is None:
            raise RowError("text is missing")
        text = text_of(keys[held], held)
        if not text.strip():
            raise RowError(f"rationale {number} is empty")
        teacher = next((keys[k] for k in NAMED_BY if keys.get(k)), "")
        thought, said = split_thought(text)
        reasoning = next(
            (keys[k] for k in ("reasoning", "reasoning_content", "thinking") if keys.get(k)), ""
        )
        verdict = next(
            (
                keys[k]
                for k in ("is_correct", "correct", "verdict", "labelled_right")
                if keys.get(k) is not None
            ),
            None,
        )
        thought = thought or (text_of(reasoning, "reasoning") if isinstance(reasoning, str) else "")
        if not said:
            said, thought = thought, ""
        yield RationaleRow(
            text_of(teacher, "teacher")[:80].strip() or UNNAMED,
            said,
            float(temperature) if temperature is not None else None,
            verdict_of(verdict),
            thought,
            finish_reason=finish_reason(keys.get("finish_reason")),
        )
