"""Makes the tables of figures of README, docs and cards from runs, and checks that the text shows them.

    python -m benchmarks.evidence run real-turned --networks DIR --out runs/evidence   # BENCH_DATA names the data
    python -m benchmarks.evidence write                                                # the tables in the text

`run` carries out the runs of a table of docs/evidence/tables.toml, compares them with the strongest LR row of each
recogniser, and stores the figures in docs/evidence/NAME.json. `write` replaces the text between
`<!-- evidence: NAME -->` and `<!-- end of evidence -->` by the table. A test holds that the text is what `write` makes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.errors import BenchError, UsageError
from bench.io.atomic import write_file
from bench.io.file_digests import file_digest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "evidence"
BEGIN, END = "<!-- evidence: {} -->", "<!-- end of evidence -->"
FEWEST_RECOGNISERS = 3
_FIGURE = "rank-1"


def tables() -> dict[str, dict[str, Any]]:
    """The definitions of all tables by name."""
    return tomllib.loads((FOLDER / "tables.toml").read_text(encoding="utf-8"))


def texts() -> list[Path]:
    """The files whose tables are written: README, docs and the cards of weights."""
    cards = (ROOT / "hallucinators/weights").glob("*.md")
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted(cards)]


def run_table(name: str, out: Path, data: Path, networks: Path | None) -> dict[str, Any]:
    """Carry out the runs of a table and distil their figures.

    Args:
        name: of the table.
        out: folder of the runs; finished ones are not repeated.
        data: folder of the data sets; one that is absent is left out by name.
        networks: folder of recognition networks; recognisers that need it are left out by name without it.

    Returns:
        The content of the table's file.
    """
    table = tables()[name]
    rows: list[dict[str, Any]] = []
    left_out: list[str] = []
    recognisers = _recognisers(table, networks, left_out)
    for dataset in table["data"]:
        if not (data / dataset).is_dir():
            left_out.append(f"data {dataset}")
            continue
        for protocol in table["protocols"]:
            folder = out / name / f"{dataset}-{protocol.replace(':', '-').replace('=', '')}"
            _bench("run", _experiment(folder, table, protocol, data / dataset, list(recognisers.values())))
            runs = sorted(str(path.parent) for path in folder.rglob("run.json"))
            _bench("report", *runs, "--baseline", "strongest", "--out", str(folder / "report"))
            report = json.loads((folder / "report" / "report.json").read_text(encoding="utf-8"))
            rows += _rows(report, dataset, protocol, recognisers)
    return {"table": name, "recognisers": list(recognisers), "left_out": left_out, "rows": rows}


def table_text(content: Mapping[str, Any]) -> str:
    """A table as Markdown: a row for each data set, protocol and method, a column for each recogniser.

    A row measured with other weights than the shipped ones says so; a table of fewer than three recognisers too.
    """
    columns = content["recognisers"]
    shipped = {path.name: file_digest(path) for path in (ROOT / "hallucinators/weights").glob("*.safetensors")}
    lines = [
        f"| data | protocol | method | n | {' | '.join(columns)} |",
        f"| {' | '.join(['---'] * (len(columns) + 4))} |",
    ]
    cells: dict[tuple[str, str, str], dict[str, Mapping[str, Any]]] = {}
    for row in content["rows"]:
        cells.setdefault((row["data"], row["protocol"], row["method"]), {})[row["recogniser"]] = row
    for (data, protocol, method), by_recogniser in cells.items():
        some = next(iter(by_recogniser.values()))
        older = any(shipped.get(name, digest) != digest for name, digest in some["weights"].items())
        label = f"{method} (earlier weights)" if older else method
        values = " | ".join(_cell(by_recogniser.get(column)) for column in columns)
        lines.append(f"| {data} | `{protocol}` | {label} | {some['n']:,} | {values} |")
    lines += [
        "",
        "Rank-1 in percent with its 95 % interval over people, then the paired difference to the strongest LR row of "
        f"the same recogniser. Commands, dates and digests: `docs/evidence/{content['table']}.json`.",
    ]
    if len(columns) < FEWEST_RECOGNISERS:
        lines.append(f"**Fewer than {FEWEST_RECOGNISERS} recognisers: no claim stands on this table.**")
    if content["left_out"]:
        lines.append(f"Not measured: {', '.join(content['left_out'])}.")
    return "\n".join(lines)


def written(text: str) -> str:
    """A text with its tables written anew.

    Raises:
        UsageError: a table has no end or no file of figures.
    """
    parts = text.split("<!-- evidence: ")
    for index, part in enumerate(parts[1:], 1):
        name, marker, rest = part.partition(" -->")
        if not marker or END not in rest:
            raise UsageError(f"The table {name[:40]!r} has no '{END}'.")
        path = FOLDER / f"{name}.json"
        if not path.is_file():
            raise UsageError(f"There are no figures of the table {name!r}: run it first.")
        table = table_text(json.loads(path.read_text(encoding="utf-8")))
        parts[index] = f"{name} -->\n{table}\n{rest[rest.index(END) :]}"
    return "<!-- evidence: ".join(parts)


def _recognisers(table: Mapping[str, Any], networks: Path | None, left_out: list[str]) -> dict[str, str]:
    chosen = {}
    for label, spec in table["recognisers"].items():
        if "{networks}" not in spec:
            chosen[label] = spec
        elif networks is None:
            left_out.append(f"recogniser {label} (--networks)")
        else:
            chosen[label] = spec.replace("{networks}", str(networks.resolve()))
    return chosen


def _experiment(folder: Path, table: Mapping[str, Any], protocol: str, root: Path, recognisers: Sequence[str]) -> str:
    """Write the experiment file of one data set and protocol; returns its path."""
    dataset = protocol.partition(":")[0]
    lines = ["[experiment]", f"out = {json.dumps(str(folder.resolve()))}", f"protocols = [{json.dumps(protocol)}]"]
    lines += [f"hallucinators = {json.dumps(table['hallucinators'])}", f"recognisers = {json.dumps(list(recognisers))}"]
    lines += [
        f"lr_aligners = {json.dumps(table['lr_aligners'])}",
        "[data]",
        f"{dataset} = {json.dumps(str(root.resolve()))}",
    ]
    path = folder.parent / f"{folder.name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, "\n".join(lines) + "\n")
    return str(path)


def _bench(*arguments: str) -> None:
    """Run ``bench`` as a user does."""
    done = subprocess.run([sys.executable, "-m", "bench", *arguments], check=False)
    if done.returncode:
        raise BenchError(f"bench {' '.join(arguments[:2])} ended with exit code {done.returncode}.")


def _rows(
    report: Mapping[str, Any], dataset: str, protocol: str, recognisers: Mapping[str, str]
) -> Iterable[dict[str, Any]]:
    """The distilled rows of a report: figure, interval, difference, weights, command."""
    labels = {spec: label for label, spec in recognisers.items()}
    for section in report["sections"]:
        differences = {entry["folder"]: entry for entry in section["comparisons"] if entry["figure"] == _FIGURE}
        methods = {run["folder"]: _method(run["record"]["config"]) for run in section["runs"]}
        for run in section["runs"]:
            record, config = run["record"], run["record"]["config"]
            metric = record["metrics"][_FIGURE]
            other = differences.get(run["folder"])
            align = f" --align {config['align']}" if config["align"] else ""
            yield {
                "data": dataset,
                "protocol": protocol,
                "method": methods[run["folder"]],
                "recogniser": labels[config["recogniser"]],
                "n": record["data"]["counts"]["probe"],
                "value": metric["value"],
                "low": metric["low"],
                "high": metric["high"],
                "difference": None
                if other is None
                else {"baseline": methods[other["baseline_folder"]]}
                | {key: other[key] for key in ("difference", "low", "high")},
                "weights": {
                    file["name"]: file["sha256"]
                    for stage in record["stages"]
                    if stage["stage"] == "hallucinate"
                    for file in stage["weights"]
                },
                "data_digest": record["data"]["digest"],
                "date": record["created"][:10],
                "command": f"bench run --protocol {protocol} --data-root {dataset} --hallucinator "
                f"{config['hallucinator']} --recogniser {labels[config['recogniser']]}{align}",
            }


def _method(config: Mapping[str, Any]) -> str:
    return str(config["hallucinator"]) + (f", aligned by {config['align']}" if config["align"] else "")


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "not measured"
    text = f"{100 * row['value']:.1f} ({100 * row['low']:.1f} to {100 * row['high']:.1f})"
    if row["difference"] is None:
        return f"{text}"
    d = row["difference"]
    interval = "no interval" if d["low"] is None else f"{100 * d['low']:+.1f} to {100 * d['high']:+.1f}"
    return f"{text}; {100 * d['difference']:+.1f} ({interval})"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    runs = commands.add_parser("run", help="carry out the runs of a table and store its figures")
    runs.add_argument("table", choices=sorted(tables()))
    runs.add_argument("--out", type=Path, default=Path("runs/evidence"), help="folder of the runs")
    runs.add_argument("--networks", type=Path, help="folder of recognition networks that chose nothing")
    commands.add_parser("write", help="write the tables into the texts")
    args = parser.parse_args(argv)
    if args.command == "run":
        data = os.environ.get("BENCH_DATA")
        if not data:
            parser.error("BENCH_DATA is not set: it is the folder of the data sets")
        content = run_table(args.table, args.out, Path(data), args.networks)
        write_file(FOLDER / f"{args.table}.json", json.dumps(content, indent=1) + "\n")
        return 0
    for path in texts():
        before = path.read_text(encoding="utf-8")
        after = written(before)
        if after != before:
            write_file(path, after)
            print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
