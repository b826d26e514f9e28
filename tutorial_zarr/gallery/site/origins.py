"""From a number in an article to the cell of the lesson that computed it.

An article's numbers are held to the lesson's facts, see `articles`. Here the way goes further back: from the fact to
the names that its expression uses, and from these to the first cell that uses one of them and prints the number. A
number of four digits that one cell prints is known by itself; one of fewer digits has to share words with the sentence
as well. Where two cells could have computed it, none is named: no answer is better than a wrong one.

>>> significant("0.50"), significant("1,000"), significant("28.90")
(2, 1, 4)
"""

from __future__ import annotations

import ast
import bisect
import builtins
import functools
import itertools
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

from tutorial_zarr.gallery import bridges
from tutorial_zarr.gallery.articles import NUMBER, fits
from tutorial_zarr.gallery.source import tags

KNOWN_BY_ITSELF = 4  # digits of a number that no other number of a lesson has by chance
# What a line of output and a sentence have in common counts 1 for each word and number, and a quarter for those of the
# paragraph. It has to be LEAST, and CLEAR more than the next cell's. The words of a chart are many and solutions are
# folded away: they count less.
LEAST, CLEAR = 2.5, 0.5
FOLLOWS, DRAWN, SOLVED, UNNAMED = 1.5, -2.5, -1.5, -1.5
UNITS = {"b": "bytes", "byte": "bytes", "kb": "kilobytes", "mb": "megabytes", "gb": "gigabytes", "s": "seconds",
         "second": "seconds", "ms": "milliseconds", "%": "percent", "request": "requests", "chunk": "chunks",
         "row": "rows"}  # fmt: skip
LONGEST = 120  # characters of a line that is shown
# Words that two sentences share by chance.
COMMON = re.compile(
    "all|also|and|any|are|both|but|can|each|for|from|had|has|have|how|into|its|more|most|not|one|only|other|our|out|"
    "over|per|same|than|that|the|their|them|then|there|these|they|this|two|use|values?|was|were|what|when|where|which|"
    "who|with|you"
)
SILENT = re.compile(r"<(/?)(a|pre|code|h[1-6]|script)\b")
BLOCK = re.compile(r"<(p|li|tr|figcaption|blockquote)\b")
BRIDGE = re.compile(rf"(<table>\s*<thead>\s*<tr>\s*<th>{re.escape(bridges.HEAD[0])}</th>.*?</table>)", re.DOTALL)


@dataclass(frozen=True)
class Origin:
    """Where a number comes from: a cell by its `id` and by its `number` in the lesson, and the `line` that has it.

    `printed` says whether the line is one of output; else it is the code that computes what is not printed.
    """

    id: str
    number: int
    line: str
    printed: bool


@dataclass
class _Cell:
    cell: dict[str, Any]
    tree: list[ast.AST]

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(node.id for node in self.tree if isinstance(node, ast.Name))

    @cached_property
    def assigned(self) -> dict[str, str]:
        """The line of code that computes it, by name."""
        return {name: code for node in self.tree for name, code in _computing(node)}

    def printed(self) -> Iterator[tuple[re.Match[str], float]]:
        """The numbers in its output, each with how much less its line counts."""
        solved = SOLVED if "solution" in tags(self.cell) else 0.0
        for output in self.cell.get("outputs", []):
            data = output.get("data", {})
            less = solved + DRAWN * any(mime.startswith("image/") for mime in data)
            for line in (output.get("text") or str(data.get("text/plain", ""))).splitlines():
                yield from ((found, less) for found in NUMBER.finditer(line))

    def origin(self, line: str, printed: bool) -> Origin:
        return Origin(self.cell["id"], self.cell["execution_count"] or 0, line, printed)


@dataclass(frozen=True)
class _Fact:
    value: float
    name: str
    words: frozenset[str]
    names: frozenset[str]


@dataclass(frozen=True)
class _Printed:
    value: float
    place: int  # of its cell
    found: re.Match[str]
    less: float


