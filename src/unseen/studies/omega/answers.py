"""What does a model's text answer, and is it right?

read('... so \\\\boxed{\\\\frac{3}{4}}', 'fraction')          -> (Fraction(3, 4),)
read('The roots are x = -1/2 and x = 2.', 'list')        -> (Fraction(-1, 2), Fraction(2))
right('Answer: **3.142** cm', '3.14', 'decimal')         -> True

The last `\\boxed{}` is the answer; without one, what follows the last "answer is", "Answer:" or "####"; without that, the
last number (or list) of the text. Decimals may be off by 0.01; integers, fractions and lists must be exact, in any form.
"""

from __future__ import annotations

import re
from fractions import Fraction

from .expressions import evaluated, joined, plain
from .problem import Kind

TOLERANCE = Fraction(1, 100)  # of decimals
MOST = 40_000  # characters of a text that are read, from its end
WORDS = {
    w: k
    for k, w in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    )
}
Reading = tuple[Fraction, ...] | str

LEAD = re.compile(
    r"(?:final\s+answer|answer|result)\b(?:\s+(?:to|of|for)\s[^.:\n]{0,80}?)?\s*(?:\s(?:is|are|was|would\s+be|should\s+be|must\s+be|equals)\b|[:=]|\n)\s*[:=]?|####",
    re.IGNORECASE,
)
BULLET = re.compile(r"^(?:[-*•]|\d+[.)])\s+(?=\S)")
UNIT_POWER = r"(?<=[a-zA-Z])(?<!pi)\s*\^\s*(?:\([-+]?\d+\)|[-+]?\d+)"
ATOM = r"(?:\d+\.\d+(?:[eE][+-]?\d{1,3}(?![\w.]))?|\.\d+|\d+(?:[eE][+-]?\d{1,3}(?![\w.]))?|(?<![a-z])pi(?![a-z])|(?<![a-z])sqrt\s*(?=[\d(]))"
CANDIDATE = re.compile(rf"[-+]?\s*\(*\s*[-+]?\s*{ATOM}(?:\s*[-+*/^!()%]\s*|\s+x\s+(?=\d)|\s*{ATOM})*")


def right(text: str, truth: str, kind: Kind) -> bool:
    """Whether a model's text gives the right answer of this kind."""
    found, wanted = read(text, kind), canonical(truth, kind)
    if found is None or isinstance(found, str) or isinstance(wanted, str):
        return found is not None and found == wanted
    if kind == "decimal":
        return len(found) == 1 and abs(found[0] - wanted[0]) <= TOLERANCE
    return sorted(found) == sorted(wanted)


def canonical(truth: str, kind: Kind) -> Reading:
    """What a canonical answer stands for."""
    if kind == "text":
        return _words(truth)
    return tuple(Fraction(part) for part in truth.split(", ")) if truth else ()


def read(text: str, kind: Kind) -> Reading | None:
    """The answer that a text gives; None where it gives none of this kind. Never raises, whatever the text."""
    text = text[-MOST:].rpartition("</think>")[2]
    boxed = _boxed(text)
    if boxed is not None:
        return _of(boxed, kind, whole=True)
    if kind == "text":
        return _words(_after_lead(text) or _last_line(text)) or None
    for lead in reversed(list(LEAD.finditer(_unmarked(text)))):
        if (found := _of(_unmarked(text)[lead.end() :], kind, whole=False)) is not None:
            return found
    return _of(_last_block(text) if kind == "list" else text, kind, whole=False, last=True)


def mentions(text: str, truth: str, kind: Kind) -> bool:
    """Whether the right answer occurs anywhere in a text, as a number (or list, or word) of its own."""
    text = text[-MOST:]
    if kind == "text":
        return re.search(rf"(?<!\w){re.escape(_words(truth))}(?!\w)", plain(text).casefold()) is not None
    if kind == "list":
        return any(_list(line, whole=False) == canonical(truth, kind) for line in text.splitlines() if line.strip())
    wanted = canonical(truth, kind)[0]
    room = TOLERANCE if kind == "decimal" else 0
    parts = [part for chain in _chains(_grouped(plain(text), kind)) for part in re.split(r"[=~]", chain)]
    values = [_expression(part, kind) for part in parts]
    return any(v is not None and abs(v - wanted) <= room for v in values)


