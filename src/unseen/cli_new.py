"""The verb that starts a study: from a template, from another study, or from a paper at arXiv.

unseen new my_study --from length_generalization
unseen new --arxiv 2511.00123                            the slug comes from the title
unseen new --arxiv 2511.00123 --papers listing.xml       with no network
"""

from __future__ import annotations

from typing import Annotated

import typer

from . import words


def new(
    slug: Annotated[
        str | None,
        typer.Argument(metavar="SLUG", help="One to four words of the paper's title, joined by underscores."),
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="STUDY", help="Copy this study instead of the template.")
    ] = None,
    arxiv: Annotated[
        str | None, typer.Option("--arxiv", metavar="ID", help="Fill in this paper; SLUG may then be left out.")
    ] = None,
    papers: Annotated[
        str | None,
        typer.Option("--papers", metavar="FILE|URL", help="A listing that holds it, instead of the network."),
    ] = None,
    json: words.Json = False,
) -> None:
    """Start a study in ./studies that passes `validate`."""
    from . import folders, terminal
    from .core.errors import Invalid
    from .news import listing

    if arxiv is None:
        if papers is not None:
            raise Invalid("--papers is where --arxiv is looked for; add --arxiv and the number of the paper.")
        if slug is None:
            raise Invalid("unseen new takes a slug, such as `unseen new my_study`, or a paper: `unseen new --arxiv 2405.15071`.")  # fmt: skip
        made = folders.new(slug, source=from_)
    else:
        if from_ is not None:
            raise Invalid("--from copies another study, --arxiv fills in a paper; give one of them.")
        entry = listing.paper(arxiv, papers)
        made = folders.new(slug or folders.proposed(entry.title), entry=entry)
    terminal.wrote([made], as_json=json, then=f"unseen validate {made.name}")
