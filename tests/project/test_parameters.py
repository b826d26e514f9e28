"""The functions that most programs call say what each of their parameters is."""

import inspect
import re

import pytest

import tutorial_zarr as zarr

FUNCTIONS = [
    zarr.open,
    zarr.open_array,
    zarr.open_group,
    zarr.create_array,
    zarr.create_group,
    zarr.Group.create_array,
    zarr.Group.create_group,
]


def told(function):
    """The names in the list of parameters: they stand at the margin, two spaces or more before what they are."""
    return re.findall(r"^([a-z_]+) {2,}\S", inspect.getdoc(function), re.MULTILINE)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__qualname__)
def test_each_parameter_is_told_in_its_order(function):
    assert told(function) == [name for name in inspect.signature(function).parameters if name != "self"]


def test_the_list_is_found():
    def example(one, two):
        """What it does.

        one  the first
        two  the second, which
             takes two lines
        """

    assert told(example) == ["one", "two"]