class Origins:
    """The cells of a built lesson that print numbers, and its facts."""

    def __init__(self, cells: list[dict[str, Any]], facts: Any) -> None:
        """Read the `cells` of a built notebook, and its `facts`."""
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        trees = [list(ast.walk(ast.parse(cell["source"]))) for cell in code]
        saving = [tree for cell, tree in zip(code, trees, strict=True) if "facts" in tags(cell)]
        self._cells = [_Cell(cell, tree) for cell, tree in zip(code, trees, strict=True) if "facts" not in tags(cell)]
        printed = [
            _Printed(float(plain(found[0])), place, found, less)
            for place, cell in enumerate(self._cells)
            for found, less in cell.printed()
        ]
        self._printed = sorted(printed, key=lambda each: each.value)
        self._without = {name for tree in trees for name in _imported(tree)} | set(dir(builtins)) | {"out"}
        named = (fact for tree in saving for fact in self._named(facts, _saved(tree)))
        self._facts = sorted(named, key=lambda fact: fact.value)

    def of(self, written: str, text: str, at: int) -> Origin | None:
        """Where the number that an article has `written` comes from; None if that is not certain.

        text  the paragraph, or the row of a table, in which it stands
        at    where in it the number begins
        """
        facts = [fact for fact in _near(self._facts, written) if fits(written, fact.value)]
        if len(re.sub(r"\D", "", written)) < 2 or not facts:
            return None
        printed = [each for each in _near(self._printed, written) if shows(each.found[0], written)]
        own, follows = sentence(text, at), _next(text, at + len(written))
        said, beside = words(own), _numbers(own) - {plain(written)}
        wide, further = words(text) - said, _numbers(text) - beside - {plain(written)}
        digits, rated = significant(written), list[tuple[float, _Printed, frozenset[str]]]()
        for each in sorted(printed, key=lambda each: each.place):
            of_cell = [fact for fact in facts if fact.names & self._cells[each.place].names]
            named = max((len(fact.words & said) + len(fact.words & wide) / 4 for fact in of_cell), default=UNNAMED)
            there, numbers = words(each.found.string), _numbers(each.found.string)
            alike = _alike(follows, _next(each.found.string, each.found.end()))
            if digits >= KNOWN_BY_ITSELF - ("." in written) or alike > 0 or numbers & beside:
                rate = named + len(there & said) + len(numbers & beside) + FOLLOWS * alike
                rate += (len(there & wide) + len(numbers & further)) / 4 + each.less
                rated.append((rate, each, frozenset(fact.name for fact in of_cell)))
        if not rated:
            return None if printed else self._computed(written, facts, said)
        rated.sort(key=lambda each: -each[0])  # of equals the first cell comes first
        rate, best, names = rated[0]
        if digits < KNOWN_BY_ITSELF:
            rivals = [each for each in rated if each[1].place != best.place and not names & each[2]]
            least = LEAST if digits < KNOWN_BY_ITSELF - 1 else LEAST - 1
            if rate < least or any(each[0] > rate - CLEAR for each in rivals):
                return None
        return self._cells[best.place].origin(_short(best.found), printed=True)

    def _computed(self, written: str, facts: list[_Fact], said: frozenset[str]) -> Origin | None:
        """The cell that computes the one fact that a number can be, where no cell prints it."""
        shared = len(facts[0].words & said) >= min(2, len(facts[0].words))
        if len({fact.name for fact in facts}) > 1 or not (significant(written) >= KNOWN_BY_ITSELF - 1 or shared):
            return None
        for cell in reversed(self._cells):
            names = facts[0].names & cell.names
            for name in sorted(names and names & cell.assigned.keys()):
                code = cell.assigned[name]
                if re.search(r"\w\(|\bfor\b", code) or any(shows(each, written) for each in _numbers(code)):
                    return cell.origin(code, printed=False)  # else it is another number, from which this one follows
        return None

    def _named(self, values: Any, node: ast.AST | None, path: str = "") -> Iterator[_Fact]:
        """The numbers among facts, with the words of their names and the names that their expressions use."""
        if isinstance(values, dict):
            inside: dict[Any, ast.AST | None] = dict.fromkeys(values, node)
            if isinstance(node, ast.Dict):
                keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
                inside = dict(zip(keys, node.values, strict=True))
            for key, value in values.items():
                yield from self._named(value, inside.get(key), f"{path} {key}")
        elif isinstance(values, list):
            parts = node.elts if isinstance(node, ast.List) and len(node.elts) == len(values) else [node] * len(values)
            for value, part in zip(values, parts, strict=True):
                yield from self._named(value, part, path)
        elif isinstance(values, (int, float)) and not isinstance(values, bool) and node is not None:
            yield _Fact(float(values), path, words(path), _names(node) - self._without)


