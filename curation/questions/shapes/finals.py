"""The final answer in a text that works towards it: the marks that published data end with.

Repeats are bounded, and what stands between two tags holds no third one, so that no text takes a pattern more
than linear time.
"""

import re

WORKED = re.compile(r"(?:####|A:)[ \t]*(?=\S)")
_SAYS = re.compile(
    r"(?:^|[\s*(\"])(?:the\s{1,3})?(?:final\s{1,3}|correct\s{1,3})?(?:answer|ans)\s{0,3}"
    r"(?:is\s{0,3}(?:option\s{0,3})?[:=]?|[:=])\s{0,3}(?P<a>[^\n]+)$",
    re.IGNORECASE,
)
_FOREIGN = re.compile(
    r"(?:答案(?:是|为|：|:)|答え(?:は|：|:)|Die Antwort (?:ist|lautet):?|La respuesta es:?|La réponse est:?"
    r"|A resposta é:?|Ответ\s{0,3}[-—:]|উত্তর(?: হল)?:?|คำตอบคือ:?|Jibu ni:?|సమాధానం:?)"
    r"\s{0,3}(?P<a>[^\n]+)$"
)
_IS = re.compile(
    r"^(?:it(?:['’]s|\s+is)|that(?:['’]s|\s+is)|this\s+is|there\s+(?:is|are)|(?:so|therefore|thus),?\s+it\s+is)"
    r"\s+(?P<a>.+)$",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"^[-+]?[$€£]?\d[\d,./]*%?$|^[A-J]$|^(?:yes|no|true|false)$", re.IGNORECASE)
THOUGHT = re.compile(
    r"<(think|thinking|thought|reasoning|scratchpad|reason)>(?P<in>(?:(?!<\1>).)*?)</\1>"
    r"|<\|begin_of_thought\|>(?P<ot>(?:(?!<\|begin_of_thought).)*?)<\|end_of_thought\|>",
    re.DOTALL,
)
_SOLUTION = re.compile(r"<\|begin_of_solution\|>(.*?)(?:<\|end_of_solution\|>|\Z)", re.DOTALL)
_ANSWER = re.compile(r"<answer>((?:(?!<answer>).)*?)</answer>", re.DOTALL | re.IGNORECASE)


def split_worked_answer(text: str) -> tuple[str, str]:
    """(worked rationale, final answer) of GSM8K's forms, whose last line is `#### n` or `A: n`."""
    text = text.strip()
    found = WORKED.search(text, text.rfind("\n") + 1)
    if not found:
        return "", text
    return text[: found.start()].strip(), text[found.end() :]


def last_boxed(text: str) -> str:
    r"""What stands in the last \boxed{…}, with its braces balanced; "" where there is none."""
    start = text.rfind("\\boxed{")
    mark = "\\boxed"
    if start < 0:
        start, mark = text.rfind("\\fbox{"), "\\fbox"
    if start < 0:
        found = re.search(r"\\boxed\s{1,9}([^\s$.,]+)", text)
        return found[1] if found else ""
    depth = 0
    for place in range(start + len(mark), len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[start + len(mark) + 1 : place].strip()
    return ""


def final_answer(text: str) -> str:
    """What a text says that its answer is, by a mark: `####`, `A:`, \\boxed{}, "the answer is"; "" where
    it has none. Only the end of the text is looked at."""
    text = text.strip()
    if found := _ANSWER.findall(text):
        return found[-1].strip()
    last = text[text.rfind("\n") + 1 :]
    if found := WORKED.search(last):
        return last[found.end() :].strip()
    if boxed := last_boxed(text[-4000:]):
        return boxed
    for line in reversed(text[-600:].split("\n")[-3:]):
        line = line.strip().strip("*_").strip()
        found = None
        for sentence in (line, re.split(r"(?<=[.!?。])\s+", line)[-1]):
            found = _SAYS.search(sentence) or _FOREIGN.search(sentence)
            if found:
                return _bare(found["a"])
    return ""


def _bare(answer: str) -> str:
    answer = answer.strip().strip("*_").strip()
    answer = re.sub(r"(?<=[^.])[.。]$", "", answer).strip().strip("*_").strip()
    if (
        answer.startswith("$")
        and answer.endswith("$")
        and answer.count("$") == 2
        and len(answer) > 2
    ):
        answer = answer[1:-1].strip()
    return answer


def short_answer(text: str) -> str:
    """The answer in a short text: "It is 2." is "2"; "" where the text is no such sentence."""
    text = text.strip()
    bare = _bare(text)
    if _PLAIN.match(bare):
        return bare
    found = _IS.match(bare)
    return found["a"].strip() if found and _PLAIN.match(found["a"].strip()) else ""


def split_thought(text: str) -> tuple[str, str]:
    """(what was thought, what was said) of a reasoning model's text: `<think>…</think>`, OpenThoughts'
    marks, or a text that begins in the thought (only its end is marked)."""
    if "<" not in text:
        return "", text.strip()
    thoughts = [
        (m["in"] if m["in"] is not None else m["ot"]).strip() for m in THOUGHT.finditer(text)
    ]
    rest = THOUGHT.sub("", text)
    if not thoughts:
        for end in ("</think>", "</thinking>", "<|end_of_thought|>"):
            before, mark, after = rest.partition(end)
            if mark:
                thoughts, rest = [before.replace("<think>", "").strip()], after
                break
    if found := _SOLUTION.search(rest):
        rest = found[1]
    return "\n\n".join(filter(None, thoughts)), rest.strip()
