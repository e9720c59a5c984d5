# ruff: noqa: E501 (an example a line)
"""Files of all kinds: what they are is found before a row is judged, and what harms is refused."""

import gzip
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.questions.formats import BadRow, Refused, Row, read_rows
from tests.curation.questions.workbooks import workbook

ROW = {"question": "2 + 2?", "answer": "4"}
LINE = json.dumps(ROW).encode()
CSV = (
    "question;answer;topic\nWas ist größer, 1,5 oder 2?;zwei;Zahlen\n„Wie viele“ Äpfel?;drei;Obst\n"
)


def read(raw: bytes, name: str = "file") -> list[Row | BadRow]:
    return list(read_rows(io.BytesIO(raw), name=name))


def packed(**files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, raw in files.items():
            file.writestr(name, raw)
    return target.getvalue()


def parquet(columns: dict[str, list], **options: object) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target, **options)
    return target.getvalue()


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(LINE, id="JSON lines"),
        pytest.param(b"\xef\xbb\xbf" + LINE + b"\r\n", id="with a mark and returns"),
        pytest.param(LINE.decode().encode("utf-16"), id="UTF-16"),
        pytest.param(b"[" + LINE + b"]", id="an array"),
        pytest.param(json.dumps([ROW], indent=2).encode(), id="a printed array"),
        pytest.param(json.dumps({"v": 1, "rows": [ROW]}).encode(), id="an object that holds it"),
        pytest.param(json.dumps({"a": {"b": [ROW, ROW | {"question": "x"}]}}, indent=1).encode(), id="deeper"),
        pytest.param(json.dumps(ROW, indent=2).encode(), id="one printed object"),
        pytest.param(b"question,answer\n2 + 2?,4\n", id="CSV"),
        pytest.param(b'question,answer\n"2 + 2?",4\n', id="CSV with quotes"),
        pytest.param(b"question\tanswer\n2 + 2?\t4\n", id="TSV"),
        pytest.param(b"question|answer\n2 + 2?|4\n", id="with bars"),
        pytest.param(b"sep=;\r\nquestion;answer\r\n2 + 2?;4\r\n", id="Excel's sep"),
        pytest.param("question\tanswer\r\n2 + 2?\t4\r\n".encode("utf-16"), id="Excel's Unicode text"),
        pytest.param(b"question,answer\r2 + 2?,4\r", id="returns alone"),
        pytest.param(b"2 + 2?\t4\n", id="TSV without a head"),
        pytest.param(gzip.compress(LINE), id="gzip"),
        pytest.param(packed(**{"data/rows.jsonl": LINE, "README.md": b"x"}), id="zip"),
        pytest.param(gzip.compress(packed(**{"rows.csv": b"question,answer\n2 + 2?,4\n"})), id="zip in gzip"),
        pytest.param(workbook([["question", "answer"], ["2 + 2?", 4]]), id="XLSX"),
        pytest.param(gzip.compress(workbook([["question", "answer"], ["2 + 2?", 4]])), id="XLSX in gzip"),
        pytest.param(parquet({"question": ["2 + 2?"], "answer": [4]}), id="Parquet"),
        pytest.param(packed(**{"a.parquet": parquet({"question": ["2 + 2?"], "answer": ["4"]})}), id="in zip"),
    ],
)  # fmt: skip
def test_a_file_is_read_whatever_it_is(raw: bytes) -> None:
    first = read(raw)[0]
    assert isinstance(first, Row) and (first.question, first.reference_answer) == ("2 + 2?", "4")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_the_encoding_of_a_table_is_found(encoding: str) -> None:
    first, second = read(CSV.encode(encoding))
    assert (first.question, first.reference_answer, first.domain) == (
        "Was ist größer, 1,5 oder 2?", "zwei", "Zahlen",
    )  # fmt: skip
    assert second.question == "„Wie viele“ Äpfel?"


def test_chinese_in_its_own_encoding_is_found() -> None:
    text = "问题,答案\n小明有三个苹果，又买了两个，他一共有几个苹果？,5\n小红有七支铅笔，送给弟弟四支，还剩几支？,3\n"
    assert [row.question[:2] for row in read(text.encode("gbk"))] == ["小明", "小红"]


def test_cells_of_several_lines_and_marks_stay_as_they_are() -> None:
    first, second = read(b'question,answer\n"Two\nlines, ""so"" said?",4\nNext?,5\n')
    assert (first.question, first.line, second.line) == ('Two\nlines, "so" said?', 2, 4)


def test_inches_in_a_table_of_tabs_are_no_quotes() -> None:
    first, second = read(b'question\tanswer\nHow long is 5"?\t5\n"Five?\t6\n')
    assert (first.question, second.question) == ('How long is 5"?', '"Five?')


def test_a_row_of_another_width_is_told_by_its_line() -> None:
    first, bad, last = read(b"question,answer,topic\na?,1,x\nb?,2,y,z\nc?,3,w\n")
    assert isinstance(first, Row) and isinstance(last, Row)
    assert isinstance(bad, BadRow) and (bad.line, bad.message) == (
        3, "the row has 4 cells, and the table 3 columns",
    )  # fmt: skip


def test_a_workbooks_numbers_dates_and_second_sheet() -> None:
    raw = workbook(
        [["notes"], ["nothing here"]], [["Question", "Answer"], ["Half of 3?", 1.5], ["Of 4?", 2]]
    )
    assert [(row.question, row.reference_answer) for row in read(raw)] == [
        ("Half of 3?", "1.5"),
        ("Of 4?", "2"),
    ]


