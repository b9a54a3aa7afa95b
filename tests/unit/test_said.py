"""Answers are read off ugly texts."""

import pytest

from unseen.tasks.said import final_letters, final_list, final_number, same_letters, same_list, same_number, stated

NUMBERS = [
    ("The answer is 42.", "42"),
    ("The answer is: 1,023", "1023"),
    ("so she has \\boxed{1{,}023} dollars", "1023"),
    ("The answer is $\\boxed{\\text{18}}$.", "18"),
    ("#### 18", "18"),
    ("She makes 9 * 2 = $18.\n#### 18", "18"),
    ("The answer is 345 + 678 = 1023.", "1023"),
    ("The answer is **7**.", "7"),
    ("Answer: −3", "-3"),
    ("The answer is \\frac{1}{2} of it", "1/2"),
    ("The answer is $2.50 per day.", "2.50"),
    ("The answer is 12% of 200.", "12"),
    ("First 5 - 3 = 2, then 2 * 4 = 8 apples", "8"),
    ("the answer is not known", None),
    ("The answer is 18.\n\nQuestion: What is 7?\nThe answer is 7.", "18"),
    ("1. 12 plus 3 is 15; now 15.\nThe answer is 15.", "15"),
    ("between 3-4", "4"),
    ("", None),
]


@pytest.mark.parametrize(("text", "number"), NUMBERS)
def test_numbers(text: str, number: str | None) -> None:
    assert final_number(text) == number


@pytest.mark.parametrize(
    ("text", "truth", "same"),
    [
        ("The answer is 2.50.", "2.5", True),
        ("The answer is 1,000.", "1000", True),
        ("The answer is 1/2.", "0.5", True),
        ("The answer is 10.", "100", False),
        ("The answer is -3.", "3", False),
        ("nothing at all", "0", False),
        ("The answer is 5/0.", "5", True),
    ],
)
def test_numbers_are_compared_by_value(text: str, truth: str, same: bool) -> None:
    assert same_number(text, truth) is same


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("The answer is eg.", "eg"),
        ('The answer is "EG".', "eg"),
        ('The answer is "e" + "g" = "eg".', "eg"),
        ("The answer is e, g.", "eg"),
        ("The answer is e-g-t", "egt"),
        ("eg", "eg"),
        ("The concatenated letters are “egt”.", "egt"),
        ("**Answer:** eg", "eg"),
        ("", ""),
        ("The answer is 42.", ""),
    ],
)
def test_letters(text: str, letters: str) -> None:
    assert final_letters(text) == letters


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('The answer is ["Riften", "Skob"].', ("riften", "skob")),
        ("The answer is Skob, Riften and Handt.", ("handt", "riften", "skob")),
        ("The answer is: Skob, and Riften.", ("riften", "skob")),
        ("Riften; Skob; Riften", ("riften", "skob")),
        ("The answer is Riften.", ("riften",)),
        ("The answer is V-Roc, O'Neil.", ("o'neil", "v-roc")),
        ("", ()),
    ],
)
def test_lists(text: str, names: tuple[str, ...]) -> None:
    assert final_list(text) == names


def test_order_and_case_of_a_list_do_not_matter_but_its_entries_do() -> None:
    assert same_list("The answer is skob, Riften.", "Riften, Skob")
    assert not same_list("The answer is Riften.", "Riften, Skob")
    assert not same_list("The answer is Riften, Skob, Handt.", "Riften, Skob")
    assert same_letters("The answer is Eg.", "eg")


def test_only_the_first_stated_answer_counts() -> None:
    assert stated("The answer is 3.\nThe answer is 4.") == "3"
    assert stated("I do not know.") is None
