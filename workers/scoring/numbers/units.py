"""The units that answers come in: a dimension and a factor to its base unit."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Unit:
    """name in singular; dimension ("time", "length", ...); factor to the dimension's base."""

    name: str
    dimension: str
    factor: Fraction


# name, other spellings (plurals with -s are found without being listed), factor
_TABLE = {
    "money": [("dollar", "dollars buck usd", 1), ("cent", "cents ¢", "1/100")],
    "euro": [("euro", "euros eur", 1)],
    "sterling": [("pound sterling", "gbp pence_", 1)],
    "yen": [("yen", "jpy", 1)],
    "rupee": [("rupee", "rs inr", 1)],
    "time": [
        ("second", "sec s", 1),
        ("minute", "min", 60),
        ("hour", "hr h", 3600),
        ("day", "", 86400),
        ("week", "wk", 604800),
    ],
    "months": [("month", "mo", 1), ("year", "yr", 12), ("decade", "", 120)],
    "length": [
        ("millimeter", "millimetre mm", "1/1000"),
        ("centimeter", "centimetre cm", "1/100"),
        ("meter", "metre m", 1),
        ("kilometer", "kilometre km", 1000),
        ("inch", "inches in", "0.0254"),
        ("foot", "feet ft", "0.3048"),
        ("yard", "yd", "0.9144"),
        ("mile", "mi", "1609.344"),
    ],
    "mass": [
        ("milligram", "mg", "1/1000"),
        ("gram", "g", 1),
        ("kilogram", "kg kilo", 1000),
        ("ounce", "oz", "28.349523125"),
        ("pound", "lb lbs", "453.59237"),
    ],
    "volume": [("milliliter", "millilitre ml mL", "1/1000"), ("liter", "litre l L", 1)],
    "us volume": [
        ("teaspoon", "tsp", 1),
        ("tablespoon", "tbsp", 3),
        ("cup", "", 48),
        ("pint", "pt", 96),
        ("quart", "qt", 192),
        ("gallon", "gal", 768),
    ],
    "angle": [("degree", "deg °", 1)],
}


def _build() -> dict[str, Unit]:
    units = {}
    for dimension, rows in _TABLE.items():
        for name, others, factor in rows:
            unit = Unit(name, dimension, Fraction(factor))
            for spelling in (name, name + "s", *others.split()):
                units[spelling] = unit
    units["pound_sterling"] = units["pound sterling"]
    return units


def raised(unit: Unit, power: int | None) -> Unit | None:
    """The square or cube of a length, as an area or a volume; None for what has neither."""
    if unit.dimension != "length" or power not in (2, 3):
        return None
    if power == 2:
        return Unit(f"square {unit.name}", "area", unit.factor**2)
    return Unit(f"cubic {unit.name}", "volume", unit.factor**3 * 1000)  # a cubic meter, in liters


UNITS = _build()
