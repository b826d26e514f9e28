"""The command that counts the core's lines of code counts what it says."""

import runpy
import subprocess
import sys
from pathlib import Path

COMMAND = Path(__file__).with_name("code_lines.py")
SAMPLE = '''"""A docstring
of two lines."""

# a comment
x = """text
that counts"""  # with a remark


def f(a,
      b):
    """Another."""
    return a + b
'''


def test_blank_lines_comments_and_docstrings_do_not_count():
    assert runpy.run_path(str(COMMAND))["code_lines"](SAMPLE) == 5


def test_the_command_prints_every_layer_of_the_core_and_their_sum():
    printed = subprocess.run([sys.executable, COMMAND], capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [line.split() for line in printed[:-1]]
    assert {row[0] for row in rows} == {str(layer) for layer in range(8)}
    assert printed[-1].split() == ["in", "all", str(sum(int(row[2]) for row in rows))]
