"""Word problems that take several calculations: does a model that is shown short solutions find long ones?

    "Ana has 7 apples. She buys 5 more. She gives 4 away. How many apples does she have now?"  ->  "8"

Two sources: the released GSM8K (Cobbe et al. 2021), whose solutions carry their calculations in double angle brackets,
and a twin made here. Difficulty is the number of calculations, the lines of the solution.
"""

from __future__ import annotations

import ast
import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

from unseen.core.errors import Invalid
from unseen.core.record import Split

from .said import final_number, same_number, stated
from .traces import Graded, Skill, Step, Trace
from .worked import Problem, Sized, Stored, Worked, worked

COMMIT = "3101c7d5072418e28b9008a6636bde82a006892c"
SOURCE = f"url:https://raw.githubusercontent.com/openai/grade-school-math/{COMMIT}/grade_school_math/data/"
FOLDER = "gsm8k"  # under $UNSEEN_DATA
FILES: Mapping[str, tuple[str, str]] = {  # part -> file, sha256
    "train": ("train.jsonl", "17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465"),
    "test": ("test.jsonl", "3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14"),
}
LONGEST_SHOWN = 220  # letters of a question that may stand in a prompt as an exemplar
OPERATORS: Mapping[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
TERM = r"\d[\d,]*(?:\.\d+)?|\.\d+"
EQUATION = re.compile(rf"((?:{TERM})\s*%?(?:\s*[-+*/]\s*(?:{TERM})\s*%?)+)\s*=\s*(-?(?:{TERM}))")
COMMON = ("24", "30", "31", "52", "60", "100", "365", "1000")  # numbers that solutions use though no question says them
SMALL = 12  # number words (a dozen, twice, a week) stand for numbers up to this
NAMES = ("Ana", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gina", "Hugo")
THINGS = ("apples", "books", "cards", "coins", "pens", "shells", "stamps", "toys")

WORDS: Mapping[str, str] = {  # what happens in a story
    "+": "{name} buys {by} more",
    "-": "{name} gives {by} away",
    "*": "{name} wins a prize that makes the number {by} times as large",
    "/": "{name} shares them equally among {by} people and keeps one share",
}


def evaluated(expression: str) -> str:
    """The value of an expression of numbers with + - * / and brackets, in plain writing. Raises Invalid for any other."""
    told = expression.replace(",", "").replace("$", "").replace("×", "*").replace("x", "*").replace("÷", "/")
    told = re.sub(r"([\d.]+)\s*%", r"(\1/100)", told).strip()
    try:
        value = _value(ast.parse(told, mode="eval").body)
    except (SyntaxError, ZeroDivisionError, KeyError, ValueError, TypeError):
        raise Invalid(f"{expression!r} cannot be calculated; write numbers with + - * / and brackets.") from None
    return plain(value)


def plain(value: Fraction) -> str:
    """A fraction as a whole number or with its decimals (six at most)."""
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.6f}".rstrip("0")


def _skill(name: str, says: str, before: str, expression: str, after: str) -> Skill:
    return Skill(
        name,
        says,
        "{before}{result}{after}",
        lambda before, expression, after: evaluated(expression),
        {"before": before, "expression": expression, "after": after},
    )


ADDITION = _skill(
    "addition", "Add amounts that are put together.", "with 7 apples and 5 more there are 7 + 5 = ", "7+5", " apples"
)
SUBTRACTION = _skill(
    "subtraction", "Take one amount from another.", "of 12 apples, 4 given away leave 12 - 4 = ", "12-4", " apples"
)
MULTIPLICATION = _skill(
    "multiplication", "Multiply equal groups.", "3 boxes of 6 apples hold 3 * 6 = ", "3*6", " apples"
)
DIVISION = _skill(
    "division", "Divide an amount into equal parts.", "18 apples shared by 3 give each 18 / 3 = ", "18/3", " apples"
)
MIXED = _skill(
    "several_operations", "Do several operations at once.", "2 boxes of 6 and 3 more are 2 * 6 + 3 = ", "2*6+3", ""
)
FACT = Skill(
    "state_a_fact",
    "Write down a fact that the question gives.",
    "{before}{result}{after}",
    lambda before, after: "",
    {"before": "the box holds 6 apples", "after": ""},
)
SKILLS = (ADDITION, SUBTRACTION, MULTIPLICATION, DIVISION)
BY_SIGN: Mapping[str, Skill] = {"+": ADDITION, "-": SUBTRACTION, "*": MULTIPLICATION, "/": DIVISION}


def released(path: Callable[[str], Path], reference: Sequence[int], shifted: Sequence[int]) -> Stored:
    """The released problems by their number of steps, read from `path("test")`, and from `path("train")` for prompts.

    "train" holds the short training problems with as many steps as the reference and one plain operation a step.
    """
    splits = splits_of(reference, shifted)
    steps = {s.name: int(str(s.at["calculations"])) for s in splits}

    def load(split: str) -> Sequence[Worked]:
        at = {s.name: s for s in splits}.get(split, Split("train"))
        if split == "train":
            shown = [p for p in _read(path("train")) if len(p.trace.steps) in reference and _clear(p)]
            return [worked("gsm8k", at, p) for p in shown]
        return [worked("gsm8k", at, p) for p in _read(path("test")) if len(p.trace.steps) == steps[split]]

    return Stored("gsm8k", splits, load, SKILLS, same_number)


def twin(reference: tuple[int, ...], shifted: tuple[int, ...]) -> Sized:
    """Stories of one person whose number of things changes, one operation a sentence."""
    return Sized("gsm8k", "complexity", "calculations", reference, shifted, story, SKILLS, same_number)


def splits_of(reference: Sequence[int], shifted: Sequence[int]) -> tuple[Split, ...]:
    """One split for each number of calculations."""
    sizes = [(n, False) for n in reference] + [(n, True) for n in shifted]
    return tuple(Split(f"{n} calculations", "complexity", {"calculations": n}, far) for n, far in sizes)


def solved(question: str, answer: str) -> Problem:
    """A released problem: a step for each line of its solution. Raises Invalid where it gives no number."""
    lines, mark, value = answer.partition("####")
    if not mark or final_number(value) is None:
        raise Invalid(f"the solution {answer[-60:]!r} has no number after ####, so it is none of GSM8K.")
    steps = tuple(_step(line.strip()) for line in lines.splitlines() if line.strip())
    return Problem(" ".join(question.split()), Trace(steps, str(final_number(value))), (), "")


def story(steps: int, rng: np.random.Generator) -> Problem:
    """A story of so many changes, its solution, and its parts: the number after each change."""
    name, things = NAMES[int(rng.integers(len(NAMES)))], THINGS[int(rng.integers(len(THINGS)))]
    first = value = int(rng.integers(4, 20))
    changes: list[tuple[str, int]] = []
    for _ in range(steps):
        sign, by = _change(value, rng)
        changes.append((sign, by))
        value = int(evaluated(f"{value}{sign}{by}"))
    return told(name, things, first, changes)


def told(name: str, things: str, first: int, changes: Sequence[tuple[str, int]]) -> Problem:
    """The story of these changes (`("+", 5)`) to a number of things that someone has at first."""
    value, says = first, [f"{name} has {first} {things}."]
    steps: list[Step] = []
    parts: list[tuple[str, str]] = []
    for sign, by in changes:
        does = WORDS[sign].format(name=name, by=by)
        expression = f"{value} {sign} {by}"
        args = {"before": f"{does}, so {name} has {expression} = ", "expression": expression, "after": f" {things}"}
        value = int(evaluated(expression))
        steps.append(Step(BY_SIGN[sign], args, str(value)))
        says.append(f"{does}.")
        parts.append((f"{' '.join(says)} How many {things} does {name} have?", str(value)))
    question = f"{' '.join(says)} How many {things} does {name} have now?"
    return Problem(question, Trace(tuple(steps), str(value)), tuple(parts))


def retold(question: str) -> Problem:
    """A story's problem from its question. Raises Invalid for a question that is no such story."""
    begun = re.match(r"(?P<name>\w+) has (?P<first>\d+) (?P<things>\w+)\.", question)
    if begun is None or not question.endswith(f"How many {begun['things']} does {begun['name']} have now?"):
        raise Invalid(f"{question[:60]!r} is no story of the twin of GSM8K.")
    shapes = {s: re.escape(w.format(name=begun["name"], by="BY")).replace("BY", r"(\d+)") for s, w in WORDS.items()}
    changes = [(f.start(), sign, int(f[1])) for sign, shape in shapes.items() for f in re.finditer(shape, question)]
    return told(begun["name"], begun["things"], int(begun["first"]), [(s, by) for _, s, by in sorted(changes)])


def graded(example: Worked, text: str, known: Sequence[str] = ()) -> Graded:
    """The first error of a free solution that ends wrongly, by its equations, which are read in order, words left out.

    "seen skill": an equation is false; "copying": it uses a number that neither the question nor an earlier equation
    holds; "unseen skill": the text names a skill that is not `known`; "composition": every equation holds, yet the
    answer is wrong; "other": no answer is given.
    """
    named = frozenset(re.findall(r"Skill <([^<>]+)>", text))
    if same_number(text, example.truth):
        return Graded("", None, named)
    have = {*COMMON, *_numbers_in(example.prompt)}
    for at, (expression, value) in enumerate(equations(text)):
        if abs(float(evaluated(expression)) - float(value)) > 0.01 + 1e-9:
            return Graded("seen skill", at, named)
        if any(n not in have and float(n) > SMALL for n in _numbers_in(expression)):
            return Graded("copying", at, named)
        have.add(value)
    if named - set(known):
        return Graded("unseen skill", None, named)
    return Graded("composition" if stated(text) is not None else "other", None, named)


def equations(text: str) -> list[tuple[str, str]]:
    """The calculations that a text writes out, as (expression, value): `5 bags * $2 = $10` is ("5 * 2", "10")."""
    plain_signs = text.translate({0x2212: "-", 0x2013: "-", 0xD7: "*", 0xF7: "/"})
    plain_signs = re.sub(r"(?<=[\d\s])x(?=[\s\d])", "*", plain_signs)
    bare = re.sub(r"[-/]?[A-Za-z’'$]+", " ", plain_signs)  # `5 dollars/hour` and `a 1000-foot reach` keep no sign
    found: list[tuple[str, str]] = []
    for one in EQUATION.finditer(bare):
        expression = " ".join(one[1].split())
        try:
            evaluated(expression)
        except Invalid:
            continue
        found.append((expression, _plain_number(one[2])))
    return found


@lru_cache(maxsize=4)
def _read(path: Path) -> tuple[Problem, ...]:
    """Every problem of a released file. Raises Invalid where it has another shape."""
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        return tuple(solved(row["question"], row["answer"]) for row in rows)
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid(f"{path} is no file of GSM8K ({type(error).__name__}: {error}).") from None


def _step(line: str) -> Step:
    """One line of a released solution: its last calculation is the step's, earlier ones are told as they stand."""
    notes = list(re.finditer(r"<<([^<>=]*)=([^<>]*)>>", line))
    if not notes:
        return Step(FACT, {"before": line.rstrip("."), "after": ""}, "")
    last = notes[-1]
    before = re.sub(r"<<[^<>]*>>", "", line[: last.start()])
    after = re.sub(r"^[\d.,]*\d", "", line[last.end() :])
    signs = set(re.findall(r"(?<=[\d)%.])\s*([-+*/])", last[1]))
    skill = BY_SIGN[signs.pop()] if len(signs) == 1 else MIXED
    return Step(skill, {"before": before, "expression": last[1], "after": after.rstrip(". ")}, last[2])


def _clear(problem: Problem) -> bool:
    """Whether a problem is short and plain enough to be shown: one true calculation of one operation in every step."""
    steps = problem.trace.steps
    return len(problem.question) <= LONGEST_SHOWN and all(
        s.skill in SKILLS
        and s.args["before"].rstrip(" $").endswith("=")
        and s.args["before"].count("=") == 1
        and _true(s)
        for s in steps
    )


def _true(step: Step) -> bool:
    try:
        return step.skill.compute(**step.args) == step.result
    except Invalid:
        return False


def _change(value: int, rng: np.random.Generator) -> tuple[str, int]:
    """An operation and its number that keep the amount a whole number from 1 to 200."""
    able = ["+"] + ["-"] * (value > 2) + ["*"] * (value <= 50)
    parts = [k for k in (2, 3, 4, 5) if value % k == 0 and value > k]
    able += ["/"] * bool(parts)
    sign = able[int(rng.integers(len(able)))]
    if sign == "/":
        return sign, parts[int(rng.integers(len(parts)))]
    return sign, int(rng.integers(2, {"+": 20, "-": min(value, 20), "*": 5}[sign]))


def _value(node: ast.expr) -> Fraction:
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](_value(node.left), _value(node.right))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Fraction(str(node.value))
    raise ValueError("no arithmetic")


def _numbers_in(text: str) -> set[str]:
    return {_plain_number(n) for n in re.findall(TERM, text)}


def _plain_number(text: str) -> str:
    return plain(Fraction(text.replace(",", "")))
