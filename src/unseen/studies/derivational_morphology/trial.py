"""How is it measured? By the kind of speaker: learners with known workings, language models, decoders trained here."""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.lab import Lab
from unseen.core.record import Item, Row

from . import learners
from .arms import Cognitive, Probed, Setting
from .lexicon import opened
from .seen import recounted


def run(setting: Setting, lab: Lab) -> Iterator[Row | Item]:
    """Yield items of nonce words with the choice (`ity`) and whether each other speaker chooses so (`as_…`); of seen ones
    `expected` and `margin`; and rows that pair what a speaker says with the votes of people (`said_ity`)."""
    if isinstance(setting, Cognitive):
        return _cognitive(setting, lab)
    if isinstance(setting, Probed):
        from . import probed

        return probed.run(setting, lab)
    from . import taught

    return taught.run(setting, lab)


def _cognitive(setting: Cognitive, lab: Lab) -> Iterator[Row | Item]:
    """What one learner, the people or a coin say of every nonce word. Only coins differ from seed to seed."""
    lexicon = recounted(opened(setting.data, lab), setting.counts)
    said = learners.references(lexicon)
    for seed in lab.seeds if setting.learner == "coin" else lab.seeds[:1]:
        if setting.learner == "coin":
            thrown = lab.rng("coin", seed=seed).random(len(lexicon.nonce))
            mine = {w.base: float(v) for w, v in zip(lexicon.nonce, thrown, strict=True)}
        else:
            who = "people" if setting.learner == "people" else f"{setting.learner}_{setting.weighting}"
            mine = said[who]
        for w in lexicon.nonce:
            if w.base in mine:
                split = learners.split_of(w.ending)
                yield learners.item(w, float(mine[w.base] > 0.5), said, split, seed=seed)
        yield from learners.tastes(lexicon.nonce, mine, said["people"], seed)
