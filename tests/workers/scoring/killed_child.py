"""A child process of the scorer that is killed at every text whose number is below KILLED_BELOW."""

import os
import signal

from workers.scoring.isolation import child

KILLS = "KILLED_BELOW"
_problem = child.reference_problem


def killed_at(answers: tuple[str, ...], *rest: object) -> str:
    if int(answers[0].split("/")[0]) < int(os.environ[KILLS]):
        os.kill(os.getpid(), signal.SIGKILL)
    return _problem(answers, *rest)


if __name__ == "__main__":
    child.FUNCTIONS["references"] = killed_at
    child.main()
