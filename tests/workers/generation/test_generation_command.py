"""`python -m workers.generation`: a file of questions to a file of completions."""

import json
import subprocess
import sys
from pathlib import Path

from tests.workers.generation.generation_server import Server, chat

ROOT = Path(__file__).resolve().parents[3]


def generate(tmp_path, lines, *options):
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    out = tmp_path / "out.jsonl"
    command = [
        sys.executable,
        "-m",
        "workers.generation",
        str(tmp_path / "in.jsonl"),
        "-o",
        str(out),
    ]
    ran = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=60)
    done = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    return ran, done


def test_each_question_gets_an_answer_and_a_bad_line_is_told_by_number(tmp_path):
    lines = ['{"question": "2 + 3?", "id": "a", "seed": 5}', "{not json", '{"question": "4?"}', "7"]
    with Server(lambda n, r: chat(f"seed {r.body['seed']}")) as server:
        ran, done = generate(
            tmp_path,
            lines,
            *("--backend", "openai", "--model", "m", "--base-url", server.url),
            *("--allow", "127.0.0.1"),
        )
    assert {c["id"]: c["text"] for c in done} == {"a": "seed 5", "3": "seed 3"}
    assert ran.returncode == 1 and "Line 2 is left out" in ran.stderr
    assert "2 answered, 0 failed, 2 bad lines." in ran.stderr


def test_a_model_that_is_not_there_is_one_clear_line(tmp_path):
    ran, done = generate(tmp_path, ['{"question": "2 + 3?"}'], "--model", "/nowhere")
    assert ran.returncode == 1 and not done
    assert ran.stderr.startswith("Nothing can be generated: There is no model folder")
    assert len(ran.stderr.strip().splitlines()) == 1
