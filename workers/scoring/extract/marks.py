r"""What marks an answer: `\boxed{}`, `#### n`, `<answer>`, "The answer is", and the same in other "
r"languages."""

import re
from collections import deque
from dataclasses import dataclass

_HEDGE = (
    r"(?:(?:then|therefore|thus|hence|simply|just|clearly|indeed|now|also|still|actually|finally"
    r"|again|likely"
    r"|probably|possibly|definitely|certainly|obviously|once[ \t]again)[ \t]+)"
)
_BE = (
    rf"(?:(?:is|are|was|were|equals|becomes|(?:would|will|should|must|could|can|might|may|has[ \t]to)[ \t]+"
    rf"{_HEDGE}{{0,2}}(?:be|equal)|comes[ \t](?:out[ \t])?to|turns[ \t]out[ \t]to[ \t]be|=)"
    rf"(?:[ \t]+(?:then|therefore|thus|simply|just|clearly|indeed|now|also|still))?)"
)
_NOTE = r"(?:[ \t]*+[(\[][^()\[\]\n]{0,80}[)\]])?"
_ENGLISH = rf"""
    (?P<boxed>\\(?:boxed|fbox)\s*\{{)
    | ^[ \t]*(?P<hash>\#{{4}})[ \t]+(?=\S)
    | (?<=[.!?\s])(?P<inline_hash>\#{{4}})[ \t]+(?=\S)
    | (?P<tag><(?:final_?)?answer>|<solution>)
    | (?P<json>["'](?:final[_ ]?)?(?:answer|result|solution|choice|prediction)["'][ \t]*:)
    | ^[ \t]*(?P<aline>A)[ \t]*:(?=[ \t]*\S)
    | (?P<colon>\b(?:final[ \t]+|correct[ \t]+|right[ \t]+|my[ \t]+)?
        (?:answers?|ans|solution|result|conclusion)\b{_NOTE}[ \t]*+(?:[*_]++[ \t]*+)?
        (?:[:：=➜→⇒]|-{{1,2}}>|[-–—](?=[ \t]))[ \t]*[*_]*)
    | (?P<is>\b(?:final|correct|right|best|required|desired|our|the|my|so|hence)?[ \t]*
        (?:answers?|(?:final|correct|only|logical|right|our)[ \t]+(?:solution|result|conclusion|statement)
          |(?:correct|right|best)[ \t]+(?:option|choice)|option|choice)
        {_NOTE}[ \t]*+(?:(?:to|for|of)[ \t][^.\n]{{1,80}}?[ \t]*+)?(?:[*_]++[ \t]*+)?{_HEDGE}{{0,2}}
        {_BE}[ \t]*[:*_]*)
    | (?P<heading>^[ \t]*(?:\#{{1,6}}|\*\*)[ \t]*(?:final[ \t]+)?(?:answer|solution)[ \t]*+
        (?:[:*]++[ \t]*+)?$)
    | (?P<letter>\b(?:answer|ans|option|choice)[ \t]*+(?:[:\-][ \t]*+)?[(\[]?
        (?P<abc>[A-Z]|(?<=[(\[])[a-z])
        [)\].]?(?=[\s.,;:*)-]|\Z))
    | (?P<given>\b(?:choose|chose|pick|select|go[ \t]+with)[ \t]++(?:(?:option|choice|answer)[ \t]*+)?
        [(\[]?(?P<abc2>[A-Z])[)\]]?(?=[\s.,;:*]|\Z))
    | (?P<after>\b(?:is|as|gives)[ \t]+(?:our|the|my)[ \t]+
        (?:final[ \t]+|correct[ \t]+|right[ \t]+|desired[ \t]+|required[ \t]+)?answer\b)
"""
# Nouns for an answer, and what joins them to it, by language. Scripts without a verb there need none.
_OTHERS = r"""
    (?P<other>
        (?:[正终終最]?[确確终終后後]?的?)?答案(?:应该|應該|应)?(?:是|为|為|选|選|即)?[ \t]*+[:：]?
        | (?:故|应|應|因此|所以|因而)?(?:选择|選擇|选|選)(?=[ \t]*+[:：]?[ \t]*+[(（\[]?[A-Z])[ \t]*+[:：]?
        | (?:^|(?<=[\s。，,]))答[:：]
        | (?:答え|正解|解答|回答)(?:は|が|とは)?[、,]?[ \t]*+[:：]?
        | (?<![가-힣])(?:최종[ \t]*+)?(?:정답|해답|답변|답)(?:은|는|이|=)?[ \t]*+[:：]?(?![가-힣])
        | (?:उत्तर|जवाब)(?:[ \t]+(?:है|होगा))?[ \t]*+[:：=-]?
        | (?:উত্তর|উত্তরটি)(?:[ \t]+(?:হল|হলো|হচ্ছে|হবে))?[ \t]*+[:：=-]?
        | คำตอบ(?:สุดท้าย|ที่ถูกต้อง|ที่ถูก|สุดท้ายคือ)?(?:คือ|เท่ากับ|เป็น|ก็คือ)?[ \t]*+[:：=]?
        | (?:الجواب|الإجابة|الاجابة|النتيجة|جواب)(?:[ \t]+(?:النهائية|النهائي|الصحيحة|الصحيح))?
          (?:[ \t]+(?:هو|هي|ہے))?[ \t]*+[:：=-]?
        | \b(?:ответ|результат)(?:ом)?(?:[ \t]+(?:равен|является|будет|составляет))?[ \t]*+[:：=—–-]
        | \b(?:ответ|результат)(?:ом)?[ \t]+(?:равен|является|будет|составляет)
        | \bитого[ \t]*+[:—–-]?
        | (?:antwort|lösung|ergebnis|endergebnis)
          (?:[ \t]+(?:ist|lautet|beträgt|wäre|lautet[ \t]+also)|[ \t]*+[:：=])
        | \b(?:réponse|résultat|solution)(?:[ \t]+(?:finale|correcte))?
          (?:[ \t]+(?:est|vaut|sera)|[ \t]*+[:：=])
        | \b(?:respuesta|resultado|solución)(?:[ \t]+(?:final|correcta))?
          (?:[ \t]+(?:es|son|sería)|[ \t]*+[:：=])
        | \b(?:resposta|resultado|solução)(?:[ \t]+(?:final|correta))?(?:[ \t]+(?:é|são|seria)|[ \t]*+[:：=])
        | \b(?:jibu|jawabu)(?:[ \t]+(?:la[ \t]+mwisho|sahihi|lake))?(?:[ \t]+ni|[ \t]*+[:：=])
        | (?:సమాధానం|జవాబు)[ \t]*+[:：=-]?
        | \b(?:risposta|cevap|sonuç|odpowiedź|antwoord|jawaban(?:nya)?|đáp[ ]án|câu[ ]trả[ ]lời)
          (?:[ \t]+(?:finale|corretta|akhir))?(?:[ \t]+(?:è|is|to|adalah|là|:)|[ \t]*+[:：=])
      )(?:[ \t]+(?:daher|also|somit|donc|entonces|pues|então|тогда)\b)?[ \t]*[:*_]*
"""
_FLAGS = re.VERBOSE | re.IGNORECASE | re.MULTILINE
_IN_ENGLISH = re.compile(_ENGLISH, _FLAGS)
_IN_OTHERS = re.compile(_OTHERS, _FLAGS)
_OTHER_HINT = re.compile(
    r"[\u0400-\u04ff\u0600-\u06ff\u0900-\u0dff\u0e00-\u0e7f\u3040-\u9fff\uac00-\ud7af]|antwort|ergebnis|lösung"
    r"|respuesta|resultado|solución|resposta|solução|réponse|résultat|jibu|jawabu|risposta|cevap|sonuç|antwoord"
    r"|jawaban|odpowied|đáp|câu trả",
    re.I,
)
_HINT = re.compile(
    r"boxed|fbox|####|answer|\bans\b|solution|result|conclusion|statement|option|choice|^[ \t]*A[ \t]*:"
    r"|choose|chose|pick|select|go with|prediction",
    re.IGNORECASE | re.MULTILINE,
)
# Sentences about an answer that are none: checks, wishes, what is to be found, what others might say.
_ABOUT = re.compile(
    r"(?:\b(?:check|verify|confirm|double-check|validate|rewrite|express|hope|find|get|give|round"
    r"|write|enter"
    r"|box|simplify|compare|what is|what's|need|obtain|wrong|incorrect|not|note)(?:ing|s)?"
    r"(?:[ \t]{1,3}(?:that|whether|if|for|as|with|to))?[ \t]{1,3}(?:the|our|my|your|this|an?)?[ \t]{0,3}"
    r"|\b(?:first|second|third|fourth|fifth|next|other|previous|each|every|one|wrong|intermediate)[ "
    r"\t]*)\Z",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark: kind is the name of its group in the patterns, `match` what was found."""

    kind: str
    match: re.Match

    def start(self) -> int:
        """Where the mark begins."""
        return self.match.start()

    def end(self) -> int:
        """Where the answer that it marks begins."""
        return self.match.end()


def marks_of(text: str, start: int, stop: int, most: int) -> list[Mark]:
    """The last marks of a text, `most` at most, in order."""
    found: list[Mark] = []
    for hint, pattern in ((_HINT, _IN_ENGLISH), (_OTHER_HINT, _IN_OTHERS)):
        if hint.search(text, start, stop):
            last = deque(pattern.finditer(text, start, stop), maxlen=most)
            found.extend(Mark(m.lastgroup, m) for m in last)
    found.sort(key=Mark.start)
    return found[-most:]


def is_about(text: str, at: int) -> bool:
    """Whether the mark at a place is only spoken about: "we check our answer: ..."."""
    before = text[max(0, at - 40) : at]
    return bool(_ABOUT.search(before[before.rfind("\n") + 1 :]))
