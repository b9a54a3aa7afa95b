"""What a trial may use of the world: streams, artifacts, data, progress and checkpoints."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from unseen.core import lab as module
from unseen.core.disk import digest_of_file
from unseen.core.errors import Damaged, Invalid, Missing
from unseen.core.lab import Lab, cache_folder, local_home, offline


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UNSEEN_DATA", "HF_HUB_OFFLINE", "UNSEEN_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UNSEEN_HOME", str(tmp_path / "home"))


def lab(tmp_path: Path, seeds: tuple[int, ...] = (0,), **told: object) -> Lab:
    return Lab(seeds, tmp_path / "files", tmp_path / "cache", state=tmp_path / "state", **told)  # type: ignore[arg-type]


def test_a_stream_is_the_digest_of_seed_and_names(tmp_path: Path) -> None:
    told = hashlib.blake2b(b'[3,["test","6 digits",1.5]]', digest_size=8).digest()
    assert lab(tmp_path, (3,)).stream("test", "6 digits", 1.5) == int.from_bytes(told, "big") // 2 < 2**63


def test_a_stream_does_not_depend_on_the_block(tmp_path: Path) -> None:
    alone, block = lab(tmp_path, (2,)), lab(tmp_path, (0, 1, 2, 3))
    assert alone.stream("a") == block.stream("a", seed=2)
    assert (alone.rng("a").random(5) == block.rng("a", seed=2).random(5)).all()
    assert alone.stream(np.int64(4)) == alone.stream(4) != alone.stream("4")
    with pytest.raises(Invalid, match=r"seeds \(0, 1, 2, 3\) together"):
        block.rng("a")
    with pytest.raises(Invalid, match="no one seed"):
        _ = block.seed


def test_streams_are_independent(tmp_path: Path) -> None:
    """Numbers of 400 streams are uncorrelated: no pair is further from 0 than chance allows."""
    one = lab(tmp_path)
    drawn = np.array([one.rng("part", k, seed=s).standard_normal(400) for k in range(20) for s in range(20)])
    cross = np.corrcoef(drawn)[np.triu_indices(400, 1)]
    assert abs(cross).max() < 6 / np.sqrt(400) and abs(cross.std() - 1 / np.sqrt(400)) < 0.001


def test_pins_stand_for_names(tmp_path: Path) -> None:
    one = lab(tmp_path, pins={"hf:a/b": "hf:a/b@123"})
    assert one.pinned("hf:a/b") == "hf:a/b@123" and one.pinned("smollm2") == "smollm2"


def test_once_makes_once(tmp_path: Path) -> None:
    made = list[Path]()

    def make(path: Path) -> None:
        made.append(path)
        path.mkdir()
        (path / "table").write_text("1")

    one, other = lab(tmp_path, study="s"), lab(tmp_path, (5,), study="s")
    first = one.once("a table/with: odd name", make, size=3)
    assert first == other.once("a table/with: odd name", make, size=np.int64(3)) and len(made) == 1
    assert (first / "table").read_text() == "1" and not made[0].exists()
    assert first.parent == tmp_path / "cache" / "once" / "s"
    others = {
        one.once("a table/with: odd name", make, size=4),
        lab(tmp_path, study="s", version=2).once("a table/with: odd name", make, size=3),
        lab(tmp_path, study="t").once("a table/with: odd name", make, size=3),
    }
    assert len(made) == 4 and first not in others


def test_a_maker_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fails(path: Path) -> None:
        path.write_text("half")
        raise RuntimeError("no")

    one = lab(tmp_path)
    with pytest.raises(RuntimeError):
        one.once("a", fails)
    with pytest.raises(Invalid, match="wrote nothing"):
        one.once("a", lambda path: None)
    assert one.once("a", lambda path: path.write_text("whole") and None).read_text() == "whole"


def _slow(path: Path, log: Path) -> None:
    with log.open("a") as file:
        file.write("made\n")
    time.sleep(0.3)
    path.write_text("whole")


def _maker(folder: Path) -> None:
    Lab((0,), folder, folder / "cache").once("a", functools.partial(_slow, log=folder / "log"))


def _dies(path: Path) -> None:
    path.write_text("half")
    os.kill(os.getpid(), 9)


def _dying(folder: Path) -> None:
    Lab((0,), folder, folder / "cache").once("a", _dies)


def test_concurrent_makers_wait_and_dead_ones_are_followed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    dying = context.Process(target=_dying, args=(tmp_path,))
    dying.start()
    dying.join()
    assert dying.exitcode == -9
    makers = [context.Process(target=_maker, args=(tmp_path,)) for _ in range(3)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert [m.exitcode for m in makers] == [0, 0, 0]
    assert (tmp_path / "log").read_text() == "made\n"
    kept = [p for p in (tmp_path / "cache" / "once" / "alone").iterdir() if not p.name.startswith(".guard")]
    assert [p.read_text() for p in kept] == ["whole"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """A loopback server of the folder `tmp_path/served`."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "words.txt").write_text("some words")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"url:http://127.0.0.1:{server.server_address[1]}/words.txt"
        server.shutdown()


