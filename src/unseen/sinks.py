"""Who else is told while a study is measured, or a model tuned? MLflow, Weights & Biases, TensorBoard: one run of theirs
for each trial, or for the tuning.

unseen run length_generalization --log tensorboard=./boards,mlflow
unseen fit lora --model hf:./base --train train.jsonl --out mine --log tensorboard=./boards

Settings are params, the numbers that are shown are metrics over progress, verdicts come last in a run of their own. Each
is written by its own client. What goes wrong with one is said once, and never stops the work.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from .core.errors import Invalid, missing_extra
from .core.study import values_of
from .live import Watch, labels

if TYPE_CHECKING:
    from .core.claim import Verdict
    from .core.execute import Event
    from .core.plan import Trial

KINDS = ("mlflow", "wandb", "tensorboard")


class Line(Protocol):
    """One run of a sink: its settings are told as it begins."""

    def number(self, name: str, value: float, step: int) -> None: ...
    def end(self) -> None: ...


class Sink(Protocol):
    """Opens a run named so, of a study at a tier, with these settings."""

    def __call__(self, group: str, name: str, told: Mapping[str, object]) -> Line: ...


def sinks_of(word: str | None) -> dict[str, Sink]:
    """The sinks of `mlflow,tensorboard=./boards`. Raises Invalid for another name, Missing for what is not installed."""
    found: dict[str, Sink] = {}
    for part in filter(None, (word or "").split(",")):
        kind, _, where = part.partition("=")
        if kind not in KINDS:
            raise Invalid(f"--log {part}: there is no such sink; use {', '.join(KINDS)}, each perhaps with =WHERE.")
        try:
            found[kind] = OPENS[kind](where)
        except ModuleNotFoundError as error:
            raise missing_extra(f"--log {kind}", error, kind) from None
        except Exception as error:  # of its client, which says it in words of its own
            raise Invalid(f"--log {part}: {' '.join(str(error).split())[:400]}") from error
    return found


class Logged:
    """A watch that also tells sinks: every event as it comes, each trial, and what is named besides, as a run of theirs."""

    def __init__(self, watch: Watch, sinks: Mapping[str, Sink]) -> None:
        self.watch, self.sinks = watch, dict(sinks)
        self.title = ""
        self.trials: dict[str, Trial] = {}
        self.labels: dict[str, str] = {}
        self.besides = dict[str, tuple[str, str, Mapping[str, object]]]()  # key -> (group, name, settings)
        self.lines = dict[tuple[str, str], Line]()  # (sink, trial's key) -> its run

    def begin(self, title: str, trials: Sequence[Trial], kept: Collection[str]) -> None:
        """As the watch; runs of theirs begin with the first word of a trial."""
        self.title, self.labels = title, labels(trials)
        self.trials = {t.key: t for t in trials}
        self.watch.begin(title, trials, kept)

    def name(self, key: str, group: str, name: str, told: Mapping[str, object]) -> None:
        """A run of theirs, with these settings, for the events of a key that is no trial's."""
        self.besides[key] = (group, name, told)

    def say(self, text: str) -> None:
        """As the watch."""
        self.watch.say(text)

    def tell(self, event: Event) -> None:
        """The numbers that are shown, at their step."""
        self.watch.tell(event)
        if event.key not in self.trials and event.key not in self.besides:
            return
        numbers = {
            k: float(v) for k, v in event.shown.items() if isinstance(v, int | float) and not isinstance(v, bool)
        }
        for kind in list(self.sinks):
            self._try(kind, lambda kind=kind: self._told(kind, event.key, numbers, int(event.done)))
            if event.shown.get("ended") and (line := self.lines.pop((kind, event.key), None)) is not None:
                self._try(kind, line.end)

    def judged(self, verdicts: Sequence[Verdict]) -> None:
        """Verdicts, in a run of their own: estimates as metrics, statuses as settings."""
        told = {f"{v.claim.id}.status": v.status for v in verdicts}
        for kind in list(self.sinks):
            self._try(kind, lambda kind=kind: self._judged(kind, told, verdicts))

    def end(self) -> None:
        """End what goes on, such as trials that failed."""
        for (kind, _), line in list(self.lines.items()):
            self._try(kind, line.end)
        self.lines.clear()

    def _told(self, kind: str, key: str, numbers: Mapping[str, float], step: int) -> None:
        if (kind, key) not in self.lines:
            self.lines[kind, key] = self.sinks[kind](*self._named(key))
        for name, value in numbers.items():
            self.lines[kind, key].number(name, value, step)

    def _named(self, key: str) -> tuple[str, str, Mapping[str, object]]:
        if key in self.besides:
            return self.besides[key]
        trial = self.trials[key]
        told = {**values_of(trial.setting), "seeds": ",".join(map(str, trial.seeds)), "key": key}
        return self.title, self.labels[key], told

    def _judged(self, kind: str, told: Mapping[str, str], verdicts: Sequence[Verdict]) -> None:
        line = self.sinks[kind](self.title, "verdicts", told)
        for verdict in verdicts:
            if verdict.estimate == verdict.estimate:
                line.number(f"{verdict.claim.id}.estimate", verdict.estimate, 0)
        line.end()

    def _try(self, kind: str, work: Callable[[], None]) -> None:
        """Do it; a sink that fails is named once and told nothing more."""
        try:
            work()
        except Exception as error:  # another project's client: whatever it raises is no reason to stop the work
            self.sinks.pop(kind, None)
            for at in [k for k in self.lines if k[0] == kind]:
                del self.lines[at]
            said = " ".join(str(error).split())[:200]
            self.watch.say(f"--log {kind} is told nothing more ({type(error).__name__}: {said}); all else goes on.")


