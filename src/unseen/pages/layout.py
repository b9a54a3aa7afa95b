"""How does a page of the gallery find its neighbours? By paths that are the same live and as files.

    render("papers.html", "index.html", title="Papers", …)            links to studies/omega.html
    render("study.html", "studies/omega.html", title="OMEGA: …", …)   links to ../index.html

A page is known by its path below the gallery's root. Everything that a page links to is named from the page itself
(`root` is "" or "../" and so on), so one template serves `unseen view`, a folder opened as files, and a folder served
under a sub-path. What only a server can do stands between `<!--live-->` and `<!--/live-->`, and what only files need
in `<!--still …-->`; `still` cuts out the one and puts in the other.
"""

from __future__ import annotations

import re
from pathlib import Path

from . import report

ASSETS = Path(__file__).parent / "assets"
LIVE = re.compile(r"<!--live-->.*?<!--/live-->\n?", re.DOTALL)
STILL = re.compile(r"<!--still (.*?)-->", re.DOTALL)


def render(template: str, path: str, **told: object) -> str:
    """The page of that path; `told` is what its template asks for, `title` at least."""
    page = report.environment().get_template(template)
    return page.render(root="../" * path.count("/"), path=path, version=report.version(), when=report.now(), **told)


def still(page: str) -> str:
    """The page as a file. No text of a study can be taken for the marks, for all of it is escaped."""
    return STILL.sub(r"\1", LIVE.sub("", page))


def assets() -> dict[str, bytes]:
    """What pages load beside themselves: path below the root -> content."""
    found = {f"assets/{p.name}": p.read_bytes() for p in sorted(ASSETS.iterdir()) if p.is_file()}
    return {"assets/page.css": report.css().encode(), **found}
