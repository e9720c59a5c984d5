"""Kinds that no demo model has met, with 4 or 5 steps and numbers up to 1,000.

They are a floor: models of this size score about nothing here, and the pages say so. They show
what an evaluation looks like where a student has learnt the training set and not arithmetic.
"""

from tools.demo.story import Story


def tank(s: Story, steps: int) -> None:
    level = s.number(100, 500)
    _say(s, "A tank holds {a} litres of water.", a=level)
    for _ in range(steps - 1):
        k = s.number(11, 190)
        if s.chance():
            _say(s, "A pump brings in {k} litres.", k=k)
            level = s.step("The pump brings {b}", "The pump brings {b}", level, "+", k)
        else:
            _say(s, "The gardener lets {k} litres out.", k=k)
            level = s.step("{b} litres run out", "{b} litres run out", level, "-", k)
    k = s.number(2, 9)
    _say(s, "What is in the tank then fills barrels of {k} litres. How many barrels are full?", k=k)
    s.step("Barrels", "Barrels", level, "/", k)


def bakery(s: Story, steps: int) -> None:
    trays, loaves = s.number(11, 30), s.number(6, 24)
    _say(s, "A bakery fills {t} trays with {l} loaves each in the morning.", t=trays, l=loaves)
    stock = s.step("Loaves in the morning", "Loaves in the morning", trays, "*", loaves)
    for hour in range(steps - 2):
        sold = s.number(13, 160)
        _say(s, "In hour {h} it sells {k} loaves.", h=hour + 1, k=sold)
        stock = s.step("After hour " + str(hour + 1), "Then", stock, "-", sold)
    extra = s.number(15, 140)
    _say(s, "A second oven adds {k}. How many loaves stand on the shelves at noon?", k=extra)
    s.step("With the second oven", "With the second oven", stock, "+", extra)


def lift(s: Story, steps: int) -> None:
    floor = s.number(40, 300)
    _say(s, "A mine lift stands {a} metres below the ground.", a=floor)
    for _ in range(steps - 1):
        k = s.number(12, 220)
        if s.chance():
            _say(s, "It sinks by {k} metres.", k=k)
            floor = s.step("{b} deeper", "{b} deeper", floor, "+", k)
        else:
            _say(s, "It rises by {k} metres.", k=k)
            floor = s.step("{b} higher", "{b} higher", floor, "-", k)
    k = s.number(2, 3)
    _say(s, "The shaft is {k} times as deep as that. How deep is the shaft?", k=k)
    s.step("The shaft", "The shaft", floor, "*", k)


def harvest(s: Story, steps: int) -> None:
    total = 0
    for field in range(steps - 1):
        k = s.number(60, 290)
        _say(s, "Field {f} yields {k} sacks of wheat.", f=field + 1, k=k)
        if field:
            total = s.step("With this field", "With this field", total, "+", k)
        else:
            total = k
    spoilt = s.number(20, 150)
    _say(s, "Rain spoils {k} sacks.", k=spoilt)
    total = s.step("Without the spoilt ones", "Without the spoilt ones", total, "-", spoilt)
    k = s.number(2, 9)
    _say(s, "The rest is loaded on {k} carts evenly. How many sacks does a cart carry?", k=k)
    s.step("A cart carries", "A cart carries", total, "/", k)


def _say(s: Story, text: str, **numbers: int) -> None:
    s.say(text, text, text, **numbers)


KINDS = {"tank": tank, "bakery": bakery, "lift": lift, "harvest": harvest}
