"""How is it measured? Decoders and writers by rule on SkillText, language models on Skill-Mix, by the kind of setting."""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.lab import Lab
from unseen.core.record import Item, Row

from .arms import Baseline, Learned, Setting
from .arms_mix import Compared, Taught


def run(setting: Setting, lab: Lab) -> Iterator[Row | Item]:
    """Yield rows of texts of letters (`full`, `all_skills`, `fraction`, their `best_` and `bound`), and items in English."""
    if isinstance(setting, Learned):
        from . import learned

        return learned.run(setting, lab)
    if isinstance(setting, Baseline):
        from . import baselines

        return baselines.run(setting, lab)
    if isinstance(setting, Compared):
        from . import compared

        return compared.run(setting, lab)
    if isinstance(setting, Taught):
        from . import tuned

        return tuned.run(setting, lab)
    from . import asked

    return asked.run(setting, lab)
