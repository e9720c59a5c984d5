"""The shipped models under a real vLLM that we start ourselves.

Runs where CHAINWRIGHT_VLLM_PYTHON names an interpreter that has vLLM (CI installs it on the CPU).
Starting it takes most of a minute, so all tests share one. Its deaths are tested against a stand-in
(test_generation_vllm.py) and in a whole run (tests/e2e/test_stack.py).
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tools.demo.problems import demo_questions
from workers.generation.backends import open_backend
from workers.generation.types import ModelSpec, Request
from workers.generation.vllm.backend import VLLMBackend
from workers.scoring import Item, score_items

MODEL = Path(__file__).resolve().parents[3] / "workers" / "demo" / "models" / "strong"
SPEC = ModelSpec("vllm", str(MODEL), dtype="float32", options={"max_model_len": 512})

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not os.environ.get("CHAINWRIGHT_VLLM_PYTHON"),
        reason="vLLM is not here: CHAINWRIGHT_VLLM_PYTHON is not set",
    ),
]


@pytest.fixture(scope="module")
def vllm() -> Iterator[VLLMBackend]:
    with open_backend(SPEC) as backend:
        backend.start()
        launcher = psutil.Process(backend.pid)
        family = [launcher, *launcher.children(recursive=True)]
        assert len(family) >= 3
        yield backend
        assert backend.engine.starts == 1, backend.log_tail()
    assert not psutil.wait_procs(family, timeout=5)[1]  # and so their memory is back


def sampled(count: int, samples: int) -> list[Request]:
    """Samples of questions, some with long prompts: more than vLLM reads in one step."""
    return [
        Request(
            id=f"{p.id}-{sample}",
            messages=({"role": "user", "content": p.question},),
            temperature=0.7,
            seed=1000 * number + sample,
            max_tokens=128,
        )
        for number, p in enumerate(demo_questions("eval", count, seed=3))
        for sample in range(samples)
    ]


def test_a_demo_teacher_answers_through_vllm_as_it_does_in_transformers(vllm: VLLMBackend) -> None:
    problems = demo_questions("eval", 40, seed=5)
    requests = [
        Request(p.id, ({"role": "user", "content": p.question},), 0.0, seed=1, max_tokens=128)
        for p in problems
    ]
    rights = []
    with open_backend(ModelSpec("transformers", str(MODEL))) as transformers:
        for backend in (vllm, transformers):
            answers = {c.id: c for c in backend.generate(requests)}
            assert all(a.finish_reason == "stop" for a in answers.values())
            assert all(a.completion_tokens > 5 < a.prompt_tokens for a in answers.values())
            items = [
                Item(p.id, p.question, answers[p.id].text, (p.reference_answer,), group=p.id)
                for p in problems
            ]
            rights.append(sum(s.correctness == 1.0 for s in score_items(items)))
    # The shipped weights are bf16 and both run in fp32: a near tie may fall the other way.
    assert abs(rights[0] - rights[1]) <= 2 and rights[0] >= 20


def test_a_sample_has_the_same_text_alone_and_among_others(vllm: VLLMBackend) -> None:
    requests = sampled(100, 4)
    together = {c.id: c for c in vllm.generate(requests)}
    assert len(together) == 400 and not any(c.error for c in together.values())
    alone = {c.id: c for c in vllm.generate(requests[2::4])}
    again = {c.id: c for c in vllm.generate(requests)}
    # Batches of another size round differently in the last bits: a few may part ways.
    assert sum(alone[name].text == together[name].text for name in alone) >= 0.97 * len(alone)
    assert sum(again[name].text == together[name].text for name in again) >= 0.97 * len(again)
    assert sum(c.completion_tokens for c in together.values()) > 400 * 10
    assert len({c.text for c in together.values()}) > 200


def test_a_prompt_that_is_too_long_fails_alone(vllm: VLLMBackend) -> None:
    requests = sampled(2, 4)
    long = [replace(r, messages=({"role": "user", "content": "7 " * 2000},)) for r in requests[:4]]
    done = {c.id: c for c in vllm.generate([*long, *requests[4:]])}
    failed = [c for c in done.values() if c.error]
    assert {c.id for c in failed} == {r.id for r in long} and "400" in failed[0].error
