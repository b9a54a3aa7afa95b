"""Models by name: `open(name)` gives something that generates or scores; `probe` and `resolve` need no weights."""

from .names import forget as forget
from .names import has_template as has_template
from .names import in_turns as in_turns
from .names import local as local
from .names import open as open
from .names import probe as probe
from .names import resolve as resolve
