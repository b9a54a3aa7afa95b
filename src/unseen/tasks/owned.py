"""What does an owner's file hold? Prompts with their answers, whatever the file's authors called them.

    {"messages": [{"role": "user", "content": "Is it warm?"}, {"role": "assistant", "content": "Yes."}]}
    {"text": "is it warm", "label": "weather"}

    next(pairs(Path("held.jsonl")))  ->  Pair(id="0d6c1f…", prompt="is it warm", answer="weather", line=1)

Rows are read one at a time, so that a file may be longer than the memory. All rows of a file have the first one's fields.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unseen.core.disk import digest_of_file
from unseen.core.errors import Invalid, Missing

from .rows import json_rows

ASKED = ("prompt", "question", "instruction", "query", "input", "text")  # names of what is asked
ANSWERED = ("completion", "answer", "response", "output", "target", "label", "chosen", "truth")  # names of the answer
SPOKEN = ("messages", "conversations")  # names of a whole conversation
CHOICES = ("choices", "options")  # names of the answers to choose from
ROLES: Mapping[str, str] = {"human": "user", "gpt": "assistant", "developer": "system"}  # other names of the same roles
HOLDS = (
    'each line is an object with "prompt" and "completion", or with "messages" that end in an answer '
    f"(also one of {', '.join(ASKED)} with one of {', '.join(ANSWERED)})"
)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Turn = tuple[str, str]  # role, text
Reader = Callable[[Mapping[str, Any], str], "Pair"]  # a row and where it stands


@dataclass(frozen=True, slots=True)
class Pair:
    """One row: what is asked and the right answer.

    In a conversation `prompt` is the last turn before the answer and `before` are the turns ahead of it. `options` are
    the answers to choose from where the row names them, written as `answer` is (letters, or texts). `id` is a digest of
    the row, equal wherever it stands; a second row of the same words has `-2` behind it.
    """

    id: str
    prompt: str
    answer: str
    options: tuple[str, ...] = ()
    before: tuple[Turn, ...] = ()
    spoken: bool = False  # the row was written as turns
    line: int = 0

    def posed(self, *, chat: bool) -> str | list[dict[str, str]]:
        """The prompt as a model is asked: as turns where it is `chat` or the row was written so, else as a text that the
        answer may follow, a new line at its end where neither of the two keeps them apart."""
        if self.spoken or chat:
            return [{"role": role, "content": text} for role, text in (*self.before, ("user", self.prompt))]
        apart = self.prompt[-1].isspace() or self.answer[0].isspace()
        return self.prompt if apart else f"{self.prompt}\n"

    def completion(self, *, chat: bool) -> str:
        """The answer as it follows such a prompt: as written after a text, without white space about it as a turn."""
        return self.answer.strip() if self.spoken or chat else self.answer

    def right(self, said: str) -> bool:
        """Whether this was said: the answer, or its first line where the answer has one, whatever case, blanks and a
        last full stop."""
        lines = said.strip().splitlines() or [""]
        return _plainly(self.answer) == _plainly(said if "\n" in self.answer.strip() else lines[0])

    def told(self) -> str:
        """All that was said before the answer but for the system's turns, as one text."""
        return "\n".join([*(text for role, text in self.before if role != "system"), self.prompt])


def pairs(path: Path, *, fields: tuple[str, str] | None = None) -> Iterator[Pair]:
    """The rows of a file, in order, read as they are asked for. `fields` names prompt and answer where names are unusual.

    Raises Missing where there is no file, and Invalid, naming the line and the fields found, for a row that is no such
    object, lacks a field of the first row or has an empty text in it, and for a file that is empty or not UTF-8.
    """
    reader: Reader | None = None
    seen: dict[str, int] = {}
    for line, row in json_rows(path, HOLDS):
        where = f"{path}, line {line}"
        if not isinstance(row, dict):
            raise Invalid(f"{where} is {_kind(row)}, no object; {HOLDS}.")
        if reader is None:
            reader = _reader(row, fields, where)
        found = reader(row, where)
        number = seen[found.id] = seen.get(found.id, 0) + 1
        name = found.id if number == 1 else f"{found.id}-{number}"
        yield Pair(name, found.prompt, found.answer, found.options, found.before, found.spoken, line)


