"""Files of JSON rows: read line by line, and refused with the line named."""

from __future__ import annotations

from pathlib import Path

import pytest

from unseen.core.errors import Invalid, Missing
from unseen.tasks.rows import json_rows


def test_lines_are_numbered_and_empty_ones_left_out(tmp_path: Path) -> None:
    (path := tmp_path / "a.jsonl").write_text('{"a": 1}\n\n[2]\n', encoding="utf-8")
    assert list(json_rows(path, "x")) == [(1, {"a": 1}), (3, [2])]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    for text in ("", "\n\n"):
        (empty := tmp_path / "b.jsonl").write_text(text, encoding="utf-8")
        with pytest.raises(Invalid, match=r"b.jsonl holds no rows; each line is an object\."):
            list(json_rows(empty, "each line is an object"))
    with pytest.raises(Missing, match=r"no file .*gone.jsonl; each line is an object"):
        list(json_rows(tmp_path / "gone.jsonl", "each line is an object"))
    (path := tmp_path / "a.jsonl").write_bytes(b'{"a": 1}\n{"a": \n')
    with pytest.raises(Invalid, match=r"a.jsonl, line 2 is no JSON .*; each line is an object"):
        list(json_rows(path, "each line is an object"))
    path.write_bytes(b"{}\n\xff\n")
    with pytest.raises(Invalid, match=r"not UTF-8 text .* save it as UTF-8"):
        list(json_rows(path, "x"))
    path.write_bytes(b"\xef\xbb\xbf{}\n")
    assert list(json_rows(path, "x")) == [(1, {})]  # saved with a mark of its encoding
    path.write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(Invalid, match=r"line 1 is no JSON .*recursion"):
        list(json_rows(path, "x"))
