"""What number does a piece of LaTeX or plain text stand for, exactly?

value('\\\\dfrac{3}{4}')    -> Fraction(3, 4)        value('1{,}234')         -> 1234
value('1 1/2')            -> Fraction(3, 2)        value('1.5 \\\\times 10^{3}') -> 1500
value('2\\\\sqrt{2}')       -> about 2.83            value('banana')          -> None

`plain` turns LaTeX, Unicode and Markdown into ASCII with digits, + - * / ^ ! ( ), `pi` and `sqrt`; `value` evaluates it.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import factorial, isqrt, pi, sqrt

MOST_BITS = 4_096  # of a power or factorial: larger ones are no answers
MOST_LENGTH = 2_000  # characters of one expression

UNICODE = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-", "－": "-", "⁄": "/", "∕": "/", "÷": "/", "×": "*", "·": "*",
    "⋅": "*", "∗": "*", "π": " pi ", "√": " sqrt ", "≈": "~", "≃": "~", "≅": "~", "°": "", "º": "", "＝": "=",
    "½": " 1/2 ", "⅓": " 1/3 ", "⅔": " 2/3 ", "¼": " 1/4 ", "¾": " 3/4 ", "⅕": " 1/5 ", "⅖": " 2/5 ", "⅗": " 3/5 ",
    "⅘": " 4/5 ", "⅙": " 1/6 ", "⅚": " 5/6 ", "⅛": " 1/8 ", "⅜": " 3/8 ", "⅝": " 5/8 ", "⅞": " 7/8 ",
    "²": "^2", "³": "^3", "\u202f": " ", "\u2009": " ", "\u00a0": " ", "\u2008": " ", "\u200b": "", "\ufeff": "",
    "’": "'", "“": '"', "”": '"', "，": ", ", "。": ". ", "：": ": ",
}  # fmt: skip
FULL_WIDTH = str.maketrans({chr(0xFF10 + d): str(d) for d in range(10)})
GAPS = r"\\[,;:!> ]|\\quad|\\qquad|~|\\(?:thin|med|thick)space(?![a-zA-Z])"
WRAPPERS = r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mathsf|mathtt|operatorname|boldsymbol|bm|mbox|emph|displaystyle|ensuremath)\s*"
DROPPED = r"\\(?:left|right|big|Big|bigl|bigr|Bigl|Bigr|displaystyle|textstyle|limits)(?![a-zA-Z])"
RELATIONS = {r"\\approx": "~", r"\\simeq": "~", r"\\cong": "~", r"\\doteq": "~", r"\\equiv": "=", r"\\implies": " so ", r"\\Rightarrow": " so ", r"\\to(?![a-z])": " so "}  # fmt: skip
SIGNS = {r"\\cdot": "*", r"\\times": "*", r"\\div": "/", r"\\pm": "±", r"\\pi": " pi ", r"\\%": "%", r"\\\$": "$", r"\\#": "#", r"\\colon": ":", r"\\mid": "|"}  # fmt: skip
DEGREES = r"\^\s*\{?\s*\\circ\s*\}?|\\degrees?|\\circ"


def plain(text: str) -> str:
    """The text with LaTeX, Unicode signs and Markdown told in ASCII; what is not understood stays."""
    for sign, told in UNICODE.items():
        text = text.replace(sign, told)
    text = text.translate(FULL_WIDTH)
    text = re.sub(r"(?<=\d)(?:\{,\}|\{\\,\}|\\,|\\!|\{\\ \})(?=\d{3}(?!\d))", "", text)
    text = re.sub(r"(?<=\d),\\!(?=\d{3}(?!\d))", "", text)
    text = re.sub(DEGREES, " ", text)
    for pattern, told in (*RELATIONS.items(), *SIGNS.items()):
        text = re.sub(rf"{pattern}(?![a-zA-Z])" if pattern[-1].isalpha() else pattern, lambda _, t=told: t, text)
    text = re.sub(GAPS.replace("|~", ""), " ", text)
    text = re.sub(DROPPED, "", text)
    text = _fractions(text)
    text = re.sub(r"\\sqrt\s*\{([^{}]*)\}", r" sqrt(\1)", text)
    text = re.sub(r"\\sqrt\s*(\d)", r" sqrt(\1)", text)
    text = re.sub(WRAPPERS + r"\{([^{}]*)\}", r" \1 ", text)
    text = re.sub(r"\^\s*\{([^{}]*)\}", r"^(\1)", text)
    text = re.sub(r"\\[\[\]()]|\$+", " ", text)
    text = text.replace("\\{", "{").replace("\\}", "}").replace("\\\\", "\n")
    text = re.sub(r"(?<=\d)\s*\*\*\s*(?=\d)", "^", text)
    text = re.sub(r"\*\*|__|`+", "", text)
    return re.sub(r"(?<![\w)\]}!.%])\s?\*(?=\S)|(?<=\S)\*(?!\s*[\w(\-+.\\{*])", " ", text)


def _fractions(text: str) -> str:
    """\\frac{a}{b}, \\frac ab and \\frac12 as (a)/(b); behind a digit it is the fraction of a mixed number."""
    pattern = re.compile(r"\\[dtc]?frac\s*(?:\{([^{}]*)\}|(\d))\s*(?:\{([^{}]*)\}|(\d))")

    def told(found: re.Match[str]) -> str:
        top, bottom = found[1] or found[2] or "", found[3] or found[4] or ""
        before = text[: found.start()].rstrip()
        if before[-1:].isdigit() and top.strip().isdigit() and bottom.strip().isdigit():
            return f" {top.strip()}/{bottom.strip()}"
        return f"(({top})/({bottom}))"

    while (found := pattern.search(text)) is not None:
        text = text[: found.start()] + told(found) + text[found.end() :]
    return text


def joined(text: str) -> str:
    """The text with the commas, spaces, apostrophes and underscores between thousands taken out."""
    grouped = r"(?<![\d.,])\d{1,3}(?:([,'_ ])\d{3})(?:\1\d{3})*(?![\d])(?!,\d)(?!\s*/\s*\d)"
    tight = r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?=\s*/\s*\d)"  # before a bar a space is that of a mixed number
    text = re.sub(tight, lambda found: found[0].replace(",", ""), text)
    return re.sub(grouped, lambda found: re.sub(r"[,'_ ]", "", found[0]), text)


def value(text: str) -> Fraction | None:
    """The exact value of an expression (of a root or of pi: the nearest float); None where it is none."""
    told = joined(plain(text)).strip().strip(".;,: ")
    return evaluated(told)


TOKEN = re.compile(r"\s*(?:(\d+\.\d*|\.\d+|\d+)(?:[eE]([+-]?\d{1,3})(?![\w.]))?|(pi|sqrt)(?![a-zA-Z])|([-+*/^!()%x]))")


def evaluated(text: str) -> Fraction | None:
    """The value of an ASCII expression of numbers, + - * / ^ ! % ( ), `pi` and `sqrt`; None where it is none."""
    if not text or len(text) > MOST_LENGTH:
        return None
    mixed = re.sub(r"(?<![\d.^/*])(\d+)\s+(\d+)\s*/\s*(\d+)(?![\d.])", r"(\1+\2/\3)", text)
    tokens: list[str | Fraction] = []
    at = 0
    while at < len(mixed.rstrip()):
        found = TOKEN.match(mixed, at)
        if found is None:
            return None
        number, exponent, name, sign = found.groups()
        tokens.append(Fraction(number) * Fraction(10) ** int(exponent or 0) if number else name or sign)
        at = found.end()
    try:
        return _Reader(tokens).whole()
    except (_Unread, ZeroDivisionError, OverflowError, RecursionError):
        return None


class _Unread(Exception):
    """The tokens are no expression."""


class _Reader:
    """Recursive descent over tokens; `whole` reads all of them."""

    def __init__(self, tokens: list[str | Fraction]) -> None:
        self.tokens, self.at = tokens, 0

    def whole(self) -> Fraction:
        """The value of all tokens."""
        found = self.sum()
        if self.at < len(self.tokens):
            raise _Unread
        return found

    def next(self) -> str | Fraction | None:
        """The token to be read next."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, *signs: str) -> str | None:
        """The next token if it is one of these, which is then read."""
        here = self.next()
        if isinstance(here, str) and here in signs:
            self.at += 1
            return here
        return None

    def sum(self) -> Fraction:
        """Terms under + and -."""
        found = self.product()
        while sign := self.take("+", "-"):
            other = self.product()
            found = found + other if sign == "+" else found - other
        return found

    def product(self) -> Fraction:
        """Factors under *, x, / or side by side."""
        found = self.signed()
        while True:
            if sign := self.take("*", "/", "x"):
                other = self.signed()
                found = found / other if sign == "/" else found * other
            elif self.next() in ("(", "pi", "sqrt"):
                found *= self.power()
            else:
                return found

    def signed(self) -> Fraction:
        """A factor with its signs, which bind less than powers."""
        if sign := self.take("+", "-"):
            return -self.signed() if sign == "-" else self.signed()
        return self.power()

    def power(self) -> Fraction:
        """An atom, with ! and % behind it, to a power."""
        found = self.atom()
        while sign := self.take("!", "%"):
            found = _factorial(found) if sign == "!" else found / 100
        return _powered(found, self.signed()) if self.take("^") else found

    def atom(self) -> Fraction:
        """A number, pi, a root or a bracket."""
        here = self.next()
        self.at += 1
        if isinstance(here, Fraction):
            return here
        if here == "pi":
            return Fraction(pi)
        if here == "sqrt":
            return _root(self.atom())
        if here == "(":
            found = self.sum()
            if self.take(")"):
                return found
        raise _Unread


def _factorial(x: Fraction) -> Fraction:
    if x.denominator != 1 or not 0 <= x <= 100:
        raise _Unread
    return Fraction(factorial(int(x)))


def _powered(x: Fraction, exponent: Fraction) -> Fraction:
    if exponent == Fraction(1, 2):
        return _root(x)
    bits = max(x.numerator.bit_length(), x.denominator.bit_length())
    if exponent.denominator != 1 or abs(exponent) * bits > MOST_BITS:
        raise _Unread
    return x ** int(exponent)


def _root(x: Fraction) -> Fraction:
    """The exact square root where it is rational, else the nearest float."""
    if x < 0:
        raise _Unread
    top, bottom = isqrt(x.numerator), isqrt(x.denominator)
    exact = Fraction(top, bottom)
    return exact if exact * exact == x else Fraction(sqrt(x))
