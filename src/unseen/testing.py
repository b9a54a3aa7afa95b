"""A gate inside a test suite: `pytest --unseen gate.json` has one test for each verdict and each number of a card.

gate.json::echo/laptop/C1 PASSED
gate.json::echo/laptop/C2 FAILED     supported became undecided.

Found by pytest through its entry point, so this module imports nothing but pytest until `--unseen` is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .gate.baseline import Baseline
    from .gate.decline import Standing


def pytest_addoption(parser: pytest.Parser) -> None:
    """The flags, in a group of their own."""
    group = parser.getgroup("unseen", "unseen: a gate's verdicts as tests")
    group.addoption("--unseen", metavar="FILE", default=None, help="Test every verdict that this gate's file holds.")
    group.addoption("--unseen-run", action="store_true", help="Measure first what is not stored yet.")
    group.addoption("--unseen-on", metavar="POOL", default="here", help="Where to measure: here, or procs:N.")


def pytest_configure(config: pytest.Config) -> None:
    """The gate's file stands among what is collected. Raises UsageError where it cannot be read."""
    named = config.getoption("--unseen")
    if named is None:
        return
    from .core.errors import UnseenError
    from .gate.baseline import read

    try:
        read(_place(config))
    except UnseenError as error:
        raise pytest.UsageError(f"--unseen {named}: {error}") from None
    if str(_place(config)) not in config.args:  # workers of xdist are handed what stands there already
        config.args.append(str(_place(config)))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The gate's file as a collector; None for every other file."""
    if parent.config.getoption("--unseen") is None or file_path != _place(parent.config):
        return None
    return GateFile.from_parent(parent, path=file_path)


def _place(config: pytest.Config) -> Path:
    return (config.invocation_params.dir / config.getoption("--unseen")).resolve()


class GateFile(pytest.File):
    """The tests of one gate. pytest has collectors and items be subclasses of its own."""

    def collect(self) -> Iterator[pytest.Item]:
        """One test for each part of each subject."""
        from .gate.baseline import read

        self.held: Baseline = read(self.path)
        self.stood: dict[str, dict[str, Standing]] = {}
        for subject, one in self.held.subjects.items():
            for part in one.parts:
                yield GateItem.from_parent(self, name=f"{subject}/{part}", subject=subject)

    def standing(self, subject: str, name: str) -> Standing:
        """How one part stands; its subject is judged (and measured, where asked) when its first test is due."""
        if subject not in self.stood:
            from .driver import How
            from .gate import baseline, gated

            how = How(self.config.getoption("--unseen-on")) if self.config.getoption("--unseen-run") else None
            found = baseline.stands(self.held, gated.again(self.held, [subject], how))
            self.stood[subject] = {s.id: s for s in found}
        return self.stood[subject][name]


class GateItem(pytest.Item):
    """The test that one verdict did not get worse."""

    def __init__(self, *, subject: str, **given: Any) -> None:
        super().__init__(**given)
        self.subject = subject

    def runtest(self) -> None:
        """Raise Failed where it got worse or is missing; one that is allowed to is an expected failure."""
        from .core.errors import Failed
        from .gate.told import told

        assert isinstance(self.parent, GateFile)
        one = self.parent.standing(self.subject, self.name)
        if one.result == "allowed":
            pytest.xfail(one.why)
        if one.failed:
            raise Failed(told(one))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """One paragraph instead of a traceback, for what this package raises on purpose."""
        from .core.errors import UnseenError

        return str(excinfo.value) if isinstance(excinfo.value, UnseenError) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the test stands: in the gate's file."""
        return self.path, None, self.name