def test_splits_come_from_the_names_of_packed_files() -> None:
    raw = packed(**{"train.jsonl": LINE, "test.jsonl": LINE.replace(b"2 +", b"3 +")})
    assert sorted((row.split, row.question) for row in read(raw)) == [
        ("eval", "3 + 2?"),
        ("train", "2 + 2?"),
    ]


def test_the_names_of_classes_in_parquet_are_read() -> None:
    labels = {
        "label": {"names": ["yes", "no"], "_type": "ClassLabel"},
        "question": {"_type": "Value"},
    }
    table = pa.table({"question": ["a?", "b?"], "label": [1, 0]}).replace_schema_metadata(
        {"huggingface": json.dumps({"info": {"features": labels}})}
    )
    target = io.BytesIO()
    pq.write_table(table, target)
    assert [row.reference_answer for row in read(target.getvalue())] == ["no", "yes"]


ENDLESS = b"a" * (10 * 1024**2)


def wide_parquet() -> bytes:
    return parquet({f"c{n}": [1] for n in range(2500)})


def repeated_parquet() -> bytes:
    text = "x" * (5 * 1024**2)
    same = pa.DictionaryArray.from_arrays(pa.array([0] * 3000), pa.array([text]))
    table = {"question": same, "answer": ["1"] * 3000}
    target = io.BytesIO()
    pq.write_table(pa.table(table), target, compression="zstd")
    return target.getvalue()


def far_cell() -> bytes:
    return workbook([["question", "answer"], ["a?", 1]], far="XFD1048576")


def bomb(size: int) -> bytes:
    return gzip.compress(b"\0" * size)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "is empty"),
    "zeros packed": (lambda: bomb(16 * 1024**2), "neither JSON, a table"),
    "packed thrice": (lambda: gzip.compress(gzip.compress(gzip.compress(LINE))), "more than twice"),
    "broken gzip": (lambda: gzip.compress(LINE * 9)[:-9], "damaged"),
    "broken zip": (lambda: packed(a=LINE)[:-30], "damaged"),
    "a zip without rows": (lambda: packed(**{"a.py": b"x"}), "holds a.py"),
    "a table of endless lines": (lambda: b"question,answer\n" + ENDLESS, "longer than 4 MB"),
    "an endless text in an array": (lambda: b'[{"question": "' + ENDLESS + b'"}]', "longer than 8 MB"),
    "an endless text in an object": (lambda: b'{"a": "' + ENDLESS + b'"}', "longer than 8 MB"),
    "an open quote": (
        lambda: (
            b"question,answer\n" + b'"a, b?",1\n' * 30_000 + b'"open' + b" and so on\n" * 500_000
        ),
        "not closed",
    ),
    "deep arrays": (lambda: b'{"a": ' + b"[" * 100_000, "nested too deeply"),
    "an array that breaks off": (lambda: b'[{"question": "a?", "answer": "1"}, {"que', "cannot be read"),
    "NaN in an array": (lambda: b'[{"question": "a?", "answer": NaN}]', "cannot be read"),
    "a million columns": (lambda: b",".join(b"c%d" % n for n in range(200_000)) + b"\n1\n", "columns"),
    "columns of Parquet": (wide_parquet, "2,500 columns"),
    "a long text again and again": (repeated_parquet, "longer than 4 MB"),
    "broken Parquet": (lambda: b"PAR1" + b"x" * 200 + b"PAR1", "cannot be read"),
    "a cell far away": (far_cell, "too large to load"),
    "a bomb of a workbook": (lambda: workbook([["question"]], padding=310 * 1024**2), "unpacks to more"),
    "entities in a workbook": (
        lambda: workbook([["question"]], head='<!DOCTYPE x [<!ENTITY a "b">]>'), "entities",
    ),
    "a PDF": (lambda: b"%PDF-1.7 x", "is a PDF"),
    "a pickle": (lambda: b"\x80\x04\x95x", "a pickle"),
    "an old workbook": (lambda: b"\xd0\xcf\x11\xe0" + b"x" * 600, "old Excel"),
    "a web page": (lambda: b"<!DOCTYPE html><html>sign in</html>", "web page"),
    "XML": (lambda: b"<?xml version='1.0'?><a/>", "is XML"),
    "plain prose": (lambda: b"Once upon a time\nthere was a file\n", "without columns"),
    "no question": (lambda: b"colour,size\nred,3\n", "colour, size"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_harms_is_refused_with_one_sentence(name: str) -> None:
    make, words = HOSTILE[name]
    with pytest.raises(Refused) as told:
        read(make())
    assert words in str(told.value) and len(str(told.value)) < 400


def test_what_harms_takes_little_memory(tmp_path: Path) -> None:
    """All of it in one process that may have no more than two gigabytes of addresses."""
    for n, (make, _) in enumerate(HOSTILE.values()):
        (tmp_path / str(n)).write_bytes(make())
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from curation.questions.formats import Refused, read_rows\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2 * 1024**3,) * 2)\n"
        "for path in sorted(Path(sys.argv[1]).iterdir()):\n"
        "    try:\n"
        "        sum(1 for _ in read_rows(path.open('rb')))\n"
        "        print(path.name, 'was read')\n"
        "    except Refused:\n"
        "        pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr[-2000:]


def test_names_in_a_zip_lead_nowhere() -> None:
    raw = packed(**{"../../evil.jsonl": LINE, "/etc/rows.jsonl": LINE.replace(b"2 +", b"3 +")})
    assert len(read(raw)) == 2
