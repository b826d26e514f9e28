"""The command line: one program, and a table of its commands.

    tutorial-zarr --help        what there is
    tutorial-zarr info PATH     for instance

With ``--json`` a command prints one JSON document on standard output and nothing else. What is wrong is said on
standard error, a sentence each. The exit code is 0 when all is well, 1 when there is a problem, 2 when the
command itself was wrong.

`COMMANDS` names the module of each command and says in a line what it does. Such a module is imported when its
command runs (``--help`` needs only the table), and has one function, ``command(click)``: it is given the package
click and returns a `click.Command` or `click.Group`, the options of which include `output.json_option`, and the
callback of which returns the exit code, or None for 0. Every error that a callback lets pass becomes a sentence and
exit code 1: a `ZarrError` in the options of the command (`sentences`), what nobody expected with the way to its
traceback. What commands share in printing is in `output`.

>>> "info" in COMMANDS
True
"""

from __future__ import annotations

import importlib
import io
import os
import sys
import warnings
from typing import Any

from tutorial_zarr import __version__
from tutorial_zarr.errors import ZarrError
from tutorial_zarr.nodes import ZarrWarning
from tutorial_zarr.stores.secrets import public
from tutorial_zarr.words import plain_lines

from .output import INTERRUPTED, PROGRAM, any_encoding, complain, fitted
from .sentences import in_options

TRACEBACK = "TUTORIAL_ZARR_TRACEBACK"  # where this is set, an error that nobody expected is raised

# Command: the module that has `command(click)`, and the line that --help shows.
COMMANDS = {
    "info": ("tutorial_zarr.cli.info", "Show what an array or a group is, and what an array takes on the disk."),
    "tree": ("tutorial_zarr.cli.tree", "Show the groups and arrays below a group."),
    "import": ("tutorial_zarr.cli.import_file", "Copy a NetCDF or HDF5 file into a Zarr store."),
    "anatomy": ("tutorial_zarr.cli.anatomy", "Show the keys of arrays, and take the bytes of a chunk apart."),
    "gallery": ("tutorial_zarr.cli.gallery", "Make, list, run, build and check the notebooks."),
    "articles": ("tutorial_zarr.cli.articles", "Check the articles, and build them for a publishing site."),
    "workshop": ("tutorial_zarr.cli.workshop", "Plan a workshop, build its kit, and see who is how far."),
    "doctor": ("tutorial_zarr.cli.doctor", "Check every document and every chunk; find what is lost or left."),
    "copy": ("tutorial_zarr.cli.copy", "Copy an array or a group to another store, byte by byte."),
    "move": ("tutorial_zarr.cli.move", "Move a node to another path."),
    "delete": ("tutorial_zarr.cli.delete", "Say what deleting a node deletes, and delete it."),
    "rechunk": ("tutorial_zarr.cli.rechunk", "Write an array with other chunks, within a memory budget."),
    "convert": ("tutorial_zarr.cli.convert", "Convert between Zarr 2 and Zarr 3, in place where chunks can stay."),
    "consolidate": (
        "tutorial_zarr.cli.consolidate",
        "Gather all metadata in one document, or say where that is stale.",
    ),
    "compress": (
        "tutorial_zarr.cli.compress",
        "Try every codec on a sample of an array; say what to use.",
    ),
    "interop": ("tutorial_zarr.cli.interop", "Run the matrix of all implementations; verify a store with them."),
    "lint": ("tutorial_zarr.cli.lint", "Say what of a store other readers will not open or misread; cure it."),
    "explain": ("tutorial_zarr.cli.explain", "Say who wrote a store, what is unusual, what others will see."),
    "chunks": ("tutorial_zarr.cli.chunks", "Choose chunk and shard shapes by the way an array is read."),
    "check": ("tutorial_zarr.cli.check", "Show versions and codecs, and how to get what is missing."),
}


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        import click
        import rich  # noqa: F401 - found missing here rather than in the middle of a command
    except ModuleNotFoundError as missing:
        complain(
            f"the command line needs the package {missing.name}, which is not installed; "
            'try: python -m pip install "tutorial_zarr[cli]"'
        )
        return 2
    with any_encoding():
        return _run(click, argv)


def _run(click: Any, argv: list[str] | None) -> int:
    """Run one command; what it raises becomes a sentence."""
    program, given = _program(click), sys.argv[1:] if argv is None else argv

    def say(sentence: object) -> None:
        complain(in_options(str(sentence), _called(click, program, given)))

    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ZarrWarning)
            code = program.main(argv, prog_name=PROGRAM, standalone_mode=False) or 0
        for warning in caught:
            say(warning.message)
        return 1 if any(issubclass(warning.category, ZarrWarning) for warning in caught) else code
    except click.ClickException as error:
        said = io.StringIO()
        error.show(said)
        print(fitted(plain_lines(public(said.getvalue().rstrip("\n"))), sys.stderr), file=sys.stderr)
        return error.exit_code
    except click.Abort:
        complain("stopped")
        return INTERRUPTED
    except ZarrError as error:
        say(error)
        return 1
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error))
        return 1
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        complain(
            f"an error that this program did not expect, {type(error).__name__}: {error}; please report it, with what "
            f"the same command prints where {TRACEBACK}=1 is set"
        )
        return 1


def _called(click: Any, program: Any, given: list[str]) -> Any:
    """The command that was typed, as far as there is one: it has the options."""
    command, context = program, click.Context(program)
    for word in given:
        if not isinstance(command, click.Group):
            break
        command = command.get_command(context, word) or command
    return command


def _program(click: Any) -> Any:
    """The click group that looks commands up in the table."""

    class Program(click.Group):
        def list_commands(self, context: Any) -> list[str]:
            return list(COMMANDS)

        def get_command(self, context: Any, name: str) -> Any:
            if name not in COMMANDS:
                return None
            found = importlib.import_module(COMMANDS[name][0]).command(click)
            for each in found.commands.values() if isinstance(found, click.Group) else ():
                each.short_help = " ".join((each.help or "").partition("\n\n")[0].split())  # whole: click cuts it
            return found

        def format_commands(self, context: Any, formatter: Any) -> None:
            with formatter.section("Commands"):
                formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    program = Program(
        PROGRAM,
        help="Look into Zarr stores, run the gallery, check an installation.",
        epilog=(
            "A store is a folder, a zip file or a URL. Every command has --help and --json. For a shell that completes "
            'commands, options and files, add to ~/.bashrc: eval "$(_TUTORIAL_ZARR_COMPLETE=bash_source '
            'tutorial-zarr)"; zsh_source and fish_source are for the others.'
        ),
    )
    return click.version_option(__version__, prog_name=PROGRAM)(program)
