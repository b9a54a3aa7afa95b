"""Do language models play simple games that are shown in characters, and do they still when the game looks different?

Answer: they lose many games by moves that are not legal, so that wins must be counted apart from legality; and two of
the seven released tasks do not measure what they name: battleship shows the wrong view, and LEGO validity has a tell.
"""

from __future__ import annotations

from dataclasses import replace

from unseen.core.study import Evidence, Model, Paper, Study, Tier

from .arms import AXES, BOARDS, PUZZLES, Asked, Scripted
from .claims import CLAIMS_PAPER, LADDER
from .claims_shifted import CLAIMS_SHIFTED, HEADLINES, MARKS
from .costs import UNTRAINED, needs
from .learned import Learned, rehearse_learned, settings_learned

Setting = Asked | Scripted | Learned
SMOLLM2 = Model("smollm2")
ROOM = {"lego_construction": 160, "molecules": 48, "shapes": 8, "lego_validity": 8}  # tokens of an answer
FAIR: tuple[tuple[str, str], ...] = (  # what models are asked as intended: game and axis
    *(("tictactoe", axis) for axis in ("size", "symbols", "notation", "rendering", "history", "moves", "opponent")),
    ("battleship", "none"), ("shapes", "size"), ("shapes", "noise"), ("lego_validity", "pieces"),
    ("lego_construction", "pieces"), ("molecules", "atoms"),
)  # fmt: skip
MORE: tuple[tuple[str, str], ...] = (
    *((game, axis) for game in ("connectfour", "battleship") for axis in ("size", "notation", "rendering", "opponent")),
    ("connectfour", "symbols"), ("shapes", "shapes"), ("shapes", "rendering"),
)  # fmt: skip


def settings(tier: Tier) -> list[Setting]:
    """Models, scripted players that are shown the same prompts, and decoders."""
    asked = {"smoke": _asked_smoke, "laptop": _asked_laptop, "paper": _asked_paper}[tier]()
    few, many = {"smoke": (4, 40), "laptop": (40, 1_000), "paper": (20, 1_000)}[tier]
    return [*asked, *_scripted(few, many), *settings_learned(tier)]


def _asked_smoke() -> list[Asked]:
    both = [
        ("tictactoe", "none", "as_released"),
        ("lego_construction", "none", "as_released"),
        ("molecules", "none", "as_released"),
    ]
    told = [*both, *((game, axis, "as_intended") for game, axis in (("tictactoe", "size"), ("tictactoe", "rendering"), ("shapes", "size"), ("lego_validity", "pieces")))]  # fmt: skip
    return [Asked(UNTRAINED, game, axis, harness, games=3, max_new_tokens=4) for game, axis, harness in told]  # type: ignore[arg-type]


def _asked_laptop() -> list[Asked]:
    return _asked(SMOLLM2, FAIR, 8, "bfloat16")


def _asked_paper() -> list[Asked]:
    return [s for model in LADDER for s in _asked(Model(model), (*FAIR, *MORE), 40, "bfloat16")]


def _asked(model: Model, fair: tuple[tuple[str, str], ...], games: int, dtype: str) -> list[Asked]:
    """Every game as released, and the shifts as intended. Structures are written at temperature 1: the prompt is one."""
    released = [Asked(model, game, "none", "as_released") for game in (*BOARDS, *PUZZLES)]  # type: ignore[arg-type]
    made = [*released, *(Asked(model, game, axis) for game, axis in fair)]  # type: ignore[arg-type]
    return [
        replace(
            s,
            games=games // 2 if s.game == "lego_construction" else games,  # long answers
            dtype=dtype,
            temperature=1.0 if (s.game, s.harness) == ("lego_construction", "as_released") else 0.0,
            max_new_tokens=64 if s.game == "lego_construction" and s.shift == "none" else ROOM.get(s.game, 16),
        )
        for s in made
    ]


def _scripted(few: int, many: int) -> list[Scripted]:
    """Baselines against a random opponent, readers of every way of showing a game, and both harnesses' audits."""
    boards = [Scripted(player, "tictactoe", games=few * 5) for player in ("one_ply", "minimax", "weak")]
    boards += [Scripted("random", "tictactoe", harness=h, games=many) for h in ("as_intended", "as_released")]  # type: ignore[arg-type]
    boards += [
        Scripted("random", "connectfour", harness="as_released", games=many // 2),
        Scripted("one_ply", "connectfour", games=few),
    ]
    boards += [Scripted("minimax", "connectfour", games=few // 4)]
    boards += [
        Scripted(p, "battleship", harness=h, games=many // 10 + few, kept=True)
        for p in ("random", "hunter")
        for h in ("as_intended", "as_released")
    ]  # type: ignore[arg-type]
    readers = [
        Scripted("oracle", game, axis, games=max(2, few // 8))
        for game, axis in (*FAIR, *MORE)
        if game in BOARDS and game != "connectfour" and axis != "none"
    ]  # type: ignore[arg-type]
    readers += [
        Scripted("one_ply", "connectfour", axis, games=max(2, few // 8)) for game, axis in MORE if game == "connectfour"
    ]
    puzzles = [Scripted("oracle", game, games=few) for game in PUZZLES]  # type: ignore[arg-type]
    puzzles += [Scripted("guess", game, games=many // 10 + few) for game in ("shapes", "lego_validity")]  # type: ignore[arg-type]
    puzzles += [Scripted("glance", "lego_validity", harness=h, games=few * 2) for h in ("as_intended", "as_released")]  # type: ignore[arg-type]
    return [*boards, *readers, *puzzles, Scripted("oracle", "molecules", harness="as_released", games=few * 2)]


def evidence(setting: Setting) -> Evidence:
    """Twins: the games are drawn anew, by the paper's rules, and its models are asked by nobody here."""
    return "twin"


def rehearse(setting: Setting) -> Setting:
    """A paper setting with only its sizes lowered, and a small model of the same class."""
    if isinstance(setting, Learned):
        return rehearse_learned(setting)
    if isinstance(setting, Scripted):
        return replace(setting, games=20)
    return replace(setting, model=Model("tiny:qwen2"), games=20, dtype="float32", max_new_tokens=4)


STUDY = Study(
    paper=Paper(
        "Show, Don't Tell: Evaluating Large Language Models Beyond Textual Understanding with ChildPlay",
        "2407.11068",
        2024,
        "https://github.com/BlueVelvetSackOfGoldPotatoes/child-play",
    ),
    axes=(*AXES, "position"),
    settings=settings,
    seeds={"smoke": 1, "laptop": 5, "paper": 5},
    needs=needs,
    evidence=evidence,
    claims=(*CLAIMS_PAPER, *CLAIMS_SHIFTED),
    headlines=HEADLINES,
    marks=MARKS,
    rehearse=rehearse,
    block=5,
)
