"""Math-Verify with guards for its known faults. Runs only inside the child of `math_verify`.

Guards: the reference is the first argument of `verify`; its own time limits are off; what it calls
equal must also be equal as numbers (it reads 1+1/e as 1-1/e in places); two equations are equal only
when one is a multiple of the other.
"""

import re

import sympy
from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify

_CONFIG = (LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig())
_DIGITS = 30


def warm_up() -> None:
    """Parses and compares once, so that the grammar is loaded before the first request."""
    compare(r"\frac{1}{2}", "x^2 + 1")


def compare(gold: str, answer: str) -> dict:
    """{"same": bool} or {"reason": why it could not be settled}."""
    if ("=" in gold) != ("=" in answer) and "=" in gold:
        return {"same": False}
    left, right = _parse(gold), _parse(answer)
    if left is None:
        return {"reason": "the reference could not be read as an expression"}
    if right is None:
        return {"reason": "the answer could not be read as an expression"}
    try:
        if isinstance(left[0], sympy.Eq) and isinstance(right[0], sympy.Eq):
            return {"same": _equations(left[0], right[0])}
        numeric = _numerically(left[0], right[0])
        if numeric is not None:
            return {"same": numeric}
        return {"same": bool(verify(left, right, float_rounding=6, timeout_seconds=None))}
    except (
        TypeError,
        ValueError,
        ArithmeticError,
        AttributeError,
        NotImplementedError,
        KeyError,
        IndexError,
    ) as error:
        return {"reason": f"sympy could not compare them ({type(error).__name__})"}


def _parse(text: str):
    if "\\" in text or "^" in text or "{" in text:
        forms = (f"${text}$", text)
    else:
        forms = (f"${_as_latex(text)}$", text)
    for form in forms:
        parsed = parse(
            form,
            extraction_config=_CONFIG,
            fallback_mode="no_fallback",
            extraction_mode="first_match",
            parsing_timeout=None,
        )
        if parsed:
            return parsed
    return None


def _as_latex(text: str) -> str:
    text = re.sub(r"\bsqrt\s*\(([^()]*)\)", r"\\sqrt{\1}", text)
    text = re.sub(r"\bpi\b", r"\\pi", text)
    return text.replace("**", "^").replace("*", r"\cdot ")


def _numerically(left, right) -> bool | None:
    """Equality of two constants to 30 digits; None where one is no constant number."""
    if not (isinstance(left, sympy.Expr) and isinstance(right, sympy.Expr)):
        return None
    if left.free_symbols or right.free_symbols:
        return None
    a, b = left.evalf(_DIGITS), right.evalf(_DIGITS)
    if not (a.is_number and b.is_number) or not (a.is_finite and b.is_finite):
        return bool(a == b) if a.is_number and b.is_number else None
    scale = max(abs(a), abs(b), 1)
    return bool(abs(a - b) / scale < sympy.Float("1e-9"))


def _equations(left: sympy.Eq, right: sympy.Eq) -> bool:
    a, b = left.lhs - left.rhs, right.lhs - right.rhs
    if sympy.simplify(a) == 0 or sympy.simplify(b) == 0:
        return False
    ratio = sympy.simplify(a / b)
    return bool(ratio.is_number and ratio != 0)
