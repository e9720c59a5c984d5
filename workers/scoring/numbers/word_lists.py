"""Number words to twenty, and dozens, in languages other than English, and Chinese numerals."""

import re
from fractions import Fraction

# Zero to twenty, then a dozen; spellings of one number are joined by "|".
_LISTS = {
    "es": "cero un|uno|una dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
    "dieciséis|dieciseis diecisiete dieciocho diecinueve veinte docena",
    "fr": "zéro|zero un|une deux trois quatre cinq six sept huit neuf dix onze douze treize "
    "quatorze quinze "
    "seize dix-sept dix-huit dix-neuf vingt douzaine",
    "pt": "zero um|uma dois|duas três|tres quatro cinco seis sete oito nove dez onze doze treze "
    "catorze|quatorze quinze dezesseis|dezasseis dezessete|dezassete dezoito dezenove|dezanove "
    "vinte dúzia|duzia",
    "de": "null ein|eins|eine|einen|einem zwei drei vier fünf|fuenf sechs sieben acht neun zehn elf "
    "zwölf|zwoelf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig dutzend",
    "ru": "ноль|нуль один|одна|одно два|две три четыре пять шесть семь восемь девять десять одиннадцать "
    "двенадцать тринадцать четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать "
    "двадцать "
    "дюжина|дюжину",
    "hi": "शून्य एक दो तीन चार पाँच|पांच छह|छः|छे सात आठ नौ दस ग्यारह बारह तेरह चौदह पंद्रह|पन्द्रह "
    "सोलह सत्रह "
    "अठारह|अट्ठारह उन्नीस बीस दर्जन",
    "ur": "صفر ایک دو تین چار پانچ چھ|چھے سات آٹھ نو دس گیارہ بارہ تیرہ چودہ پندرہ سولہ سترہ اٹھارہ انیس "
    "بیس درجن",
    "ar": "صفر واحد|واحدة اثنان|اثنين|اثنتان ثلاثة|ثلاث أربعة|أربع|اربعة خمسة|خمس ستة|ست سبعة|سبع "
    "ثمانية|ثماني "
    "تسعة|تسع عشرة|عشر أحد_عشر اثنا_عشر ثلاثة_عشر أربعة_عشر خمسة_عشر ستة_عشر سبعة_عشر ثمانية_عشر تسعة_عشر "
    "عشرون|عشرين دزينة",
    "bn": "শূন্য এক দুই|দু তিন চার পাঁচ|পাচ ছয় সাত আট নয় দশ এগারো|এগার বারো|বার তেরো|তের চৌদ্দ "
    "পনেরো|পনের "
    "ষোলো|ষোল সতেরো|সতের আঠারো|আঠার উনিশ বিশ|কুড়ি ডজন",
    "ja": "零|ゼロ 一つ|ひとつ 二つ|ふたつ 三つ|みっつ 四つ|よっつ 五つ|いつつ 六つ|むっつ 七つ"
    "|ななつ 八つ|やっつ "
    "九つ|ここのつ",
    "ko": "영 하나|일 둘|이 셋|삼 넷|사 다섯|오 여섯|육 일곱|칠 여덟|팔 아홉|구 열|십 열하나|십일 "
    "열둘|십이 "
    "열셋|십삼 열넷|십사 열다섯|십오 열여섯|십육 열일곱|십칠 열여덟|십팔 열아홉|십구 스물|이십",
    "id": "nol satu dua tiga empat lima enam tujuh delapan sembilan sepuluh sebelas dua_belas tiga_belas "
    "empat_belas lima_belas enam_belas tujuh_belas delapan_belas sembilan_belas dua_puluh lusin",
    "sw": "sifuri moja mbili tatu nne tano sita saba nane tisa kumi kumi_na_moja kumi_na_mbili "
    "kumi_na_tatu "
    "kumi_na_nne kumi_na_tano kumi_na_sita kumi_na_saba kumi_na_nane kumi_na_tisa ishirini dazeni",
    "te": "సున్నా ఒకటి రెండు మూడు నాలుగు ఐదు ఆరు ఏడు ఎనిమిది తొమ్మిది పది పదకొండు పన్నెండు పదమూడు "
    "పద్నాలుగు "
    "పదిహేను పదహారు పదిహేడు పద్దెనిమిది పంతొమ్మిది ఇరవై డజను",
    "th": "ศูนย์ หนึ่ง สอง สาม สี่ ห้า หก เจ็ด แปด เก้า สิบ สิบเอ็ด สิบสอง สิบสาม สิบสี่ สิบห้า "
    "สิบหก สิบเจ็ด สิบแปด "
    "สิบเก้า ยี่สิบ โหล",
}
_DOZENS = frozenset(
    "docena docenas douzaine douzaines dúzia duzia dúzias dutzend дюжина дюжину дюжины दर्जन درجن "
    "دزينة ডজন "
    "lusin dazeni డజను โหล".split()
)
_ARTICLES = frozenset("un uno una une um uma ein eine einen einem".split())


