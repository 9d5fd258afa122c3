"""Joins results of fft_conv_check and torch_baseline.py into a Markdown table.

usage: report.py RESULTS.jsonl ...   (any order; copy_tbps: bandwidth of the memory floor)
FlashFFTConv is not run here: its time is PyTorch's time of this run divided by the ratio PyTorch / FlashFFTConv of flashfftconv-h200.csv.
"""
import csv
import json
import os
import sys

COPY_BYTES_PER_SECOND = float(os.environ.get("COPY_TBPS", "4.3")) * 1e12


def main(paths):
    ours, torch, peer = [], {}, {}
    for path in paths:
        for line in open(path):
            if not line.startswith("{"):
                continue
            row = json.loads(line)
            if "plan" in row and row.get("ms", 0) > 0:
                ours.append(row)
            elif "ms" in row:
                torch[row["N"], row["L"], row["gated"]] = row
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "flashfftconv-h200.csv")) as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            peer[int(row["N"]), int(row["L"]), int(row["gated"])] = float(row["torch_ms"]) / float(row["flash_ms"])
    print("| what | N | L | K | gated | B | H | ms | floor ms | of floor | PyTorch ms | PyTorch / ours | FlashFFTConv / ours | error |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for row in ours:
        floor = row["moved_bytes"] / COPY_BYTES_PER_SECOND * 1e3
        key = (row["N"], row["L"], row["gated"])
        base = torch.get(key)
        same = base and (base["B"], base["H"]) == (row["B"], row["H"])
        cells = [row["name"] + (" bf16" if row["dtype"] == 1 else ""), row["N"], row["L"], row["K"], "yes" if row["gated"] else "no", row["B"], row["H"],
                 f"{row['ms']:.3f}", f"{floor:.3f}", f"{100 * floor / row['ms']:.0f}%",
                 f"{base['ms']:.2f}" if same else "", f"{base['ms'] / row['ms']:.1f}" if same else "",
                 f"{base['ms'] / peer[key] / row['ms']:.1f}" if same and key in peer else "", f"{row['error']:.1e}"]
        print("| " + " | ".join(map(str, cells)) + " |")


if __name__ == "__main__":
    main(sys.argv[1:])
