"""Which commands are there, and what does each take? One page, from the command line itself."""

from __future__ import annotations

from collections.abc import Iterator

import click
from typer.main import get_command

from .found import plain


def pages() -> dict[str, str | bytes]:
    """`commands.md`: every verb with its arguments and options."""
    from unseen.cli import app

    root = get_command(app)
    context = click.Context(root, info_name="unseen")
    verbs = [_verb(name, command, context) for name, command in _commands(root)]
    head = "# Commands\n\nEvery verb takes `--help`. What is printed there stands here.\n"
    return {"commands.md": "\n".join([head, *verbs])}


def _commands(root: click.Command) -> list[tuple[str, click.Command]]:
    """The verbs by name, in the order of the help."""
    return [(name, command) for name, command in getattr(root, "commands", {}).items() if not command.hidden]


def _verb(name: str, command: click.Command, above: click.Context) -> str:
    context = click.Context(command, info_name=name, parent=above)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    return "\n".join(
        [f"## {name}\n", plain(command.help or ""), "", f"```\n{usage}\n```\n", *_options(command, context)]
    )


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    """Arguments, then options, as a list of definitions."""
    for param in command.params:
        told = param.get_help_record(context)
        if told is not None:
            yield f"`{told[0]}`\n: {plain(told[1]) or '(no more is to be said)'}\n"
