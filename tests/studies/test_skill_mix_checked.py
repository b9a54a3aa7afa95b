"""Does a program see the skills of our own? Texts written by hand that show each skill, and texts that nearly do."""

import pytest

from unseen.studies.skill_composition.checked import CHECKS, on_topic
from unseen.studies.skill_composition.prose import clauses, sensible, sentences, split_sentences, words
from unseen.studies.skill_composition.skills import own

SHOWS: dict[str, tuple[str, ...]] = {
    "alliteration": ("Big bold bakers.", "We saw seven silent swans.", "Tom took two.", "The cold, clear creek ran on.", "Many men make merry."),
    "epizeuxis": ("Never, never again.", "It was a long long day.", "Run! run to the hills.", "We waited and waited, waited for rain.", "The sea, the sea, sea of dreams."),
    "anaphora": ("We sew by day, we sew by night.", "I have a dream. I have a hope.", "It was dark; it was cold outside.", "Some say fire, some say ice.", "They came by sea. They came by land."),
    "epistrophe": ("He laughs at rain, and he dances in rain.", "I want the best. You are the best.", "See no evil, hear no evil.", "They love the sea; they fear the sea.", "She gave bread. He took bread."),
    "enumeration": ("She packed a rope, a map, and bread.", "Salt, oil and flour stood there.", "We came, saw and left.", "It needs old wood, dry straw or paper.", "Red, white, and blue."),
    "anadiplosis": ("Work brings order, order brings peace.", "Fear leads to anger. Anger leads to hate.", "We had hope; hope was enough.", "He bought bread, bread that was stale.", "It ended in winter. Winter was long."),
    "parenthesis": ("The bridge (built in haste) held.", "Tea (as they say) heals.", "It came late (too late).", "He left (he had to go) early.", "The ship (a small one) sank."),
    "antithesis": ("Not a storm but a whisper.", "It is not work, but play.", "She was never loud but always clear.", "We come not to praise him but to bury him.", "There was no rain but there was hope."),
    "simile": ("It lay like a mirror.", "He is as brave as a lion.", "She ran like the wind.", "The bread was as hard as the road.", "Snow fell like an old song."),
    "comparative": ("It is longer than the other.", "She has more bread than salt.", "Worse than before.", "This road is less steep than that one.", "He runs faster than I do."),
    "superlative": ("It was the coldest night.", "The most patient baker won.", "She gave her finest loaf.", "That was the worst of days.", "He took the least bitter cup."),
    "correlative comparison": ("The higher we climbed, the colder it grew.", "The more we know, the more we love it.", "The older the wine, the better it is.", "the less said, the better", "The faster they ran, the fewer followed."),
    "conditional statement": ("If the wind turns, we sail.", "We sail if the wind turns.", "if you knead it well, it rises", "Only call if there is fire.", "If it rains tomorrow, we stay."),
    "causal explanation": ("It turned because it stood in the sun.", "Because of rain we stayed.", "Because he ran, he fell.", "We left because nobody came.", "They sing because they can."),
    "purpose clause": ("She whispered so that nobody would wake.", "We left early in order to see it.", "He ran so that he might win.", "In order that all may eat, we bake.", "So that it lasts, dry it."),
    "exceptive phrase": ("All left except the cook.", "Unless it rains, we go.", "The hall was dark save for a candle.", "Apart from bread there was nothing.", "Everyone, with the exception of Anna, came."),
    "rhetorical question": ("Who could ask for more?", "Is there a better day than this?", "Well, who would not love bread?", "And what is a day without bread?", "\"Why do we wait?\""),
    "exclamation": ("What a view!", "Stop!", "It rose (what a joy!).", "\"Help!\" she cried.", "Bread! We have bread."),
    "quotation": ('"We are there," he said.', 'They call it "the long night".', "“Go home now,” she said.", 'He wrote "I am well" twice.', '"No bread, no peace!"'),
    "apostrophe": ("O moon, show us the way.", "Oh night, be kind.", "O sweet bread, we thank you.", "We sing, O river, of you.", "O winter!"),
    "numeral": ("Seven boats came.", "He ate 12 loaves.", "Two of us stayed.", "It cost 1,500 coins.", "A hundred days passed."),
    "calendar date": ("It opens on a Tuesday.", "In 1984 it closed.", "We met in October.", "We sail in March.", "Sundays are slow."),
    "colour term": ("A green door.", "The Red Baron.", "White snow fell.", "Her amber eyes.", "It turned grey."),
    "honorific": ("It came from Mrs. Winter.", "Dr. Lee waits.", "Mr Smith left.", "Professor Vale spoke.", "We saw Captain Hook."),
}  # fmt: skip
LACKS: dict[str, tuple[str, ...]] = {
    "alliteration": ("Big bad wolf.", "We see. Some say.", "The bread is good.", "Bakers always bake.", "Tall trees. Tall men."),
    "epizeuxis": ("Never say never.", "It ended. Ended how?", "The sea and the sea.", "A man is a man.", "Here and there."),
    "anaphora": ("We sew by day, they sew by night.", "The sun rose.", "It was dark and cold.", "We run, we.", "Come here; go there."),
    "epistrophe": ("He laughs at rain and snow.", "No, no.", "I want bread. You want salt.", "The rain fell.", "Rain, rain."),
    "enumeration": ("She packed a rope and a map.", "Salt, oil.", "We came and saw and left.", "Bread, I say.", "It is old, I think."),
    "anadiplosis": ("Work brings order, and peace.", "I go. Go.", "He left, she came.", "We had hope and hope.", "An ox, ox of the field."),
    "parenthesis": ("The bridge held.", "Tea (hot) heals.", "It came late ().", "He left (", "A [square one] here."),
    "antithesis": ("It was a storm.", "Not today.", "Small but strong.", "We did not go. But we stayed.", "Not only bread but also salt."),
    "simile": ("I like the sea very much, they like a drink.", "She would like a rest.", "As soon as possible.", "They act alike.", "It is likely."),
    "comparative": ("It is longer.", "Rather than wait, go.", "No other than him.", "More bread.", "Than what?"),
    "superlative": ("The forest was dark.", "He is the guest.", "An honest man.", "It was colder.", "Most people left."),
    "correlative comparison": ("The more we know. The more we love.", "The bread is the better one.", "More or less.", "The older man left, the dog stayed.", "The more we know it, we love it."),
    "conditional statement": ("As if it rained.", "When it rains, we stay.", "If.", "A stiff wind.", "It may rain."),
    "causal explanation": ("It fell, so we left.", "The cause is known.", "Because.", "Since then we wait.", "For that reason we left."),
    "purpose clause": ("So he left.", "In good order.", "It was so cold.", "That is so.", "To win is all."),
    "exceptive phrase": ("We accept the loss.", "Save your bread.", "An exceptional day.", "All left but him.", "Except."),
    "rhetorical question": ("Bread?", "The bread is good?", "You are late?", "Who knows.", "Why, Tom?"),
    "exclamation": ("What a view.", "Stop.", "!", "We won, 3 to 1.", "It is over…"),
    "quotation": ("He said we are there.", 'A "word" only.', "'We are there,' he said.", '"', "“"),
    "apostrophe": ("Oh well.", "The moon shows the way.", "O", "Only bread, friend.", "It's John's bread."),
    "numeral": ("One boat came.", "In 1984 it closed.", "A boat came.", "Someone left.", "He weighed it."),
    "calendar date": ("It may rain.", "They march on.", "Seven days.", "At 10 sharp.", "Tomorrow we go."),
    "colour term": ("A reddish door.", "The door.", "He blackened it.", "Colours fade.", "A bluebird sang."),
    "honorific": ("The doctor came.", "Mrs went home.", "Winter came.", "Mister Smith.", "A captain waits."),
}  # fmt: skip


