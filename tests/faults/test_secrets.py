"""No key, token or password of the environment is ever stored or said: whole studies are measured, then every file read.

A file is read as it is, unpacked where it is packed, and for each secret as it is, percent-encoded and in base64.
"""

from __future__ import annotations

import base64
import gzip
import json
import zipfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.buckets import SECRET
from tests.faults.fakes import Fake

pytest.importorskip("openai")
Ended = Any
KEY = "sk-unseen/Te+st=Key~0123456789"
SECRETS = {
    "OPENAI_API_KEY": KEY,
    "WANDB_API_KEY": "f00dfeedbeef" * 3 + "cafe",
    "MLFLOW_TRACKING_PASSWORD": "mlf/low+pass=word",
    "MLFLOW_TRACKING_TOKEN": "mlflow-token-0123456789",
    "HF_TOKEN": "hf_unseenTestToken0123456789",
    "AWS_SECRET_ACCESS_KEY": "aWs/SeCrEt+unseen=0123456789",
}
PASSWORD = "pa/ss+wo=rd-0123456789"
ASKED = ("kept_answers", "--tier", "smoke")


def forms(secret: str) -> dict[bytes, str]:
    """The forms that a secret may be stored in, each with its name."""
    told = {secret.encode(): "as it is", quote(secret, safe="").encode(): "percent-encoded"}
    for before in range(3):  # base64 of a text within another: what does not depend on its neighbours
        inner = base64.b64encode(b"x" * before + secret.encode())
        told[inner[4 * (before > 0) : len(inner) // 4 * 4 - 4]] = "in base64"
    told[json.dumps(secret)[1:-1].replace("/", "\\/").encode()] = "in JSON"
    return told


def contents(path: Path) -> Iterator[bytes]:
    """A file's bytes, and those of what is packed in it."""
    yield path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            yield from (packed.read(name) for name in packed.namelist())
    if path.suffix == ".gz":
        yield gzip.decompress(path.read_bytes())
    if path.suffix == ".parquet":
        import polars as pl

        yield pl.read_parquet(path).write_json().encode()


def leaks(places: list[Path], said: list[str], secrets: list[str]) -> list[str]:
    """Where a secret stands: every file below these folders, every name of one, every word that was said."""
    files = [p for place in places for p in sorted(place.rglob("*")) if p.is_file() and not p.is_symlink()]
    assert files
    wanted = {form: f"{secret[:6]}… {how}" for secret in secrets for form, how in forms(secret).items()}
    found = [f"{what} in {p}" for p in files for c in contents(p) for form, what in wanted.items() if form in c]
    names = "\n".join(str(p) for p in files)
    return found + [f"{w} said" for t in (*said, names) for form, w in wanted.items() if form in t.encode()]


def sinks(folder: Path) -> str:
    """Those sinks that are installed, each writing into this folder."""
    where = {"tensorboard": folder / "boards", "mlflow": folder / "mlruns", "wandb": "boards"}
    return ",".join(f"{kind}={to}" for kind, to in where.items() if find_spec(kind))


def test_the_search_finds_what_is_planted(tmp_path: Path) -> None:
    for i, form in enumerate(forms(KEY)):
        (tmp_path / f"{i}").write_bytes(b"before " + form + b" after")
    (tmp_path / "auth").write_bytes(base64.b64encode(f"user:{KEY}".encode()))
    assert {f.rsplit("/", 1)[1] for f in leaks([tmp_path], [], [KEY])} == {p.name for p in tmp_path.iterdir()}
    assert leaks([tmp_path], [f"the key {KEY}"], [KEY])[-1].endswith("said")


def test_a_whole_study_stores_no_secret(fake: Fake, command: Callable[..., Ended], home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    env = {**SECRETS, "WANDB_MODE": "offline", "WANDB_DIR": str(out), "XDG_CONFIG_HOME": str(tmp_path / "none")}
    env["UNSEEN_DIGEST_TO"] = f"json://someone:{quote(PASSWORD, safe='')}@127.0.0.1:9/"
    model = ("--model", fake.name)
    asked = [
        ("plan", *ASKED, *model),
        ("run", *ASKED, *model, "--output-path", out / "made", "--log-samples", "--log", sinks(out)),
        ("judge", *ASKED, *model, "--json"),
        ("report", *ASKED, *model, "--card", fake.name, "--out", out / "report.html"),
        ("card", fake.name, "--study", "kept_answers", "--tier", "smoke", "--out", out / "card.json"),
        ("card", fake.name, "--study", "kept_answers", "--tier", "smoke", "--out", out / "card.html"),
        ("export", "kept_answers", "--to", "parquet", *ASKED[1:], *model, "--out", out / "export"),
        ("gate", out / "gate.json", "--model", fake.name, "--study", "kept_answers", "--tier", "smoke", "--run"),
        ("gate", out / "gate.json", "--junit", out / "gate.xml"),
        ("digest", "--since", "7d"),
        ("digest", "--send"),
        ("doctor",),
    ]
    ended = [command(*map(str, words), **env) for words in asked]
    codes = {" ".join(map(str, words[:1])): e.code for words, e in zip(asked, ended, strict=True)}
    said = [e.said for e in ended]
    assert {v: c for v, c in codes.items() if c} == {"digest": 1}, [s for e in ended if e.code for s in (e.said,)]
    assert fake.keys == {f"Bearer {KEY}"} and not [s for s in said if "told nothing more" in s], said
    assert leaks([home, out], said, [*SECRETS.values(), PASSWORD]) == []


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_server_that_repeats_the_key(status: int, fake: Fake, command: Callable[..., Ended], home: Path) -> None:
    """It says the key in every form as it refuses, when first asked or in the middle of a trial."""
    told = {"error": {"message": b" ".join(forms(KEY)).decode()}}
    fake.misbehave = lambda path, body, attempt: (status, told) if path != "models" else None
    during = command("run", *ASKED, "--model", fake.name, OPENAI_API_KEY=KEY)
    fake.misbehave = lambda path, body, attempt: (status, told)
    first = command("run", *ASKED, "--model", fake.name, "--json", OPENAI_API_KEY=KEY)
    assert during.code and first.code and (home / "failed").exists(), during.said + first.said
    assert leaks([home], [during.said, first.said], [KEY]) == []


@pytest.mark.parametrize(
    "url",
    ["http://user:{}@127.0.0.1:9/v1", "user:{}@127.0.0.1:9/v1", "http://127.0.0.1:9/v1?key={}", "http://u:{}@http://h"],
)
def test_a_url_that_holds_a_password_is_refused(
    url: str, command: Callable[..., Ended], home: Path, tmp_path: Path
) -> None:
    word = "word-0123456789"
    ended = [
        command(*words, "--model", f"api:m@{url.format(word)}") for words in (("plan", *ASKED), ("run", *ASKED))
    ] + [command("card", f"api:m@{url.format(word)}", "--study", "kept_answers", "--tier", "smoke")]
    assert [e.code for e in ended] == [2, 2, 2] and "OPENAI_API_KEY" in ended[1].said, ended
    (tmp_path / "a file").touch()
    assert leaks([tmp_path], [e.said for e in ended], [word]) == []


def test_a_store_in_a_bucket_holds_no_key_of_it(bucket: str, kennel: Callable[..., Ended], tmp_path: Path) -> None:
    import os

    from s3fs import S3FileSystem

    env = {k: v for k, v in os.environ.items() if k.startswith("AWS_")}
    env["XDG_DATA_HOME"] = str(tmp_path / "data")
    words = ("kept_rows", "--tier", "smoke", "--set", "name=a")
    ended = [kennel(bucket, verb, *words, **env) for verb in ("run", "judge")]
    assert [e.code for e in ended] == [0, 0], [e.said for e in ended]
    far = S3FileSystem(skip_instance_cache=True)
    far.get(bucket, str(tmp_path / "fetched"), recursive=True)
    assert leaks([tmp_path / "data", tmp_path / "fetched"], [e.said for e in ended], [SECRET]) == []