def _build() -> dict[str, int]:
    words: dict[str, int] = {}
    for row in _LISTS.values():
        for place, spellings in enumerate(row.split()):
            for word in spellings.split("|"):
                word = word.replace("_", " ")
                words.setdefault(word, 12 if word in _DOZENS else place)
    return words


WORDS = _build()
_LONGEST = max(word.count(" ") for word in WORDS) + 1
_CHINESE = re.compile("[零〇一二两兩三四五六七八九十百千万萬亿億]{1,20}")
_CHINESE_DIGIT = {
    ch: n for n, row in enumerate("零〇 一 二两兩 三 四 五 六 七 八 九".split()) for ch in row
}
_CHINESE_SCALE = {"十": 10, "百": 100, "千": 1_000}
_CHINESE_BIG = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_WORD = re.compile(r"[^\W\d_]+(?:[\u0300-\u036f\u0900-\u0dff\u0e31-\u0e4e-][^\W\d_]*)*")


def foreign_number_word(text: str) -> tuple[Fraction | None, str]:
    """Reads a number in words of another language at the start of a text: (value or None, the rest)."""
    chinese = _CHINESE.match(text)
    if chinese:
        value = _chinese(chinese.group())
        if value is not None:
            return _counted(Fraction(value), text[chinese.end() :].removeprefix("打"), text)
    pieces = text.lower().split(None, _LONGEST)[:_LONGEST]
    for count in range(len(pieces), 0, -1):
        word = " ".join(pieces[:count]).rstrip(".,;:!?。।")
        if word in WORDS:
            rest = text.split(None, count)[count:] or [""]
            value = Fraction(WORDS[word])
            after = rest[0].split(None, 1)
            if after and after[0].lower().strip(".,") in _DOZENS and word not in _DOZENS:
                value, rest = value * 12, after[1:] or [""]
            elif word in _ARTICLES and not rest[0]:
                return value, ""
            elif word in _ARTICLES:
                return None, text  # "una hora": an article more often than a number
            return value, " " + rest[0] if rest[0] else ""
    return _glued(text)


def _counted(value: Fraction, rest: str, text: str) -> tuple[Fraction, str]:
    """A dozen where the counter says so: 两打 is 24."""
    used = text[: len(text) - len(rest)]
    return (value * 12 if used.endswith("打") else value), rest


def _glued(text: str) -> tuple[Fraction | None, str]:
    """Scripts that put no space behind a word: the longest word that the text begins with."""
    if not text or text[0].isascii():
        return None, text
    for length in range(min(8, len(text)), 0, -1):
        if text[:length] in WORDS and _is_joined_script(text[0]):
            return Fraction(WORDS[text[:length]]), text[length:]
    return None, text


def _is_joined_script(ch: str) -> bool:
    return "\u0e00" <= ch <= "\u0e7f" or "\u3040" <= ch <= "\u30ff" or "\u4e00" <= ch <= "\u9fff"


def _chinese(digits: str) -> int | None:
    if all(ch in _CHINESE_DIGIT for ch in digits):
        return int("".join(str(_CHINESE_DIGIT[ch]) for ch in digits))
    total = section = number = 0
    for ch in digits:
        if ch in _CHINESE_DIGIT:
            number = _CHINESE_DIGIT[ch]
        elif ch in _CHINESE_SCALE:
            section, number = section + (number or 1) * _CHINESE_SCALE[ch], 0
        else:
            total, section, number = (total + section + number) * _CHINESE_BIG[ch], 0, 0
    return total + section + number
