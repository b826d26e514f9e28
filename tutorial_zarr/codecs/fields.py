"""The members of a codec's configuration, declared once: what each may be, and what it is when it is left out.

A field is declared in the class of a codec, and each codec has the value as an attribute of that name. The base
class refuses a configuration that lacks a required member, or has one that nobody declared.

>>> from tutorial_zarr.codecs import BytesBytesCodec
>>> class Repeat(BytesBytesCodec):
...     times = IntegerField(1, 9, default=2)
>>> Repeat("repeat").times, Repeat("repeat", {"times": 3}).times
(2, 3)
>>> Repeat("repeat", {"tmes": 3})
Traceback (most recent call last):
    ...
tutorial_zarr.errors.MetadataError: codec 'repeat': expected no keys but times; found 'tmes'
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from tutorial_zarr.errors import MetadataError

if TYPE_CHECKING:
    from typing import Self

T = TypeVar("T")
REQUIRED: Any = object()


class Field(Generic[T]):
    """One member of a configuration, of any kind; the subclasses check the usual kinds.

    default   the value when the member is left out; without one the member is required
    expected  what the value must be, for the error: "level as an integer"
    test      returns whether a value of the JSON is right; every value is, without it
    key       the name of the member, when the attribute has another
    """

    def __init__(
        self,
        default: T = REQUIRED,
        expected: str = "",
        test: Callable[[Any], bool] = lambda value: True,
        key: str = "",
    ) -> None:
        self.default, self.expected, self.test, self.key = default, expected, test, key

    def parse(self, codec: Any, value: Any) -> T:
        """Return the attribute for a value of the JSON. Raises MetadataError when the value is wrong."""
        if not self.test(value):
            raise codec.misfit(self.expected, repr(value))
        return value

    def __set_name__(self, owner: type, name: str) -> None:
        self.key = self.key or name

    @overload
    def __get__(self, codec: None, owner: type) -> Self: ...
    @overload
    def __get__(self, codec: object, owner: type) -> T: ...
    def __get__(self, codec: object, owner: type) -> Any:
        if codec is None:
            return self
        # A codec keeps its values in its own dictionary, which Python looks into first: reading one costs nothing.
        raise AttributeError(f"{owner.__name__} has no {self.key!r} yet; its __init__ must call Codec.__init__")


class IntegerField(Field[int]):
    """An integer from `least` to `greatest`, both included."""

    def __init__(self, least: int, greatest: int, default: int = REQUIRED, key: str = "") -> None:
        super().__init__(default, key=key)
        self.least, self.greatest = least, greatest

    def parse(self, codec: Any, value: Any) -> int:
        if type(value) is not int or not self.least <= value <= self.greatest:
            raise codec.misfit(f"{self.key} from {self.least} to {self.greatest}", repr(value))
        return value


class Flag(Field[bool]):
    """True or false."""

    def parse(self, codec: Any, value: Any) -> bool:
        if not isinstance(value, bool):
            raise codec.misfit(f"{self.key} true or false", repr(value))
        return value


class Choice(Field[Any]):
    """One of a few strings; the attribute is what `values` has for it, or the string itself."""

    def __init__(self, values: Collection[str] | Mapping[str, Any], default: Any = REQUIRED, key: str = "") -> None:
        super().__init__(default, key=key)
        self.values = values

    def parse(self, codec: Any, value: Any) -> Any:
        if not isinstance(value, str) or value not in self.values:
            known = list(self.values)
            some = f" of {', '.join(known)}" if len(known) > 2 else f" {' or '.join(map(repr, known))}"
            raise codec.misfit(self.key + some, repr(value))
        return self.values[value] if isinstance(self.values, Mapping) else value


def check_keys(name: str, found: Collection[str], required: Collection[str], optional: Collection[str] = ()) -> None:
    """Refuse a configuration that lacks a required member, or has one that the codec does not take."""
    known = ", ".join([*required, *optional])
    missing = [f"no {key!r}" for key in sorted(set(required) - set(found))]
    unknown = [repr(key) for key in sorted(set(found) - {*required, *optional})]
    if missing or unknown:
        wanted = f"the keys {known}" if missing else f"no keys but {known}" if known else "no configuration"
        raise MetadataError(
            f"codec {name!r}: expected {wanted}; found {', '.join(missing + unknown)}",
            key="codecs",
            codec=name,
        )
