"""Where a rationale doubts itself: "wait", "let me check", a sum that came out otherwise before."""

import re
from collections.abc import Iterable

LOOKED_AT = 2_000  # characters of a step; what follows is rarely a new thought

# At the begin of a step or sentence; "They wait for the bus" is no doubt.
_WORDS = re.compile(
    r"(?:(?:^|[.!?…:;—–\n]|\b(?:but|oh|no|and|so|hmm+),?)[\s>*_\"“-]{0,6})"
    r"(?:"
    # English
    r"wait(?=\s*(?:[,.!?:;…—–-]|$|(?:no|that|this|let|i|is|it|actually|maybe|but|what|if|we|a)\b))"
    r"|(?:hmm+|hm|oops|hold on|scratch that|actually,|no,|on second thought)"
    r"|(?:let me|let's|let us|i (?:should|need to|must|will|have to)) (?:just )?"
    r"(?:(?:double|re|cross|sanity)[- ]?)*(?:check|verify|think|consider|examine|re\w+|count again)"
    r"|(?:i (?:made|think i made) (?:a|an) (?:mistake|error)|that(?:'s|’s| is) (?:wrong|not right|incorrect))"
    # German, Dutch
    r"|(?:moment|warte|halt|stopp?|hoppla|stimmt nicht|nein,|lass(?:en sie)? mich (?:das )?(?:noch ?mal )?"
    r"(?:prüfen|nachrechnen|überlegen|kontrollieren)|ich prüfe)"
    r"|(?:wacht even|wacht,|laat me (?:dat |het )?(?:controleren|nakijken|nadenken))"
    # French, Spanish, Portuguese, Italian
    r"|(?:attend(?:s|ez)|non,|vérifi(?:ons|e)|voyons|je me suis trompée?)"
    r"|(?:espera|un momento|déjame (?:revisar|comprobar|verificar|ver)|revisemos|comprobemos|verifiquemos)"
    r"|(?:espere?,|deixe-me (?:verificar|conferir|checar)|vamos (?:verificar|conferir))"
    r"|(?:aspetta|un attimo|fammi (?:controllare|verificare)|verifichiamo|ricontrolliamo)"
    # Polish, Turkish, Russian, Ukrainian, Hindi
    r"|(?:zaraz,|chwileczkę|czekaj|sprawdźmy|sprawdzę)|(?:bekle|dur bir|kontrol ede(?:yim|lim))"
    r"|(?:подожд[иё]\w*|погоди\w*|стоп|проверим|проверю|давай(?:те)? проверим|нет,)"
    r"|(?:зачекай\w*|перевірмо|перевіримо)"
    r"|(?:रुको|रुकिए|ठहरो|जाँच (?:करते|करें|लें)|जांच (?:करते|करें|लें))"
    r")",
    re.IGNORECASE,
)
# A step without any of these, as most are, says none of the above: looking for them costs a tenth.
_STEMS = (
    *(
        "wait",
        "hm",
        "oops",
        "hold on",
        "scratch that",
        "actually,",
        "no,",
        "second thought",
        "let me",
        "let's",
    ),
    *(
        "let us",
        "i should",
        "i need",
        "i must",
        "i will",
        "i have to",
        "mistake",
        "error",
        "that's",
        "that’s",
    ),
    *(
        "that is",
        "moment",
        "warte",
        "halt",
        "stop",
        "hoppla",
        "stimmt",
        "nein,",
        "lass",
        "ich pr",
        "wacht",
    ),
    *(
        "laat me",
        "atten",
        "non,",
        "vérif",
        "voyons",
        "trompé",
        "espe",
        "déjame",
        "emos",
        "deixe",
        "vamos",
    ),
    *(
        "aspetta",
        "attimo",
        "fammi",
        "chiamo",
        "zaraz",
        "chwil",
        "czekaj",
        "spraw",
        "bekle",
        "dur bir",
        "kontrol",
    ),
    *(
        "подожд",
        "погоди",
        "стоп",
        "провер",
        "нет,",
        "зачекай",
        "перевір",
        "रुक",
        "ठहर",
        "जाँच",
        "जांच",
    ),
)
# Scripts without spaces or capitals, in which these words mean nothing else.
_SIGNS = re.compile(
    "等等|等一下|等下|不对|不對|稍等|让我(?:再|重新)?(?:检查|想|确认|验证|核对|算)|讓我(?:再|重新)?(?:檢查|想|確認|驗證)"
    "|再检查|重新(?:检查|计算|考虑|审视)|我(?:算|搞|弄)错了"
    "|待って|ちょっと待|いや、|確認(?:しよう|してみ|します)|検算|もう一度(?:確認|考え|計算)"
    "|잠깐|잠시만|아니,|다시 (?:확인|생각|계산|검토)|확인해 ?보"
    "|انتظر|لحظة|مهلا|مهلاً|دعني (?:أتحقق|أتأكد|أراجع|أفكر|أعيد)|دعنا (?:نتحقق|نراجع|نتأكد)|لنتحقق|خطأ،"
    "|רגע|חכה|בוא(?:ו)? נבדוק|רק רגע"
    "|صبر کن|بگذار(?:ید)? (?:بررسی|دوباره)"
)

_NUMBER = r"[-−]?\d[\d,]{0,40}(?:\.\d{1,40})?"
# "28 × 3 = 84", "x = 5": what stands left of the sign, and the number right of it, which ends there.
_SUM = re.compile(
    r"(?P<left>(?<![\d.,])"
    + _NUMBER
    + r"(?:\s{0,3}[-+−*×·÷/]\s{0,3}"
    + _NUMBER
    + r"){1,4}|(?<![\w.])[A-Za-z]\w{0,15})"
    r"\s{0,3}=\s{0,3}\$?(?P<right>" + _NUMBER + r")(?!\s{0,3}[-+−*×·÷/=^]|\w|\.\d)"
)
_SPACES = re.compile(r"[\s,$]")
_SIGN = str.maketrans({"−": "-", "×": "*", "·": "*", "÷": "/"})
MOST_SUMS = 20  # of a step


def doubts_in(texts: Iterable[str]) -> dict[int, str]:
    """The steps, by number from 1, at which the rationale doubts itself or contradicts a sum of its own: ""
    for a word of doubt, else what changed, as a sentence. Linear in the texts."""
    found: dict[int, str] = {}
    known: dict[str, tuple[str, int]] = {}
    for number, text in enumerate(texts, 1):
        head = text[:LOOKED_AT]
        changed = _changed(head, number, known) if "=" in head else ""
        if changed or _is_doubt(head):
            found[number] = changed
    return found


def _is_doubt(text: str) -> bool:
    low = text.lower()
    if any(stem in low for stem in _STEMS) and _WORDS.search(low):
        return True
    return not low.isascii() and _SIGNS.search(low) is not None


def _changed(text: str, number: int, known: dict[str, tuple[str, int]]) -> str:
    """What a sum or a name was before, where this step gives it another value; notes the values."""
    said = ""
    for place, one in enumerate(_SUM.finditer(text)):
        if place == MOST_SUMS:
            break
        left = _SPACES.sub("", one["left"]).translate(_SIGN)
        right = _SPACES.sub("", one["right"]).translate(_SIGN)
        if "." in right:
            right = right.rstrip("0").rstrip(".")
        before = known.get(left)
        if before is not None and before[0] != right and not said:
            said = f"{one['left'].strip()} was {before[0]} in step {before[1]}."
        known[left] = (right, number)
    return said
