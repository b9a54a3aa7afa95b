"""How the site is built: `make docs`, or `sphinx-build -W docs build/docs`. Nothing is fetched, and no study is run.

Pages about studies, axes, parts and commands are made by `extension/` from the sheets, the ledger `results/`, the
docstrings and the command line; they are never typed.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "Unseen"
author = "the authors of Unseen"
extensions = ["myst_parser", "sphinx.ext.viewcode", "extension"]
exclude_patterns = ["extension"]
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["attrs_inline", "deflist"]
myst_heading_anchors = 3
default_role = "code"
add_module_names = False
maximum_signature_line_length = 88
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"
viewcode_follow_imported_members = False  # sources are read, modules are not imported
highlight_language = "none"  # a block without a language is a command or what it printed

html_theme = "furo"
html_title = "Unseen"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_search_summary = False  # summaries are fetched page by page, which file:// refuses
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1f5f8b", "color-brand-content": "#1f5f8b"},
    "dark_css_variables": {"color-brand-primary": "#8cc4ea", "color-brand-content": "#8cc4ea"},
}