def ends(rows: Sequence[Pair]) -> tuple[str, ...]:
    """What ends an answer to such rows: a new line, where every right answer is one line."""
    return () if any("\n" in row.answer.strip() for row in rows) else ("\n",)


def twice(train: Path, test: Path) -> str:
    """A warning where both files are the same, by name or by content; empty where they differ.

    Raises Missing for a file that is not there.
    """
    for path in (train, test):
        if not path.is_file():
            raise Missing(f"there is no file {path}; {HOLDS}.")
    if train.samefile(test):
        same = f"{train} was given both to train and to test"
    elif train.stat().st_size == test.stat().st_size and digest_of_file(train) == digest_of_file(test):
        same = f"{train} and {test} hold the same bytes"
    else:
        return ""
    return f"{same}: every test row was trained on, so no score below says how the model does on new rows. Give it rows that were held out."


def lettered(question: str, choices: Sequence[str]) -> str:
    """A question with its choices below it, a letter before each, as `A. Paris`."""
    lines = [f"{letter}. {choice}" for letter, choice in zip(LETTERS, choices, strict=False)]
    return "\n".join([question.rstrip(), *lines])


def _reader(first: Mapping[str, Any], fields: tuple[str, str] | None, where: str) -> Reader:
    """How rows like the first are read. Raises Invalid where its fields say nothing, or two things."""
    if fields is not None:
        return lambda row, at: _plain(row, fields, at)
    if named := [name for name in SPOKEN if name in first]:
        return lambda row, at: _conversation(_field(row, named[0], at), at)
    asked = [name for name in ASKED if name in first]
    if {"instruction", "input"} <= set(asked):
        asked.remove("input")  # Alpaca's rows: the input belongs to the instruction
    answered = [name for name in ANSWERED if name in first]
    if len(asked) == 1 and len(answered) == 1:
        return lambda row, at: _plain(row, (asked[0], answered[0]), at)
    if not asked or not answered:
        lacks = "no prompt" if answered else "no answer" if asked else "neither prompt nor answer"
        raise Invalid(f"{where} has {lacks} among its fields {_names(first)}; {HOLDS}. Name others: prompt, answer.")
    raise Invalid(
        f"{where} has the fields {_names(first)}, of which {', '.join(asked)} may be the prompt and {', '.join(answered)} the answer; name the two that are meant."
    )


def _plain(row: Mapping[str, Any], fields: tuple[str, str], where: str) -> Pair:
    """The pair of two fields of a row, each a text or turns, with choices where the row has any."""
    asked, answer = (_field(row, name, where) for name in fields)
    if isinstance(asked, list):
        turns = [*asked, *(answer if isinstance(answer, list) else [{"role": "assistant", "content": answer}])]
        return _conversation(turns, where)
    if isinstance(answer, list):
        answer = _conversation([{"role": "user", "content": asked}, *answer], where).answer
    prompt = _text(asked, fields[0], where)
    if fields[0] == "instruction" and row.get("input"):
        prompt = f"{prompt}\n\n{_text(row['input'], 'input', where)}"
    choices = next((row[name] for name in CHOICES if row.get(name) is not None), None)
    if choices is None:
        return _pair(prompt, _text(answer, fields[1], where))
    return _choice(prompt, choices, answer, where)


