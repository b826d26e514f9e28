"""The parts of an HTML page: a card with a style of its own, tables, lists that fold.

A card may stand in any page: its style reaches nothing outside, it fetches nothing, and holds no script.

>>> table([["shape", "(3,)"]], caption="An <array>")
'<table><caption>An &lt;array&gt;</caption><tbody><tr><th scope="row">shape</th><td>(3,)</td></tr></tbody></table>'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from tutorial_zarr.words import LONGEST, count, escape, plain

from .svg import rules, theme

MOST_ROWS = 500  # attributes that a page shows


def escape_lines(words: str) -> str:
    """`escape`, and the lines stay lines."""
    return "\n".join(escape(line) for line in words.split("\n"))


class Markup(str):
    """Text that is HTML already and is not escaped again."""

    __slots__ = ()


def markup(value: Any) -> str:
    """`value` as HTML: escaped, unless it is `Markup`."""
    return value if isinstance(value, Markup) else escape(value)


_LAYOUT = """
.tz-card{color:var(--tz-text);background:var(--tz-page);font:13px/1.45 system-ui,'DejaVu Sans',sans-serif;
border:1px solid var(--tz-line);border-radius:8px;padding:10px 14px;margin:4px 0;max-width:860px;
box-sizing:border-box;overflow-x:auto;text-align:left}
.tz-card *{box-sizing:border-box}
.tz-card header{display:flex;flex-wrap:wrap;gap:2px 12px;align-items:baseline;border-bottom:1px solid var(--tz-line);
padding-bottom:6px;margin-bottom:8px}
.tz-card header b{font-size:15px;overflow-wrap:anywhere}
.tz-card .tz-note,.tz-card small{color:var(--tz-dim);font-size:12px}
.tz-card p{margin:6px 0}
.tz-card .tz-row{display:flex;flex-wrap:wrap;gap:10px 28px;align-items:flex-start}
.tz-card .tz-row>div{min-width:0;max-width:100%}
.tz-card .tz-row>div:first-child,.tz-card .tz-even>div{flex:1 1 360px}
.tz-card table{border-collapse:collapse;margin:0 0 8px;background:none;border:0;color:inherit;font-size:13px}
.tz-card caption{text-align:left;font-weight:600;padding:2px 0;color:inherit;caption-side:top}
.tz-card tr,.tz-card tbody tr:nth-child(odd),.tz-card tbody tr:hover{background:none}
.tz-card th,.tz-card td{text-align:left;vertical-align:top;padding:2px 14px 2px 0;border:0;font-weight:400;
color:inherit;overflow-wrap:break-word;max-width:520px;white-space:normal}
.tz-card th{color:var(--tz-dim);white-space:nowrap}
.tz-card thead th{border-bottom:1px solid var(--tz-line)}
.tz-card td.tz-number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.tz-card code,.tz-card pre{font:12px/1.5 ui-monospace,'DejaVu Sans Mono',monospace;background:none;color:inherit;
border:0;padding:0;overflow-wrap:anywhere}
.tz-card th code{overflow-wrap:break-word}
.tz-card pre{white-space:pre-wrap;margin:4px 0;background:var(--tz-panel);padding:8px 10px;border-radius:6px}
.tz-card summary{cursor:pointer;color:var(--tz-text)}
.tz-card summary:focus-visible{outline:2px solid var(--tz-select);outline-offset:2px}
.tz-card details{margin:2px 0}
.tz-card ul{list-style:none;margin:0;padding:0}
.tz-card ul ul{margin-left:7px;padding-left:16px;border-left:1px solid var(--tz-line)}
.tz-card li{padding:1px 0;overflow-wrap:anywhere}
.tz-card .tz-chip{display:inline-block;border:1px solid var(--tz-line);background:var(--tz-panel);
border-radius:6px;padding:1px 7px;margin:1px 0;font:12px/1.5 ui-monospace,'DejaVu Sans Mono',monospace}
.tz-card .tz-warning{border-left:3px solid var(--tz-select);padding-left:9px}
.tz-card .tz-legend{margin-right:14px;white-space:nowrap}
.tz-card .tz-row+svg,.tz-card p+svg,.tz-card table+svg,.tz-card .tz-bar{display:block;margin:10px 0 4px}
.tz-card .tz-swatch{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:6px;
vertical-align:-1px}
.tz-card .tz-byte{font:12px/1.7 ui-monospace,'DejaVu Sans Mono',monospace;padding:1px 3px;
border-bottom:2px solid;white-space:nowrap}
"""
# Said three times, so that it outweighs what JupyterLab says of tables, lists and code in all outputs
_FIRM = ".tz-card.tz-card.tz-card"
_KINDS = ("head", "index", "data", "sum", "item")
STYLE = (
    theme(".tz-card")
    + _LAYOUT.replace("\n", "").replace(".tz-card ", f"{_FIRM} ")
    + "".join(
        f"{_FIRM} .tz-byte.tz-{k}{{background:var(--tz-{k}ground);border-color:var(--tz-{k}mark)}}"
        f"{_FIRM} .tz-swatch.tz-{k}{{background:var(--tz-{k}mark)}}"
        for k in _KINDS
    )
    + rules(".tz-card svg")
)


def card(label: str, *parts: str) -> str:
    """A card; `label` says to a screen reader what it is."""
    return (
        f'<div class="tz-card" role="group" aria-label="{escape(label)}"><style>{STYLE}</style>{"".join(parts)}</div>'
    )


def head(kind: str, name: Any, *notes: Any) -> str:
    """The first line of a card: what it is about, and what is said of it in a word or two."""
    return f"<header><span>{escape(kind)}</span><b>{escape(name)}</b>{''.join(map(note, notes))}</header>"


def note(words: Any) -> Markup:
    """Words that stand back."""
    return Markup(f'<span class="tz-note">{markup(words)}</span>')


def row(*parts: str, even: bool = False) -> str:
    """Parts side by side, and one below the other where the page is narrow; the first gets the room, or all alike."""
    inside = "".join(f"<div>{part}</div>" for part in parts if part)
    return f'<div class="tz-row{" tz-even" if even else ""}">{inside}</div>'


def table(
    rows: Iterable[Sequence[Any]],
    columns: Sequence[str] = (),
    caption: str | None = None,
    numbers: Sequence[int] = (),
) -> Markup:
    """A table whose first cells name their rows; `columns` are the names above, `numbers` the columns of numbers."""
    title = "" if caption is None else f"<caption>{markup(caption)}</caption>"
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = []
    for first, *rest in rows:
        cells = "".join(
            f"<td{' class=tz-number' if at in numbers else ''}>{markup(cell)}</td>" for at, cell in enumerate(rest, 1)
        )
        body.append(f'<tr><th scope="row">{markup(first)}</th>{cells}</tr>')
    above = f"<thead><tr>{top}</tr></thead>" if columns else ""
    return Markup(f"<table>{title}{above}<tbody>{''.join(body)}</tbody></table>")


def facts(rows: Mapping[str, Any]) -> Markup:
    """Names and values in two columns."""
    return table([[name, value] for name, value in rows.items()])


def fold(summary: Any, inside: str, opened: bool = False) -> Markup:
    """A part that folds away under a line."""
    return Markup(f"<details{' open' if opened else ''}><summary>{markup(summary)}</summary>{inside}</details>")


def code(words: Any, longest: int | None = LONGEST) -> Markup:
    """Keys, values and whatever else is typed as it stands."""
    return Markup(f"<code>{escape(words, longest)}</code>")


def attributes(found: Mapping[str, Any]) -> Markup:
    """Attributes, folded away; a long value is cut and says so, and so is a long list of them."""
    if not found:
        return Markup("")
    names = ", ".join(plain(name, 40) for name in islice(found, 6)) + (", ..." if len(found) > 6 else "")
    rows = [[Markup(escape(name, LONGEST)), code(_json(value))] for name, value in islice(found.items(), MOST_ROWS)]
    rest = f"<p>{note(f'and {len(found) - MOST_ROWS:,} more')}</p>" if len(found) > MOST_ROWS else ""
    return fold(Markup(f"{count(len(found), 'attributes')} {note(names)}"), table(rows, ("name", "value")) + rest)


def _json(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
