"""Joins results of fft_conv_check and torch_baseline.py into a Markdown table.

usage: report.py RESULTS.jsonl ...   (any order; COPY_TBPS: measured device-to-device copy, the bandwidth of the memory floor)
FlashFFTConv is not run here. Its time is estimated from flashfftconv-h200.csv in two ways: scaled by what PyTorch's plain real-FFT convolution takes
in this run against that table (PyTorch is bound by memory), and unscaled (as if this card were that H200).
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
            peer[int(row["N"]), int(row["L"]), int(row["gated"])] = float(row["torch_ms"]), float(row["flash_ms"])
    print("| what | N | L | K | gated | B | H | ms | floor ms | of floor | PyTorch / ours | Flash (scaled) / ours | Flash (H200) / ours | error |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for row in ours:
        floor = row["moved_bytes"] / COPY_BYTES_PER_SECOND * 1e3
        key = (row["N"], row["L"], row["gated"])
        base = torch.get(key)
        same = base and (base["B"], base["H"]) == (row["B"], row["H"])
        plain = torch.get((row["N"], row["L"], 0))
        scaled = unscaled = ""
        if same and key in peer:
            flash = peer[key][1]
            scaled = f"{flash * plain['ms'] / peer[row['N'], row['L'], 0][0] / row['ms']:.1f}"
            unscaled = f"{flash / row['ms']:.1f}"
        cells = [row["name"] + (" bf16" if row["dtype"] == 1 else ""), row["N"], row["L"], row["K"], "yes" if row["gated"] else "no", row["B"], row["H"],
                 f"{row['ms']:.3f}", f"{floor:.3f}", f"{100 * floor / row['ms']:.0f}%", f"{base['ms'] / row['ms']:.1f}" if same else "", scaled, unscaled,
                 f"{row['error']:.1e}"]
        print("| " + " | ".join(map(str, cells)) + " |")


if __name__ == "__main__":
    main(sys.argv[1:])
