"""What must a prompt show so that a language model composes skills on problems harder than those it was shown?

Answer: the basic skills, and a few worked compositions whose every step names the skill it uses and writes down what is
known so far.
"""

from __future__ import annotations

from unseen.core.study import Evidence, Needs, Paper, Study, Tier

from .asked import Control, Prompted, evidence_prompted, rehearsed, settings_prompted
from .claims import CLAIMS_PROMPTED, HEADLINES, MARKS
from .costs import needs_prompted
from .learned import CLAIMS_LEARNED, Learned, needs_learned, rehearse_learned, settings_learned

Setting = Prompted | Control | Learned


def settings(tier: Tier) -> list[Setting]:
    """Models that are asked, their controls, and small decoders that are trained."""
    return [*settings_prompted(tier), *settings_learned(tier)]


def needs(setting: Setting) -> Needs:
    """What one trial asks of a machine."""
    return needs_prompted(setting) if isinstance(setting, Prompted | Control) else needs_learned(setting)


def evidence(setting: Setting) -> Evidence:
    """The released files of GSM8K and CommaQA-E where they are asked, else problems made here."""
    return evidence_prompted(setting) if isinstance(setting, Prompted) else "twin"


def rehearse(setting: Setting) -> Setting:
    """A paper setting with only its sizes lowered."""
    if isinstance(setting, Prompted):
        return rehearsed(setting)
    return setting if isinstance(setting, Control) else rehearse_learned(setting)


STUDY = Study(
    paper=Paper("Skills-in-Context Prompting: Unlocking Compositionality in Large Language Models", "2308.00304", 2023),
    axes=("length", "composition", "complexity"),
    settings=settings,
    seeds={"smoke": 1, "laptop": 5, "paper": 5},
    needs=needs,
    evidence=evidence,
    claims=(*CLAIMS_PROMPTED, *CLAIMS_LEARNED),
    headlines=HEADLINES,
    marks=MARKS,
    rehearse=rehearse,
    block=5,
)
