"""Kinds of problems about money and work. Each takes a story and a number of steps, 1 to 3."""

from tools.demo.story import Story


def shop(s: Story, steps: int) -> None:
    n, price = s.number(2, 12), s.number(2, 15)
    s.say(
        "{N} buys {n} {things} for {p} dollars each.",
        "{N} wants {n} {things}. Each costs {p} dollars.",
        "{N} takes {n} {things}, which are {p} dollars each.",
        n=n,
        p=price,
    )
    total = s.step("The {things} cost", "{b} dollars for each", n, "*", price)
    if steps > 1:
        bag = s.number(2, 30)
        s.say(
            "{She} also buys a bag for {b} dollars.",
            "A bag costs {b} dollars more.",
            "{She} takes a bag for {b} dollars with it.",
            b=bag,
        )
        total = s.step("With the bag", "Add the bag", total, "+", bag)
    if steps > 2:
        off = s.number(2, 20)
        s.say(
            "{She} has a coupon for {c} dollars.",
            "A coupon takes {c} dollars off.",
            "With a coupon it is {c} dollars less.",
            c=off,
        )
        s.step("The coupon takes {b} off", "Minus the coupon", total, "-", off)
    s.ask(
        "How many dollars does {she} pay?",
        "How much must {N} pay?",
        "How many dollars must {she} pay in all?",
    )


def change(s: Story, steps: int) -> None:
    have, n, price, drink = s.number(20, 100), s.number(2, 9), s.number(2, 12), s.number(2, 20)
    s.say(
        "{N} has {m} dollars.",
        "{N} goes out with {m} dollars.",
        "There are {m} dollars in {N}'s bag.",
        m=have,
    )
    if steps == 1:
        s.say(
            "{She} spends {d} dollars on a drink.",
            "{She} pays {d} dollars for a drink.",
            "{She} gives {d} dollars for a drink.",
            d=drink,
        )
        s.step("{She} spends {b}", "Money left", have, "-", drink)
    else:
        s.say(
            "{She} buys {n} {things} at {p} dollars each.",
            "{She} pays for {n} {things}, {p} dollars each.",
            "{She} takes {n} {things} that cost {p} dollars each.",
            n=n,
            p=price,
        )
        cost = s.step("The {things} cost", "{b} dollars for each", n, "*", price)
        if steps > 2:
            s.say(
                "{She} pays {d} dollars for a drink.",
                "A drink costs {d} dollars.",
                "A drink is {d} dollars more.",
                d=drink,
            )
            cost = s.step("With the drink", "Add the drink", cost, "+", drink)
        s.step("Money left", "{She} spends {b}", have, "-", cost)
    s.ask(
        "How many dollars are left?",
        "How much money does {she} have left?",
        "How many dollars are still there?",
    )


