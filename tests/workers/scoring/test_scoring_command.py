"""`python -m workers.scoring`: order, bad lines, exit status."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[3]


def run(*arguments, stdin=None):
    return subprocess.run(
        [sys.executable, "-m", "workers.scoring", *map(str, arguments)],
        input=stdin, capture_output=True, cwd=REPO, timeout=120,
    )  # fmt: skip


def rows(groups=30, members=4):
    return [
        {
            "id": f"{g}-{m}", "question": f"What is {g} + {m}?", "reference_answer": str(g + m),
            "rationale": f"{g} + {m} = {g + m}\nThe answer is {g + m}.", "group": f"q{g}", "note": "kept é",
        }
        for g in range(groups) for m in range(members)
    ]  # fmt: skip


def write(path, objects):
    path.write_text("".join(json.dumps(o) + "\n" for o in objects), encoding="utf-8")
    return path


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_line_comes_back_in_order_with_its_score(tmp_path):
    source = write(tmp_path / "in.jsonl", rows())
    done = run(source, "-o", tmp_path / "out.jsonl", "--no-embeddings")
    assert (done.returncode, done.stdout) == (0, b"")
    out = read(tmp_path / "out.jsonl")
    assert [{k: v for k, v in row.items() if k != "score"} for row in out] == rows()
    assert all(row["score"]["correctness"] == 1.0 for row in out)


@pytest.mark.parametrize("processes", [1, 2])
def test_groups_scattered_over_the_file_score_as_if_they_stood_together(tmp_path, processes):
    together = rows()
    for i, row in enumerate(together):
        row["rationale"] += " It took thought." * (i % 3)
    scattered = together[:]
    random.Random(3).shuffle(scattered)
    run(write(tmp_path / "a.jsonl", together), "-o", tmp_path / "a.out", "--no-embeddings")
    run(
        write(tmp_path / "b.jsonl", scattered), "-o", tmp_path / "b.out",
        "--no-embeddings", "--processes", processes,
    )  # fmt: skip
    a, b = read(tmp_path / "a.out"), read(tmp_path / "b.out")
    assert [row["id"] for row in b] == [row["id"] for row in scattered]
    assert sorted(a, key=lambda r: r["id"]) == sorted(b, key=lambda r: r["id"])


def test_bad_lines_are_reported_by_number_and_the_rest_goes_on(tmp_path):
    good = [json.dumps(row).encode() for row in rows(2, 1)]
    lines = [
        good[0], b"not json", b"", b'{"id": "x", "question": "q"}', b'{"id": "y", "rationale": "\xff"}',
        b"[1]", b'{"id": "z", "question": "q", "rationale": "r", "reference_answer": NaN}',
        b'{"id": "c", "question": "q", "rationale": "r", "choices": "A"}', b"[" * 100_000, good[1],
    ]  # fmt: skip
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(lines))
    done = run(tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl", "--no-embeddings")
    assert done.returncode == 1
    assert [row["id"] for row in read(tmp_path / "out.jsonl")] == ["0-0", "1-0"]
    reported = [line.split(":")[0] for line in done.stderr.decode().splitlines()[:-1]]
    assert reported == ["line 2", "line 4", "line 5", "line 6", "line 7", "line 8", "line 9"]
    assert b"Traceback" not in done.stderr


def test_half_a_file_is_never_left_and_impossible_work_exits_2(tmp_path):
    done = run(tmp_path / "missing.jsonl", "-o", tmp_path / "out.jsonl")
    assert done.returncode == 2
    assert b"does not exist" in done.stderr
    assert list(tmp_path.iterdir()) == []
    source = write(tmp_path / "in.jsonl", rows(1, 1))
    assert run(source, "-o", source).returncode == 2
    assert read(source) == rows(1, 1)


def test_standard_input_and_output_work(tmp_path):
    text = "".join(json.dumps(row) + "\n" for row in rows(2, 2)).encode()
    done = run("-", "--no-embeddings", stdin=text)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 4


def test_a_score_that_is_there_already_is_replaced(tmp_path):
    row = rows(1, 1)[0] | {"score": {"old": True}}
    done = run(write(tmp_path / "in.jsonl", [row]), "--no-embeddings", "--details")
    score = json.loads(done.stdout)["score"]
    assert "old" not in score
    assert (score["verdict"], score["details"]["answer_method"]) == ("right", "answer-is")