def _of(span: str, kind: Kind, *, whole: bool, last: bool = False) -> Reading | None:
    """What a part of a text gives: all of it where it is the answer as a whole, else its first or last number."""
    if kind == "text":
        return _words(span) or None
    if kind == "list":
        return _list(span, whole=whole)
    found = _number(span, kind, whole=whole, last=last)
    return None if found is None else (found,)


def _boxed(text: str) -> str | None:
    """What the last \\boxed{} or \\fbox{} holds; the inner one of nested ones."""
    at = max(text.rfind("\\boxed"), text.rfind("\\fbox"))
    if at < 0:
        return None
    rest = text[at:].lstrip("\\boxedf").lstrip()
    if not rest.startswith("{"):
        return (re.match(r"[^\s$\\.,]+", rest) or [""])[0]
    depth = 0
    for i, sign in enumerate(rest):
        depth += (sign == "{") - (sign == "}")
        if not depth:
            return rest[1:i]
    return rest[1:]  # cut off by the end of the answer


def _unmarked(text: str) -> str:
    """The text without Markdown's emphasis, so that `**Answer:** 5` reads as `Answer: 5`."""
    return re.sub(r"(?<!\d)\*\*(?!\d)|(?<!\d)\*\*(?=\d)|(?<=\d)\*\*(?!\s*\d)|__", "", text)


def _number(span: str, kind: Kind, *, whole: bool, last: bool) -> Fraction | None:
    """One number: of the whole span, else of its first (or last) chain of equal expressions."""
    told = _grouped(re.sub(UNIT_POWER, "", plain(span)), kind)
    if whole and (found := _chain(_stripped(told), kind)) is not None:
        return found
    if not whole and not last:
        told = _sentence(told)
    chains = _chains(told)
    if kind == "integer" and not chains:
        words = [WORDS[w] for w in re.findall(r"[a-z]+", told.lower()) if w in WORDS]
        return Fraction(words[-1 if last else 0]) if words else None
    for chain in reversed(chains) if last or whole else chains:
        if (found := _chain(chain, kind)) is not None:
            return found
    return None


def _grouped(told: str, kind: Kind) -> str:
    """Thousands without their commas; of decimals, a comma before the last digits as a point."""
    if kind == "decimal":
        told = re.sub(r"(?<![\d.,])(\d{1,3}(?:\.\d{3})+),(\d+)(?![\d,])", lambda m: f"{m[1].replace('.', '')}.{m[2]}", told)  # fmt: skip
        told = re.sub(r"(?<![\d.,])(\d+),(\d{1,2}|\d{4,})(?![\d,.]\d|\d)", r"\1.\2", told)
    return joined(told)


def _stripped(told: str) -> str:
    """A span without the name before it and the unit behind it: '12' of 'x = 12 cm'."""
    told = told.strip().strip("{}[]$ .;,:")
    told = re.sub(r"^[a-zA-Z](?:_?\{?\w+\}?)?\s*(?:\([^()]*\))?\s*[=~:]\s*", "", told)
    return (
        re.sub(r"(?<=[\d)!%])\s*(?:\^\(?\d\)?)?\s*[a-zA-Z][a-zA-Z /^]*\d?$", "", told)
        if re.search(r"\d", told)
        else told
    )


def _sentence(told: str) -> str:
    """The text up to the end of its first sentence that holds a number (or a number's word)."""
    for part in re.split(r"(?<=[^\d\s])\.(?=\s|$)|(?<=\d)\.(?=\s|$)|\n", told):
        if re.search(r"\d|(?<![a-z])pi(?![a-z])", part) or any(w in WORDS for w in re.findall(r"[a-z]+", part.lower())):
            return part
    return told


def _chains(told: str) -> list[str]:
    """The runs of expressions joined by = or ~: ['2 + 3 = 5', '7'] of 'as 2 + 3 = 5, and 7'."""
    found: list[tuple[int, int]] = []
    for match in CANDIDATE.finditer(told):
        start, end = match.span()
        if found and re.fullmatch(r"\s*[=~]\s*", told[found[-1][1] : start]):
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return [told[a:b] for a, b in found]