WORDS = hashlib.sha256(b"some words").hexdigest()


def test_data_of_the_users_folder_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: str) -> None:
    (tmp_path / "data" / "set").mkdir(parents=True)
    (tmp_path / "data" / "set" / "words.txt").write_text("some words")
    monkeypatch.setenv("UNSEEN_DATA", str(tmp_path / "data"))
    found = lab(tmp_path).data("set/words.txt", served, WORDS)
    assert found == tmp_path / "data" / "set" / "words.txt"
    found.write_text("other words")
    with pytest.raises(Invalid, match=r"not .{16}… as expected.*unset UNSEEN_DATA"):
        lab(tmp_path).data("set/words.txt", served, WORDS)


def test_data_is_fetched_once(tmp_path: Path, served: str) -> None:
    one = lab(tmp_path)
    found = one.data("words.txt", served, WORDS)
    assert found.read_text() == "some words" and found.is_relative_to(tmp_path / "cache")
    (tmp_path / "served" / "words.txt").unlink()
    assert one.data("words.txt", served, WORDS) == found
    assert lab(tmp_path, offline=True).data("words.txt", served, WORDS) == found
    found.write_text("spoilt")
    with pytest.raises(Damaged, match="remove it and run again"):
        one.data("words.txt", served, WORDS)


def test_data_that_cannot_be_had(tmp_path: Path, served: str) -> None:
    one = lab(tmp_path)
    with pytest.raises(Missing, match=r"could not be fetched .*404.*\$UNSEEN_DATA/gone"):
        one.data("gone.txt", served.replace("words", "gone"), WORDS)
    with pytest.raises(Missing, match=r"offline.*\$UNSEEN_DATA/words.txt"):
        lab(tmp_path, offline=True).data("words.txt", served, WORDS)
    with pytest.raises(Invalid, match=r"its source .* changed"):
        one.data("words.txt", served, "0" * 64)
    with pytest.raises(Invalid, match="none of url:, hf:, pypi:"):
        one.data("words.txt", "ftp:x", WORDS)
    with pytest.raises(Missing, match=r"not here|could not be fetched"):
        lab(tmp_path, offline=True).data("words.txt", "hf:no/such@1:words.txt", WORDS)
    assert not [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]


