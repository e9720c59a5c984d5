r"""Text that models and people wrote, as HTML: escaped, with its LaTeX drawn as MathML.

`{{ text|maths }}` finds `$…$`, `$$…$$`, `\(…\)`, `\[…\]`, environments such as `align` and a `\boxed{…}` that
stand bare, hides GSM8K's calculator marks
(`<<16-3=13>>`) behind a class, shows Markdown's **strong**, `code` and # headings as such (lists and
single stars mean other things in sums), and escapes everything else. A formula that cannot be drawn is shown
as its source. What latex2mathml makes is rebuilt from allow-lists of elements and attributes, since
it hands on links and styles that stand in the LaTeX; macros, which can grow without bound, are not
expanded. Length, depth and number of formulas are bounded, so a hostile text costs milliseconds.

`{{ answer|answer_maths }}` is for answers, which are often LaTeX without any mark around them: `\frac{3}{4}`.
"""

import re
from functools import lru_cache
from html import escape, unescape
from xml.etree.ElementTree import Element

from django import template
from django.utils.safestring import SafeString, mark_safe

from curation.text.invisible import UNSEEN

register = template.Library()

MAX_FORMULA = 1000
OWN_OPERATORS = dict.fromkeys(range(0x2061, 0x2065))  # such as between a function and its argument
MAX_DEPTH = 30
MAX_FORMULAS = 300

ELEMENTS = frozenset(
    "math mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover "
    "mtable mtr mtd mstyle mpadded mphantom menclose mmultiscripts mprescripts none".split()
)
ATTRIBUTES = frozenset(
    "display stretchy fence separator form lspace rspace linethickness accent accentunder "
    "movablelimits minsize maxsize columnalign rowlines columnlines mathvariant width height "
    "depth voffset notation displaystyle scriptlevel largeop symmetric".split()
)
ATTRIBUTE_VALUE = re.compile(r"[\w .+%-]{0,60}")
# Macros can grow without bound; the rest carries addresses, styles and classes into the page.
REFUSED = re.compile(r"\\(?:newcommand|renewcommand|providecommand|def|let|href|style|class|id)\b")
WORD = re.compile(r"(?<![A-Za-z\\])[A-Za-z]{3,}")
ALTERNATIVE = re.compile(r'alttext="[^"]*"')
POWER = re.compile(r"[\w)\]}][\^_][\w({\-]")
# Environments that latex2mathml does not know, and what looks the same; none is numbered.
SAME_ENVIRONMENT = re.compile(
    r"\\(begin|end)\{(?:align|aligned|split|gathered|gather|eqnarray|multline|flalign|alignedat|alignat)\*?\}"
    r"(?:(?<=at\})\{\d\})?"
)
EQNARRAY = re.compile(r"&\s*(=|<|>|\\le|\\ge|\\leq|\\geq|\\approx|\\equiv)\s*&")
NUMBERS = re.compile(r"\\(?:nonumber|notag)\b|\\(?:label|tag)\*?\{[^{}]*\}")
OPERATORS = "=+-−*/×÷·(<"
COMMAND_OR_TEXT = re.compile(
    r"\\(?:begin|end|text|mathrm|textbf|textit|mbox|operatorname)\s*\{[^{}]*\}|\\[A-Za-z]+"
)

# `$` opens before a sign that is no space and closes after one, and no digit follows it: so prices
# ("$5 and $10") stay prices. The rule is that of pandoc's tex_math_dollars.
PIECE = re.compile(
    r"(?P<mark><<[^<>\n]{0,200}>>)"
    r"|(?P<bare>\\begin\{(?P<env>(?:align|equation|gather|eqnarray|multline|flalign|alignat|aligned|split"
    r"|gathered|cases|array|[pbvBV]?matrix)\*?)\}.{1,960}?\\end\{(?P=env)\}"
    # Braces up to three deep.
    r"|\\boxed[ ]?\{(?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]{0,200}\}){0,200}\}){0,200}\}){1,400}\})"
    r"|\$\$(?P<block>[^$]{1,1000}?)\$\$"
    r"|\\\[(?P<square>.{1,1000}?)\\\]"
    r"|\\\((?P<round>.{1,1000}?)\\\)"
    r"|(?<![\\$\w])\$(?=[^\s$])(?P<inline>(?:\\.|[^$\\\n]){1,400}?)(?<=\S)\$(?![\d$]|\.\d|<<)",
    re.DOTALL,
)


# What none of this is in needs escaping alone, and most steps are so.
SPECIAL = re.compile(r"[$*`#\\]|<<")
# Markdown inside a line, tried on escaped text in which formulas are HELD: stars hug what they make
# strong, so that 2**3 and 4 ** 2 stay sums.
HELD = re.compile("\ue000([0-9]+)\ue001")
STRONG = re.compile(r"(?<![\w*])\*\*(?=[^\s*])([^*\n]{1,500}?)(?<=[^\s*])\*\*(?![\w*])")
CODE = re.compile(r"(?<!`)`([^`\n]{1,300})`(?!`)")
HEADING = re.compile(r"(?m)^[ \t]{0,3}#{1,6}[ \t]+(\S(?:.*[^ \t#\n])?)[ \t#]*$")


