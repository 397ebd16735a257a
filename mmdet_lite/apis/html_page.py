"""Pages of HTML in one file: style inside, no scripts, nothing from the network."""

import html
from collections.abc import Iterable, Sequence

LONG_TEXT = 28  # characters: a cell with more may break its line

# pictures come as data: addresses; a browser that finds anything else in the page refuses it
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
:root { --ink: #1f2530; --soft: #667080; --line: #dfe3e8; --paper: #fff; --ground: #f4f5f7;
  --error: #c62828; --warning: #b26a00; --note: #2f6fb3; --good: #2e7d4f; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.1rem; font-weight: 500; color: var(--soft); margin: .3rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 1rem 0 .3rem; }
p { margin: .4rem 0; }
code { font: .92em ui-monospace, "DejaVu Sans Mono", monospace; }
.soft { color: var(--soft); }
.error { --tone: var(--error); } .warning { --tone: var(--warning); }
.note { --tone: var(--note); } .good { --tone: var(--good); }
.verdict { background: var(--paper); border-left: .5rem solid var(--tone); border-radius: .4rem;
  padding: .8rem 1.1rem; }
.verdict strong { display: block; font-size: 1.5rem; line-height: 1.25; color: var(--tone); }
.verdict ul { margin: .5rem 0 0; padding-left: 1.2rem; }
.cards { display: grid; gap: .7rem; margin: .8rem 0;
  grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); }
.card { background: var(--paper); border-radius: .4rem; padding: .6rem .9rem; }
.card b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
details.group { background: var(--paper); border-left: .35rem solid var(--tone);
  border-radius: .4rem; margin: .6rem 0; padding: .55rem .9rem; }
summary { cursor: pointer; }
.badge { background: var(--tone); color: #fff; border-radius: .25rem; padding: .05rem .45rem;
  font-size: .82rem; font-weight: 600; }
.count { float: right; color: var(--soft); font-variant-numeric: tabular-nums; }
.messages { margin: .5rem 0; padding-left: 1.2rem; font-size: .93rem; }
.pictures { display: grid; gap: .8rem; margin: .8rem 0;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 16rem), 1fr)); }
figure { margin: 0; }
.pictures figure { font-size: .85rem; line-height: 1.35; }
.pictures img { display: block; width: 100%; max-height: 20rem; object-fit: contain;
  background: #e9ebee; border-radius: .3rem; margin-bottom: .3rem; }
.charts { display: grid; gap: .8rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
.charts figure { background: var(--paper); border-radius: .4rem; padding: .6rem; }
.charts img { width: 100%; height: auto; display: block; }
.charts .wide { grid-column: 1 / -1; overflow-x: auto; }
.charts .wide img { max-width: 62rem; min-width: 34rem; }
.scroll { overflow-x: auto; background: var(--paper); border-radius: .4rem; padding: .4rem .8rem;
  margin: .5rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { padding: .22rem .7rem .22rem 0; border-bottom: 1px solid var(--line);
  text-align: right; vertical-align: top; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 15rem; }
th { font-weight: 600; }
td.long { white-space: normal; overflow-wrap: anywhere; min-width: 12rem; }
td.zero { color: var(--error); font-weight: 700; }
tr:last-child td { border-bottom: 0; }
@media (max-width: 34rem) { .count { float: none; display: block; } main { padding: .6rem; }
  th:first-child, td:first-child { min-width: 8rem; } }
@media print { body { background: #fff; font-size: 11pt; }
  main { max-width: none; padding: 0; }
  .charts { grid-template-columns: 1fr 1fr; }
  details::details-content { content-visibility: visible; block-size: auto; }
  .card, .verdict, details.group, .charts figure, .scroll { border: 1px solid var(--line); }
  .verdict, details.group { border-left: .35rem solid var(--tone); }
  figure, tr, .card, .verdict { break-inside: avoid; } h2, h3, summary { break-after: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def escape(text: object) -> str:
    """Return any text so that HTML shows it as it is, also between quotes.

    >>> escape("<script>'&")
    '&lt;script&gt;&#x27;&amp;'
    """
    return html.escape(str(text), quote=True)


def page(title: str, *parts: str) -> str:
    """Return a whole page; ``title`` is text, ``parts`` are HTML."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>\n{''.join(parts)}</main></body></html>\n"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table of texts and numbers; a number 0 in a column headed with ``!`` stands out."""
    columns = "".join(f"<th>{escape(name.removesuffix('!'))}</th>" for name in head)
    body = "".join(
        f"<tr>{''.join(_cell(name, value) for name, value in zip(head, row, strict=True))}</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table><thead><tr>{columns}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>\n"
    )


def items(texts: Iterable[str], kind: str = "messages") -> str:
    """Return a list of HTML entries; '' without any."""
    inside = "".join(f"<li>{text}</li>" for text in texts)
    return f'<ul class="{kind}">{inside}</ul>\n' if inside else ""


def figure(uri: str, alt: str, caption: str = "", kind: str = "") -> str:
    """Return a picture; ``alt`` is text, ``caption`` HTML."""
    picture = f'<img src="{uri}" alt="{escape(alt)}">'
    below = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f'<figure class="{kind}">{picture}{below}</figure>\n'


def number(value: object) -> str:
    """Return a whole number with separators between thousands, anything else as text."""
    return f"{value:,}" if isinstance(value, int) else str(value)


def _cell(head: str, value: object) -> str:
    text = number(value)
    kind = "long" if len(text) > LONG_TEXT else ""
    kind = "zero" if head.endswith("!") and value == 0 else kind
    return f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"
