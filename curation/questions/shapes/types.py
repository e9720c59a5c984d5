"""Which type an answer is of, read from the answer itself."""

import re

ANSWER_TYPES = (
    *("number", "expression", "choice", "yes_no", "date", "time", "interval", "set", "text"),
    "undetermined",
)
# What files call these types. What is not here says nothing, and the type is read from the reference.
WORDS = {
    **{name: name for name in ANSWER_TYPES},
    **dict.fromkeys(
        ("numerical", "numeric", "float", "integer", "int", "numbers", "numerical_answer"), "number"
    ),
    **dict.fromkeys(
        ("list of integer", "list of float", "list of number", "list", "tuple", "matrix", "vector"),
        "expression",
    ),
    **dict.fromkeys(("formula", "equation", "latex", "algebraic", "math"), "expression"),
    **dict.fromkeys(("bool", "boolean", "yes/no", "yesno", "true/false", "true_false"), "yes_no"),
    **dict.fromkeys(("string", "free_text", "freeform", "free-form", "open", "exact_text"), "text"),
    **dict.fromkeys(
        ("option", "mcq", "multiple_choice", "multiplechoice", "multi_choice", "multiple choice"),
        "choice",
    ),
    **dict.fromkeys(("range",), "interval"),
    **dict.fromkeys(("unanswerable", "none"), "undetermined"),
}
_NUMBER = re.compile(
    r"^[-+−±]?\s{0,3}(?:[$€£¥₹]|US\$|USD|EUR|Rs\.?)?\s{0,3}[-+−]?"
    r"(?:\d{1,3}(?:[, '’\u00a0\u202f]\d{2,3}){1,20}(?:[.,]\d{1,60})?|\d{1,300}(?:[.,]\d{1,300})?|\.\d{1,300})"
    r"(?:[eE][-+]?\d{1,9})?(?:\s{0,3}/\s{0,3}\d{1,60})?\s{0,3}(?:%|°|€|£|\$)?"
    r"(?:\s{0,3}\(?\s{0,3}[^\W\d_]{1,40}(?:[\s/-]{1,3}[^\W\d_]{1,40}[²³]?){0,2}\s{0,3}\)?\.?)?$"
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DATE = re.compile(
    rf"^(?:\d{{4}}-\d{{1,2}}-\d{{1,2}}|\d{{1,2}}[/.]\d{{1,2}}[/.]\d{{2,4}}|\d{{4}}/\d{{1,2}}/\d{{1,2}}"
    rf"|{_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+\d{{4}})?"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}\.?(?:,?\s+\d{{4}})?)$",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"^(?:\d{1,2}[:.]\d{2}(?::\d{2})?\s*(?:[ap]\.?\s?m\.?)?|\d{1,2}\s*(?:[ap]\.?\s?m\.?|o['’]clock))$",
    re.IGNORECASE,
)
_ONE = r"[-+]?(?:\\?infty|∞|\\(?:d?frac|sqrt)[^,]{0,60}|[\w.\\/^{}+-]{1,60})"
_INTERVAL = re.compile(
    rf"^\\?(?:left)?\s{{0,3}}[(\[]\s{{0,3}}{_ONE}\s{{0,3}},\s{{0,3}}{_ONE}\s{{0,3}}(?:\\right)?\s{{0,3}}[)\]]"
    r"(?:\s{0,3}(?:\\cup|∪|U)\s{0,3}.+)?$"
)
_SET = re.compile(r"^\\?(?:left)?\s*\\?\{.+\\?\}$")
_UNDETERMINED = re.compile(
    r"^(?:none|n/?a|it\s{1,3})?\s{0,3}(?:cannot|can['’]?t|could\s{1,3}not|can\s{1,3}not)\s{1,3}be\s{1,3}"
    r"(?:determined|answered|told|known|solved|calculated|inferred)\b.*$"
    r"|^none$|^(?:not|in)\s{0,3}(?:enough|sufficient)\s{1,3}(?:information|data)\b.*$"
    r"|^insufficient\s{1,3}(?:information|data)"
    r"|^(?:undetermined|indeterminate|unanswerable|unknown|not\s{1,3}(?:determinable|answerable))$",
    re.IGNORECASE,
)
_YES_NO = re.compile(r"^(?:yes|no|true|false)\.?$", re.IGNORECASE)
_MATHS = re.compile(
    r"[\\^_{}=<>√π∞≤≥×÷]|\d\s*[a-zA-Z]\b|[a-zA-Z]\s*[-+*/]\s*[\w(]|\d\s*[-+*/]\s*[\w(]"
)
_WORDS = re.compile(r"[^\W\d_]{3,}")


def type_of_answer(answer: str | None, *, has_choices: bool = False) -> str:
    """number, expression, choice, yes_no, date, time, interval, set, text or undetermined; "" for none."""
    if not answer:
        return ""
    if has_choices:
        return "choice"
    text = answer.strip()
    if text.startswith("$") and text.endswith("$") and len(text) > 2:
        text = text[1:-1].strip()
    if _UNDETERMINED.match(text):
        return "undetermined"
    if _YES_NO.match(text):
        return "yes_no"
    if _DATE.match(text):
        return "date"
    if _TIME.match(text) and not re.fullmatch(r"\d{1,2}\.\d{2}", text):
        return "time"
    if _NUMBER.match(text):
        return "number"
    bare = text.replace("\\left", "").replace("\\right", "")
    if _INTERVAL.match(text) and bare[:1] + bare[-1:] != "()":  # (0, 1) is as often a point
        return "interval"
    if _SET.match(text):
        return "set"
    if _MATHS.search(text) and len(_WORDS.findall(re.sub(r"\\[a-zA-Z]+", "", text))) <= 2:
        return "expression"
    return "text"


def type_by_name(word: str) -> str:
    """The type that a file calls `word`; "" where it says none of ours."""
    return WORDS.get(word.strip().casefold(), "")


def problem_of(answer: str, answer_type: str) -> str:
    """Why an answer cannot be read as one of its type, in words; "" where it can. The scorer asks more."""
    text = answer.strip()
    if not re.search(r"\w", text):
        return "has nothing to compare with"
    if text.count("{") - text.count("\\{") != text.count("}") - text.count("\\}"):
        return "has a bracket that is never closed"
    if len(text) > 300:
        return "is a long text, with no answer of its own at its end"
    fits = {
        "number": lambda: re.search(r"\d|\\frac|\\pi", text) or _spelt(text),
        "yes_no": lambda: _YES_NO.match(text),
        "date": lambda: re.search(r"\d", text),
        "time": lambda: re.search(r"\d", text),
    }.get(answer_type)
    if fits and not fits():
        return f"is no {answer_type.replace('yes_no', 'yes or no')}"
    return ""


def _spelt(text: str) -> bool:
    return bool(
        re.match(
            r"^(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|half|none)\b",
            text,
            re.IGNORECASE,
        )
    )
