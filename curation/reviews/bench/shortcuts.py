"""The bench's keys: one table of what each does, and what a person has put on other keys."""

import re
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from curation.errors import Conflict, Invalid
from curation.projects.models import Preference, User


@dataclass(frozen=True)
class Action:
    """Something that a key does: `what` at the bench, `there` where an admin decides between reviews;
    nothing where it has no words. `fixed` ones cannot be moved: their keys are a whole row of digits."""

    name: str
    group: str
    what: str
    keys: tuple[str, ...]
    repeats: bool = False
    fixed: bool = False
    there: str = ""


ACTIONS = (
    Action("approve", "Decide", "Approve and go on; an approved one: take it back", ("a",),
           there="Approve and go on; an approved one: take it back"),
    Action("reject", "Decide", "Reject: choose why", ("x",),
           there="Reject: choose why; again goes on"),
    Action("edit", "Decide", "Edit and approve", ("e",), there="Edit it yourself"),
    Action("take", "Decide", "", ("y",),
           there="Take a reviewer’s edit; again the next one"),
    Action("best", "Decide", "The best of them; again takes it back", ("b",)),
    Action("comment", "Decide", "Comment on the rationale", ("c",), there="Comment on your decision"),
    Action("own", "Decide", "Write a rationale of your own", ("w",)),
    Action("reject_wrong", "Decide", "Reject every rationale with a wrong answer", ("Shift+x",),
           there="Reject every rationale with a wrong answer"),
    Action("read", "Decide", "The answer was misread: say what it is", ("i",)),
    Action("flag", "Decide", "Something is wrong with the question", ("f",)),
    Action("clear", "Decide", "Take the decision back", ("Backspace", "Delete"),
           there="Take the choice back"),
    Action("next", "Go on", "Send the decisions, bring the next question", ("Enter",),
           there="Go on; when all is chosen, decide"),
    Action("skip", "Go on", "Skip: say why, or press it twice", ("s",),
           there="Leave the question, to the next one that waits"),
    Action("undo", "Go on", "Take the last question back", ("u",),
           there="Take your last decision back"),
    Action("left", "Move", "Rationale to the left", ("ArrowLeft", "h"), repeats=True,
           there="Rationale before"),
    Action("right", "Move", "Rationale to the right", ("ArrowRight", "l"), repeats=True,
           there="Rationale after"),
    Action("up", "Move", "Step before", ("ArrowUp", "k"), repeats=True, there="Rationale before"),
    Action("down", "Move", "Step after", ("ArrowDown", "j"), repeats=True, there="Rationale after"),
    Action("page_down", "Move", "A screen down", ("PageDown", "Space"), repeats=True),
    Action("page_up", "Move", "A screen up", ("PageUp", "Shift+Space"), repeats=True),
    Action("top", "Move", "To its begin", ("Home",)),
    Action("bottom", "Move", "To its end", ("End",)),
    Action("goto", "Move", "To a step by its number", ("Shift+g",)),
    Action("next_flag", "Move", "Next flag", ("n",), repeats=True),
    Action("previous_flag", "Move", "Flag before", ("p",), repeats=True),
    Action("next_doubt", "Move", "Next self-correction: “wait”, a changed value", ("Shift+n",), repeats=True),
    Action("previous_doubt", "Move", "Self-correction before", ("Shift+p",), repeats=True),
    Action("find", "Move", "Search in this rationale", ("/",)),
    Action("choose", "Decide", "", ("1…9",), fixed=True, there="A reason of a rejection, by its number"),
    Action("label_good", "Label steps", "Step 1 to 9 is good; again takes it back", ("1…9",),
           fixed=True),
    Action("label_bad", "Label steps", "Step 1 to 9 is bad", ("Shift+1…9",), fixed=True),
    Action("first_wrong", "Label steps", "First wrong step: good before, bad here, reject", (".",)),
    Action("good", "Label steps", "The step under the cursor is good; on to the next", ("+", "=")),
    Action("bad", "Label steps", "… is bad; on to the next", ("-",)),
    Action("neutral", "Label steps", "… is neutral; on to the next", ("0",)),
    Action("cycle", "Label steps", "… the label after this one", (",",)),
    Action("edit_step", "Label steps", "Edit the step under the cursor", ("Shift+e",)),
    Action("note", "Label steps", "Comment on the selected words, or on the step", ("Shift+c",)),
    Action("wide", "Look", "One wide column, or side by side", ("v",)),
    Action("differences", "Look", "What differs from the rationale compared with", ("d",)),
    Action("compare_with", "Look", "Compare the others with this rationale", ("Shift+d",)),
    Action("unfold", "Look", "Rationales like this one, shown or folded", ("o",)),
    Action("reference", "Look", "Reference and worked answer", ("r",), there="Worked answer"),
    Action("marks", "Look", "Calculator marks and thinking, shown or folded", ("m",)),
    Action("wrote", "Look", "Who wrote each rationale", ("t",)),
    Action("raw", "Look", "The texts as they are stored, to be read and copied", ("Shift+v",)),
    Action("guidelines", "Look", "Guidelines of the project", ("g",),
           there="Guidelines of the project"),
    Action("keys", "Look", "These keys", ("?",), there="These keys"),
)  # fmt: skip
BY_NAME = {action.name: action for action in ACTIONS}
MOST = 3

