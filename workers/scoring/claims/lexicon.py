"""The English words by which `claims` tells of which quantity a text speaks.

Everything is looked up by small letters. A text in another language has few of `STOPS`, and is left alone.
"""

from functools import lru_cache


def _words(text: str) -> frozenset:
    return frozenset(text.split())


def _all(value: str, text: str) -> dict[str, str]:
    return dict.fromkeys(text.split(), value)


# They say nothing of which quantity is meant.
STOPS = _words(
    "a an the of to in is are was were be been being it its that this these those and or so then he "
    "she they i you "
    "we his hers her him their theirs them our my your will would can could should do does did done "
    "with on at by "
    "from as there here must need needs might may let's let us finally therefore thus hence each "
    "every per apiece "
    "for into out up which who whom what when where while many much also only just still find number "
    "amount equal "
    "equals means mean if since because not s than distance value quantity"
)
PRONOUNS = _words("he she they it his her their its him them i we you this that")
# A clause ends before them.
BREAKS = _words(
    "how so then which because but if since therefore thus hence meaning means while whereas leaving"
)
# Which of several like quantities is meant: a total, what is left, how much more, after something, half of
# it.
MARKS = (
    _all("+", "total totals overall sum")
    | _all("&", "altogether together combined all both")
    | _all("-", "left remain remains remaining rest remainder leftover")
    | _all(
        ">",
        "more additional extra older taller longer farther further faster wider heavier higher "
        "deeper larger bigger "
        "greater",
    )
    | _all("<", "fewer less younger shorter slower lighter lower smaller")
    | _all("?", "difference")
    | _all("@", "now later ago after afterwards before new originally initially current currently")
    | _all("~", "average averages")
    | _all("*", "half twice thrice double doubled triple tripled quarter third thirds")
)
MULTIPLES = _words("twice thrice double triple half")
# They tell one of several like things from the others.
DAYS = _words(
    "sunday monday tuesday wednesday thursday friday saturday weekday weekend january february march "
    "april june "
    "july august september october november december"
)
CONTRASTS = DAYS | _words(
    "first second fourth fifth last next other another rest morning afternoon evening night today yesterday "
    "tomorrow right small large big old"
)
EACH = _words("each every per apiece")
PERIODS = _words("second minute hour day week month year")
# Behind them "a" says no rate: "gave to a friend".
NOT_BEFORE_RATE = _words("to on at for of with from by is was as has have had and into than")
ADVERBIAL = _words("in on at for after by during out with over from before of")
ASKS = _words("how what")
AFTER_FIRST = _words(
    "find we you he she they let calculate determine add multiply divide subtract figure ,"
)
AFTER_TIMES = _words("as more the less older that his her their fewer bigger larger faster")
AFTER_NAME = _words("and has had is was can will wants wanted needs buys bought weighs does did")
AFTER_STRANGER = AFTER_NAME | _words(
    "eats ate gets got spent spends made makes earned earns ran sold gave have took needed works worked"
)
# Words that begin a sentence in capitals and are no names.
BEGINNERS = _words(
    "first second third next after each every how now all both total another one two three four five "
    "six seven "
    "eight nine ten half twice because finally but adding subtracting multiplying dividing combined overall "
    "altogether given using everyone everybody nobody someone once before during between most some more half "
    "converting assuming similarly again later instead however january february march april may june "
    "july august "
    "september october november december monday tuesday wednesday thursday friday saturday sunday "
    "english am pm"
)
NO_UNIT = _words("have leav")  # stems behind a number that are no unit of it
MEASURED = _words("long wid tall deep high thick old away")  # stems behind a unit
LENGTHS = _words("foot inch yard mil meter metr cm mm km centimeter kilometer")  # stems
VERBS = _words(
    "eat buy sell give spend make take go run get pay drink read weigh cost need us"
)  # stems
# Stems that say little of which quantity is meant.
GENERAL = _words(
    "have cost make take get buy sell give spend pay earn go need us used find add multiply divid "
    "calculat mean leav"
)
# Stems of what somebody does: who sold 5 and bought 3 did two things.
ACTIONS = _words(
    "buy sell give spend pay earn eat make get lose lost take owe use drink read run receiv sav cost "
    "weigh collect "
    "borrow slew kill catch caught pick plant walk drive writ wrot"
)
STATES = _words("have old year")  # stems of what may change from step to step
TIMES = _words("second minut hour day week month year tim")  # stems

NUMBERS = {
    word: n
    for n, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
} | dict(
    zip("thirty forty fifty sixty seventy eighty ninety".split(), range(30, 100, 10), strict=True)
)

_SAME = (
    _all("cost", "cost costs price prices priced worth charge charges charged")
    | _all("buy", "buy buys bought purchase purchases purchased")
    | _all("eat", "eat eats ate eaten")
    | _all("sell", "sell sells sold")
    | _all("give", "give gives gave given")
    | _all("spend", "spend spends spent")
    | _all("make", "make makes made")
    | _all("have", "have has had having")
    | _all("take", "take takes took taken")
    | _all("go", "go goes went gone")
    | _all("run", "run runs ran")
    | _all("get", "get gets got gotten")
    | _all("pay", "pay pays paid")
    | _all("drink", "drink drinks drank")
    | _all("read", "read reads")
    | _all("child", "children child kid kids")
    | _all("person", "people person persons")
    | _all("man", "men man")
    | _all("woman", "women woman")
    | _all("foot", "feet foot")
    | _all("$", "dollar dollars bucks")
    | _all("weigh", "weigh weighs weighed weight weights")
    | _all("cooki", "cookie cookies cooky")
)


@lru_cache(maxsize=16_384)
def stem(word: str) -> str:
    """A word in small letters without its ending, so that "takes" and "taking" are one."""
    if word.endswith(("'s", "’s")):
        word = word[:-2]
    if word in _SAME:
        return _SAME[word]
    if len(word) > 4 and word.endswith("ies"):
        word = word[:-3] + "y"
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
        if word.endswith(("che", "she", "xe", "sse", "ze")):
            word = word[:-1]
    elif len(word) > 5 and word.endswith("ing"):
        word = word[:-3]
        if word[-1] == word[-2]:
            word = word[:-1]
    elif len(word) > 4 and word.endswith("ed"):
        word = word[:-2]
        if word[-1] == word[-2]:
            word = word[:-1]
    return word[:-1] if len(word) > 3 and word.endswith("e") else word
