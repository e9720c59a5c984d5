"""Completions for the questions of a file, without a database.

    python -m workers.generation IN.jsonl -o OUT.jsonl --model FOLDER [--temperature 0.7] ...

Each line of IN: {"question": "...", "id"?, "choices"?, "temperature"?, "seed"?, "max_tokens"?}. Each
line of OUT: the completion (id, text, reasoning, finish_reason, token counts, seconds, error), in the
order in which they are finished, written at once. Exit status 1 if any line was bad or any failed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from workers.generation.backends import open_backend
from workers.generation.prompts import build_messages
from workers.generation.types import BACKENDS, DTYPES, BackendError, ModelSpec, Request
from workers.json_lines import json_line


def main() -> int:
    """Ask for every line of the file; 0 if all were answered."""
    asked = arguments()
    try:
        with Path(asked.input).open(encoding="utf-8") as file:
            requests, bad = read(file, asked)
    except (OSError, UnicodeDecodeError) as error:
        print(f"{asked.input} cannot be read: {error}", file=sys.stderr)
        return 1
    spec = ModelSpec(
        backend=asked.backend,
        model=asked.model,
        base_url=asked.base_url,
        api_key_env=asked.api_key_env,
        dtype=asked.dtype,
    )
    failed = 0
    try:
        # Whoever types the address here is the operator: their own machines are allowed.
        backend = open_backend(spec, allowed_hosts=asked.allow)
        try:
            with Path(asked.output).open("w", encoding="utf-8") as out:
                for completion in backend.generate(requests):
                    failed += bool(completion.error)
                    out.write(json_line(completion.to_dict()) + "\n")
                    out.flush()
        finally:
            backend.close()
    except (BackendError, OSError) as error:
        print(f"Nothing can be generated: {error}", file=sys.stderr)
        return 1
    print(
        f"{len(requests) - failed:,} answered, {failed:,} failed, {bad:,} bad lines.",
        file=sys.stderr,
    )
    return 1 if failed or bad else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m workers.generation", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("input")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--backend", choices=BACKENDS, default="transformers")
    parser.add_argument(
        "--model", required=True, help="a folder, or the model's name at an address"
    )
    parser.add_argument("--base-url", default="", help="for --backend openai")
    parser.add_argument("--api-key-env", default="", help="NAME of the variable that holds the key")
    parser.add_argument("--allow", action="append", default=[], help="a host that is not public")
    parser.add_argument("--dtype", choices=DTYPES, default="float32")
    parser.add_argument("--style", default="plain", help="prompt style")
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--max-tokens", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0, help="line n has this plus n")
    return parser.parse_args()


def read(lines: Iterator[str], asked: argparse.Namespace) -> tuple[list[Request], int]:
    """The requests of a file, and how many lines were bad (told on stderr, with their numbers)."""
    requests, bad = [], 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not isinstance(row, dict) or not isinstance(row.get("question"), str):
                raise ValueError('it must be an object with a text as "question"')
            messages = build_messages(asked.style, row["question"], row.get("choices") or ())
            request = Request(
                id=str(row.get("id", number)),
                messages=tuple(messages),
                temperature=row.get("temperature", asked.temperature),
                seed=row.get("seed", asked.seed + number),
                max_tokens=row.get("max_tokens", asked.max_tokens),
            )
        except (ValueError, TypeError, RecursionError) as error:
            bad += 1
            print(f"Line {number} is left out: {error}", file=sys.stderr)
        else:
            requests.append(request)
    return requests, bad


if __name__ == "__main__":
    sys.exit(main())