def percent(s: Story, steps: int) -> None:
    part = s.rng.choice((2, 4, 5, 10))
    price = part * s.number(2, 100 // part)
    s.say(
        "A coat costs {p} dollars. It is {r}% off.",
        "{N} sees a coat for {p} dollars with {r}% off.",
        "At first a coat is {p} dollars, then {r}% less.",
        p=price,
        r=100 // part,
    )
    off = s.step("The part that is off", "One part of {b}", price, "/", part)
    if steps == 1:
        s.ask(
            "How many dollars are taken off?",
            "How much is taken off?",
            "How many dollars less is that?",
        )
        return
    now = s.step("The new price", "Take {b} off", price, "-", off)
    if steps > 2:
        extra = s.number(2, 20)
        s.say(
            "Sending it costs {x} dollars.",
            "{N} pays {x} dollars for the post.",
            "The post takes {x} dollars.",
            x=extra,
        )
        s.step("With the post", "Add the post", now, "+", extra)
    s.ask(
        "How many dollars does {N} pay?",
        "What does {N} pay now?",
        "How many dollars must {N} pay in the end?",
    )


def work(s: Story, steps: int) -> None:
    wage, hours = s.number(3, 20), s.number(2, 9)
    s.say(
        "{N} earns {w} dollars an hour and works {h} hours.",
        "{N} works {h} hours at {w} dollars an hour.",
        "{N} gets {w} dollars each hour for {h} hours of work.",
        w=wage,
        h=hours,
    )
    pay = s.step("{She} earns", "Pay for the work", wage, "*", hours)
    if steps > 1:
        tip = s.number(2, 30)
        s.say(
            "{She} gets {t} dollars in tips.",
            "{She} also gets a tip of {t} dollars.",
            "Then there are {t} dollars in tips.",
            t=tip,
        )
        pay = s.step("With the tips", "Add the tips", pay, "+", tip)
    if steps > 2:
        food = s.number(2, 25)
        s.say(
            "{She} pays {f} dollars for lunch.",
            "Lunch costs {her} {f} dollars.",
            "{She} spends {f} dollars for lunch.",
            f=food,
        )
        s.step("After lunch", "Take lunch off", pay, "-", food)
    s.ask(
        "How many dollars does {she} have?",
        "How much money is that for {N}?",
        "How many dollars does {N} take home?",
    )


def save(s: Story, steps: int) -> None:
    week, weeks = s.number(2, 15), s.number(2, 10)
    s.say(
        "{N} saves {a} dollars a week for {w} weeks.",
        "Each week {N} saves {a} dollars, for {w} weeks.",
        "{N} puts {a} dollars away each week for {w} weeks.",
        a=week,
        w=weeks,
    )
    sum_ = s.step("{She} saves", "Money saved", week, "*", weeks)
    if steps > 1:
        had = s.number(2, 40)
        s.say(
            "{She} had {h} dollars before.",
            "At the start {she} had {h} dollars.",
            "There were {h} dollars before that.",
            h=had,
        )
        sum_ = s.step("With the money from before", "Add the start", sum_, "+", had)
    if steps > 2:
        goal = s.number(30, 100)
        s.say(
            "A bike costs {g} dollars.",
            "{She} wants a bike for {g} dollars.",
            "The bike that {she} wants is {g} dollars.",
            g=goal,
        )
        s.step("Still missing", "To the price", goal, "-", sum_)
        s.ask(
            "How many dollars does {she} still need?",
            "How much more must {she} save?",
            "How many dollars are still missing?",
        )
        return
    s.ask(
        "How many dollars does {she} have?",
        "How much money is that?",
        "How many dollars are saved in the end?",
    )


def average(s: Story, steps: int) -> None:
    if steps == 1:
        n, mean = s.number(2, 5), s.number(5, 30)
        s.say(
            "{N} has {t} points in {n} games.",
            "In {n} games {N} gets {t} points.",
            "{N} plays {n} games and gets {t} points in all.",
            n=n,
            t=n * mean,
        )
        s.step("Shared over the games", "Points for each game", n * mean, "/", n)
    else:
        a, b, c = s.number(3, 50), s.number(3, 50), s.number(3, 40)
        if steps == 2:
            s.say(
                "{N} gets {a} and {b} points in two games.",
                "In two games {N} gets {a} points and {b} points.",
                "{N} gets {a} points first and {b} points after that.",
                a=a,
                b=b,
            )
            total = s.step("All points", "Add the points", a, "+", b)
        else:
            s.say(
                "{N} gets {a}, {b} and {c} points in three games.",
                "In three games {N} gets {a} points, {b} points and {c} points.",
                "{N} gets {a} points first, then {b} and last {c}.",
                a=a,
                b=b,
                c=c,
            )
            total = s.step("The first two games", "Add two games", a, "+", b)
            total = s.step("With the third game", "All points", total, "+", c)
        s.step("Shared over the games", "Points for each game", total, "/", steps)
    s.ask(
        "What is the average?",
        "How many points is that for each game on average?",
        "What is that on average for one game?",
    )


def fraction(s: Story, steps: int) -> None:
    part, name = s.rng.choice(((2, "half"), (3, "a third"), (4, "a quarter"), (5, "a fifth")))
    s.words["part"] = name
    have = part * s.number(2, 100 // part)
    s.say(
        "{N} has {a} {things}. {She} gives {part} of them to {F}.",
        "{N} gives {part} of {a} {things} to {F}.",
        "{N} has {a} {things} and {F} gets {part} of them.",
        a=have,
    )
    given = s.step("{F} gets", "The part for {F}", have, "/", part)
    if steps == 1:
        s.ask(
            "How many {things} does {F} get?",
            "How many {things} are given away?",
            "How many {things} go to {F}?",
        )
        return
    left = s.step("{N} keeps", "Left after that", have, "-", given)
    if steps > 2:
        if s.chance():
            more = s.number(2, 30)
            s.say(
                "Then {she} buys {m} more.",
                "Then {she} gets {m} more.",
                "After that {she} finds {m} more.",
                m=more,
            )
            s.step("{b} more", "Add the new ones", left, "+", more)
        else:
            lost = s.number(2, 30)
            s.say(
                "Then {she} loses {m}.",
                "Then {m} are lost.",
                "After that {m} are gone.",
                m=lost,
            )
            s.step("{b} are lost", "Take the lost ones off", left, "-", lost)
    s.ask(
        "How many {things} does {N} have now?",
        "How many {things} are left for {N}?",
        "How many {things} does {N} still have?",
    )


def times(s: Story, steps: int) -> None:
    have, k = s.number(2, 30), s.number(2, 6)
    s.say(
        "{N} has {a} {things}. {F} has {k} times as many.",
        "{F} has {k} times as many {things} as {N}, who has {a}.",
        "{N} has {a} {things} and {F} has {k} times that many.",
        a=have,
        k=k,
    )
    theirs = s.step("{F} has", "The {things} of {F}", have, "*", k)
    if steps == 1:
        s.ask(
            "How many {things} does {F} have?",
            "How many are there for {F}?",
            "How many {things} is that for {F}?",
        )
        return
    total = s.step("Together they have", "Both together", theirs, "+", have)
    if steps > 2:
        lost = s.number(2, 30)
        s.say(
            "They give {c} away.",
            "They lose {c} of them.",
            "Then {c} of them are gone.",
            c=lost,
        )
        s.step("{b} are gone", "Take {b} away", total, "-", lost)
    s.ask(
        "How many {things} do they have together?",
        "How many {things} do both have in all?",
        "How many {things} have the two together?",
    )


KINDS = {
    "shop": shop,
    "change": change,
    "percent": percent,
    "work": work,
    "save": save,
    "average": average,
    "fraction": fraction,
    "times": times,
}
