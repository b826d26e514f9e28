r"""The Python of an article, as a reader meets it: block by block, and one block that runs when it is pasted.

That block is a script with its requirements in a comment at its head (PEP 723), as `uv run` and `pipx run` take it. The
others are read on the page, so each name in them was imported or defined above. Nothing is run here.

>>> list(undefined_names(["import math\ndef area(r): return math.pi * r * r", "print(area(radius))"]))
[(1, 'radius')]
"""

from __future__ import annotations

import ast
import builtins
import importlib.metadata
import re
import symtable
import sys
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any

from tutorial_zarr.gallery.catalogue import GalleryError

SCRIPT = "# /// script"
HEADER = re.compile(r"^# /// script\n((?:#(?: .*)?\n)+?)# ///$", re.MULTILINE)
LINES = range(10, 31)  # of a script, its header included, without those that are blank
KNOWN = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}
FUNCTIONS = ("function", "annotation")  # what stands in them is looked up later, when all of the block has run


def is_script(block: str) -> bool:
    """Whether a block is the one that runs when it is pasted."""
    return block.startswith(SCRIPT)


def requirements(script: str) -> list[str]:
    """What the header of a script asks to be installed, as ``pip install`` takes it.

    Raises `GalleryError` for a header that pip's and uv's readers would not understand.
    """
    header = HEADER.match(script)
    if header is None:
        raise GalleryError(f"script: expected a header from {SCRIPT!r} to '# ///', found none; try PEP 723's example")
    try:
        asked: dict[str, Any] = tomllib.loads(re.sub(r"^# ?", "", header[1], flags=re.MULTILINE))
    except tomllib.TOMLDecodeError as error:
        raise GalleryError(f"script: expected TOML in its header, found {error}; try PEP 723's example") from error
    needed = asked.get("dependencies")
    if not isinstance(asked.get("requires-python"), str) or not needed or not all(isinstance(n, str) for n in needed):
        raise GalleryError(
            "script: expected requires-python and dependencies in its header, found "
            f'{", ".join(asked) or "neither"}; try: # dependencies = ["tutorial_zarr"]'
        )
    return list(needed)


def script_problems(script: str) -> Iterator[str]:
    """What would stop a script that is pasted into an empty file."""
    try:
        asked = {re.split(r"[^\w.-]", name, maxsplit=1)[0].lower().replace("-", "_") for name in requirements(script)}
    except GalleryError as error:
        yield str(error)
        return
    if "tutorial_zarr" not in asked:
        yield f"script: expected tutorial_zarr among its dependencies, found {', '.join(sorted(asked))}"
    try:
        tree = ast.parse(script)
    except SyntaxError:
        return  # as with every block, `undefined_names` says so
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        for module in {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - asked:
            brought = importlib.metadata.packages_distributions().get(module, [])  # PIL comes with pillow
            if not {name.lower().replace("-", "_") for name in [module, *brought]} & asked:
                yield f"script: line {node.lineno} imports {module}, which is not among its dependencies"
    lines = sum(bool(line.strip()) for line in script.splitlines())
    if lines not in LINES:
        yield f"script: expected {LINES[0]} to {LINES[-1]} lines, found {lines}"


def undefined_names(blocks: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Pairs (number of the block, name) of what a block uses, and no block above has imported or defined.

    A script uses nothing of the blocks above it. An indented block continues a class: what it defines belongs to that
    class. Raises `GalleryError` for a block that is no Python.
    """
    above: set[str] = set(KNOWN)
    for number, block in enumerate(blocks):
        known = set(KNOWN) if is_script(block) else set(above)
        code = f"class Continued:\n{block}" if block[:1].isspace() else block
        try:
            tree = _AugmentedReads().visit(ast.parse(code))
        except SyntaxError as error:
            raise GalleryError(
                f"block {number + 1}: expected Python, found {error.msg} in line {error.lineno}"
            ) from error
        missing: list[str] = []
        later: set[str] = set()
        for statement in tree.body:
            own, at_once, in_functions = _names(statement)
            # A loop or an `if` defines what its own later lines use; an assignment uses before it defines.
            simple = isinstance(statement, (ast.Assign, ast.AnnAssign))
            walrus = {node.target.id for node in ast.walk(statement) if isinstance(node, ast.NamedExpr)}
            missing += sorted(at_once - known - set(missing) - (walrus if simple else own))
            known |= own
            later |= in_functions
        missing += sorted(later - known - set(missing))
        yield from ((number, name) for name in missing)
        above |= known | set(missing)  # once is enough
        above.discard("Continued")


class _AugmentedReads(ast.NodeTransformer):
    """``n += 1`` as ``n = n + 1``: to a table of symbols the first only defines n."""

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        self.generic_visit(node)
        if not isinstance(node.target, ast.Name):
            return node
        value = ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
        return ast.fix_missing_locations(ast.Assign([node.target], value, lineno=node.lineno))


def _names(statement: ast.stmt) -> tuple[set[str], set[str], set[str]]:
    """What a statement of a module defines, what it uses at once, and what its functions will use."""
    module = symtable.symtable(ast.unparse(statement), "block", "exec")
    own = {found.get_name() for found in module.get_symbols() if found.is_assigned() or found.is_imported()}
    at_once = {found.get_name() for found in module.get_symbols() if found.is_referenced()}
    in_functions: set[str] = set()
    todo = [(table, False) for table in module.get_children()]
    while todo:
        table, deferred = todo.pop()
        deferred = deferred or (
            str(getattr(table.get_type(), "value", table.get_type())) in FUNCTIONS and table.get_name() not in INSIDE
        )
        used = {found.get_name() for found in table.get_symbols() if found.is_referenced() and found.is_global()}
        (in_functions if deferred else at_once).update(used)
        own |= {found.get_name() for found in table.get_symbols() if found.is_declared_global() and found.is_assigned()}
        todo += [(child, deferred) for child in table.get_children()]
    return own, at_once, in_functions


INSIDE = {"listcomp", "setcomp", "dictcomp", "genexpr"}  # they run where they stand