@register.filter
def maths(text: str | None) -> SafeString:
    """`text` as safe HTML with its formulas as MathML, its calculator marks folded and its Markdown
    drawn."""
    if not text:
        return mark_safe("")
    if not SPECIAL.search(text):
        return mark_safe(escape(text))
    text = text.translate({0xE000: None, 0xE001: None})  # nobody else's places
    out, held, place, drawn = [], [], 0, 0
    for found in PIECE.finditer(text):
        out.append(escape(text[place : found.start()]))
        place = found.end()
        kind, source = found.lastgroup, found[0]
        inner = found[kind]
        if kind == "mark":
            done = f'<span class="calc">{escape(source)}</span>'
        else:
            drawn += 1
            sure = kind != "inline" or looks_like_maths(inner)
            fits = sure and drawn < MAX_FORMULAS
            is_block = kind in ("block", "square") or inner.startswith("\\begin")
            done = formula(inner, is_block) if fits else ""
        if done:
            out.append(f"\ue000{len(held)}\ue001")
            held.append(done)
        else:
            out.append(escape(source))
    out.append(escape(text[place:]))
    html = _markdown("".join(out))
    # Every piece was escaped or built from the allow-lists; Markdown added its three elements.
    return mark_safe(HELD.sub(lambda one: held[int(one[1])], html))


@register.filter
def answer_maths(text: str | None) -> SafeString:
    """An answer or a reference: drawn as a whole where it is LaTeX, or a power, and has no `$` of its own."""
    if text and "$" not in text and len(text) <= MAX_FORMULA:
        bare = text.strip()
        is_latex = "\\" in bare and not bare.startswith(("\\(", "\\["))
        is_power = POWER.search(bare) and not WORD.search(bare)
        drawn = formula(bare) if is_latex or is_power else ""
        # Of a command that it does not know the converter makes its name: a path is no formula.
        if drawn and "\\" not in ALTERNATIVE.sub("", drawn):
            return mark_safe(drawn)
    return maths(text)


@register.filter
def answer_shown(text: str | None, most: int) -> SafeString:
    """An answer where there is little room: cut to so many characters, or drawn whole where it is LaTeX."""
    text = str(text or "")
    if len(text) <= most or ("\\" in text and len(text) <= 6 * most):
        return answer_maths(text)
    return maths(f"{text[: most - 1]}…")


def _markdown(html: str) -> str:
    html = CODE.sub(r"<code>\1</code>", html)
    html = STRONG.sub(_strong, html)
    return HEADING.sub(r"<strong>\1</strong>", html)


def _strong(found: re.Match[str]) -> str:
    inner = found[1]
    crosses = inner.count("<code>") != inner.count("</code>")
    return found[0] if crosses else f"<strong>{inner}</strong>"


def looks_like_maths(inner: str) -> bool:
    """Whether what stands between two single dollars is a formula, not the way between two prices:
    prose ("5 and sells for"), or the left side of a sum ("$15 - $3 = $12")."""
    if inner[-1] in OPERATORS or inner[0] in "=*/":
        return False
    return not WORD.search(COMMAND_OR_TEXT.sub(" ", inner))


@lru_cache(maxsize=8192)
def formula(source: str, block: bool = False) -> str:
    """MathML of one formula, or "" when it cannot or must not be drawn."""
    if len(source) > MAX_FORMULA or REFUSED.search(source) or _depth(source) > MAX_DEPTH:
        return ""
    if UNSEEN.search(source):
        return ""  # as its source, in which what nobody sees is marked; a formula could not hold the mark
    # Imported here: pages without a formula do not pay for it at start.
    from latex2mathml.converter import convert_to_element

    try:
        tree = convert_to_element(_known(source), display="block" if block else "inline")
        html = _rebuilt(tree, source)
    # latex2mathml raises its own errors and, on odd input, IndexError and the like; a formula that
    # it cannot draw is shown as its source, which hides nothing.
    except Exception:
        return ""
    # It may come out of entities in the source; operators of its own are invisible as they should be.
    return "" if UNSEEN.search(html.translate(OWN_OPERATORS)) else html


def _known(source: str) -> str:
    """The formula in the environments that latex2mathml draws, without numbers of equations."""
    if "\\begin" in source:
        if "{eqnarray" in source:
            source = EQNARRAY.sub(r"&\1", source)
        source = SAME_ENVIRONMENT.sub(r"\\\1{align*}", source)
    return NUMBERS.sub("", source).strip()


def _depth(source: str) -> int:
    depth = deepest = 0
    for sign in source:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        deepest = max(deepest, depth)
    left = source.count("\\left") + source.count("\\begin") + source.count("^") + source.count("_")
    return max(deepest, left // 4)


def _rebuilt(tree: Element, source: str) -> str:
    tag = tree.tag.rsplit("}", 1)[-1]
    if tag not in ELEMENTS:
        raise ValueError(f"{tag} is not drawn")
    attributes = "".join(
        f' {name}="{value}"'
        for name, value in tree.attrib.items()
        if name in ATTRIBUTES and ATTRIBUTE_VALUE.fullmatch(value)
    )
    if tag == "math":
        # In one line: whoever shows a text's lines looks for their ends.
        attributes += f' alttext="{escape(" ".join(source.split()))}"'
    inner = escape(unescape(tree.text or "")) + "".join(_rebuilt(one, source) for one in tree)
    return f"<{tag}{attributes}>{inner}</{tag}>"
