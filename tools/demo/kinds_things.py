"""Kinds of problems about things and people. Each takes a story and a number of steps, 1 to 3."""

from tools.demo.story import Story


def gain_and_loss(s: Story, steps: int) -> None:
    have = s.number(5, 70)
    s.say(
        "{N} has {a} {things}.",
        "There are {a} {things} in {N}'s box.",
        "{N} keeps {a} {things} in a box.",
        a=have,
    )
    for _ in range(steps):
        k = s.number(2, 40)
        if s.chance():
            s.say(
                "{She} finds {k} more.",
                "{She} buys {k} more.",
                "Then {k} more come.",
                k=k,
            )
            have = s.step("{b} more", "{She} gets {b} more", have, "+", k)
        else:
            s.say(
                "{She} gives {k} to {F}.",
                "{She} loses {k}.",
                "Then {k} of them go to {F}.",
                k=k,
            )
            have = s.step("{b} are gone", "Take {b} away", have, "-", k)
    s.ask(
        "How many {things} does {she} have now?",
        "How many {things} are there now?",
        "How many {things} are in the box in the end?",
    )


def bus(s: Story, steps: int) -> None:
    riders = s.number(5, 70)
    s.say(
        "A bus has {a} people on it.",
        "There are {a} people on a bus.",
        "On a bus there are {a} people.",
        a=riders,
    )
    for _ in range(steps):
        k = s.number(2, 40)
        if s.chance():
            s.say(
                "{k} people get on.", "Then {k} get on.", "After that {k} more people get on.", k=k
            )
            riders = s.step("{b} get on", "Add the new people", riders, "+", k)
        else:
            s.say("{k} people get off.", "Then {k} get off.", "After that {k} people get off.", k=k)
            riders = s.step("{b} get off", "Take {b} off", riders, "-", k)
    s.ask(
        "How many people are on the bus now?",
        "How many people are on it?",
        "How many people are there in the bus?",
    )


def share(s: Story, steps: int) -> None:
    friends, each = s.number(2, 9), s.number(2, 20)
    kept = s.number(2, 30) if steps > 1 else 0
    have = friends * each + kept
    s.say(
        "{N} has {a} {things}.",
        "There are {a} {things} for {N}.",
        "{N} finds {a} {things} in a box.",
        a=have,
    )
    if steps > 1:
        s.say(
            "{She} keeps {c} of them.",
            "{She} puts {c} of them away.",
            "{c} of them are put away.",
            c=kept,
        )
        have = s.step("Without the {b} kept", "To be shared", have, "-", kept)
        s.say(
            "{She} shares the rest with {k} friends.",
            "The rest goes to {k} friends in equal parts.",
            "The {k} friends get equal parts of the rest.",
            k=friends,
        )
    else:
        s.say(
            "{She} shares them with {k} friends.",
            "They go to {k} friends in equal parts.",
            "The {k} friends get equal parts of them.",
            k=friends,
        )
    part = s.step("Each friend gets", "Shared by {b}", have, "/", friends)
    if steps > 2:
        had = s.number(2, 30)
        s.say(
            "Each friend had {d} before.",
            "Each friend has {d} more at home.",
            "There were {d} for each friend before that.",
            d=had,
        )
        s.step("With the {b} from before", "Add {b} from before", part, "+", had)
    s.ask(
        "How many {things} does each friend have?",
        "How many {things} is that for each friend?",
        "How many {things} has one friend then?",
    )


def rows(s: Story, steps: int) -> None:
    lines, seats = s.number(2, 12), s.number(2, 15)
    s.say(
        "A hall has {r} rows of {c} chairs.",
        "There are {r} rows with {c} chairs each in a hall.",
        "There are {c} chairs in each of the {r} rows of a hall.",
        r=lines,
        c=seats,
    )
    total = s.step("All the chairs", "Chairs in the rows", lines, "*", seats)
    if steps > 1:
        taken = s.number(2, 40)
        s.say(
            "{N} takes {t} chairs away.",
            "{t} chairs are broken.",
            "Then {t} chairs are taken away.",
            t=taken,
        )
        total = s.step("Take {b} chairs off", "{b} chairs less", total, "-", taken)
    if steps > 2:
        new = s.number(2, 40)
        s.say(
            "{F} brings {n} new chairs.",
            "Then {n} new chairs come.",
            "{N} gets {n} more chairs for it.",
            n=new,
        )
        s.step("Add {b} new chairs", "With the new chairs", total, "+", new)
    s.ask(
        "How many chairs are in the hall?",
        "How many good chairs are there?",
        "How many chairs are there in the end?",
    )


def eggs(s: Story, steps: int) -> None:
    box, boxes = s.number(2, 12), s.number(2, 12)
    used = s.number(2, 30) if steps > 2 else 0
    total = box * boxes + used
    if steps == 1:
        s.say(
            "{N} has {a} eggs.",
            "There are {a} eggs on a farm.",
            "{N} finds {a} eggs.",
            a=total,
        )
    else:
        choices = [h for h in range(2, 21) if total % h == 0 and 2 <= total // h <= 12]
        hens = s.rng.choice(choices) if choices else 1
        each = total // hens if choices else 101
        s.say(
            "{N} has {h} hens. Each lays {e} eggs.",
            "Each of {h} hens lays {e} eggs.",
            "There are {h} hens, and {N} gets {e} eggs from each.",
            h=hens,
            e=each,
        )
        total = s.step("All the eggs", "Eggs from the hens", hens, "*", each)
    if steps > 2:
        s.say(
            "{She} uses {u} for a cake.",
            "{u} eggs are broken.",
            "Then {u} eggs are gone.",
            u=used,
        )
        total = s.step("Eggs left", "Take {b} eggs off", total, "-", used)
    s.say(
        "A box holds {k} eggs.",
        "{k} eggs go in a box.",
        "{She} puts {k} eggs in each box.",
        k=box,
    )
    s.step("Boxes", "Put {b} in each box", total, "/", box)
    s.ask(
        "How many boxes can {she} fill?",
        "How many boxes are needed?",
        "How many boxes is that in the end?",
    )


KINDS = {
    "gain and loss": gain_and_loss,
    "bus": bus,
    "share": share,
    "rows": rows,
    "eggs": eggs,
}
