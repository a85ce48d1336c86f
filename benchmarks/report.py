"""Pictures and a table of what the benchmarks measured.

    python -m benchmarks.report benchmarks/results/cpu.json          # or several, of one device

writes, beside the first of them, ``cpu-bars.svg`` (how many times as long as ours the peers take), ``cpu-growth.svg``
(cost against size, with the fitted exponents), ``cpu-roofline.svg`` (how near a step comes to what memory and noise
allow) and ``cpu.md`` (all of it in numbers).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.goals import BANDWIDTH, NOISE_AND_BYTES

BLUE, RED, GREY, PALE = "#2b6cb0", "#c0392b", "#8a8f98", "#9dbbdc"
STYLE: Any = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "noiseproof"}
ORDER = ["step", "normals", "chain", "time", "growth"]
Row = dict[str, Any]


def read(paths: list[Path]) -> tuple[dict[str, Any], list[Row]]:
    """What the files say of the machine, and the entries that were measured, with their times by pytest-benchmark."""
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    devices = {document["machine_info"]["device"] for document in documents}
    if len(devices) > 1:
        raise ValueError(f"the files are of {len(devices)} devices, {', '.join(sorted(devices))}; expected one")
    rows = [entry["extra_info"] for document in documents for entry in document["benchmarks"] if entry["extra_info"]]
    about = documents[0]["machine_info"] | {"date": documents[0]["datetime"][:10]}
    return about, sorted(rows, key=lambda row: (ORDER.index(row["workload"].split("-")[0]), len(row["workload"])))


def of(rows: list[Row], *workloads: str) -> list[Row]:
    return [row for row in rows if any(row["workload"].startswith(name) for name in workloads)]


# ---------------------------------------------------------------- pictures


def bars(rows: list[Row], title: str) -> Any:
    """A panel for each workload, a bar for each peer, from 1 on; a line where the goal is."""
    from matplotlib import pyplot as plt

    rows = [row for row in of(rows, "step", "normals", "chain", "time") if row["ratio"]]
    if not rows:
        return None
    heights = [len(row["ratio"]) + 2.2 for row in rows]
    half = sum(heights) / 2
    columns: list[list[int]] = [[], []]
    for k, _ in enumerate(rows):  # the same height left and right, as far as panels allow
        columns[sum(heights[:k]) + heights[k] / 2 > half].append(k)
    tall = max(sum(heights[k] for k in column) for column in columns)
    figure = plt.figure(figsize=(10.5, 0.19 * tall + 0.6), layout="constrained")
    figure.suptitle(f"{title}; red: a goal; pale: other methods of ours", fontsize=10)
    parts: Any = figure.subfigures(1, 2)
    for part, column in zip(parts, columns):
        if not column:
            continue
        axes = part.subplots(len(column), 1, squeeze=False, height_ratios=[heights[k] for k in column])[:, 0]
        for axis, k in zip(axes, column):
            _bars(axis, rows[k])
    return figure


def _bars(axis: Any, row: Row) -> None:
    goals = {goal["of"]: goal["goal"] for goal in row["goals"]}
    ordered = sorted(row["ratio"].items(), key=lambda item: item[1][1])
    best, steps = row.get("best"), row.get("steps", {})
    for y, (name, (low, middle, high)) in enumerate(ordered):
        ours = best is not None and "," not in name  # another method of ours
        axis.barh(y, middle - 1, left=1, color=PALE if ours else BLUE, height=0.7)
        axis.plot([low, high], [y, y], color="black", lw=0.8)
        end = max(high, 1.0, goals.get(name, 1.0))
        if name in goals:
            axis.plot([goals[name]] * 2, [y - 0.45, y + 0.45], color=RED, lw=1.6)
        axis.annotate(f"{middle:.3g}", (end, y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=7)
    labels = [f"{name} ({steps[name]} steps)" if name in steps else name for name, _ in ordered]
    axis.set_yticks(range(len(ordered)), labels, fontsize=7.5)
    reach = max(goals.get(name, 1.0) for name, _ in ordered), max(high for _, (_, _, high) in ordered)
    axis.set(xscale="log", xlim=(min(0.8, 0.9 * ordered[0][1][1]), max(12, 2 * max(reach))))
    axis.axvline(1, color=GREY, lw=0.8)
    ours = f"{best} in {steps[best]} steps" if best else "ours"
    title = f"{row['workload']}, {row['size']}: times as long as {ours}"
    axis.annotate(title, (0, 1), xytext=(-100, 4), xycoords="axes fraction", textcoords="offset points", fontsize=8.5)
    _plain(axis.xaxis)


def growth(rows: list[Row], title: str) -> Any:
    """Cost against size, both on logarithmic axes, each from its smallest size on; dashed what is exactly linear."""
    from matplotlib import pyplot as plt

    rows = [row for row in of(rows, "growth") if "exponent" in row]
    if not rows:
        return None
    figure, panels = plt.subplots(1, len(rows), figsize=(2.6 * len(rows), 2.9), layout="constrained", squeeze=False)
    figure.suptitle(title, fontsize=10)
    for axis, row in zip(panels[0], rows):
        sizes = np.array(row["sizes"], dtype=float)
        measured = np.array([[1.0, 1.0, 1.0], *row["ratio"].values()])
        axis.plot(sizes, sizes / sizes[0], "--", color=GREY, lw=0.8)
        axis.plot(sizes, measured[:, 1], color=BLUE, lw=1)
        axis.errorbar(
            sizes, measured[:, 1], np.abs(measured[:, [0, 2]] - measured[:, 1:2]).T, fmt="o", ms=3.5, color=BLUE, lw=0.8
        )
        axis.set(xscale="log", yscale="log", xlabel=row["size"])
        axis.set_title(f"exponent {row['exponent']:.3f}", fontsize=9, color=BLUE)
    panels[0, 0].set_ylabel("time, in that of the smallest size")
    return figure


def roofline(rows: list[Row], title: str) -> Any:
    """Elements a second against tensors moved for one, under the roof of a copy's bandwidth and that of the normals."""
    from matplotlib import pyplot as plt

    rows = [row for row in of(rows, "step") if row["part_of_floor"]]
    if not rows:
        return None
    columns = max(1, min(len(rows), 3))
    lines = max(1, -(-len(rows) // columns))
    size = 5.2 * columns, 3.4 * lines + 0.2
    figure, panels = plt.subplots(lines, columns, figsize=size, layout="constrained", squeeze=False)
    figure.suptitle(title, fontsize=10)
    for axis, row in zip(panels.flat, rows):
        moved = row["elements"] * row["bytes_each"]
        bandwidth = 2 * moved / row["seconds"][BANDWIDTH]
        x = np.array([1.5, 36.0])
        roofs = {f"copy, {bandwidth / 1e9:.3g} GB/s": bandwidth / (x * row["bytes_each"])}
        if NOISE_AND_BYTES in row["part_of_floor"]:
            roofs["normals and\nthree passes"] = np.full(2, row["elements"] / row["seconds"][NOISE_AND_BYTES])
        for name, roof in roofs.items():
            axis.plot(x, roof, color=GREY, lw=1)
            axis.annotate(name, (x[1], roof[1]), xytext=(4, 0), textcoords="offset points", color=GREY, fontsize=7.5)
        seen = sorted(row["passes"].items(), key=lambda item: item[1])
        for k, (name, passes) in enumerate(seen):
            rate = row["elements"] / row["seconds"][name]
            axis.plot(passes, rate, "o", ms=4.5, color=BLUE if name == "ours" else RED)
            # Neighbours are told apart by names above and below.
            at = {"xytext": (4, 3), "va": "bottom"} if k % 2 else {"xytext": (-4, -3), "va": "top", "ha": "right"}
            axis.annotate(name, (passes, rate), textcoords="offset points", fontsize=7.5, **at)
        axis.margins(y=0.12)
        axis.set(xscale="log", yscale="log", xlim=(1.5, 120), xlabel="passes: tensors read and written")
        axis.set_title(f"{row['workload']}, {row['size']}, {row['dtype']}", fontsize=9, loc="left")
        axis.set_xticks([2, 3, 5, 10, 20, 40])
        axis.minorticks_off()
        _plain(axis.xaxis)
    panels[0, 0].set_ylabel("elements per second")
    return figure


def _plain(axis: Any) -> None:
    """Numbers in place of powers of ten."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


# ---------------------------------------------------------------- the table


def table(about: dict[str, Any], rows: list[Row]) -> Iterator[str]:
    """Markdown: what was measured, where and with what."""
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    yield f"# {about['device']}, {about['date']}"
    yield ""
    yield f"{versions}. Times as long as ours: median of paired rounds, and the first and the last decile."
    yield ""
    yield "| workload | peer | ratio | deciles | passes | error | goal | floor | |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
    for row in rows:
        goals = {goal["of"]: goal for goal in row["goals"]}
        passes, errors = row["passes"] or {}, row.get("peer_error", {})
        name = f"{row['workload']}, {row['size']}, {row['dtype']}"
        yield f"| **{name}** | ours | 1 | | {passes.get('ours', '')} | {row['error']:.1e} | | | {_ours(row)} |"
        for peer, (low, middle, high) in row["ratio"].items():
            error = f"{errors[peer]:.1e}" if peer in errors else ""
            goal = _goal(goals.pop(peer)) if peer in goals else "| | "
            yield f"| | {peer} | {middle:.3g} | {low:.3g} to {high:.3g} | {passes.get(peer, '')} | {error} | {goal} |"
        for left in goals.values():
            yield f"| | {left['of']} | {left['measured']:.3g} | | | | {_goal(left)} |"
        for peer, why in row.get("missing", {}).items():
            yield f"| | {peer} | not measured | | | | | | {why} |"


def _goal(goal: dict[str, Any]) -> str:
    floor = "" if goal["floor"] is None else f"{goal['floor']:g}"
    floor = floor if goal["within"] is None else f"within {goal['within']:g}"
    return f"{goal['goal']:g} | {floor} | {goal['result']}"


def _ours(row: Row) -> str:
    """Our own time, in words."""
    if row.get("best"):
        return f"{row['best']}, {row['steps'][row['best']]} steps, {row['seconds'][row['best']] * 1e3:.3g} ms"
    if "bytes" in row:
        return " and ".join(f"{held / 2**20:.0f} MiB at {n} steps" for n, held in zip(row["sizes"], row["bytes"]))
    if "exponent" in row:
        return f"{row['sizes'][0]} to {row['sizes'][-1]}: exponent {row['exponent']:.3f}"
    rate = f", {row['rate']:.3g} a second" if "rate" in row else ""
    fraction = f", {row['bandwidth_fraction']:.0%} of the bandwidth of a copy" if row["passes"]["ours"] == 3 else ""
    return f"{row['seconds']['ours'] * 1e3:.3g} ms{rate}{fraction}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Pictures and a table of what the benchmarks measured.")
    parser.add_argument("files", nargs="+", type=Path, help="what pytest benchmarks --benchmark-json=FILE wrote")
    parser.add_argument("--format", choices=("svg", "png"), default="svg")
    arguments = parser.parse_args()
    about, rows = read(arguments.files)
    beside = arguments.files[0]
    try:
        import matplotlib as mpl
    except ImportError:
        raise SystemExit("pictures need matplotlib: pip install 'noiseproof[docs]'") from None
    mpl.use("agg")
    text = "\n".join(table(about, rows)) + "\n"
    print(text, end="")
    beside.with_suffix(".md").write_text(text, encoding="utf-8")
    with mpl.rc_context(STYLE):
        for draw in (bars, growth, roofline):
            figure = draw(rows, f"{about['device']}, {about['date']}")
            if figure is None:  # nothing of the kind was measured
                continue
            path = beside.with_name(f"{beside.stem}-{draw.__name__}.{arguments.format}")
            figure.savefig(path, metadata=_undated(arguments.format), dpi=110)
            print(path)


def _undated(form: str) -> dict[str, None]:
    return {"Date": None} if form == "svg" else {}


if __name__ == "__main__":
    main()
