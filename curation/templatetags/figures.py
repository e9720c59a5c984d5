"""Shares with their intervals, beside each other."""

from django import template

from curation.figures import rounding
from curation.figures.intervals import Interval

register = template.Library()


@register.filter
def share(part: int, whole: int) -> float | None:
    """`part` of `whole` as a share; None of nothing."""
    return part / whole if whole else None


@register.filter
def span(interval: Interval | None) -> str:
    """An interval of a share, in percent: "87.3–89.6"."""
    return rounding.span(interval)


@register.filter
def coefficient(value: float | None) -> str:
    """A coefficient from -1 to 1 with two digits and a true minus sign; a dash where none is known."""
    return "–" if value is None else rounding.half_up(value, 2).replace("-", "−")


@register.filter
def hundredths(value: float) -> str:
    """A share in percent with one digit and no sign, as intervals are written: 87.3."""
    return rounding.in_percent(min(1.0, max(0.0, value)), 1)


@register.filter
def money(value: float | None) -> str:
    """An amount with two digits behind the point; a small one with three that say something."""
    if value is None:
        return "–"
    return f"{value:,.2f}" if value >= 0.1 or value == 0 else f"{value:.3g}"