@contextmanager
def logged(watch: Watch, word: str | None) -> Generator[Logged]:
    """A watch that also tells the sinks of a word."""
    made = Logged(watch, sinks_of(word))
    try:
        yield made
    finally:
        made.end()


# each by its own client


def _tensorboard(where: str) -> Sink:
    from pathlib import Path

    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    class Board:
        def __init__(self, folder: Path, told: Mapping[str, object]) -> None:
            folder.mkdir(parents=True, exist_ok=True)
            self.file = EventFileWriter(str(folder))
            from tensorboard.plugins.text.summary_v2 import text_pb

            table = "\n".join(["|setting|value|", "|-|-|", *(f"|{k}|{v}|" for k, v in told.items())])
            self._add(text_pb("settings", table), 0)

        def number(self, name: str, value: float, step: int) -> None:
            self._add(Summary(value=[Summary.Value(tag=name, simple_value=value)]), step)

        def end(self) -> None:
            self.file.close()

        def _add(self, summary: Any, step: int) -> None:
            import time

            from tensorboard.compat.proto.event_pb2 import Event as Written

            self.file.add_event(Written(summary=summary, step=step, wall_time=time.time()))

    def opened(group: str, name: str, told: Mapping[str, object]) -> Line:
        folder = "-".join(name.replace("/", "_").split())
        return Board(
            Path(where or "runs") / group.replace(" ", "-") / f"{folder}-{str(told.get('key', ''))[:8]}".strip("-"),
            told,
        )

    return opened


def _mlflow(where: str) -> Sink:
    import os

    from mlflow.tracking import MlflowClient

    where = where or os.environ.get("MLFLOW_TRACKING_URI", "") or "mlruns"
    if "://" not in where or where.startswith("file:"):
        # A folder. Newer versions want a database, for which mlflow-skinny has no driver.
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    client = MlflowClient(tracking_uri=where)

    class Kept:
        def __init__(self, run: str) -> None:
            self.run = run

        def number(self, name: str, value: float, step: int) -> None:
            client.log_metric(self.run, name, value, step=step)

        def end(self) -> None:
            client.set_terminated(self.run)

    def opened(group: str, name: str, told: Mapping[str, object]) -> Line:
        known = client.get_experiment_by_name(group)
        place = known.experiment_id if known is not None else client.create_experiment(group)
        run = client.create_run(place, run_name=name).info.run_id
        for key, value in told.items():
            client.log_param(run, key, value)
        return Kept(run)

    return opened


def _wandb(where: str) -> Sink:
    import wandb

    class Kept:
        def __init__(self, run: Any) -> None:
            self.run = run

        def number(self, name: str, value: float, step: int) -> None:
            self.run.log({name: value, "at": step})

        def end(self) -> None:
            self.run.finish()

    def opened(group: str, name: str, told: Mapping[str, object]) -> Line:
        settings = wandb.Settings(console="off", silent=True, x_disable_stats=True)
        return Kept(
            wandb.init(
                project=where or "unseen",
                group=group,
                name=name,
                config=dict(told),
                settings=settings,
                reinit="create_new",
            )
        )

    return opened


OPENS: dict[str, Callable[[str], Sink]] = {"mlflow": _mlflow, "wandb": _wandb, "tensorboard": _tensorboard}
