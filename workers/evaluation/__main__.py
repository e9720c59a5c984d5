"""``python -m workers.evaluation CONFIG.json -o REPORT.json``: measure models on held-out questions.

Progress goes to stdout as JSON lines, answers to OUTPUT_DIR/answers.jsonl as they come. Run again
after a cancel or a crash, it asks only what is missing. Exit status: 0 done, 1 failed, 143 cancelled.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import traceback

from workers.evaluation.config import EvaluationConfig
from workers.evaluation.types import EvaluationError
from workers.training.errors import EXIT_CANCELLED, EXIT_DONE, EXIT_FAILED, Cancelled
from workers.training.stopping import StopRequest, watch_parent


def main(argv: list[str] | None = None) -> int:
    """Parse the arguments, evaluate, and turn the outcome into an exit status."""
    parser = argparse.ArgumentParser(prog="python -m workers.evaluation", description=__doc__)
    parser.add_argument("config", help="a JSON file, see workers.evaluation.config")
    parser.add_argument("-o", "--output", required=True, help="where the report (JSON) goes")
    parser.add_argument("--allow-host", action="append", default=[], metavar="HOST[:PORT]")
    parser.add_argument("--parent", type=int, default=0, help="end when this process has gone")
    parser.add_argument("--nice", type=int, default=0, help="lower this process's priority by N")
    args = parser.parse_args(argv)
    stop = StopRequest()
    stop.install()
    if args.nice:
        os.nice(args.nice)
    if args.parent:
        watch_parent(args.parent, stop)
    try:
        return _evaluate(args)
    except Cancelled as error:
        emit("cancelled", reason=str(error))
        return EXIT_CANCELLED
    except EvaluationError as error:
        emit("error", reason=str(error))
        print(f"Failed: {error}", file=sys.stderr)
    except Exception as error:  # said as an event, shown with its traceback, never swallowed
        emit("error", reason=f"{type(error).__name__}: {error}")
        traceback.print_exc()
    return EXIT_FAILED


def _evaluate(args: argparse.Namespace) -> int:
    config = EvaluationConfig.load(args.config)
    os.environ["OMP_NUM_THREADS"] = str(config.threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    from workers.evaluation.run import evaluate  # the scorers and scipy: only after the checks

    report = evaluate(config, emit, allowed_hosts=args.allow_host)
    report.save(args.output)
    emit("saved", report=args.output)
    return EXIT_DONE


def emit(event: str, **fields) -> None:
    """One JSON line on stdout, at once."""
    line = {"event": event, "time": round(time.time(), 3), **fields}
    print(json.dumps(line, ensure_ascii=True), flush=True)


if __name__ == "__main__":
    sys.exit(main())
