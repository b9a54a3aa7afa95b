"""How does a page of the gallery find its neighbours? By paths that are the same live and as files.

    render("papers.html", "index.html", title="Papers", …)            links to studies/omega.html
    render("study.html", "studies/omega.html", title="OMEGA: …", …)   links to ../index.html

A page is known by its path below the gallery's root. Everything that a page links to is named from the page itself
(`root` is "" or "../" and so on), so one template serves `unseen view`, a folder opened as files, and a folder served
under a sub-path. What stands between `<!--if PATH-->` and `<!--/if-->` is for galleries that have that page (a server has
all of them), and what stands in `<!--still …-->` for files alone: `still` sees to both.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

from . import report

ASSETS = Path(__file__).parent / "assets"
THERE = re.compile(r"<!--if (\S+?)-->(.*?)<!--/if-->\n?", re.DOTALL)
STILL = re.compile(r"<!--still (.*?)-->", re.DOTALL)


def render(template: str, path: str, **told: object) -> str:
    """The page of that path; `told` is what its template asks for, `title` at least."""
    page = report.environment().get_template(template)
    return page.render(root="../" * path.count("/"), path=path, version=report.version(), when=report.now(), **told)


def still(page: str, there: Collection[str]) -> str:
    """The page as a file beside the pages that are `there`.

    No text of a study can be taken for the marks, for all of it is escaped.
    """
    return STILL.sub(r"\1", THERE.sub(lambda found: found[2] if found[1] in there else "", page))


def assets() -> dict[str, bytes]:
    """What pages load beside themselves: path below the root -> content."""
    found = {f"assets/{p.name}": p.read_bytes() for p in sorted(ASSETS.iterdir()) if p.is_file()}
    return {"assets/page.css": report.css().encode(), **found}


def vega() -> bytes:
    """Vega, Vega-Lite and Vega-Embed as the asset `assets/vega.js`.

    Making it takes seconds in which a process can do nothing else, so another one does, and lets pages go first.
    """
    words = "import os, sys; hasattr(os, 'nice') and os.nice(10); import vl_convert; sys.stdout.buffer.write(vl_convert.javascript_bundle().encode())"
    told = subprocess.run([sys.executable, "-c", words], stdin=subprocess.DEVNULL, capture_output=True)
    if told.returncode == 0 and told.stdout:
        return told.stdout
    import vl_convert  # where no process can be begun

    return vl_convert.javascript_bundle().encode()
