"""Kinds of problems about ways, ages, lengths and times. Each takes a story and 1 to 3 steps."""

from tools.demo.story import Story


def speed(s: Story, steps: int) -> None:
    pace, hours = s.number(3, 30), s.number(2, 9)
    s.say(
        "A boat goes {v} miles an hour for {t} hours.",
        "For {t} hours a boat goes {v} miles an hour.",
        "A boat goes for {t} hours, {v} miles each hour.",
        v=pace,
        t=hours,
    )
    way = s.step("The boat goes", "Miles by then", pace, "*", hours)
    if steps > 1:
        more = s.number(2, 40)
        s.say(
            "Then it goes {m} miles more.",
            "After that it goes {m} miles.",
            "There are {m} more miles after that.",
            m=more,
        )
        way = s.step("With the last miles", "Add {b} miles", way, "+", more)
    if steps > 2:
        trip = s.number(30, 100)
        s.say(
            "The trip is {l} miles long.",
            "The whole way is {l} miles.",
            "In all the boat must go {l} miles.",
            l=trip,
        )
        s.step("Miles left", "To the end", trip, "-", way)
        s.ask(
            "How many miles are left?",
            "How many miles must it still go?",
            "How many miles is the boat from the end?",
        )
        return
    s.ask(
        "How many miles does it go?",
        "How many miles is that in all?",
        "How many miles has the boat gone in the end?",
    )


def ages(s: Story, steps: int) -> None:
    mine, gap = s.number(3, 40), s.number(2, 30)
    s.say("{N} is {a} years old.", "{N} is {a}.", "The age of {N} is {a} years.", a=mine)
    if s.chance():
        s.say(
            "{F} is {b} years older.",
            "{F} is {b} years older than {N}.",
            "{F} has {b} years more.",
            b=gap,
        )
        theirs = s.step("{F} is older", "The age of {F}", mine, "+", gap)
    else:
        s.say(
            "{F} is {b} years younger.",
            "{F} is {b} years younger than {N}.",
            "{F} has {b} years less.",
            b=gap,
        )
        theirs = s.step("{F} is younger", "The age of {F}", mine, "-", gap)
    if steps == 1:
        s.ask("How old is {F}?", "What is the age of {F}?", "How many years old is {F}?")
        return
    k = s.number(2, 4)
    s.say(
        "{T} is {k} times as old as {F}.",
        "{T} is {k} times the age of {F}.",
        "{T} has {k} times the years of {F}.",
        k=k,
    )
    third = s.step("{T} is", "The age of {T}", theirs, "*", k)
    if steps == 2:
        s.ask("How old is {T}?", "What is the age of {T}?", "How many years old is {T}?")
        return
    later = s.number(2, 20)
    s.ask(
        "How old will {T} be in {y} years?",
        "What is the age of {T} {y} years from now?",
        "How many years old is {T} after {y} more years?",
        y=later,
    )
    s.step("{b} years later", "In {b} years", third, "+", later)


def pages(s: Story, steps: int) -> None:
    daily, days = s.number(2, 20), s.number(2, 9)
    s.say(
        "{N} reads {r} pages a day for {d} days.",
        "For {d} days {N} reads {r} pages a day.",
        "{N} reads for {d} days, {r} pages each day.",
        r=daily,
        d=days,
    )
    read = s.step("Pages read", "{She} reads", daily, "*", days)
    if steps == 1:
        s.ask(
            "How many pages does {she} read?",
            "How many pages is that?",
            "How many pages does {she} read in all?",
        )
        return
    k, later = s.number(2, 6), s.number(2, 20)
    book = read + k * later if steps > 2 else s.number(20, 100)
    s.say(
        "The book has {p} pages.",
        "There are {p} pages in the book.",
        "It is a book of {p} pages.",
        p=book,
    )
    left = s.step("Pages left", "Still to read", book, "-", read)
    if steps == 2:
        s.ask(
            "How many pages are left?",
            "How many pages must {she} still read?",
            "How many pages does {she} still have to read?",
        )
        return
    s.say(
        "{She} wants to read the rest in {k} days.",
        "The rest must be read in {k} days.",
        "{She} has {k} days for the rest.",
        k=k,
    )
    s.step("Pages for each day", "Shared over {b} days", left, "/", k)
    s.ask(
        "How many pages a day is that?",
        "How many pages must {she} read each day?",
        "How many pages is that for each day?",
    )


def fence(s: Story, steps: int) -> None:
    if steps == 1:
        side = s.number(2, 25)
        s.say(
            "A square garden has sides of {a} feet.",
            "The side of a square garden is {a} feet.",
            "{N} has a square garden with {a} feet on each side.",
            a=side,
        )
        s.step("Four sides", "All the way round", side, "*", 4)
    else:
        long, wide = s.number(3, 40), s.number(2, 30)
        s.say(
            "A garden is {l} feet long and {w} feet wide.",
            "The garden of {N} is {l} feet by {w} feet.",
            "{N} has a garden with a long side of {l} feet and a side of {w} feet.",
            l=long,
            w=wide,
        )
        half = s.step("Two sides", "Long and wide side", long, "+", wide)
        whole = s.step("All the way round", "Four sides", half, "*", 2)
        if steps > 2:
            gate = s.number(2, 12)
            s.say(
                "A gate takes {g} feet.",
                "There is a gate of {g} feet.",
                "It has a gate that is {g} feet wide.",
                g=gate,
            )
            s.step("Without the gate", "Take the gate off", whole, "-", gate)
    s.ask(
        "How many feet of fence does {N} need?",
        "How long must the fence be?",
        "How many feet of fence go round it?",
    )


def time(s: Story, steps: int) -> None:
    count, minutes, rest = s.number(2, 8), s.number(3, 20), s.number(2, 30)
    if steps == 1:
        s.say(
            "A film takes {m} minutes and a break {b} minutes.",
            "{N} sees a film of {m} minutes with a break of {b} minutes.",
            "There is a film of {m} minutes, then a break of {b} minutes.",
            m=minutes,
            b=rest,
        )
        s.step("With the break", "Add the break", minutes, "+", rest)
    else:
        s.say(
            "{N} sings {n} songs of {m} minutes each.",
            "{n} songs take {m} minutes each.",
            "There are {n} songs in a show, each of {m} minutes.",
            n=count,
            m=minutes,
        )
        used = s.step("Minutes for the songs", "The songs take", count, "*", minutes)
        s.say(
            "A break takes {b} minutes.",
            "There is a break of {b} minutes.",
            "With them comes a break of {b} minutes.",
            b=rest,
        )
        used = s.step("With the break", "Add the break", used, "+", rest)
        if steps > 2:
            show = s.number(30, 100)
            s.say(
                "The show has {t} minutes.",
                "There are {t} minutes for the show.",
                "In all the show takes {t} minutes.",
                t=show,
            )
            s.step("Minutes left", "Still free", show, "-", used)
            s.ask(
                "How many minutes are left?",
                "How many minutes are free?",
                "How many minutes are there still?",
            )
            return
    s.ask(
        "How many minutes is that in all?",
        "How many minutes does it take?",
        "How many minutes are needed in all?",
    )


KINDS = {
    "speed": speed,
    "ages": ages,
    "pages": pages,
    "fence": fence,
    "time": time,
}
