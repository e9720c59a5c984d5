"""Reading a training file: every broken line is named."""

import json

import pytest

from tests.workers.training.training_tiny import sums, write_rows
from workers.training.data import file_sha256, read_examples
from workers.training.errors import DataError
from workers.training.events import EventWriter, read_events


def good(number: int = 1) -> bytes:
    return json.dumps(sums(number)[number - 1]).encode() + b"\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (good() + b'{"prompt": [{"role": "us', "line 2 is not JSON"),
        (good() + b'{"prompt": [{"role": "us', "cut off"),
        (good() + b"\xff\xfe\n", "line 2 is not UTF-8"),
        (good() + b"[1]\n", "line 2 is no JSON object"),
        (b'{"prompt": "x", "completion": "y"}\n', '"prompt" must be a list of messages'),
        (b'{"prompt": [], "completion": []}\n', '"prompt" must be a list'),
        (
            b'{"prompt": [{"role": "user", "content": "x"}], "completion": []}\n',
            '"completion" must be a list',
        ),
        (
            b'{"prompt": [{"role": "user", "content": "x"}], '
            b'"completion": [{"role": "user", "content": "y"}]}\n',
            "role 'user' is not one of assistant",
        ),
        (
            b'{"prompt": [{"role": "user", "content": " "}], '
            b'"completion": [{"role": "assistant", "content": "y"}]}\n',
            "content of the user message is empty",
        ),
        (b'{"prompt": NaN}\n', "NaN is no JSON value"),
        (b"[" * 200_000 + b"\n", "line 1 is"),
        (b'{"x": "' + b"a" * 5_000_000 + b'"}\n', "line 1 is longer than"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(tmp_path, content, says):
    path = tmp_path / "train.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        list(read_examples(path))
    assert says in caught.value.reason


def test_an_absent_file_says_so(tmp_path):
    with pytest.raises(DataError, match="is not there"):
        list(read_examples(tmp_path / "absent.jsonl"))


def test_good_lines_keep_their_number_and_other_keys_are_left_aside(tmp_path):
    rows = [{**row, "teacher": "strong"} for row in sums(3)]
    path = write_rows(tmp_path / "train.jsonl", rows)
    found = list(read_examples(path))
    assert [example.line for example in found] == [1, 2, 3]
    assert found[0].prompt == rows[0]["prompt"]
    assert len(file_sha256(path)) == 64


def test_events_are_read_from_an_offset_and_half_lines_wait(tmp_path):
    writer = EventWriter(tmp_path)
    writer.write("start", pid=1)
    events, offset = read_events(writer.path)
    assert [event["event"] for event in events] == ["start"]
    with writer.path.open("ab") as file:
        file.write(b'{"event": "prog')
    assert read_events(writer.path, offset) == ([], offset)
    writer.close()
    again = EventWriter(tmp_path)  # what a kill left half written is closed and skipped
    again.write("progress", loss=float("nan"))
    again.close()
    events, _ = read_events(again.path, offset)
    assert [event["event"] for event in events] == ["progress"]
    assert events[0]["loss"] is None
