"""Labels of many steps in few words: {"1-740": 1, "741": -1}."""

import re

from curation.errors import Invalid

RANGE = re.compile("([1-9][0-9]{0,5})-([1-9][0-9]{0,5})", re.ASCII)
MOST = 20_000  # steps that one rationale's labels may name


def each_step(labels: dict[str, int]) -> dict[str, int]:
    """The label of each step by its number; keys such as "1-740" name all steps from the one to the other.
    What is no step at all stays, for the check of a review to name it.

    Raises Invalid for a range that ends before it begins, for a step that is named twice, and for too
    many steps.
    """
    found: dict[str, int] = {}
    for key, value in labels.items():
        span = RANGE.fullmatch(key)
        first, last = (int(span[1]), int(span[2])) if span else (0, 0)
        if last < first:
            raise Invalid(f"The steps {key} end before they begin.")
        if len(found) + last - first >= MOST:
            raise Invalid(f"The labels of one rationale name at most {MOST:,} steps.")
        names = map(str, range(first, last + 1)) if span else (key,)
        for name in names:
            if name in found:
                raise Invalid(f"Step {name} has two labels.")
            found[name] = value
    return found