def _choice(question: str, choices: Any, answer: Any, where: str) -> Pair:
    """A question of several choices, written below it with letters; the answer is the right one's letter, or its text
    where the row gives that. A number counts the choices from 0."""
    if not isinstance(choices, list) or not 2 <= len(choices) <= len(LETTERS):
        raise Invalid(f"{where}: the choices are {_kind(choices)}; give a list of 2 to {len(LETTERS)} texts.")
    texts = tuple(_text(choice, "choices", where) for choice in choices)
    letters = tuple(LETTERS[: len(texts)])
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(texts):
        answer = letters[answer]
    right = _text(answer, "answer", where)
    options = texts if right in texts else letters
    if right not in options:
        raise Invalid(
            f"{where}: the answer {right[:40]!r} is none of its {len(texts)} choices, no letter and no number."
        )
    return _pair(lettered(question, texts), right, options)


def _conversation(turns: Any, where: str) -> Pair:
    """The pair of turns of which the last is the answer and the one before it the user's."""
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise Invalid(f"{where}: the conversation is {_kind(turns)}; give a list of objects with role and content.")
    told = [_turn(turn, where) for turn in turns]
    if [role for role, _ in told[-2:]] != ["user", "assistant"]:
        roles = ", ".join(role for role, _ in told) or "none"
        raise Invalid(f"{where}: the turns are {roles}; they have to end in one of user and its answer, of assistant.")
    return _pair(told[-2][1], told[-1][1], (), tuple(told[:-2]), spoken=True)


def _turn(turn: Mapping[str, Any], where: str) -> Turn:
    """Role and text of a turn, whose content may be a list of parts of text."""
    role, content = turn.get("role", turn.get("from")), turn.get("content", turn.get("value"))
    if not isinstance(role, str):
        raise Invalid(f"{where}: a turn has the fields {_names(turn)}; it needs role and content.")
    if isinstance(content, list):
        kinds = [part.get("type") if isinstance(part, dict) else _kind(part) for part in content]
        if strange := [kind for kind in kinds if kind != "text"]:
            raise Invalid(f"{where}: a turn of {role} holds {strange[0]}; only text is read.")
        content = "".join(str(part.get("text", "")) for part in content)
    return ROLES.get(role, role), _text(content, f"content of {role}", where, empty=role == "system")


def _pair(prompt: str, answer: str, options: tuple[str, ...] = (), before: tuple[Turn, ...] = (), spoken: bool = False) -> Pair:  # fmt: skip
    told = json.dumps([before, prompt, answer], ensure_ascii=True).encode()
    return Pair(hashlib.sha256(told).hexdigest()[:16], prompt, answer, options, before, spoken)


def _field(row: Mapping[str, Any], name: str, where: str) -> Any:
    if name not in row:
        raise Invalid(
            f"{where} has no field {name}, which it needs as the first row does; its fields are {_names(row)}."
        )
    return row[name]


def _text(value: Any, name: str, where: str, *, empty: bool = False) -> str:
    """A text, or a number or truth value as JSON writes it. Raises Invalid for another kind, and for an empty text."""
    if isinstance(value, int | float):
        value = json.dumps(value)
    if not isinstance(value, str):
        raise Invalid(f"{where}: {name} is {_kind(value)}, no text.")
    if not empty and not value.strip():
        raise Invalid(f"{where}: {name} is empty; leave such rows out.")
    if not value.isascii() and any(0xD800 <= ord(letter) <= 0xDFFF for letter in value):
        raise Invalid(
            f"{where}: {name} holds half of a character (a lone surrogate), which no tokenizer takes; mend it."
        )
    return value


def _plainly(text: str) -> str:
    """A text by its letters: one blank between words, one case, no full stop at its end."""
    told = " ".join(text.split()).casefold()
    return told.rstrip(".") or told


def _names(row: Mapping[str, Any]) -> str:
    """The fields of a row, for an error."""
    names = [str(name)[:40] for name in row]
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "") or "none"


def _kind(value: Any) -> str:
    """What kind of JSON value this is, for an error."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    kinds = {str: "a text", dict: "an object", bool: "a truth value", int: "a number", float: "a number"}
    return kinds.get(type(value), "null")
