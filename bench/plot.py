"""Lines over a logarithmic axis as SVG, told apart by dash and mark as well as colour; the numbers stand in a table."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 360, 70, 20, 220, 50
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00", "#56b4e9")
DASHES = ("", "7 3", "2 3", "9 3 2 3", "1 4", "14 4", "5 5")
MARKS = ("●", "■", "▲", "◆", "○", "□", "△")
Series = Mapping[str, Sequence[tuple[float, float]]]
Scale = Callable[[float], float]


def lines(title: str, says: str, axes: tuple[str, str], series: Series, *, log_y: bool = False) -> str:
    """A whole file. `says`: what it shows, for who cannot see it; `axes`: the words under x and above y."""
    points = [point for some in series.values() for point in some]
    xs, ys = sorted({x for x, _ in points}), [y for _, y in points]
    ticks = _powers(min(ys), max(ys)) if log_y else _steps(max(ys))
    across = _scale(log10(xs[0]), log10(xs[-1]), LEFT, WIDTH - RIGHT)
    shown = log10 if log_y else float
    up = _scale(shown(ticks[0]), shown(ticks[-1]), HEIGHT - BOTTOM, TOP)

    def place(x: float, y: float) -> tuple[float, float]:
        return round(across(log10(x)), 1), round(up(shown(y)), 1)

    drawn = [_tick_y(place(xs[0], y)[1], y) for y in ticks]
    drawn += [_text(place(x, ticks[-1])[0], HEIGHT - BOTTOM + 18, _said(x), "middle") for x in xs]
    drawn += [_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, axes[0], "middle"), _text(8, 14, axes[1], "start")]
    for n, (name, some) in enumerate(series.items()):
        drawn += _line(n, name, [place(*point) for point in some])
    return _file(title, says, "".join(f"{one}\n" for one in drawn))


def _file(title: str, says: str, drawn: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t d"\n'
        '  font-family="sans-serif" font-size="12">\n'
        f'<title id="t">{escape(title)}</title>\n<desc id="d">{escape(says)}</desc>\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n{drawn}</svg>\n'
    )


def _line(n: int, name: str, places: Sequence[tuple[float, float]]) -> list[str]:
    colour, dash, mark = (some[n % len(some)] for some in (COLOURS, DASHES, MARKS))
    at, x = TOP + 12 + 22 * n, WIDTH - RIGHT + 20
    style = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"'
    way = " ".join(f"{px},{py}" for px, py in places)
    marks = [_text(px, py + 4, mark, "middle", colour) for px, py in places]
    legend = [
        f'<line x1="{x}" y1="{at}" x2="{x + 36}" y2="{at}" {style}/>',
        _text(x + 18, at + 4, mark, "middle", colour),
    ]
    return [f'<polyline points="{way}" {style}/>', *marks, *legend, _text(x + 44, at + 4, name, "start")]


def _tick_y(at: float, value: float) -> str:
    rule = f'<line x1="{LEFT}" y1="{at}" x2="{WIDTH - RIGHT}" y2="{at}" stroke="#ddd"/>'
    return rule + _text(LEFT - 8, at + 4, _said(value), "end")


def _text(x: float, y: float, words: str, anchor: str, colour: str = "#222") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'


def _said(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:g}"


def _scale(low: float, high: float, start: float, end: float) -> Scale:
    return lambda value: start + (value - low) / ((high - low) or 1) * (end - start)


def _powers(low: float, high: float) -> list[float]:
    return [10.0**n for n in range(floor(log10(low)), ceil(log10(high)) + 1)]


def _steps(high: float) -> list[float]:
    """From nothing to at least `high`, in round steps."""
    size = 10.0 ** floor(log10(high or 1))
    step = next(part * size for part in (0.25, 0.5, 1, 2.5) if high / (part * size) <= 6)
    return [round(n * step, 10) for n in range(ceil(high / step) + 1)]
