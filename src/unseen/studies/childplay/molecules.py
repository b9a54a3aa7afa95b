"""Which molecule is drawn? Guess-the-SMILES: small random molecules as characters on a grid, to be written as SMILES.

        O
      *
C * N            ->  CNO
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from itertools import combinations
from typing import Any

import numpy as np

from unseen.core.errors import Invalid, missing_extra
from unseen.core.record import Split
from unseen.core.task import Example

from . import wording
from .puzzle import Asked, Puzzles

TOKENS = 30  # of a random SELFIES
LEFT_OUT = ("[=B]", "[#B]", "[=P]", "[#P]", "[#S]", "[Cl]", "[Br]", "[I]")
PIXELS, BOND, CELL = 300, 40, 14  # of the drawing, of a bond in it, and of a character
ATOMS: Mapping[str, tuple[int, int]] = {"10-15 atoms": (10, 15), "5-9 atoms": (5, 9), "16-30 atoms": (16, 30)}
Point = tuple[float, float]


def molecules(axis: str = "atoms", harness: str = "as_intended") -> Puzzles:
    """The task; as intended only drawings that show every atom and bond apart are asked. Raises Missing without RDKit."""
    for package in ("rdkit", "selfies"):
        if find_spec(package) is None:
            raise missing_extra(
                "Guess-the-SMILES", ModuleNotFoundError(f"No module named {package!r}", name=package), "chemistry"
            )
    if axis != "atoms":
        raise Invalid(f"axis={axis}: molecules are shifted along atoms alone.")
    splits = tuple(Split(name, "atoms", {"atoms": high}, name != "10-15 atoms") for name, (_, high) in ATOMS.items())
    return Puzzles("molecules", splits, lambda s, i, rng: _asked(s, harness, rng), lambda e, a: graded(e, a, harness))


def graded(example: Example, answer: str, harness: str = "as_intended") -> dict[str, float]:
    """`exact`: the same molecule, by its canonical SMILES; `legal`: a molecule at all; `similarity`: Dice of Morgan
    fingerprints (as released −1 where there is no molecule, else 0); `spelled`: 1 − edit distance / longer length."""
    said = answer.split("The SMILES string for the given molecule is:")[-1].strip()
    mine, theirs = parsed(said), parsed(example.truth)
    spelled = 1 - distance(said, example.truth) / max(len(said), len(example.truth), 1)
    if mine is None or theirs is None:
        return {"exact": 0.0, "legal": 0.0, "similarity": -1.0 if harness == "as_released" else 0.0, "spelled": spelled}
    same = canonical(mine) == canonical(theirs)
    return {"exact": float(same), "legal": 1.0, "similarity": dice(mine, theirs), "spelled": spelled}


def parsed(smiles: str) -> Any:
    """The molecule of a SMILES, or None."""
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        found = Chem.MolFromSmiles(smiles) if smiles and len(smiles) < 1000 else None
    return found if found is not None and found.GetNumAtoms() else None


def canonical(molecule: Any) -> str:
    """The canonical SMILES of a molecule."""
    from rdkit import Chem

    return Chem.MolToSmiles(molecule)


def dice(a: Any, b: Any) -> float:
    """The Dice similarity (0..1) of the Morgan fingerprints of radius 2."""
    from rdkit import DataStructs

    maker = _fingerprints()
    return float(DataStructs.DiceSimilarity(maker.GetSparseCountFingerprint(a), maker.GetSparseCountFingerprint(b)))


def distance(a: str, b: str) -> int:
    """Levenshtein's distance: the fewest characters to add, drop or change."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def random_molecule(low: int, high: int, rng: np.random.Generator) -> str:
    """The canonical SMILES of a random molecule of single bonds with so many atoms, hydrogen among them."""
    import selfies

    # DEPARTS: the released generator is not in the repository; this one follows what is known of it
    alphabet = sorted(
        t for t in selfies.get_semantic_robust_alphabet() if not re.search(r"[+-]\d", t) and t not in LEFT_OUT
    )
    while True:
        told = "".join(alphabet[int(i)] for i in rng.integers(len(alphabet), size=TOKENS))
        smiles = str(selfies.decoder(told) or "").replace("=", "").replace("#", "")
        molecule = parsed(smiles)
        if molecule is None or "H" in smiles:
            continue
        if low <= molecule.GetNumAtoms(onlyExplicit=False) <= high:
            return canonical(molecule)


