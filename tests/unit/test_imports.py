"""Heavy imports cost only those who use them; the core stays small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import unseen

HEAVY = ("torch", "transformers", "scipy.stats", "polars", "altair", "ray")
CORE_LINES = 3_000


def loaded(code: str) -> set[str]:
    """The heavy modules in a fresh interpreter after it ran `code`."""
    told = f"import sys\n{code}\nprint(' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    return set(
        subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
        .stdout.split("\n")[-2]
        .split()
    )


@pytest.mark.parametrize("verb", ["--help", "list"])
def test_the_first_commands_import_nothing_heavy(verb: str) -> None:
    code = f"import sys; sys.argv = ['unseen', {verb!r}]\nfrom unseen.cli import main\ntry: main()\nexcept SystemExit: pass"
    assert loaded(code) == set()


def test_planning_and_judging_by_hand_import_no_torch() -> None:
    code = "import unseen\nunseen.plan; unseen.Claim; unseen.Records; unseen.Study"
    assert loaded(code) == set()


def test_every_public_name_resolves() -> None:
    for name in unseen.__all__:
        assert getattr(unseen, name) is not None
    with pytest.raises(AttributeError, match="unseen has no 'runn'"):
        unseen.runn  # noqa: B018


def test_core_stays_small(capsys: pytest.CaptureFixture[str]) -> None:
    """Past 3,000 lines something in core/ belongs elsewhere."""
    sizes = {
        p.name: len(p.read_text(encoding="utf-8").splitlines()) for p in Path(unseen.__file__).parent.glob("core/*.py")
    }
    with capsys.disabled():
        print(f"\ncore: {sum(sizes.values())} lines")
    assert sum(sizes.values()) <= CORE_LINES, sizes
