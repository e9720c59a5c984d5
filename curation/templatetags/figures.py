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


@register.filter
def coefficient(value: float | None) -> str:
    """A coefficient from -1 to 1 with two digits and a true minus sign; a dash where none is known."""
    return "–" if value is None else f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


@register.filter
def hundredths(value: float) -> str:
    """A share in percent with one digit and no sign, as intervals are written: 87.3."""
    return f"{100 * min(1.0, max(0.0, value)):.1f}"


@register.filter
def money(value: float | None) -> str:
    """An amount with two digits behind the point; a small one with three that say something."""
    if value is None:
        return "–"
    return f"{value:,.2f}" if value >= 0.1 or value == 0 else f"{value:.3g}"
