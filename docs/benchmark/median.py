"""Medians of `user system kilobytes` lines: CPU seconds, and the largest resident size."""
import statistics
import sys

rows = [[float(part) for part in line.split()] for line in sys.stdin if len(line.split()) == 3]
seconds = statistics.median(user + system for user, system, _ in rows)
print(f"{sys.argv[1]}: {seconds:.2f} s of CPU, {max(row[2] for row in rows) / 1024:.0f} MB, {len(rows)} runs")
