"""The results as a chart: a group of bars for each measure, on a logarithmic scale."""
import html
import math

from measures import MEASURES
from table import number

SHOWN = ["burst", "burst-deflate", "burst-deflate-1k", "echo-20", "echo-16k", "hello", "connect"]
WIDTH, LABEL, BAR, GAP, TITLE = 760, 110, 16, 4, 26
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600 }
  .bar { fill: #8c959f }
  .ours { fill: #0969da }
  .value { font-variant-numeric: tabular-nums }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .bar { fill: #6e7681 }
    .ours { fill: #58a6ff }
  }
"""


def groups(outcome):
    """(title, unit, [(server, median)]), of each measure's first figure."""
    for measure in MEASURES:
        figure, result = measure.figures[0], outcome["results"].get(measure.name, {})
        bars = [(server, result[server]["figures"][figure.key]["median"]) for server in outcome["servers"]
                if server in result and figure.key in result[server].get("figures", {}) and "error" not in result[server]]
        if measure.name in SHOWN and bars:
            yield figure.title, figure.unit, bars


def draw_group(title, unit, bars, y, ours):
    """Each bar begins at a tenth of the smallest value, or the decade below it."""
    low = math.floor(math.log10(min(value for _, value in bars))) - 0.5
    high = max(math.log10(max(value for _, value in bars)), low + 1)
    room = WIDTH - LABEL - 100
    parts = [f'<text class="title" x="0" y="{y + 14}">{html.escape(title)}, {html.escape(unit)}</text>']
    y += TITLE - GAP
    for server, value in bars:
        length = room * (math.log10(value) - low) / (high - low)
        kind = "bar ours" if server == ours else "bar"
        parts += [f'<text x="{LABEL - 8}" y="{y + 13}" text-anchor="end">{html.escape(server)}</text>',
                  f'<rect class="{kind}" x="{LABEL}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2"/>',
                  f'<text class="value" x="{LABEL + length + 6:.1f}" y="{y + 13}">{number(value)}</text>']
        y += BAR + GAP
    return parts, y + 12


def write(outcome, path):
    parts, y = [], 8
    for title, unit, bars in groups(outcome):
        more, y = draw_group(title, unit, bars, y, outcome["servers"][0])
        parts += more
    parts.append(f'<text x="0" y="{y + 8}">More is better. The scales are logarithmic.</text>')
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-8 0 {WIDTH + 16} {y + 20}" role="img" '
                   f'aria-label="Switchboard beside other servers">\n<style>{STYLE}</style>\n' + "\n".join(parts) + "\n</svg>\n")
