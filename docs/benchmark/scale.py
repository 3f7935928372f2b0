"""Time and memory of sessionlint against the size of what it checks.

Usage: scale.py BINARY CORPUS OUT [LINES]; CORPUS is the one that run.sh makes. Writes OUT.csv and, with matplotlib, OUT.png.
Up to LINES (10 million) lines: parts and copies of the corpus, and generated workspaces of packages with a thousand lines each, of which
a fifth of the functions uses a transaction.
"""
import csv
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

BINARY, CORPUS, OUT = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
MOST = int(sys.argv[4]) if len(sys.argv) > 4 else 10_000_000
SIZES = [size for size in (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000) if size <= MOST]
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/integrations"))


def from_corpus(directory, size):
    """Whole packages of the corpus, in order, and copies of it when it ends; gives the lines."""
    packages = sorted(path for path in CORPUS.iterdir() if path.is_dir())
    lines = copy = 0
    while True:
        for package in packages:
            manifest = package / "Cargo.toml"
            for file in [manifest] * manifest.exists() + sorted(package.rglob("*.rs")):
                to = directory / f"{copy}" / file.relative_to(CORPUS)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, to)
                if file.suffix == ".rs":
                    lines += file.read_bytes().count(b"\n")
                if lines >= size:
                    return lines
        copy += 1


def generated(directory, size):
    from conftest import workspace

    return workspace(directory, max(1, size // 1000))


def measured(directory, threads, runs):
    """Medians of CPU seconds, and the most memory in MB."""
    seconds, memory = [], []
    for _ in range(runs):
        process = subprocess.Popen(
            [BINARY, "check", ".", "--isolated", "--no-ignore", "--no-cache", "--threads", str(threads), "--format", "concise"],
            cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        _, _, usage = os.wait4(process.pid, 0)
        seconds.append(usage.ru_utime + usage.ru_stime)
        memory.append(usage.ru_maxrss / 1024)
    return statistics.median(seconds), max(memory)


rows = []
for kind, make in (("vendored", from_corpus), ("generated", generated)):
    for size in SIZES:
        with tempfile.TemporaryDirectory(dir=os.environ.get("SCRATCH")) as directory:
            lines = make(Path(directory), size)
            for threads in (1, 2):
                seconds, memory = measured(directory, threads, 5 if size <= 1_000_000 else 3)
                rows.append({"corpus": kind, "lines": lines, "threads": threads, "cpu_s": round(seconds, 4), "peak_mb": round(memory, 1)})
                print(rows[-1], flush=True)
with open(OUT + ".csv", "w", newline="") as file:
    writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
try:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plot
except ImportError:
    sys.exit("matplotlib is not installed: no picture")
figure, (time, memory) = plot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for kind, colour in (("vendored", "#2f6fdb"), ("generated", "#c2410c")):
    for threads, style in ((1, "-"), (2, "--")):
        mine = [row for row in rows if row["corpus"] == kind and row["threads"] == threads]
        label = f"{kind}, {threads} thread{'s' * (threads > 1)}"
        time.plot([row["lines"] for row in mine], [row["cpu_s"] for row in mine], style, color=colour, marker="o", ms=3, label=label)
        memory.plot([row["lines"] for row in mine], [row["peak_mb"] for row in mine], style, color=colour, marker="o", ms=3)
for axis, what in ((time, "CPU seconds"), (memory, "peak memory, MB")):
    axis.set(xscale="log", yscale="log", xlabel="lines", ylabel=what)
    axis.grid(alpha=0.3)
time.legend(fontsize=8)
figure.savefig(OUT + ".png", dpi=90)
