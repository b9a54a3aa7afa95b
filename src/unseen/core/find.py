"""Which studies are there? The folder listing is the registry.

    slugs()  ->  {"length_generalization": Path(".../unseen/studies/length_generalization"), …}

A study is a folder with a `study.py`. Four places are listed, the earlier winning: `./studies`, every folder named in
`$UNSEEN_STUDIES` (separated as PATH is), entry points of the group `unseen.studies` (a package whose sub-folders are
studies), and the package's own `unseen/studies`. A folder that cannot be imported is an error only when it is asked for.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
import traceback
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from .errors import Invalid, Missing, Mistake, Unknown, UnseenError, missing_extra, nearest
from .study import Study

OWN = "unseen.studies"


def slugs() -> dict[str, Path]:
    """Every study's slug and folder, sorted by slug."""
    found: dict[str, Path] = {}
    for place in _places():
        for folder in sorted(place.iterdir()) if place.is_dir() else []:
            if not folder.name.startswith((".", "_")) and (folder / "study.py").is_file():
                found.setdefault(folder.name, folder.resolve())
    return dict(sorted(found.items()))


def folder(slug: str) -> Path:
    """The folder of a study. Raises Unknown with the nearest names."""
    if slug.isidentifier() and not slug.startswith("_"):  # found without a look at all the others
        for place in _places():
            if (place / slug / "study.py").is_file():
                return (place / slug).resolve()
    known = slugs()
    if slug not in known:
        raise Unknown(f"no study is called {slug!r}{nearest(slug, known)}. `unseen list` prints all.")
    return known[slug]


def study(slug: str, place: Path | None = None) -> Study:
    """The study of that slug; `place` is its folder, where it has been looked up already.

    Raises Unknown, or Invalid where its `study.py` holds no `STUDY`.
    """
    found = getattr(module(slug, "study", place), "STUDY", None)
    if not isinstance(found, Study):
        raise Invalid(f"{(place or folder(slug)) / 'study.py'} defines no STUDY; it must hold `STUDY = Study(...)`.")
    return found


def has(slug: str, part: str) -> bool:
    """Whether the study has that part: "study", "trial", "tasks" or "tool"."""
    return (folder(slug) / f"{part}.py").is_file()


def module(slug: str, part: str, place: Path | None = None) -> ModuleType:
    """A module of a study's folder. Raises Missing for an extra it needs and Mistake for code that cannot be imported."""
    place = place or folder(slug)
    if not (place / f"{part}.py").is_file():
        raise Invalid(f"{slug} has no {part}.py, so there is nothing of that kind to use in it.")
    name = f"{_package(slug, place)}.{part}"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(("unseen", name.rsplit(".", 1)[0])):
            raise Mistake(f"{place / part}.py cannot be imported: {error}.") from error
        raise missing_extra(slug, error, _extra(slug, part)) from error
    except UnseenError:
        raise
    except SyntaxError as error:
        raise Mistake(f"{error.filename}, line {error.lineno}: {error.msg}. Mend the file and try again.") from error
    except Exception as error:  # a study's own code, met while it is imported
        last = traceback.extract_tb(error.__traceback__)[-1]
        raise Mistake(
            f"{place / part}.py cannot be imported: {last.filename}, line {last.lineno}: {type(error).__name__}: {error}. Mend it and try again."
        ) from error


def sheet(slug: str) -> str:
    """The text of the study's `sheet.md`. Raises Missing where there is none."""
    path = folder(slug) / "sheet.md"
    if not path.is_file():
        raise Missing(f"{slug} has no sheet.md; write one: question, method in brief, what held, departures, sources.")
    return path.read_text(encoding="utf-8")


def departures(slug: str) -> list[str]:
    """What the study does otherwise than its paper: its `# DEPARTS:` comments, as `file:line: why`."""
    found: list[str] = []
    for path in sorted(folder(slug).rglob("*.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            if (start := line.find("# DEPARTS:")) >= 0:
                why = [line[start + len("# DEPARTS:") :].strip()]
                for below in lines[number + 1 :]:
                    if not below.strip().startswith("#") or "# DEPARTS:" in below:
                        break
                    why.append(below.strip().lstrip("# "))
                found.append(f"{path.relative_to(folder(slug))}:{number + 1}: {' '.join(why)}")
    return found


def _extra(slug: str, part: str) -> str:
    """The extras that the study's smoke settings ask for; `all` when its study.py cannot say."""
    if part == "study":
        return "all"
    asked = study(slug)
    named = dict.fromkeys(extra for s in asked.settings("smoke") for extra in asked.needs(s).extras)
    return ",".join(named) or "all"


def _places() -> list[Path]:
    named = [Path(p) for p in os.environ.get("UNSEEN_STUDIES", "").split(os.pathsep) if p]
    return [Path("studies"), *named, *_plugins(), Path(__file__).parent.parent / "studies"]


def _plugins() -> list[Path]:
    places: list[Path] = []
    for module in _points():
        spec = importlib.util.find_spec(module)
        places += [Path(p) for p in (spec.submodule_search_locations or [])] if spec else []
    return places


@cache
def _points() -> tuple[str, ...]:
    """The packages that offer studies; reading what is installed takes a tenth of a second, so it is read once."""
    return tuple(point.value for point in entry_points(group="unseen.studies"))


def _package(slug: str, place: Path) -> str:
    """The import name of a study's folder; folders outside the package get one of their own, unique to their path."""
    if place == (Path(__file__).parent.parent / "studies" / slug).resolve():
        return f"{OWN}.{slug}"
    parent = "unseen_studies_" + hashlib.sha256(str(place).encode()).hexdigest()[:8]
    name = f"{parent}.{slug}"
    if name not in sys.modules:
        for package, path in ((parent, place.parent), (name, place)):
            made = ModuleType(package)
            made.__path__ = [str(path)]
            made.__package__ = package
            sys.modules[package] = made
    return name
