"""Small pieces of HTML, every text escaped, every heading in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_SPACES = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
_SHORT = 14


def safe(text: str) -> str:
    """A text as HTML may hold it; what cannot be printed becomes a dot."""
    return escape("".join(letter if letter.isprintable() or letter in _SPACES else "·" for letter in text))


def both(en: str, zh: str) -> str:
    """A heading in both languages."""
    return f'{safe(en)} <span class="z" lang="zh">{safe(zh)}</span>'


def cell(text: str, tone: str = "", more: str = "") -> str:
    """A cell of figures; ``more`` stands small beneath. ``tone``: ``good``, ``bad``, ``doubt`` or nothing."""
    small = f"<small>{safe(more)}</small>" if more else ""
    chosen = f' class="{tone}"' if tone else ""
    whole = text.replace(" ", "\N{NO-BREAK SPACE}") if len(text) <= _SHORT else text
    return f"<td{chosen}>{safe(whole)}{small}</td>"


def heads(pairs: Iterable[tuple[str, str]]) -> str:
    """The row of a table's headings."""
    cells = "".join(f'<th scope="col">{both(en, zh)}</th>' for en, zh in pairs)
    return f"<tr>{cells}</tr>"


def row(name: str, cells: Sequence[str], more: str = "") -> str:
    """A row with its own heading."""
    small = f"<small>{safe(more)}</small>" if more else ""
    return f'<tr><th scope="row">{safe(name)}{small}</th>{"".join(cells)}</tr>'


def table(head: str, rows: Iterable[str], caption: tuple[str, str]) -> str:
    """A table that scrolls by itself where the page is narrow."""
    body = "".join(rows)
    return (
        f'<div class="scroll"><table><caption>{both(*caption)}</caption><thead>{head}</thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def section(title: tuple[str, str], *parts: str) -> str:
    """A part of the page."""
    return f"<section><h2>{both(*title)}</h2>{''.join(parts)}</section>"


def note(en: str, zh: str) -> str:
    """A remark beneath a table."""
    return f'<p class="note">{safe(en)} <span lang="zh">{safe(zh)}</span></p>'
