"""Is a known hole in what Unseen needs? pip-audit over an environment, and how much of it was looked at.

    python .ci/audit.py PIP-AUDIT SITE-PACKAGES

pip-audit by itself exits with 0 where it could not look anything up. This exits with 0 only where every package was
looked up and nothing is known of it, with 1 where something is known, and with 2 where packages were not looked up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

OURS = ("unseen",)  # installed from its sources
BUILDS = ("torch",)  # a local build, of which an index knows nothing under its version
SHOWN = 8


def verdict(told: Mapping[str, Any]) -> tuple[int, str]:
    """(exit code, words) of what pip-audit told as JSON."""
    others = [d for d in told["dependencies"] if d["name"] not in OURS]
    holes = [f"{d['name']} {d['version']}: {v['id']}, mended in {', '.join(v['fix_versions']) or 'no version yet'}" for d in others for v in d.get("vulns", ())]  # fmt: skip
    left = [d["name"] for d in others if "skip_reason" in d]
    unknown = [name for name in left if name not in BUILDS]
    lines = [*holes, f"{len(others) - len(left)} packages were looked up, {len(holes)} holes are known."]
    if left:
        more = f" and {len(left) - SHOWN} more" if len(left) > SHOWN else ""
        lines.append(f"Not looked up: {', '.join(left[:SHOWN])}{more}.")
    if unknown and len(left) == len(others):
        lines.append("The index knows none of them: nothing was audited. Run it where pypi.org answers.")
    return (1 if holes else 2 if unknown else 0), "\n".join(lines)


def main(tool: str, packages: str) -> int:
    """Audit a folder of packages; the exit code."""
    words = [tool, "--path", packages, "--skip-editable", "--format", "json", "--progress-spinner", "off", "--timeout", "20"]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True)
    try:
        told = json.loads(done.stdout)
    except ValueError:
        print(done.stderr[-2000:].strip() or "pip-audit said nothing.")
        print("The audit service cannot be reached, or pip-audit failed: nothing was audited.")
        return 2
    code, words_of = verdict(told)
    print(words_of)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