def test_every_skill_of_our_own_is_tried() -> None:
    assert set(SHOWS) == set(LACKS) == set(CHECKS) == {s.name for s in own().skills}
    assert len(own().skills) == 24 and len({s.category for s in own().skills}) == 6


@pytest.mark.parametrize("name", CHECKS)
def test_texts_that_show_a_skill_and_texts_that_do_not(name: str) -> None:
    assert [text for text in SHOWS[name] if not CHECKS[name](text)] == []
    assert [text for text in LACKS[name] if CHECKS[name](text)] == []
    assert not CHECKS[name]("")


@pytest.mark.parametrize("skill", own().skills, ids=lambda s: s.name)
def test_examples_and_fragments_show_their_skill(skill) -> None:
    assert CHECKS[skill.name](skill.example)
    for topic in own().topics:
        told = skill.fragment.format(t=topic.name)
        assert CHECKS[skill.name](told) and on_topic(told, topic.stems)


@pytest.mark.parametrize(
    ("text", "n", "released"),
    [
        ("", 0, 0),
        ("No mark at all", 1, 1),
        ("One. Two. Three.", 3, 3),
        ("Dr. Lee and Mrs. Vale met Prof. Ray.", 1, 1),
        ('"Why?" asks Tom. "Why not?" Nobody knows.', 3, 3),
        ("It cost 3.50 at noon.", 1, 1),
        ("One line.\nTwo lines.", 2, 1),  # the released rule knows plain spaces only
        ("He said “no.” “Yes,” she said.", 2, 1),  # and straight quotes only
        ("wait... what? no", 1, 1),
    ],
)
def test_sentences_are_counted_by_the_released_rule_and_as_intended(text: str, n: int, released: int) -> None:
    assert sentences(text) == n == len(split_sentences(text))
    assert sentences(text, as_released=True) == released


def test_clauses_and_words() -> None:
    assert clauses("Mr. Lee (a baker) sings; he bakes, too!") == ["Mr Lee", "a baker", "sings", "he bakes", "too"]
    assert words("It’s Tom's loaf, No. 7.") == ["it's", "tom's", "loaf", "no"]


@pytest.mark.parametrize("text", ["The bread is warm.", '"We bake," she said.', "Weaving gives people patient pleasure.", "Is it late?", "(So it is.)"])  # fmt: skip
def test_prose_reads_as_prose(text: str) -> None:
    assert sensible(text)


@pytest.mark.parametrize(
    "text",
    ["", "the bread is warm.", "The bread is warm", 'The "bread is warm.', "The (bread is warm.", "Bread.", "Bread bread bread bread bread bread.", "Stone river glass amber window noon paper wheel seven garden lift carry."],
)  # fmt: skip
def test_heaps_of_words_do_not(text: str) -> None:
    assert not sensible(text)
