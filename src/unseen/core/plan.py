"""What will be done? A study and a tier, turned into trials; pure, offline, in a fixed order.

plan("length_generalization", STUDY, "smoke")  ->  [Trial(key='09c4…', setting=Setting(...), seeds=(0, 1)), …]
"""

from __future__ import annotations

import hashlib
import itertools
import json
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

from .errors import Invalid, Unknown, nearest
from .model import answering
from .record import Value
from .study import Needs, Study, Tier, model_field, values_of

MOST_SEEDS = 100_000


@dataclass(frozen=True, slots=True)
class Trial:
    """One unit of work: a setting measured for some seeds.

    `pins` say what a model's name resolved to when the run began. `key` names the work itself, so that equal work is
    done once: neither tier nor needs enter it.
    """

    study: str
    version: int
    setting: Any
    seeds: tuple[int, ...]
    needs: Needs
    pins: Mapping[str, str] = field(default_factory=dict[str, str])
    _key: str = field(default="", init=False, repr=False, compare=False)  # once it was asked for
    _asked: str = field(default="", init=False, repr=False, compare=False)

    @property
    def key(self) -> str:
        """16 hex digits of sha256 over study, version, the setting's class and values, seeds and pins."""
        if not self._key:
            object.__setattr__(self, "_key", self._named())
        return self._key

    def _named(self) -> str:
        pins, seeds = (_text(dict(self.pins)) if self.pins else "{}"), ",".join(map(str, self.seeds))
        about = f'"seeds":[{seeds}],{self.asked},"study":{_text(self.study)},"version":{self.version}'
        return _digest(f'{{"class":{_text(type(self.setting).__name__)},"pins":{pins},{about}}}')

    @property
    def asked(self) -> str:
        """The setting's values as part of that text; the trials that a plan has of one setting share it."""
        if not self._asked:
            object.__setattr__(self, "_asked", f'"setting":{_text(values_of(self.setting))}')
        return self._asked

    def with_pins(self, pins: Mapping[str, str]) -> Trial:
        """The same trial with these pins."""
        return _sharing(replace(self, pins=pins), self.asked)


def digest(told: object) -> str:
    """16 hex digits of sha256 over canonical JSON."""
    return _digest(_text(told))


_text = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _sharing(trial: Trial, asked: str) -> Trial:
    object.__setattr__(trial, "_asked", asked)
    return trial


def plan(
    slug: str,
    study: Study,
    tier: Tier,
    *,
    model: str | None = None,
    sweep: Mapping[str, Sequence[Value]] | None = None,
    seeds: int | None = None,
) -> list[Trial]:
    """The trials of a study at a tier, unpinned. `sweep` replaces fields by every value listed, `seeds` the count."""
    wanted = dict(sweep or {})
    settings = list(study.settings(tier))
    if model is not None:
        settings = _with_model(slug, settings, model)
    swept = _swept(slug, settings, wanted)
    count = study.seeds[tier] if seeds is None else seeds
    if not 1 <= count <= MOST_SEEDS:
        raise Invalid(f"--seeds {count}: a study takes from 1 to {MOST_SEEDS:,} seeds.")
    blocks = [tuple(range(k, min(k + study.block, count))) for k in range(0, count, study.block)]
    found, none = list[Trial](), dict[str, str]()
    for setting in swept:
        first = Trial(slug, study.version, setting, blocks[0], _needs(slug, study, setting), none)
        others = (Trial(slug, study.version, setting, b, first.needs, none) for b in blocks[1:])
        found += (first, *(_sharing(t, first.asked) for t in others))
    return found


def plan_hash(trials: Sequence[Trial]) -> str:
    """The name of a plan, whatever its order and pins."""
    return digest(sorted(t.with_pins({}).key if t.pins else t.key for t in trials))


def parse_sweep(slug: str, study: Study, tier: Tier, words: Mapping[str, str]) -> dict[str, tuple[Value, ...]]:
    """`{"phi": "3,8,18"}` as typed values, by the annotations of the study's settings. Tuples are written `5:6:7`.

    Raises Unknown for a field no setting has, Invalid for a text its type does not take.
    """
    kinds = list(dict.fromkeys(type(s) for s in study.settings(tier)))
    return {name: _parse_field(slug, kinds, name, text) for name, text in words.items()}


def _parse_field(slug: str, kinds: Sequence[type], name: str, text: str) -> tuple[Value, ...]:
    hints = [hint for kind in kinds if (hint := get_type_hints(kind).get(name)) is not None]
    if not hints:
        raise _no_field(slug, kinds, name)
    last: Invalid | None = None
    for hint in dict.fromkeys(hints):
        try:
            return tuple(parse_value(part, hint, name, slug) for part in text.split(","))
        except Invalid as error:
            last = error
    assert last is not None
    raise Invalid(f"{last} {slug}'s settings: {', '.join(_names(kinds))}.")