def link_numbers(html: str, origins: Origins, lesson: str, wanted: set[str]) -> tuple[str, int, int]:
    """The HTML of an article with a link at each number whose origin is known; how many have one, and of how many.

    lesson  the address of the lesson on this page
    wanted  the numbers that are held to facts, as they are written
    """
    found = asked = 0
    out: list[str] = []
    for number, part in enumerate(BRIDGE.split(html)):
        if number % 2:  # the bridge is proven by tests of its own
            out.append(part)
            continue
        for text, start, context in _texts(part):
            if start is None:
                out.append(text)
                continue
            at = 0
            for match in NUMBER.finditer(text):
                if match[0] not in wanted or len(re.sub(r"\D", "", match[0])) < 2:
                    continue
                asked += 1
                origin = origins.of(match[0], context, start + match.start())
                if origin is not None:
                    found += 1
                    out.append(text[at : match.start()] + _link(match[0], origin, lesson))
                    at = match.end()
            out.append(text[at:])
    return "".join(out), found, asked


def _link(written: str, origin: Origin, lesson: str) -> str:
    where = f"Cell {origin.number} of the lesson {'prints' if origin.printed else 'computes'}"
    return (
        f'<a class="number" href="{escape(lesson)}#cell-{escape(origin.id)}" data-where="{where}" '
        f'data-line="{escape(origin.line)}" title="{where}: {escape(origin.line)}">{written}</a>'
    )


def _texts(html: str) -> Iterator[tuple[str, int | None, str]]:
    """The pieces of HTML: each with where it begins in the text of its block, and that text; None where it is no prose.

    The block of a table's cell is its row, with the head of its column.
    """
    pieces, blocks, heads = re.split(r"(<[^>]+>)", html), [""], list[str]()
    places: list[tuple[int, int, str] | None] = []  # of each piece: its block, where in it, and the head of its column
    depth = column = 0
    header = False
    for piece in pieces:
        if not piece.startswith("<"):
            if header and piece.strip():
                heads.append(piece)
            head = heads[column] if not header and column < len(heads) else ""
            places.append((len(blocks) - 1, len(blocks[-1]), head) if depth == 0 else None)
            blocks[-1] += re.sub(r"&\w+;", lambda found: " " * len(found[0]), piece)  # no end of a sentence
            continue
        places.append(None)
        if silent := SILENT.match(piece):
            depth += -1 if silent[1] else 1
        if BLOCK.match(piece):
            blocks.append("")
        header = piece == "<thead>" or (header and piece != "</thead>")
        heads = [] if piece in ("<table>", "</table>") else heads
        column = 0 if piece == "<tr>" else column + (piece == "</td>")
    for piece, place in zip(pieces, places, strict=True):
        if place is None or not piece.strip():
            yield piece, None, ""
        else:
            yield piece, place[1], f"{blocks[place[0]]}\n{place[2]}"


def sentence(text: str, at: int) -> str:
    """The sentence of a text around a place in it.

    >>> sentence("It has 4 chunks. The other 96 are absent: 3.5 MB.", 27)
    'The other 96 are absent: 3.5 MB.'
    """
    ends = [0, *(found.end() for found in re.finditer(r"[.;!?]\s+", text)), len(text)]
    return next(text[a:b] for a, b in itertools.pairwise(ends) if a <= at < b)


