"""Every error has an exit code and names what is near."""

from __future__ import annotations

import pytest

from unseen.core import errors


def test_the_tree_as_drawn() -> None:
    assert [e.code for e in (errors.Mistake, errors.Unknown, errors.Invalid, errors.Missing)] == [2] * 4
    assert [e.code for e in (errors.Damaged, errors.Failed, errors.UnseenError)] == [1] * 3
    for name in ("Mistake", "Unknown", "Invalid", "Missing", "Damaged", "Failed"):
        assert name in (errors.__doc__ or "") and issubclass(getattr(errors, name), errors.UnseenError)


def test_nearest_names() -> None:
    known = ["grokked_transformers", "reft", "length_generalization"]
    assert errors.nearest("grokked_transformer", known) == "; the nearest is grokked_transformers"
    assert errors.nearest("length", ["length_a", "length_b"]) == "; the nearest are length_b, length_a"
    assert errors.nearest("zzz", known) == ""


def test_a_missing_module_names_its_extra() -> None:
    with pytest.raises(ModuleNotFoundError) as caught:
        import no_such_module.part  # noqa: F401
    said = str(errors.missing_extra("resa", caught.value, "hub"))
    assert said == "resa needs no_such_module. Install it: pip install 'unseen[hub]'"
