"""How likely each step is right, and how likely it makes no progress."""

from math import prod

from workers.scoring.analysis import ChainFacts
from workers.scoring.contract import Flag

# First estimates, before a model is fitted: how likely a step with such a flag is wrong or idle.
_WRONG = {"arithmetic": 0.9, "used_before_known": 0.5, "contradiction": 0.6}
_IDLE = {"repeats": 0.97, "restates_question": 0.5, "nothing_new": 0.45}


def step_probabilities(chain: ChainFacts, flags: list[list[Flag]]) -> list[tuple[float, float]]:
    """(validity, redundancy) of every step."""
    out = []
    for own in flags:
        wrong = 1 - prod(1 - _WRONG.get(f.code, 0.0) for f in own)
        idle = 1 - prod(1 - _IDLE.get(f.code, 0.0) for f in own)
        out.append((0.98 * (1 - wrong), 0.02 + 0.98 * idle))
    return out


def chain_probabilities(
    chain: ChainFacts, steps: list[tuple[float, float]], chain_flags: list[Flag]
) -> tuple[float, float]:
    """(how likely that no step is wrong, how likely that some step makes no progress)."""
    if not steps:
        return 0.0, 0.0
    validity = min(v for v, _ in steps)
    if any(f.code == "unsupported_answer" for f in chain_flags):
        validity *= 0.6
    return validity, max(r for _, r in steps)
