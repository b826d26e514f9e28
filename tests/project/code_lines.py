"""How many lines of code the core has, by layer: python tests/project/code_lines.py

A line counts when it holds code: not blank, not a comment, not a docstring.
"""

import ast
import io
import sys
import tokenize
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from test_layers import EXTRAS, FILES, RANK

SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def code_lines(source):
    """The number of lines of a module that hold code."""
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in SILENT:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            lines.difference_update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(lines)


def by_module():
    """Code lines of every part of the core: (layer, name) -> lines."""
    count = Counter()
    for module, file in FILES.items():
        name = module.partition(".")[2].partition(".")[0]
        layer = RANK.get(name, (EXTRAS,))[0]
        if layer < EXTRAS:
            count[layer, name] += code_lines(file.read_text(encoding="utf-8"))
    return count


if __name__ == "__main__":
    for (layer, name), lines in sorted(by_module().items()):
        print(f"{layer}  {name:16}{lines:6}")
    print(f"in all{sum(by_module().values()):19}")