# A sign, a letter with or without Shift, or a named key. Tab, Escape and keys with Ctrl or Alt belong to
# the browser and to people who move by them; F5, F11 and F12 too.
NAMED = {
    "Enter",
    "Space",
    "Backspace",
    "Delete",
    "Insert",
    "Home",
    "End",
    "PageUp",
    "PageDown",
    "Shift+Space",
}
NAMED |= {f"Arrow{way}" for way in ("Left", "Right", "Up", "Down")}
NAMED |= {f"F{n}" for n in (2, 3, 4, 6, 7, 8, 9, 10)}
SIGN = re.compile(r"(?:Shift\+)?[a-z]|[!-/:-@\[-`{-~0]|[^\W\d_A-Za-z]")


def table_of(user: User) -> list[dict[str, Any]]:
    """The whole table as a page needs it, with the keys that this person chose."""
    chosen = _chosen(user)
    taken = {key for keys in chosen.values() for key in keys}
    rows = []
    for action in ACTIONS:
        own = chosen.get(action.name)
        # A key that the person has put elsewhere is theirs, also where a newer version wants it.
        free = [key for key in action.keys if key not in taken]
        rows.append(
            {**asdict(action), "keys": free if own is None else own, "own": own is not None}
        )
    return rows


def change_keys(
    user: User, name: str, keys: list[str], *, swap: bool = False
) -> list[dict[str, Any]]:
    """Put an action on these keys; returns the new table. With `swap`, an action that has one of them gets
    the keys that this one had.

    Raises Invalid for an action or a key that cannot be, Conflict where another action of the same page
    has the key.
    """
    action = BY_NAME.get(name)
    if action is None or action.fixed:
        raise Invalid("This action has no key that can be changed.")
    keys = list(dict.fromkeys(keys))
    if not 1 <= len(keys) <= MOST:
        raise Invalid(f"An action has 1 to {MOST} keys.")
    for key in keys:
        _check(key)
    with transaction.atomic():
        _lock(user)
        table = table_of(user)
        before = next(row["keys"] for row in table if row["name"] == name)
        chosen = _chosen(user) | {name: keys}
        clashes = [row for row in table if _clash(row, action, keys)]
        if clashes and not (swap and len(clashes) == 1 and before):
            raise _taken(clashes[0], action, keys, can_swap=len(clashes) == 1 and bool(before))
        for row in clashes:
            kept = [key for key in row["keys"] if key not in keys]
            freed = [key for key in before if key not in keys]
            chosen[row["name"]] = (freed + kept)[:MOST]
        for one, its in list(chosen.items()):
            if its == list(BY_NAME[one].keys):
                del chosen[one]
        Preference.objects.filter(user=user).update(keys=chosen)
    return table_of(user)


def _clash(row: dict[str, Any], action: Action, keys: list[str]) -> bool:
    """Whether another action that is heard on a page of this one has one of the keys."""
    both = (row["what"] and action.what) or (row["there"] and action.there)
    return row["name"] != action.name and bool(both) and not set(keys).isdisjoint(row["keys"])


def _taken(row: dict[str, Any], action: Action, keys: list[str], *, can_swap: bool) -> Conflict:
    key = next(key for key in row["keys"] if key in keys)
    is_here = row["what"] and action.what
    where = "" if is_here else ", where an admin decides between reviews"
    error = Conflict(f"“{key}” is taken{where}: “{row['what'] if is_here else row['there']}”.")
    error.more = {"swap": can_swap}
    return error


def reset_keys(user: User) -> list[dict[str, Any]]:
    """All keys as they came; returns the table."""
    Preference.objects.filter(user=user).update(keys={})
    return table_of(user)


def _check(key: str) -> None:
    if re.fullmatch(r"[1-9]", key):
        raise Invalid("The digits 1 to 9 label steps and choose reasons: take another key.")
    if key not in NAMED and not SIGN.fullmatch(key):
        raise Invalid("This key belongs to the browser, or is none: take another one.")


def _chosen(user: User) -> dict[str, list[str]]:
    """What the person changed, by action; actions that are gone are passed over."""
    row = Preference.objects.filter(user=user).values_list("keys", flat=True).first() or {}
    return {name: keys for name, keys in row.items() if name in BY_NAME}


def _lock(user: User) -> None:
    """Two tabs change keys one after the other, so that together they make no clash either."""
    Preference.objects.get_or_create(user=user)
    Preference.objects.select_for_update().get(user=user)
