"""The results as a table in Markdown."""
from measures import MEASURES


def number(value):
    """Three digits that count: 15.1 M, 0.517 M, 2480, 0.93."""
    if value >= 1e6:
        return f"{value / 1e6:.3g} M"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def times_better(figure, ours, theirs):
    better, worse = (ours, theirs) if figure.more_is_better else (theirs, ours)
    return better / worse if worse > 0 else float("inf")


def cell(entry, figure, ours):
    """The median, its spread and, for a peer, how many times better we are."""
    if not entry or "error" in entry or figure.key not in entry["figures"]:
        return "–"
    value = entry["figures"][figure.key]
    text = f"{number(value['median'])} ({number(value['min'])}–{number(value['max'])})"
    if ours and entry is not ours and figure.key in ours.get("figures", {}):
        text += f" ×{times_better(figure, ours['figures'][figure.key]['median'], value['median']):.3g}"
    return text


def render(outcome):
    servers = outcome["servers"]
    lines = ["| measure | unit | " + " | ".join(servers) + " |", "| --- | --- |" + " ---: |" * len(servers)]
    errors = []
    for measure in MEASURES:
        result = outcome["results"].get(measure.name)
        if not result:
            continue
        ours = result.get(servers[0])
        for figure in measure.figures:
            cells = [cell(result.get(server), figure, ours) for server in servers]
            lines.append(f"| {figure.title} | {figure.unit} | " + " | ".join(cells) + " |")
        errors += [f"{measure.name}, {server}: {entry['error']}" for server, entry in result.items() if "error" in entry]
    machine = outcome["machine"]
    lines += ["", f"Medians of {outcome['repeat']} (lowest–highest) ×how many times better {servers[0]} is, {machine['cpu']}, "
              f"{machine['cores']} cores, Linux {machine['kernel']}.", *errors]
    return "\n".join(lines)
