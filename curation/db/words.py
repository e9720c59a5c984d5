r"""What search takes for words, the same on both databases and for whoever types.

Texts and queries are folded: compatibility forms (full width, "½", ligatures), accents and vowel points
fall away, and letters become small, so that "cafes", "cafés" and "CAFE\u0301S" are one word.

Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese are found anywhere inside of a run of their letters,
as they are written without spaces, or change at the ends of words: each two letters side by side are a word
of the index, so 苹果 is a word of 个苹果. On SQLite these overlap (个苹 苹果 果), and what is searched for is
a phrase of them. PostgreSQL's expressions cannot write overlapping pairs: there a text stands in the index
twice, cut into pairs from its first letter and from its second, and one of the two has the pairs of what is
searched for.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

# Letters of scripts that are searched inside of, after folding. Without digits and punctuation.
RUNS = (
    "\u0e01-\u0e2e\u0e30-\u0e3a\u0e40-\u0e4e\u0e81-\u0ebd\u0ec0-\u0ece\u1000-\u103f\u1050-\u1089"
    "\u1780-\u17d3\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
# Fall away: accents of Latin, Greek and Cyrillic letters, points of Hebrew and Arabic, Arabic's long dash.
POINTS = (
    "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f"
    "\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"
)
# Vowel signs of the Indic scripts are no letters to Python, and belong to their words.
SIGNS_IN_WORDS = "\u0900-\u0963\u0971-\u0df3\u0f18-\u0f39\u0f71-\u0f84\u0f8d-\u0fbc"
# What separates words, beside ASCII's punctuation; after folding.
SEPARATE = (
    "\u00a0-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u00d7\u00f7\u037e\u0387\u055a-\u055f"
    "\u0589\u058a\u05be\u05c0\u05c3\u05c6\u05f3\u05f4\u0600-\u060f\u061b-\u061f\u066a-\u066d\u06d4"
    "\u06dd\u06de\u06e9\u0964\u0965\u0970\u0df4\u0e2f\u0e3f\u0e4f\u0e5a\u0e5b\u104a-\u104f\u17d4-\u17db"
    "\u2000-\u2bff\u2e00-\u2fff\u3000-\u3004\u3008-\u3020\u3030\u303d\u30fb\ue000-\uf8ff\ufd3e\ufd3f"
    "\ufe00-\ufe6f\uff00-\uffff"
)
ASCII_SIGNS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

_POINTS = re.compile(f"[{POINTS}]")
IS_RUN = re.compile(f"[{RUNS}]")
WORD = re.compile(f"[{RUNS}]+|(?:[{SIGNS_IN_WORDS}]|[^\\W_{RUNS}])+")
# A word where it stands, before folding: its points are part of it.
_STANDING = re.compile(f"(?:[{RUNS}{SIGNS_IN_WORDS}{POINTS}\u3099\u309a]|[^\\W_])+")

# A tsvector holds 1 MB: the words of so many characters fit, whatever they are.
MAX_ASCII, MAX_OTHERS = 100_000, 50_000
# A new number where what they do changes: indexes are made again then.
FUNCTION, SQLITE_FUNCTION = "words_to_search_1", "search_words_1"


def fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    bare = _POINTS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFKC", bare).lower()


def words_in(text: str) -> list[str]:
    """The words of a text, folded; a run of letters without spaces is one."""
    return WORD.findall(fold(text))


def words_where(text: str) -> Iterator[tuple[str, int, int]]:
    """(word, begin, end) of each word where it stands in the text as it is."""
    for found in _STANDING.finditer(text):
        said, begin = found[0], found.start()
        folded, places = fold(said), range(len(said) + 1)
        if len(folded) != len(said):
            # Letter by letter some become two, and some fall away.
            parts = [fold(letter) for letter in said]
            if "".join(parts) != folded:  # letters became one with those beside them
                for word in WORD.findall(folded):
                    yield word, begin, found.end()
                continue
            places = [n for n, part in enumerate(parts) for _ in part] + [len(said)]
        for word in WORD.finditer(folded):
            yield word[0], begin + places[word.start()], begin + places[word.end()]


def indexed(text: str | None) -> str | None:
    """A text as SQLite's index takes it: its words with blanks between, runs as overlapping pairs and their
    last letter alone. SQLite calls this at every write of a text, as SQLITE_FUNCTION."""
    if text is None or text.isascii():
        return text
    return " ".join(
        pairs(word, closed=True) if IS_RUN.match(word) else word for word in words_in(text)
    )


def pairs(run: str, *, closed: bool) -> str:
    """closed: the run ends here, so its last letter stands alone as well."""
    made = [run[n : n + 2] for n in range(len(run) - 1)]
    return " ".join([*made, run[-1]] if closed or not made else made)


def for_fts5(words: tuple[str, ...], begins: bool) -> str:
    """Words that stand side by side, in the language of FTS5."""
    last = words[-1]
    parts = [pairs(word, closed=True) if IS_RUN.match(word) else word for word in words[:-1]]
    if IS_RUN.match(last):
        begins = len(last) == 1  # any pair that begins with it, or the letter alone
        last = pairs(last, closed=False)
    phrase = " ".join([*parts, last])
    return f'"{phrase}"{" *" if begins else ""}'


def for_tsquery(words: tuple[str, ...], begins: bool) -> str:
    """The same in the language of `to_tsquery`. A run may begin in either of the text's two cuts, so it
    stands beside what is around it in no phrase: both are wanted."""
    groups, plain = [], []
    for n, word in enumerate(words):
        is_last = n == len(words) - 1
        if not IS_RUN.match(word):
            plain.append(f"'{word}'" + (":*" if begins and is_last else ""))
            continue
        if plain:
            groups.append(" <-> ".join(plain))
            plain = []
        cut = [word[k : k + 2] for k in range(0, len(word), 2)]
        groups.append(" <-> ".join(f"'{part}'" + (":*" if len(part) == 1 else "") for part in cut))
    if plain:
        groups.append(" <-> ".join(plain))
    return " & ".join(f"({group})" for group in groups)


@lru_cache(maxsize=1)
def postgresql_function() -> str:
    """SQL that makes the function which gives the words of a text on PostgreSQL."""

    def quoted(text: str) -> str:
        return "'" + text.replace("'", "''") + "'"

    def cls(signs: str) -> str:
        """As it is written in a regular expression of PostgreSQL's."""
        return "".join(
            sign
            if sign == "-"
            else f"\\U{ord(sign):08x}"
            if ord(sign) > 0xFFFF
            else f"\\u{ord(sign):04x}"
            for sign in signs
        )

    runs, blanks = cls(RUNS), " " * len(ASCII_SIGNS)
    ascii_signs = quoted(ASCII_SIGNS)
    return f"""
CREATE OR REPLACE FUNCTION {FUNCTION}(said text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE words text;
BEGIN
  -- The parser takes 3-1 for 3 and -1 and a/b for a file: it gets words alone.
  IF octet_length(said) = char_length(said) THEN
    RETURN to_tsvector('simple'::regconfig, translate(left(said, {MAX_ASCII}), {ascii_signs}, '{blanks}'));
  END IF;
  words := regexp_replace(normalize(left(said, {MAX_OTHERS}), NFKD), '[{cls(POINTS)}]', '', 'g');
  words := translate(lower(normalize(words, NFKC)), {ascii_signs}, '{blanks}');
  words := left(regexp_replace(words, '[{cls(SEPARATE)}]', ' ', 'g'), {MAX_OTHERS});
  IF words !~ '[{runs}]' THEN
    RETURN to_tsvector('simple'::regconfig, words);
  END IF;
  RETURN to_tsvector('simple'::regconfig, regexp_replace(words, '([{runs}]{{1,2}})', ' \\1 ', 'g') || ' ' ||
    regexp_replace(regexp_replace(words, '(^|[^{runs}])[{runs}]', '\\1 ', 'g'),
                   '([{runs}]{{1,2}})', ' \\1 ', 'g'));
END $$"""
