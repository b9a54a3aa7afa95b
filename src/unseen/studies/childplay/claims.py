"""What does the paper claim, where does each claim lie here, and what must hold whatever is true?

Claims about trained decoders and about shifts stand in `claims_shifted.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from unseen.core.claim import Claim, Effect, Region, Want, above, below, between, gap, level, one_of

from .effects import Ordered

Arm = Mapping[str, Want]
Given = tuple[tuple[Effect, Region], ...]
# DEPARTS: GPT-3.5, GPT-4, GPT-4o and 4o-mini are asked by nobody here; open models of one family stand for the ladder
LADDER = ("hf:Qwen/Qwen2.5-0.5B-Instruct", "hf:Qwen/Qwen2.5-3B-Instruct", "hf:Qwen/Qwen2.5-14B-Instruct")
SMALLEST = one_of("smollm2", LADDER[0])  # of the laptop tier, and of the ladder
OVER = ("model", "games", "temperature", "max_new_tokens", "seat", "shape")


def asked(game: str, **more: Want) -> dict[str, Want]:
    """The conditions of a language model at a game, as released unless told otherwise."""
    return {"setting": "Asked", "game": game, "harness": "as_released", "shift": "none"} | more


def scripted(player: str, game: str, **more: Want) -> dict[str, Want]:
    """The conditions of a scripted player against a random one, as released unless told otherwise."""
    who = {"setting": "Scripted", "player": player, "game": game, "harness": "as_released", "shift": "none"}
    return who | {"opponent": "random"} | more


def playing(arm: Arm) -> Given:
    """The precondition that a model plays at all: more than half of its games begin with a legal move."""
    return ((level("opened", **arm), above(0.5)),)


def answering(arm: Arm) -> Given:
    """The precondition that a model answers in the form that is asked for, more often than not."""
    return ((level("legal", **arm), above(0.5)),)


def _tictactoe() -> tuple[Claim, ...]:
    model, chance = asked("tictactoe"), scripted("random", "tictactoe")
    small = asked("tictactoe", model=LADDER[0])
    return (
        Claim(
            "C1a", "A language model that moves first beats a random player more often than another random one does.",
            reported="0.53 (GPT-3.5), 0.77 (GPT-4), 0.61 (4o-mini), 0.92 (4o) against 0.585", source="paper", where="the tic-tac-toe results",
            effect=gap("win", model, chance), expect=above(0), over=OVER, given=playing(model),
        ),
        Claim(
            "C1b", "The smallest model of a family wins less often than a random player.",
            reported="0.53 (GPT-3.5) against 0.585", source="paper", where="the tic-tac-toe results", tiers=("paper",),
            effect=gap("win", small, chance), expect=below(0), over=OVER,
        ),
        Claim(
            "C1c", "What the smallest model loses it forfeits by moves that are not legal.",
            reported="47 of 47 losses (GPT-3.5)", source="paper", where="the tic-tac-toe results",
            effect=level("loss_by_forfeit", **asked("tictactoe", model=SMALLEST)), expect=above(0.9), over=OVER,
        ),
    )  # fmt: skip


def _connectfour() -> tuple[Claim, ...]:
    model = asked("connectfour")
    return (
        Claim(
            "C2a", "In connect four a model that plays on legally nearly always beats the random player.",
            reported="76 of 80, 80 of 80, 79 of 79, 80 of 82", source="paper", where="the connect four results",
            effect=level("win_if_legal", **model), expect=above(0.9), over=OVER, given=playing(model),
        ),
        Claim(
            "C2b", "Its losses are forfeits, by columns that are full or replies that are no number.",
            reported="20 of 24, 20 of 20, 21 of 21, 18 of 20", source="paper", where="the connect four results",
            effect=level("loss_by_forfeit", **model), expect=above(0.7), over=OVER, given=playing(model),
        ),
    )  # fmt: skip


def _battleship() -> tuple[Claim, ...]:
    model, fixed = asked("battleship"), asked("battleship", harness="as_intended", seat="first")
    where = "main.py at commit 1a25f41: make_guess calls get_text_state(None), and battleship.py takes all but 0 for player 2"
    return (
        Claim(
            "C3a", "In the released battleship language models hardly ever win.",
            reported="0.10 (GPT-3.5), 0.04 (GPT-4), 0 (4o-mini), 0 (4o)", source="paper", where="the battleship results",
            effect=level("win", **model), expect=below(0.15), over=OVER, given=playing(model),
        ),
        *(
            Claim(
                id, f"{who} wins far more often when shown its own view of the sea than when shown the other player's, as the released program shows it.",
                reported="not reported; the sheet's simulation: 0.598 against 0.001", source="code", where=where, kind="audit", tiers=("smoke", "laptop", "paper"),
                effect=gap("win", scripted(player, "battleship", harness="as_intended", seat="first"), scripted(player, "battleship")),
                expect=above(0.3), over=OVER, unit="item",
            )
            for id, player, who in (("C3b", "random", "A player that never shoots at a square it knows to be shot at"), ("C3c", "hunter", "A player that shoots beside its hits"))
        ),
        Claim(
            "C3d", "So does a language model.",
            reported="not reported", source="code", where=where,
            effect=gap("win", fixed, model), expect=above(0.3), over=OVER, given=playing(fixed),
        ),
        Claim(
            "C3e", "Nearly all of its losses in the released battleship are forfeits.",
            reported="nearly all; GPT-4o's games last 4 turns", source="paper", where="the logs of the battleship results",
            effect=level("loss_by_forfeit", **model), expect=above(0.9), over=OVER, given=playing(model),
        ),
        Claim(
            "C3f", "In the released battleship the player that never repeats a shot it sees loses by repeating shots that it is not shown.",
            reported="not reported", source="code", where=where, kind="audit", tiers=("smoke", "laptop", "paper"),
            effect=level("forfeit", **scripted("random", "battleship")), expect=above(0.9), over=OVER, unit="item",
        ),
    )  # fmt: skip


def _shapes() -> tuple[Claim, ...]:
    model, large = asked("shapes"), asked("shapes", model=LADDER[-1])
    return (
        Claim(
            "C4a", "Models name shapes more often than chance would.",
            reported="0.37, 0.92, 0.52, 0.97 against 0.25", source="paper", where="the shapes results",
            effect=level("exact", **model), expect=above(0.25), over=OVER, given=answering(model),
        ),
        Claim(
            "C4b", "The largest one names more than four in five.",
            reported="0.92 (GPT-4), 0.97 (4o)", source="paper", where="the shapes results", tiers=("paper",),
            effect=level("exact", **large), expect=above(0.8), over=OVER, given=answering(large),
        ),
        Claim(
            "C4c", "Crosses are harder than squares and triangles.",
            reported="4 of 25 crosses, 35 of 50 others (4o-mini)", source="paper", where="the shapes results",
            effect=gap("exact", {"shape": one_of("square", "triangle")}, {"shape": "cross"}, **model), expect=above(0), over=OVER,
            given=(*answering(model), (level("exact", **model), above(0.325))),
        ),
    )  # fmt: skip


def _written() -> tuple[Claim, ...]:
    """What is claimed of LEGO structures and molecules."""
    told, built, drawn = asked("lego_validity"), asked("lego_construction"), asked("molecules")
    return (
        Claim(
            "C5a", "Models tell valid structures from invalid ones hardly better than by chance.",
            reported="0.41 to 0.57 (GPT-3.5, GPT-4, 4o-mini), 0.56 to 0.75 (4o), chance 0.5", source="paper", where="the LCL results",
            effect=level("exact", **told), expect=below(0.6), over=OVER, given=answering(told),
        ),
        Claim(
            "C5b", "They seldom write a valid structure.",
            reported="0 to 0.06; 4o 0, 0.18, 0.36 and 0.25 by temperature", source="paper", where="the LCL results",
            effect=level("exact", **built), expect=below(0.4), over=OVER, given=answering(built),
        ),
        Claim(
            "C6a", "They almost never write the molecule that is drawn.",
            reported="at most 0.01, 0.06, 0.03 and 0.05", source="paper", where="the Guess-the-SMILES results",
            effect=level("exact", **drawn), expect=below(0.1), over=OVER, given=answering(drawn),
        ),
        Claim(
            "C6b", "What they write is not like it.",
            reported="mean Dice similarity up to 0.27", source="paper", where="the Guess-the-SMILES results",
            effect=level("similarity", **drawn), expect=below(0.3), over=OVER, given=answering(drawn),
        ),
        Claim(
            "C6c", "It is a molecule, more than two times in three.",
            reported="up to 30% are none", source="paper", where="the Guess-the-SMILES results",
            effect=level("legal", **drawn), expect=above(0.65), over=OVER,
        ),
        Claim(
            "C7", "Along a family of models scores rise on only four of the seven tasks.",
            reported="4 of 7 from GPT-3.5 over GPT-4 to GPT-4o", source="paper", where="the table of all tasks", tiers=("paper",),
            effect=Ordered(LADDER), expect=between(3.5, 4.5),
        ),
    )  # fmt: skip


def _missed() -> tuple[Claim, ...]:
    model, chance = asked("tictactoe"), scripted("random", "tictactoe")
    told = (("C8a", "wins at once", "missed_win"), ("C8b", "threats to block", "missed_block"))
    return tuple(
        Claim(
            id, f"Of {what} in tic-tac-toe a language model misses fewer than a random player.",
            reported="a figure of missed wins and blocks", source="paper", where="the missed moves",
            effect=gap(measure, model, chance), expect=below(0), over=OVER, given=playing(model),
        )
        for id, what, measure in told
    )  # fmt: skip


def _audits() -> tuple[Claim, ...]:
    glance, oracle = "lego_validity", scripted("oracle", "molecules")
    seats = scripted("random", "tictactoe", harness="as_intended")
    return (
        Claim(
            "A1", "Whether a released structure is valid can be told by its first piece alone: those that are begin at (0, 0).",
            reported="not reported", source="code", where="lcl.py at commit b8add9b: build_random_valid_assembly, generate_random_piece", kind="audit",
            effect=gap("exact", scripted("glance", glance), scripted("glance", glance, harness="as_intended")), expect=above(0.3), over=OVER,
        ),
        Claim(
            "A2", "Moving first is worth more than a quarter of all games of tic-tac-toe between random players, and the model always moves first.",
            reported="not reported; 0.585 and 0.288 by exact count", source="code", where="main.py at commit 1a25f41: the model is player 1", kind="audit",
            effect=gap("win", {"seat": "first"}, {"seat": "second"}, **seats), expect=above(0.25), over=OVER,
        ),
        Claim(
            "A3", "More than one in twenty of the released drawings cannot be read back, by a reader that reads every drawing whose characters stand apart.",
            reported="not reported", source="code", where="molecule_app: atoms fall on one character, and empty rows are dropped", kind="audit",
            effect=level("exact", **oracle), expect=below(0.95), over=OVER,
        ),
    )  # fmt: skip


def _controls() -> tuple[Claim, ...]:
    puzzles = one_of("shapes", "lego_validity", "lego_construction", "molecules")
    lines = one_of("tictactoe", "connectfour", "battleship")
    over = (*OVER, "game", "shift", "opponent", "side", "strength", "flipped", "pieces", "atoms")
    fair = {"harness": "as_intended"}
    oracle, guess = ({"setting": "Scripted", "player": who, "harness": "as_intended"} for who in ("oracle", "guess"))
    told: tuple[tuple[str, str, Effect, Region], ...] = (
        ("K1", "Between random players the first of tic-tac-toe wins as often as a count of all games says (0.585).", level("win", **scripted("random", "tictactoe")), between(0.55, 0.62)),
        ("K2", "A player that searches the whole tree, and reads nothing but prompts, never loses tic-tac-toe.", level("loss", **scripted("minimax", "tictactoe", **fair)), below(0.02)),
        ("K3", "It misses no win.", level("missed_win", **scripted("minimax", "tictactoe", **fair)), below(0.02)),
        ("K4", "It leaves no threat open.", level("missed_block", **scripted("minimax", "tictactoe", **fair)), below(0.02)),
        ("K5", "Between random players the first of connect four on 7 × 7 wins as often as simulation says (0.555).", level("win", **scripted("random", "connectfour")), between(0.5, 0.61)),
        ("K6", "Every way of showing a game holds what a player needs: one that reads prompts alone makes no illegal move.", level("legal", **oracle, game=lines), above(0.99)),
        ("K7", "A reader that works puzzles through is right on all of them.", level("exact", **oracle, game=puzzles), above(0.97)),
        ("K8", "A guesser names a shape no more often than chance.", level("exact", **guess, game="shapes"), below(0.4)),
        ("K9", "A guesser tells validity no more often than chance.", level("exact", **guess, game="lego_validity"), below(0.65)),
    )  # fmt: skip
    return tuple(
        Claim(
            id,
            says,
            reported="not reported: a control",
            source="recalled",
            effect=effect,
            expect=expect,
            over=over,
            kind="control",
        )
        for id, says, effect, expect in told
    )


CLAIMS_PAPER: tuple[Claim, ...] = (
    *_tictactoe(), *_connectfour(), *_battleship(), *_shapes(), *_written(), *_missed(), *_audits(), *_controls(),
)  # fmt: skip
