"""Page: the figures of a file of examples as one HTML page that loads nothing."""

from collections import Counter
from collections.abc import Sequence
from html import escape

from jobs.runner.datasets.stats import MOST_LABELS, Stats
from jobs.runner.errors import plain
from jobs.runner.estimate import counted

_ROW, _BAR, _TEXT = 22, 360, 240  # pixels: the height of a row, the longest bar, the words before

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 14px system-ui, sans-serif; margin: 2em auto; max-width: 48em; padding: 0 1em }}
svg {{ display: block; max-width: 100% }}
rect {{ fill: #3b6ea5 }}
text {{ fill: currentColor; font-size: 13px }}
:root {{ color-scheme: light dark }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{sum}</p>
{charts}
</body>
</html>
"""
_CHART = '<h2>{title}</h2>\n<svg role="img" aria-label="{title}" viewBox="0 0 {w} {h}" width="{w}">'
_BARS = (
    '<text x="{end}" y="{base}" text-anchor="end">{label}</text>'
    '<rect x="{start}" y="{top}" width="{width}" height="16"/>'
    '<text x="{after}" y="{base}">{count}</text>'
)


def page(shown: str, found: Stats) -> str:
    charts = [
        _chart("Characters of a prompt", _lengths(found.prompts)),
        _chart("Characters of an answer", _lengths(found.answers)),
    ]
    if found.labels:
        charts.append(_chart("Answers", _labels(found.labels)))
    total = f"{counted(found.examples, 'example')}, {found.characters:,} characters"
    return _PAGE.format(title=escape(plain(shown)), sum=total, charts="\n".join(charts))


def _lengths(count: Counter[int]) -> list[tuple[str, int]]:
    return [(f"up to {length:,}", number) for length, number in sorted(count.items())]


def _labels(count: Counter[str]) -> list[tuple[str, int]]:
    rows = [(plain(label[:32]), number) for label, number in count.most_common(MOST_LABELS)]
    rest = count.total() - sum(number for _, number in rows)
    return [*rows, (f"{len(count) - MOST_LABELS:,} more", rest)] if rest else rows


def _chart(title: str, rows: Sequence[tuple[str, int]]) -> str:
    most = max(number for _, number in rows)
    bars = [_bar(place, label, number, most) for place, (label, number) in enumerate(rows)]
    size = {"w": _TEXT + _BAR + 100, "h": _ROW * len(rows)}
    return "\n".join([_CHART.format(title=title, **size), *bars, "</svg>"])


def _bar(place: int, label: str, number: int, most: int) -> str:
    width = max(1, _BAR * number // most)
    return _BARS.format(
        label=escape(label),
        count=f"{number:,}",
        end=_TEXT - 8,
        start=_TEXT,
        width=width,
        after=_TEXT + width + 8,
        top=_ROW * place + 3,
        base=_ROW * place + 16,
    )
