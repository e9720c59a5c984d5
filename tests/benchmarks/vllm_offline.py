"""vLLM's own offline ``LLM.chat``, timed: run by the interpreter that has vLLM.

Reads one JSON object from stdin (model, engine, warm and rounds: orders with messages, temperature,
seed, n, max_tokens); prints one list as its last line: tokens and seconds of each round, without
loading.
"""

import json
import sys
import time


def main() -> None:
    # Imported here: vLLM starts processes that read this file again.
    from vllm import LLM

    asked = json.load(sys.stdin)
    llm = LLM(asked["model"], **asked["engine"])
    generate(llm, asked["warm"])
    rounds = [generate(llm, orders) for orders in asked["rounds"]]
    print(json.dumps([{"tokens": tokens, "seconds": seconds} for tokens, seconds in rounds]))


def generate(llm: object, orders: list[dict]) -> tuple[int, float]:
    from vllm import SamplingParams

    sampling = [
        SamplingParams(
            n=o["n"], temperature=o["temperature"], seed=o["seed"], max_tokens=o["max_tokens"]
        )
        for o in orders
    ]
    began = time.monotonic()
    done = llm.chat([o["messages"] for o in orders], sampling, use_tqdm=False)
    seconds = time.monotonic() - began
    return sum(len(text.token_ids) for one in done for text in one.outputs), seconds


if __name__ == "__main__":
    main()
