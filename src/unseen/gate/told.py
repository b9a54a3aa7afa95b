"""How does a gate tell what fell? As JUnit XML for a CI's readers, as Markdown for its summary, as JSON, and on a terminal.

<testcase classname="echo/laptop" name="C1" time="0"><failure type="worse" message="supported became undecided.">…
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from ..core.disk import whole
from ..core.inert import label
from .decline import Standing

SIGNS = {"kept": "✓", "better": "▲", "new": "+", "allowed": "~", "worse": "✗", "missing": "✗"}
MOST = 200  # rows of a summary; GitHub shows a megabyte of it at most


def counts(found: Sequence[Standing]) -> dict[str, int]:
    """How many stand how: kept, better, new, allowed, worse, missing."""
    return {result: sum(s.result == result for s in found) for result in SIGNS}


def line(found: Sequence[Standing]) -> str:
    """`2 got worse, 1 missing; 14 kept`: the counts in words."""
    n = counts(found)
    fell = [f"{n['worse']} got worse"] * bool(n["worse"]) + [f"{n['missing']} missing"] * bool(n["missing"])
    rest = [f"{n[k]} {k}" for k in ("kept", "better", "new", "allowed") if n[k]]
    return f"{', '.join(fell) or 'nothing got worse'}{'; ' if rest else ''}{', '.join(rest)}"


def told(one: Standing) -> str:
    """One standing in a line of plain text, with nothing in it that a terminal would act on."""
    moved = f"was {one.was}; is {one.now}. " if one.was else f"{one.now}. "
    return label(f"{one.id}: {moved}{one.why} ({one.says})", most=600)


def lines(found: Sequence[Standing]) -> Iterator[str]:
    """What is not as it was, a line each; what is missing for one and the same reason in one line."""
    for one in found:
        if one.result == "kept":
            continue
        alike = [o for o in found if o.result == one.result == "missing" and o.why == one.why]
        head = f"{SIGNS[one.result]} {one.result:<8} "
        if len(alike) < 2:
            yield head + told(one)
        elif one is alike[0]:
            yield head + label(f"{one.id} and {len(alike) - 1} more: {one.why}", most=600)


def to_json(path: Path, found: Sequence[Standing], notes: Sequence[str]) -> dict[str, Any]:
    """Plain JSON values: `{file, passed, counts, standings: [{id, result, was, now, why, says}], notes}`."""
    rows = [{k: getattr(s, k) for k in ("id", "result", "was", "now", "why", "says")} for s in found]
    passed = not any(s.failed for s in found)
    return {"file": str(path), "passed": passed, "counts": counts(found), "standings": rows, "notes": list(notes)}


def junit(found: Sequence[Standing], path: Path) -> Path:
    """Write JUnit XML: a suite for each subject, a case for each of its parts. What got worse is a failure, what is
    missing an error, what is allowed or new is skipped with the reason."""
    when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    root = ET.Element("testsuites", name="unseen gate", **_totals(found))
    by: dict[str, list[Standing]] = {}
    for one in found:
        by.setdefault(_split(one)[0], []).append(one)
    for name, its in by.items():
        suite = ET.SubElement(root, "testsuite", name=label(name), **_totals(its), timestamp=when, hostname="localhost")
        for one in its:
            _case(suite, name, one)
    ET.indent(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    whole(path, ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")
    return path


def markdown(file: str, found: Sequence[Standing], notes: Sequence[str]) -> str:
    """A summary as GitHub's Markdown: the sentence, then a table of what fell or changed, then notes."""
    fell = any(s.failed for s in found)
    lines = [
        f"### {'❌' if fell else '✅'} Generalization gate `{_cell(file)}`",
        "",
        f"{line(found).capitalize()}.",
        "",
    ]
    shown = sorted((s for s in found if s.result != "kept"), key=lambda s: not s.failed)
    if shown:
        lines += ["| | what | was | is | why |", "|---|---|---|---|---|"]
        lines += [
            f"| {SIGNS[s.result]} | {_cell(s.id)}<br>{_cell(s.says)} | {_cell(s.was)} | {_cell(s.now)} | {_cell(s.why)} |"
            for s in shown[:MOST]
        ]
        lines += [f"| | {len(shown) - MOST} more | | | |"] if len(shown) > MOST else []
    return "\n".join([*lines, "", *(f"- {_cell(note)}" for note in notes)]).rstrip() + "\n"


def summarize(text: str, environment: Mapping[str, str]) -> Path | None:
    """Add the summary to the file that GITHUB_STEP_SUMMARY names; None where it names none."""
    if not (named := environment.get("GITHUB_STEP_SUMMARY")):
        return None
    with Path(named).open("a", encoding="utf-8") as file:
        file.write(f"{text}\n")
    return Path(named)


def _split(one: Standing) -> tuple[str, str]:
    """A standing's subject and part: the tier is the last word of the subject's name."""
    words = one.id.split("/")
    cut = next((i for i, w in enumerate(words) if i and w in ("smoke", "laptop", "paper")), 0) + 1
    return "/".join(words[:cut]), "/".join(words[cut:])


def _totals(found: Sequence[Standing]) -> dict[str, str]:
    n = counts(found)
    skipped = n["allowed"] + n["new"]
    totals = {"tests": len(found), "failures": n["worse"], "errors": n["missing"], "skipped": skipped, "time": 0}
    return {k: str(v) for k, v in totals.items()}


def _case(suite: ET.Element, subject: str, one: Standing) -> None:
    case = ET.SubElement(suite, "testcase", classname=label(subject), name=label(_split(one)[1]), time="0")
    why = label(one.why, most=600)
    if one.result in ("allowed", "new"):
        ET.SubElement(case, "skipped", message=why)
    if one.failed:
        fell = ET.SubElement(case, "failure" if one.result == "worse" else "error", type=one.result, message=why)
        fell.text = told(one)


def _cell(text: str) -> str:
    """Text inside a Markdown table that is only text: no markup, no link, no mention."""
    from html import escape

    plain = escape(label(text, most=400))
    return "".join(f"&#{ord(c)};" if c in "|`*_[]~\\@#" else c for c in plain)