def test_data_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The repository, revision and path that are asked for; nothing but what is here when offline; the extra when it lacks."""
    hub = pytest.importorskip("huggingface_hub")
    (tmp_path / "words.txt").write_text("some words")
    asked = list[object]()

    def download(repo: str, path: str, **told: object) -> str:
        asked.append((repo, path, told))
        return str(tmp_path / "words.txt")

    monkeypatch.setattr(hub, "hf_hub_download", download)
    assert lab(tmp_path).data("a.txt", "hf:org/set@v1:folder/words.txt", WORDS).read_text() == "some words"
    assert lab(tmp_path, offline=True).data("words.txt", "hf:org/set", WORDS).name == "words.txt"
    common = {"repo_type": "dataset"}
    assert asked[0] == ("org/set", "folder/words.txt", {**common, "revision": "v1", "local_files_only": False})
    assert asked[1:] == [("org/set", "words.txt", {**common, "revision": None, "local_files_only": True})]
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(Missing, match=r"needs huggingface_hub. Install it: pip install 'unseen\[hub\]'"):
        lab(tmp_path).data("b.txt", "hf:org/set", "1" * 64)


def test_a_full_disk_while_data_is_fetched(tmp_path: Path, served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.shutil, "copyfileobj", full)
    with pytest.raises(OSError, match="No space"):
        lab(tmp_path).data("words.txt", served, WORDS)


def test_data_inside_a_package(tmp_path: Path) -> None:
    import filelock

    version = Path(filelock.__file__).parent / "version.py"
    one = lab(tmp_path)
    assert one.data("v", "pypi:filelock:version.py", digest_of_file(version)) == version
    with pytest.raises(Missing, match="pip install no-such-package"):
        one.data("v", "pypi:no-such-package:a.txt", WORDS)
    with pytest.raises(Missing, match=r"holds no a\.txt"):
        one.data("v", "pypi:filelock:a.txt", WORDS)
    with pytest.raises(Invalid, match="install the package"):
        one.data("v", "pypi:filelock:version.py", WORDS)


def test_progress_is_told_five_times_a_second_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = list[tuple[float, float, dict[str, object]]]()
    one = lab(tmp_path, tell=lambda done, of, shown: told.append((done, of, dict(shown))))
    now = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    for step in range(200):  # one second, in steps of 5 ms
        now = 100.0 + step / 200
        one.progress(step, 200, loss=1.0)
    assert len(told) == 5 and told[0] == (0, 200, {"loss": 1.0})
    lab(tmp_path).progress(1, 2)


def test_checkpoints_come_back_as_they_were(tmp_path: Path) -> None:
    synced = list[int]()
    one = lab(tmp_path, sync=lambda: synced.append(1))
    assert one.resume("fit") is None
    tensors = {"a": np.arange(6.0).reshape(2, 3).T, "scalar": np.float32(2.5), "flags": np.array([True, False])}
    one.checkpoint("fit", 7, tensors, {"rng": np.random.default_rng(1).bit_generator.state, "n": np.int64(3)})
    one.checkpoint("other phase/2", 1, {"a": np.zeros(1)})
    step, found, notes = one.resume("fit")  # type: ignore[misc]
    assert step == 7 and notes["n"] == 3 and notes["rng"]["bit_generator"] == "PCG64" and synced == [1, 1]
    for name, value in tensors.items():
        held = np.asarray(found[name])
        assert held.shape == np.shape(value) and held.dtype == np.asarray(value).dtype and (held == value).all()
    one.checkpoint("fit", 8, {"a": np.ones(1)})
    assert one.resume("fit")[0] == 8  # type: ignore[index]
    assert Lab((0,), tmp_path, tmp_path).resume("fit") is None
    Lab((0,), tmp_path, tmp_path).checkpoint("fit", 1, {})


def test_a_checkpoint_is_whole_or_the_one_before(tmp_path: Path) -> None:
    one = lab(tmp_path)
    one.checkpoint("fit", 1, {"a": np.ones(3)})
    with pytest.raises(Exception):  # noqa: B017  (the library's own error for what is no tensor)
        one.checkpoint("fit", 2, {"a": np.array([object()])})
    assert one.resume("fit")[0] == 1  # type: ignore[index]
    assert len(list((tmp_path / "state").iterdir())) == 1
    next((tmp_path / "state").iterdir()).write_bytes(b"nothing")
    with pytest.raises(Damaged, match="--fresh"):
        one.resume("fit")


def test_torch_tensors_views_and_tied_weights(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    flat = torch.arange(12.0, requires_grad=True)
    tensors = {"first": flat[:6].view(2, 3), "rest": flat[6:], "all": flat, "half": flat.detach().bfloat16()}
    one = lab(tmp_path)
    one.checkpoint("fit", 3, tensors)
    _, found, _ = one.resume("fit")  # type: ignore[misc]
    assert all(torch.equal(found[k], v) and found[k].dtype == v.dtype for k, v in tensors.items())


def test_a_lab_alone(tmp_path: Path) -> None:
    """Its folders vanish with the process, its caches are the user's."""
    told = subprocess.run(
        [sys.executable, "-c", "from unseen.core.lab import Lab\nl = Lab.alone((3,)); l.folder.mkdir(); print(l.folder, l.seed, l.cache)"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert not Path(told[0]).exists() and told[1] == "3" and told[2] == str(tmp_path / "home" / "cache")


def test_a_lab_alone_has_a_folder_and_keeps_checkpoints() -> None:
    one = Lab.alone((1, 2), pins={"m": "m@1"})
    one.checkpoint("p", 1, {"a": np.ones(1)})
    assert one.resume("p") is not None and one.pinned("m") == "m@1" and one.seeds == (1, 2)


def test_where_things_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert local_home() == tmp_path / "home" and cache_folder() == tmp_path / "home" / "cache"
    for word in ("", "memory://bucket/unseen"):
        monkeypatch.setenv("UNSEEN_HOME", word)
        assert local_home().name == "unseen"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert offline()
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert not offline()


def test_json_of_a_lease_names_no_one_else(tmp_path: Path) -> None:
    """The lease of `once` is given back."""
    one = lab(tmp_path)
    one.once("a", lambda path: path.write_text(json.dumps(1)) and None)
    assert not list(tmp_path.rglob("*.lease"))