def drawing(smiles: str) -> str:
    """A molecule as characters: element symbols at its atoms, `*` half-way along its bonds."""
    molecule = parsed(smiles)
    places = placed(molecule)
    marks: dict[Point, str] = {}
    for bond in molecule.GetBonds():
        a, b = places[bond.GetBeginAtomIdx()], places[bond.GetEndAtomIdx()]
        marks.setdefault(((a[0] + b[0]) / 2, (a[1] + b[1]) / 2), "*")
    atoms: dict[Point, str] = {}
    for place, atom in zip(places, molecule.GetAtoms(), strict=True):
        atoms.setdefault(place, atom.GetSymbol())
    marks |= atoms
    stop = 2 * (max(max(p) for p in places) + 1)
    rows = [" ".join(marks.get((x / 2, y / 2), " ") for x in range(int(stop) + 1)) for y in range(int(stop) + 1)]
    return "\n".join(row.rstrip() for row in rows if row.strip())


def placed(molecule: Any) -> list[Point]:
    """Where each atom's character stands, in whole steps from the corner."""
    from rdkit import Geometry
    from rdkit.Chem import rdCoordGen
    from rdkit.Chem.Draw import rdMolDraw2D

    rdCoordGen.AddCoords(molecule)
    drawer = rdMolDraw2D.MolDraw2DSVG(PIXELS, PIXELS)
    drawer.drawOptions().fixedBondLength = BOND
    drawer.DrawMolecule(molecule)
    found: list[Point] = []
    for i in range(molecule.GetNumAtoms()):
        at = molecule.GetConformer().GetAtomPosition(i)
        point = drawer.GetDrawCoords(Geometry.Point2D(at.x, at.y))
        found.append((round(point.x / CELL), round(point.y / CELL)))
    least = min(min(p) for p in found)
    return [(x - least, y - least) for x, y in found]


def solved(prompt: str) -> str:
    """The SMILES of a prompt's drawing: each `*` joins the two atoms it lies half-way between, nearest ones first."""
    return joined(prompt.partition("include the * characters:\n")[2].partition("\nPlease provide")[0])


def joined(picture: str) -> str:
    """The canonical SMILES of a drawing, as far as it can be told."""
    from rdkit import Chem

    atoms: list[tuple[str, Point]] = []
    marks: list[Point] = []
    for y, line in enumerate(picture.splitlines()):
        found = [(word[0], (float(word.start()), float(y))) for word in re.finditer(r"\*|[A-Z][a-z]?", line)]
        atoms += [(symbol, at) for symbol, at in found if symbol != "*"]
        marks += [at for symbol, at in found if symbol == "*"]
    made = Chem.RWMol()
    for symbol, _ in atoms:
        made.AddAtom(Chem.Atom(symbol))
    bonded: set[tuple[int, int]] = set()
    for x, y in marks:
        pairs = [(i, j) for i, j in combinations(range(len(atoms)), 2) if _half_way(atoms[i][1], atoms[j][1], (x, y))]
        if pairs:
            i, j = min(pairs, key=lambda p: abs(atoms[p[0]][1][0] - x) / 2 + abs(atoms[p[0]][1][1] - y))
            bonded.add((i, j))
    for i, j in sorted(bonded):
        made.AddBond(i, j, Chem.BondType.SINGLE)
    found = parsed(Chem.MolToSmiles(made))
    return "" if found is None else canonical(found)  # bonds that no molecule has, where characters fell together


def _half_way(a: Point, b: Point, at: Point) -> bool:
    return abs((a[0] + b[0]) / 2 - at[0]) < 0.5 and abs((a[1] + b[1]) / 2 - at[1]) < 0.25


@cache
def _fingerprints() -> Any:
    from rdkit.Chem import rdFingerprintGenerator

    return rdFingerprintGenerator.GetMorganGenerator(radius=2)


def _asked(split: Split, harness: str, rng: np.random.Generator) -> Asked:
    while True:
        smiles = random_molecule(*ATOMS.get(split.name, ATOMS["10-15 atoms"]), rng)
        picture = drawing(smiles)
        if harness == "as_released" or joined(picture) == smiles:
            return Asked(wording.MOLECULE_SYSTEM, wording.MOLECULE_USER.replace("{drawing}", picture), smiles)
