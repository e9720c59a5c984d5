"""``python -m workers.training CONFIG.json``: one LoRA training in a process of its own.

The same under ``accelerate launch -m workers.training CONFIG.json`` for many GPUs. Events go to
OUTPUT_DIR/events.jsonl, the log to stderr. Exit status: 0 trained, 1 failed, 2 a bad configuration,
143 cancelled by SIGTERM (with a checkpoint; set "resume": true to go on).
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import traceback

from workers.training.config import TrainingConfig
from workers.training.errors import (
    EXIT_BAD_CONFIG,
    EXIT_CANCELLED,
    EXIT_DONE,
    EXIT_FAILED,
    Cancelled,
    ConfigError,
    TrainingError,
    explain,
)
from workers.training.stopping import StopRequest, watch_parent


def main(argv: list[str] | None = None) -> int:
    """Parse the arguments, train, and turn the outcome into an exit status."""
    parser = argparse.ArgumentParser(prog="python -m workers.training", description=__doc__)
    parser.add_argument("config", help="a JSON file, see workers.training.config.TrainingConfig")
    parser.add_argument("--resume", action="store_true", help="go on where a stopped training is")
    parser.add_argument("--parent", type=int, default=0, help="end when this process has gone")
    parser.add_argument("--nice", type=int, default=0, help="lower this process's priority by N")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stop = StopRequest()
    stop.install()
    if args.nice:
        os.nice(args.nice)
    if args.parent:
        watch_parent(args.parent, stop)
    try:
        config = TrainingConfig.load(args.config)
        if args.resume:
            config = TrainingConfig.from_dict({**config.to_dict(), "resume": True})
        _prepare_environment(config)
        from workers.training.run import run  # torch and trl: seconds, so only after the checks

        run(config, stop)
    except Cancelled as error:
        print(f"Cancelled: {error}", file=sys.stderr)
        return EXIT_CANCELLED
    except ConfigError as error:
        print(f"Configuration: {error.reason}", file=sys.stderr)
        return EXIT_BAD_CONFIG
    except TrainingError as error:
        print(f"Failed: {error.reason}", file=sys.stderr)
        return EXIT_FAILED
    except Exception as error:  # the event is written by run(); here it gets its traceback
        traceback.print_exc()
        print(f"Failed: {explain(error)[1]}", file=sys.stderr)
        return EXIT_FAILED
    return EXIT_DONE


def _prepare_environment(config: TrainingConfig) -> None:
    """Must stand before torch is imported: threads, and no calls home for a local model."""
    os.environ["OMP_NUM_THREADS"] = str(config.recipe.threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    if config.model_is_folder:
        os.environ["HF_HUB_OFFLINE"] = "1"


if __name__ == "__main__":
    sys.exit(main())
