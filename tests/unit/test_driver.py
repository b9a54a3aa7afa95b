"""Plan, measure, judge from Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import unseen as library
from unseen import driver
from unseen.core.errors import Failed, Invalid, Missing, Unknown
from unseen.core.lease import lease
from unseen.core.store import Store

SHORT = "py:answering:short"


@pytest.mark.usefixtures("unseen")
def test_run_gives_records_and_verdicts_that_show_themselves() -> None:
    judged = library.run("echo", model=SHORT, tier="laptop")
    assert [v.status for v in judged.verdicts] == ["supported", "supported", "untested"]
    assert judged.records.mean("exact", letters=3) == 1.0 and judged.exploratory
    page = judged._repr_html_()
    assert page.startswith('<div class="unseen">') and "<b>C1</b> supported" in page
    assert "table" in judged.records._repr_html_() and "<b>C1" in judged.verdicts[0]._repr_html_()
    assert str(judged).splitlines()[0] == "echo, tier laptop"
    again = library.judge(driver.ask("echo", model=SHORT))
    assert [str(v) for v in again.verdicts] == [str(v) for v in judged.verdicts]


@pytest.mark.usefixtures("unseen")
def test_a_sweep_in_python_is_that_of_the_command_line() -> None:
    judged = library.run("echo", model=SHORT, tier="laptop", sweep={"limit": "10,20"}, seeds=3)
    assert len(judged.trials) == 6 and len(judged.verdicts) == 6


@pytest.mark.usefixtures("unseen")
def test_card_and_compare_from_python() -> None:
    card = library.card(SHORT, tier="smoke", against="py:answering:right")
    assert card.axes["length"][0].change is not None and card.notes == []
    found = library.compare(SHORT, "py:answering:right", tier="smoke")
    assert {d.split for d in found.differences} == {"3 letters", "5 letters", "7 letters"}


@pytest.mark.usefixtures("unseen")
def test_what_is_not_measured_is_told_on_a_card() -> None:
    card = library.card(SHORT, tier="smoke", measured=False)
    assert card.axes == {} and "`unseen card py:answering:short --tier smoke` measures them" in card.notes[0]


@pytest.mark.usefixtures("unseen")
def test_nothing_but_failures_is_raised() -> None:
    with pytest.raises(Failed, match="all 1 trials of echo failed; the first said: RuntimeError: the model fell over"):
        library.run("echo", tier="smoke", model="py:answering:broken")
    with pytest.raises(Missing, match="no function nobody"):
        library.run("echo", tier="smoke", model="py:answering:nobody")


@pytest.mark.usefixtures("unseen")
def test_words_ask_for_the_same_again() -> None:
    asked = driver.ask("echo", "smoke", model=SHORT, sweep={"lengths": "3:5,3:5:9", "limit": "4"}, seeds=2)
    told = "echo --tier smoke --model py:answering:short --set lengths=3:5,3:5:9 --set limit=4 --seeds 2"
    assert asked.words() == told and asked.exploratory and not asked.own().exploratory
    assert asked.sweep == {"lengths": ((3, 5), (3, 5, 9)), "limit": (4,)}


def test_a_model_is_pinned_once_and_old_answers_of_other_code_are_not_used(unseen: Any, home: Path) -> None:
    asked = driver.ask("echo", "smoke", model=SHORT)
    first = driver.measure(asked)
    source = Path("answering.py")
    pins = Store(home).manifest(first[0].trial)["pins"]
    assert list(pins) == [SHORT] and pins[SHORT].startswith("py:answering:short#")
    assert driver.measure(asked)[0].status == "kept"
    assert driver.measure(asked, driver.How(fresh=True))[0].status == "done"
    assert source.is_file()


@pytest.mark.parametrize("on", ["", "procs", "procs:", "procs:-1", "procs:two", "here:2", "ray:", "slurm:", "rays"])
def test_pools_have_names(on: str) -> None:
    with pytest.raises(Invalid, match="there is no such pool"):
        driver.pool_of(on)


@pytest.mark.usefixtures("unseen")
def test_extras_are_asked_for_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "absent", lambda extras: ["torch"] if list(extras) else [])
    with pytest.raises(Missing, match=r"brief_training needs torch. Install it: pip install 'unseen\[torch\]'"):
        library.run("brief_training", tier="smoke")


@pytest.mark.usefixtures("unseen")
def test_unknown_fields_on_a_card() -> None:
    with pytest.raises(Unknown, match="the nearest is num_fewshot"):
        library.card(SHORT, sweep={"num_fewshots": "2"})


def test_devices_are_checked_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    from unseen import devices

    with pytest.raises(Invalid, match="there is no such device"):
        devices.choose(device="cuda:x")
    with pytest.raises(Invalid, match="write auto"):
        devices.choose(batch_size="many")
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(Missing, match="this machine has 1 of that kind"):
        devices.choose(device="cuda:1")
    assert devices.fastest() in ("cpu", "cuda", "mps")
    devices.choose(device="cuda", batch_size="8")
    assert devices.fastest() == "cuda"
    import os

    assert os.environ["UNSEEN_DEVICE"] == "cuda" and os.environ["UNSEEN_BATCH_SIZE"] == "8"


def test_measuring_and_judging_in_one_pass_is_judging_what_is_stored(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where trials failed, and where some are new; what was found sound before is not looked at again."""
    asked = driver.ask("kept_rows", "smoke", sweep={"name": "a,b", "fault": ",raise"})
    looked: list[int] = []
    real = Store.sound

    def sound(self: Store, trials: Any, **words: Any) -> Any:
        looked.append(len(trials))
        return real(self, trials, **words)

    monkeypatch.setattr(Store, "sound", sound)
    for kept, left in ((0, 8), (4, 4)):
        looked.clear()
        outcomes, judged = driver.carried_out(asked)
        assert [o.status for o in outcomes].count("kept") == kept and len(outcomes) == 8
        assert looked[0] == 8 and looked[-1] == left and judged is not None
        again = driver.judge(asked)
        assert judged.to_json() == again.to_json() and len(judged.absent) == 4 and not judged.stale
        assert judged.records.frame().equals(again.records.frame())
        assert judged.records.items.frame().equals(again.records.items.frame())
    asked = driver.ask("kept_rows", "smoke", sweep={"fault": "raise"})
    outcomes, judged = driver.carried_out(asked)
    assert judged is None and {o.status for o in outcomes} == {"failed"}


@pytest.mark.usefixtures("unseen")
def test_what_a_killed_driver_left_of_a_published_trial_is_removed(home: Path) -> None:
    judged = library.run("echo", model=SHORT, tier="laptop", seeds=2)
    left = [home / "partial" / "echo" / key for key in (*(t.key for t in judged.trials), "0" * 16)]
    for folder in left:
        (folder / "state").mkdir(parents=True)
        (folder / "rows.jsonl").write_text("{}\n")
    with lease(home / "leases" / f"{left[1].name}.lease"):  # in the hands of another
        library.run("echo", model=SHORT, tier="laptop", seeds=2)
        assert [folder.exists() for folder in left] == [False, True, True]
    library.run("echo", model=SHORT, tier="laptop", seeds=2)
    assert [folder.exists() for folder in left] == [False, False, True]
