"""JSON lines that stay lines for every reader.

U+0085, U+2028 and U+2029 are ordinary characters in JSON, and ends of lines to Python's `splitlines`, Node's
readline and others: in a file with one object a line they are written as \\uXXXX.
"""

import json
import re
from typing import Any

SEPARATORS = re.compile("[\x85\u2028\u2029]")


def json_line(value: Any, **how: Any) -> str:
    """`value` as one line without its end; `how` is for `json.dumps`."""
    text = json.dumps(value, ensure_ascii=False, **how)
    return SEPARATORS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