@functools.lru_cache(maxsize=1024)
def words(text: str) -> frozenset[str]:
    """What a text speaks of: the beginnings of its words, without those that say nothing."""
    found = re.findall(r"[a-z]{3,}", text.lower().replace("_", " "))
    return frozenset(word.removesuffix("s")[:5] for word in found if not COMMON.fullmatch(word))


def significant(written: str) -> int:
    """The digits of a number that say something: no zeros before, and none after a whole number."""
    digits = written.replace(",", "")
    return len((digits.replace(".", "") if "." in digits else digits.rstrip("0")).lstrip("0"))


def plain(written: str) -> str:
    """A number without commas."""
    return written.replace(",", "")


def _near(those: list[Any], written: str) -> list[Any]:
    """Of facts or printed numbers, sorted by value, those that can be rounded to what is written."""
    value, half = float(plain(written)), 0.6 / 10 ** len(written.partition(".")[2])
    first = bisect.bisect_left(those, value - half, key=lambda each: each.value)
    return those[first : bisect.bisect_right(those, value + half, key=lambda each: each.value)]


def shows(printed: str, written: str) -> bool:
    """Whether an output that has `printed` a number shows what an article has `written`: the same, or with more digits.

    >>> shows("0.849", "0.85"), shows("28.90", "28.9"), shows("1536", "1,536"), shows("1537.2", "1,537")
    (True, True, True, True)
    """
    return plain(printed) == plain(written) or ("." in printed and fits(written, float(plain(printed))))


@functools.lru_cache(maxsize=1024)
def _numbers(text: str) -> frozenset[str]:
    return frozenset(plain(found[0]) for found in NUMBER.finditer(text))


def _next(text: str, at: int) -> tuple[str, ...]:
    """The two words after a number, units spelled out."""
    found = re.findall(r"[a-zA-Z]+|%", re.split(r"[,.;:|]|\d|\s{2,}", text[at:].lstrip(), maxsplit=1)[0].lower())
    return tuple(UNITS.get(word, word) for word in found[:2] if not COMMON.fullmatch(word))


def _alike(words: tuple[str, ...], others: tuple[str, ...]) -> int:
    """1 where the same follows two numbers, -1 for two units of which only one can be right."""
    if {word.removesuffix("s") for word in words} & {word.removesuffix("s") for word in others}:
        return 1
    known = set(UNITS.values())
    return -1 if known & set(words[:1]) and known & set(others[:1]) else 0


def _computing(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The names that a statement sets or fills, each with its code; what is filled with nothing is computed later."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        targets = [node.target]
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        targets = [node.value.func.value]
    for target in targets:
        for each in target.elts if isinstance(target, ast.Tuple) else [target]:
            while isinstance(each, (ast.Subscript, ast.Attribute)):
                each = each.value
            if isinstance(each, ast.Name) and not (code := ast.unparse(node)).endswith(("= []", "= {}", "= 0")):
                yield each.id, textwrap.shorten(code, LONGEST, placeholder=" ...")


@functools.lru_cache(maxsize=256)
def _names(node: ast.AST) -> frozenset[str]:
    """The names that an expression uses, but for those that it binds itself."""
    names = [each for each in ast.walk(node) if isinstance(each, ast.Name)]
    bound = {each.id for each in names if isinstance(each.ctx, ast.Store)}
    return frozenset(each.id for each in names) - bound


def _imported(tree: list[ast.AST]) -> Iterator[str]:
    for node in tree:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)


def _saved(tree: list[ast.AST]) -> ast.AST | None:
    """The dict that the cell of facts saves."""
    calls = [node for node in tree if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("save_facts")]
    return next((each for call in calls for each in call.args if isinstance(each, ast.Dict)), None)


def _short(found: re.Match[str]) -> str:
    """The line of a number as it can be shown: of a long one what is around the number."""
    line = found.string
    begin = max(0, min(found.start() - LONGEST // 2, len(line) - LONGEST))
    piece = line[begin : begin + LONGEST]
    piece = f"... {piece.partition(' ')[2]}" if begin else piece
    piece = f"{piece.rpartition(' ')[0]} ..." if begin + LONGEST < len(line) else piece
    return re.sub(r"\s{3,}", "   ", piece.strip())