def parse_value(text: str, hint: Any, name: str, slug: str = "") -> Value:
    """`text` as a value of the annotated type `hint`. Raises Invalid that says what the type takes."""
    wrong = Invalid(f"--set {name}={text}: {name} takes {_takes(hint)}.")
    if isinstance(hint, NewType):
        hint = hint.__supertype__
    origin = get_origin(hint)
    if origin is Literal:
        for choice in get_args(hint):
            if text == str(choice):
                return choice
        raise wrong
    if origin in (Union, types.UnionType):
        return _parse_union(text, get_args(hint), wrong, name)
    if origin is tuple:
        inner = get_args(hint)[0] if get_args(hint) else str
        try:
            return tuple(parse_value(part, inner, name, slug) for part in text.split(":")) if text else ()
        except Invalid:
            raise wrong from None
    if hint is bool:
        known = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
        if text.lower() not in known:
            raise wrong
        return known[text.lower()]
    if hint in (int, float):
        try:
            value = hint(text)
        except ValueError:
            raise wrong from None
        if value != value or value in (float("inf"), float("-inf")):
            raise wrong
        return value
    return text


def _parse_union(text: str, choices: Sequence[Any], wrong: Invalid, name: str) -> Value:
    if type(None) in choices and text.lower() in ("none", "null"):
        return None
    for choice in choices:
        if choice is type(None):
            continue
        try:
            return parse_value(text, choice, name)
        except Invalid:
            continue
    raise wrong


def _takes(hint: Any) -> str:
    if isinstance(hint, NewType):
        return "a model" if hint.__name__ == "Model" else _takes(hint.__supertype__)
    origin = get_origin(hint)
    if origin is Literal:
        return "one of " + ", ".join(str(c) for c in get_args(hint))
    if origin in (Union, types.UnionType):
        return " or ".join(_takes(c) for c in get_args(hint))
    if origin is tuple:
        return f"values joined by ':', each {_takes(get_args(hint)[0])}"
    plain = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "none"}
    return plain.get(hint, getattr(hint, "__name__", str(hint)))


def _names(kinds: Sequence[type]) -> list[str]:
    return list(dict.fromkeys(f.name for kind in kinds for f in fields(kind)))


def _no_field(slug: str, kinds: Sequence[type], name: str) -> Unknown:
    names = _names(kinds)
    return Unknown(
        f"--set {name}: no setting of {slug} has a field {name!r}{nearest(name, names)}. Its fields: {', '.join(names)}."
    )


def _needs(slug: str, study: Study, setting: Any) -> Needs:
    """What a trial of a setting needs, whatever the words in which its model is asked. Raises Invalid where its values
    make no sense to the study."""
    if model_field(type(setting)):
        setting = replace(setting, model=answering(setting.model))
    try:
        return study.needs(setting)
    except (ArithmeticError, ValueError, TypeError, LookupError) as error:
        raise Invalid(
            f"{slug} cannot measure {setting}: {type(error).__name__}: {error}. Choose other values."
        ) from None


def _distinct(settings: Sequence[Any]) -> list[Any]:
    """The settings without those whose class and values, to their types, stood before: equal ones have equal keys."""
    return list({digest([type(s).__name__, values_of(s)]): s for s in settings}.values())


def _with_model(slug: str, settings: Sequence[Any], model: str) -> list[Any]:
    kept = [replace(s, model=model) for s in settings if model_field(type(s))]
    if not kept:
        raise Invalid(f"{slug} takes no model at this tier, so --model {model} has nothing to act on; leave it out.")
    return _distinct(kept)


def _swept(slug: str, settings: Sequence[Any], sweep: Mapping[str, Sequence[Value]]) -> list[Any]:
    kinds = list(dict.fromkeys(type(s) for s in settings))
    for name in sweep:
        if name not in _names(kinds):
            raise _no_field(slug, kinds, name)
    has_all = [s for s in settings if set(sweep) <= {f.name for f in fields(s)}]
    if sweep and not has_all:
        raise Invalid(f"no one setting of {slug} has all of {', '.join(sweep)}; sweep them in separate runs.")
    found = []
    for setting in has_all:
        for chosen in itertools.product(*sweep.values()):
            values = dict(zip(sweep, chosen, strict=True))
            try:
                found.append(replace(setting, **values))
            except (ArithmeticError, ValueError, TypeError, LookupError) as error:
                told = " ".join(f"--set {name}={value}" for name, value in values.items())
                raise Invalid(f"{told}: {slug} has no such setting ({error}).") from None
    return _distinct(found)
