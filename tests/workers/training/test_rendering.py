"""One example rendered by five kinds of chat templates: rendered rightly, or refused with the reason."""

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from workers.training.rendering import coloured, main, render

TURN = "{% for m in messages %}<{{ m.role }}>BODY{{ eos_token }}{% endfor %}"
OPEN = "{% if add_generation_prompt %}<assistant>{% endif %}"
TEMPLATES = {
    "role-content": TURN.replace("BODY", "{{ m.content }}") + OPEN,
    "reasoning_content": TURN.replace(
        "BODY",
        "{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}",
    )
    + OPEN,
    "thinking": TURN.replace(
        "BODY", "{% if m.thinking %}[{{ m.thinking }}]{% endif %}{{ m.content }}"
    )
    + OPEN,
    "think in the prompt": TURN.replace("BODY", "{{ m.content }}")
    + "{% if add_generation_prompt %}<assistant><think>\n{% endif %}",
    "think dropped": TURN.replace("BODY", "{{ m.content.split('</think>')[-1] }}") + OPEN,
    "no end": TURN.replace("BODY", "{{ m.content }}").replace("{{ eos_token }}", "\n") + OPEN,
}
PROMPT = [{"role": "user", "content": "1 + 2?"}]
PLAIN = {"role": "assistant", "content": "One and two.\nAnswer: 3"}
INLINE = {"role": "assistant", "content": "<think>\nHm.\n</think>\n\nOne and two.\nAnswer: 3"}


def tokenizer(name: str) -> PreTrainedTokenizerFast:
    raw = Tokenizer(
        models.BPE(vocab={chr(n): n - 9 for n in range(9, 127)}, merges=[], unk_token="?")
    )
    raw.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token="<e>", unk_token="?", chat_template=TEMPLATES[name]
    )


@pytest.mark.parametrize(
    ("template", "message", "reason"),
    [
        ("role-content", PLAIN, ""),
        ("role-content", INLINE, ""),
        (
            "role-content",
            {**PLAIN, "reasoning_content": "Hm."},
            "drops the field reasoning_content",
        ),
        ("role-content", {**PLAIN, "thinking": "Hm."}, "drops the field thinking"),
        ("role-content", {**PLAIN, "thinking": ""}, ""),
        ("reasoning_content", {**PLAIN, "reasoning_content": "Hm."}, ""),
        ("reasoning_content", {**PLAIN, "thinking": "Hm."}, "drops the field thinking"),
        ("reasoning_content", PLAIN, ""),
        ("thinking", {**PLAIN, "thinking": "Hm."}, ""),
        ("thinking", {**PLAIN, "reasoning_content": "Hm."}, "drops the field reasoning_content"),
        ("think in the prompt", PLAIN, "opens <think> itself"),
        ("think in the prompt", INLINE, ""),
        ("think dropped", INLINE, "removes the <think> part"),
        ("think dropped", PLAIN, ""),
        ("no end", PLAIN, "would not stop"),
    ],
)
def test_what_the_student_would_not_learn_is_refused_with_its_reason(
    template: str, message: dict[str, str], reason: str
) -> None:
    told = render(tokenizer(template), PROMPT, [message])
    assert len(told.problems) == (1 if reason else 0), told.problems
    assert reason in "".join(told.problems)
    (before, _), (learned, counts) = told.pieces
    assert counts and "1 + 2?" in before and "1 + 2?" not in learned


def test_what_is_learned_stands_between_marks() -> None:
    told = coloured(render(tokenizer("role-content"), PROMPT, [PLAIN]))
    assert told == "<user>1 + 2?<e><assistant>⟦One and two.\nAnswer: 3<e>⟧"


def test_the_command_shows_the_first_example_and_names_the_line_that_is_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer("role-content").save_pretrained(tmp_path / "student")
    rows = [
        {"prompt": PROMPT, "completion": [PLAIN]},
        {"prompt": PROMPT, "completion": [{**PLAIN, "reasoning_content": "Hm."}]},
    ]
    file = tmp_path / "dataset.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows[:1]))
    assert main([str(tmp_path / "student"), str(file)]) == 0
    assert "⟦One and two." in capsys.readouterr().out
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main([str(tmp_path / "student"), str(file)]) == 1
    assert capsys.readouterr().err.startswith(
        "line 2: The template drops the field reasoning_content"
    )