def _chain(chain: str, kind: Kind) -> Fraction | None:
    """The value of a chain: its last part, but of `1/3 ~ 0.333` the exact part unless decimals are asked."""
    exact, *rounded = chain.split("~")
    parts = [*reversed(exact.split("=")), *rounded] if kind != "decimal" else [*reversed(rounded), *reversed(exact.split("="))]  # fmt: skip
    for part in parts:
        if (found := _expression(part, kind)) is not None:
            return found
    return None


def _expression(part: str, kind: Kind) -> Fraction | None:
    """The value of one expression, which may stand in brackets that do not match or end in an operator."""
    part = part.strip().strip("{}[]$ ;,:")
    if kind == "integer":
        part = part.rstrip("%").rstrip()
    for told in (part, part.strip("()"), part.rstrip("+-*/^!( "), part.strip("+*/^!() "), part.strip("()").rstrip("-")):
        if (found := evaluated(told)) is not None:
            return found
    return None


def _list(span: str, *, whole: bool) -> tuple[Fraction, ...] | None:
    """All numbers of a list, in the order of the text; names, brackets, signs and the word `and` between them."""
    told = plain(_unbulleted(span))
    told = re.sub(r"(?<=[^\d\s])\.(?=\s|$).*" if not whole else r"$^", "", told, flags=re.DOTALL)
    lines = [line.strip() for line in told.strip().splitlines() if line.strip()]
    if not whole and lines:
        told = next((line for line in lines if re.search(r"\d", line)), lines[0])
    if re.fullmatch(r"\W*(?:none|empty|no (?:real )?solutions?|\\emptyset|\\varnothing)\W*", told.strip().lower()):
        return ()
    if ";" in told or (re.search(r"\band\b", told) and "," not in re.sub(r"\d,\d{3}(?!\d)", "", told)):
        told = joined(told)
    return _items(told)


def _unbulleted(span: str) -> str:
    """The first run of bulleted or numbered lines as one line with commas, behind which nothing is kept."""
    lines = [line.strip() for line in span.strip().splitlines() if line.strip()]
    marked = [bool(BULLET.match(line)) for line in lines]
    if sum(marked) < 2:
        return span
    first = marked.index(True)
    last = next((i for i in range(first, len(lines)) if not marked[i]), len(lines))
    return ", ".join(BULLET.sub("", line) for line in lines[first:last]) if last - first > 1 else span


def _items(told: str) -> tuple[Fraction, ...] | None:
    """The values of a list's items; None where there is none or one cannot be read."""
    told = told.replace("±", "+-").strip()
    found: list[Fraction] = []
    for item in re.split(r",|;|\n|\band\b|\bor\b|&|\\cup", told):
        part = item.rpartition(":")[2] if ":" in item else item
        part = part.split("=")[-1] if re.search(r"=\s*[^\s=]", part) else part.rstrip("= ")
        part = re.sub(r"^(?:[^\d(+\-.]|[-+.(](?![\d(.+\-\s]*\d))+", "", part.strip().strip("{}[]$ ."))
        part = re.sub(r"(?<=[\d)])[^\d()+\-*/^!.]+$", "", part).strip().rstrip(".)]} ") if "(" not in part else part
        if not re.search(r"\d", part):
            continue
        both = "+-" in part
        value = _expression(part.replace("+-", ""), "fraction")
        if value is None:
            return None
        found += [-value, value] if both else [value]
    return tuple(found) or None


def _after_lead(text: str) -> str:
    """What follows the last "answer is", up to the end of its line; empty where there is none."""
    leads = list(LEAD.finditer(_unmarked(text)))
    rest = _unmarked(text)[leads[-1].end() :].strip() if leads else ""
    return rest.splitlines()[0] if rest else ""


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _last_block(text: str) -> str:
    """The last line, or the bulleted lines that the text ends in."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    first = len(lines)
    while first and BULLET.match(lines[first - 1]):
        first -= 1
    return "\n".join(lines[first:]) if len(lines) - first > 1 else _last_line(text)


def _words(span: str) -> str:
    """A text answer in lower case, without brackets, articles, an option's letter or the full stop."""
    told = re.sub(r"\s+", " ", plain(span)).strip().strip("{}[]$ .;:,!*\"'").casefold()
    told = re.sub(r"^\(?[a-h][).]\s+", "", told)
    return re.sub(r"^(?:the|a|an)\s+", "", told).strip("() ")
