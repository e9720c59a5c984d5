"""Shares with their intervals, beside each other."""

from django import template

from curation.intervals import wilson

register = template.Library()


@register.filter
def share(part: int, whole: int) -> float | None:
    """`part` of `whole` as a share; None of nothing."""
    return part / whole if whole else None


@register.filter
def interval(part: int, whole: int) -> str:
    """The 95% interval (Wilson) of `part` of `whole`, in percent: "87.3–89.6"."""
    bounds = wilson(part, whole)
    return "" if bounds is None else f"{100 * bounds[0]:.1f}–{100 * bounds[1]:.1f}"
