"""What does asking a language model cost? Minutes of one core, as measured; no trial depends on them.

MINUTES["commaqa", "skic"]  ->  14.4, for five seeds of smollm2
"""

from __future__ import annotations

from unseen.core.study import Needs

from .asked import UNTRAINED, Control, Prompted

MINUTES: dict[tuple[str, str], float] = {  # five seeds of smollm2 at the laptop tier on one core of a busy machine
    ("last_letter", "zero_shot"): 0.9, ("last_letter", "few_shot"): 0.4, ("last_letter", "cot"): 1.8,
    ("last_letter", "skic"): 6.8, ("addition", "few_shot"): 0.2, ("dp", "few_shot"): 0.2, ("dp", "cot"): 2,
    ("dp", "skic"): 7.9, ("dp", "skic_without_skills"): 7.6, ("dp", "skic_without_grounding"): 4.6,
    ("commaqa", "few_shot"): 1.3, ("commaqa", "cot"): 11.4, ("commaqa", "skic"): 14.4, ("gsm8k", "few_shot"): 0.4,
    ("gsm8k", "cot"): 6.8, ("gsm8k", "skic"): 7.2,
}  # fmt: skip


def needs_prompted(setting: Prompted | Control) -> Needs:
    """What one trial asks of a machine."""
    if isinstance(setting, Control):
        return Needs(minutes=0.3, extras=("torch",) if setting.speaker == "untrained" else ())
    kind = setting.model.partition(":")[0]
    extras: dict[str, tuple[str, ...]] = {"api": ("server",), "py": (), "replay": ()}
    if setting.model == UNTRAINED:
        return Needs(minutes=0.1, extras=("torch",))
    if setting.max_new_tokens > 1024 and kind in ("hf", "gguf"):
        return Needs(minutes=60, gpus=1, memory_gb=40, extras=("hub",))
    minutes = MINUTES.get((setting.task, setting.method), 8.0)
    return Needs(minutes=minutes, memory_gb=3, extras=extras.get(kind, ("hub",)))
