"""How well a model answers: greedy or sampled rationales, with Wilson intervals."""

import math
import re
from collections.abc import Iterable, Sequence

import torch

from tools.demo.problems import Problem

_ANSWER = re.compile(r"^Answer: (\d+)$", re.MULTILINE)


def read_answer(rationale: str) -> str | None:
    """The number on the last answer line, None where there is none."""
    found = _ANSWER.findall(rationale)
    return found[-1] if found else None


def wilson(right: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's 95% score interval for `right` out of `of` (Wilson 1927, JASA 22, 209-212)."""
    if of == 0:
        return 0.0, 1.0
    share = right / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, middle - half), min(1.0, middle + half)


@torch.inference_mode()
def answer(
    model,
    tokenizer,
    questions: Sequence[str],
    temperature: float = 0.0,
    seed: int = 0,
    batch: int = 64,
    max_new_tokens: int = 224,
    begin: str = "",
) -> list[tuple[str, bool]]:
    """`(rationale, finished)` for each question, in order; greedy at temperature 0.

    `begin` is put into the model's mouth: every answer starts with these words and the model only
    continues them. `finished` says that the model ended the rationale itself with its end token.
    """
    torch.manual_seed(seed)
    order = sorted(range(len(questions)), key=lambda i: len(questions[i]))
    rationales: list[tuple[str, bool]] = [("", False)] * len(questions)
    sampling = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0}
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        prompts = [[{"role": "user", "content": questions[i]}] for i in rows]
        rendered = tokenizer.apply_chat_template(
            prompts, add_generation_prompt=True, tokenize=False
        )
        inputs = tokenizer(
            [text + begin for text in rendered],
            add_special_tokens=False,  # the template has them already
            padding=True,
            return_tensors="pt",
        )
        out = model.generate(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            max_new_tokens=max_new_tokens,
            **(sampling if temperature else {"do_sample": False}),
        )
        for i, ids in zip(rows, out[:, inputs["input_ids"].shape[1] :].tolist(), strict=True):
            ended = tokenizer.eos_token_id in ids
            rationales[i] = (begin + tokenizer.decode(ids, skip_special_tokens=True), ended)
    return rationales


def accuracy(
    problems: Sequence[Problem], rationales: Iterable[tuple[str, bool]]
) -> dict[str, object]:
    """Accuracy with its interval, and how many rationales lack an answer or did not end."""
    pairs = list(zip(problems, rationales, strict=True))
    right = sum(read_answer(c) == p.reference_answer for p, (c, _) in pairs)
    low, high = wilson(right, len(pairs))
    return {
        "n": len(pairs),
        "accuracy": round(right / max(1, len(pairs)), 4),
        "interval": [round(low, 4), round(high, 4)],
        "no_answer": sum(read_answer(c) is None for _, (c, _) in pairs),
        "unfinished": sum(not ended for _, (_, ended) in pairs),
    }
