"""What is kept of a fit, so that one that was killed goes on? One file for each phase and layer, each whole or not there.

FOLDER/fit.json  FOLDER/covariances-0-24.safetensors  FOLDER/layer-model.layers.0.mlp.up_proj.safetensors
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from unseen.core.disk import whole
from unseen.core.errors import Damaged, Invalid


@dataclass(frozen=True, slots=True)
class Kept:
    """The files of one fit; without a folder nothing is kept."""

    folder: Path | None

    @staticmethod
    def opened(folder: Path | None, told: Mapping[str, str]) -> Kept:
        """The files in a folder, which is made where it is not there. Raises Invalid where it holds another fit."""
        if folder is None:
            return Kept(None)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "fit.json"
        if path.is_file():
            before = json.loads(path.read_text(encoding="utf-8"))
            if other := [name for name in told if before.get(name) != told[name]]:
                raise Invalid(
                    f"{folder} holds a fit with other {' and '.join(other)}; give another folder, or remove it."
                )
        else:
            whole(path, json.dumps(dict(told), indent=1).encode())
        return Kept(folder)

    def layer(self, name: str) -> dict[str, Tensor] | None:
        """The factor of a layer, None where it is not finished."""
        return self._read(f"layer-{name}")

    def keep_layer(self, name: str, held: Mapping[str, Tensor]) -> None:
        """Keep the factor of a layer."""
        self._keep(f"layer-{name}", held)

    def phase(self, name: str) -> dict[str, Tensor] | None:
        """What a phase found, None where it is not finished."""
        return self._read(name)

    def keep_phase(self, name: str, held: Mapping[str, Tensor]) -> None:
        """Keep what a phase found."""
        self._keep(name, held)

    def drop_phase(self, name: str) -> None:
        """Remove what a phase found, when all that needs it is finished."""
        if self.folder is not None:
            (self.folder / f"{name}.safetensors").unlink(missing_ok=True)

    def _read(self, name: str) -> dict[str, Tensor] | None:
        if self.folder is None or not (path := self.folder / f"{name}.safetensors").is_file():
            return None
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(str(path))
        except (SafetensorError, OSError) as error:
            raise Damaged(f"{path} cannot be read ({error}); remove it, and its layers are fitted anew.") from None

    def _keep(self, name: str, held: Mapping[str, Tensor]) -> None:
        if self.folder is None:
            return
        from safetensors.torch import save

        whole(
            self.folder / f"{name}.safetensors",
            save({key: one.detach().cpu().contiguous().clone() for key, one in held.items()}),
        )
