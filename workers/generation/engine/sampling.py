"""Choosing the next token of every row, so that a row never depends on its neighbours.

Each row owns a stream of uniform numbers, made from its seed by the standard library's
``random.Random`` (whose ``random()`` gives the same numbers on every Python version and
machine). The n-th token of a row uses the n-th number, through the inverse of the row's
cumulative distribution. So the text of a request depends on its prompt, its sampling settings
and its seed, not on the batch, the device's generator or the order of work. What remains is
rounding: a matrix product over another batch size may differ in the last bits, which moves a
choice only where the number falls within about 1e-6 of a boundary (float32).
"""

from __future__ import annotations

import torch


def choose(
    logits: torch.Tensor, temperature: torch.Tensor, top_p: torch.Tensor, uniform: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The next token of each row.

    logits       (rows, vocabulary), any float type
    temperature  (rows,) float32; 0 is greedy
    top_p        (rows,) float32 in (0, 1]; the smallest set of tokens with at least that mass
                 (nucleus sampling, Holtzman et al., arXiv 1904.09751)
    uniform      (rows,) in [0, 1); not looked at where a row is greedy
    Returns tokens (rows,) int64, and (rows,) bool: true where the logits are not numbers.
    """
    logits = logits.float()
    best, tokens = logits.max(dim=-1)
    broken = ~torch.isfinite(best)
    sampled = temperature > 0
    if not bool(sampled.any()):
        return tokens, broken
    scale = torch.where(sampled, temperature, torch.ones_like(temperature))
    probs = torch.softmax((logits - best[:, None]) / scale[:, None], dim=-1)
    narrow = sampled & (top_p < 1)
    if bool(narrow.any()):
        rows = narrow.nonzero()[:, 0]
        probs[rows] = nucleus(probs[rows], top_p[rows])
    drawn = _inverse_cdf(probs, uniform)
    return torch.where(sampled, drawn, tokens), broken


def nucleus(probs: torch.Tensor, top_p: torch.Tensor) -> torch.Tensor:
    """``probs`` (rows, vocabulary) with everything outside the nucleus set to 0."""
    ordered, order = torch.sort(probs, dim=-1, descending=True, stable=True)
    before = ordered.cumsum(dim=-1) - ordered
    ordered = ordered.masked_fill(before >= top_p[:, None], 0.0)
    return torch.zeros_like(probs).scatter(-1, order, ordered)


def _inverse_cdf(probs: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    # Sums in float64 (where the device has it): over 150,000 tokens float32 loses digits.
    exact = torch.float32 if probs.device.type == "mps" else torch.float64
    cdf = probs.cumsum(dim=-1, dtype=exact)
    total = cdf[:, -1]
    target = uniform.to(exact) * total
    # Rounding may lift u * total to total itself, which lies behind the last token.
    target = torch.minimum(target, torch.nextafter(total, torch.zeros_like(total)))
    drawn = torch.searchsorted(cdf, target[:, None].contiguous(), right=True)[:, 0]
    return drawn.clamp(max=probs.shape[-1] - 1)
