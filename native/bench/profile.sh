#!/usr/bin/env bash
# What the kernels do for each point, counted by valgrind on a simulated processor (AVX2, its widest): instructions, misses of a first-level
# cache of 48 KiB and of a last-level cache of 2 MiB (lines of 64 bytes). Preparation is left out: counts of three runs less those of one.
# usage: profile.sh BUILD_FOLDER [CHANNELS LENGTH [OPERATION ...]]
set -euo pipefail
program=$1/bench/longconv_profile channels=${2:-16} length=${3:-32768}
shift $(($# < 3 ? $# : 3))
[ $# -gt 0 ] || set -- dense comb lowpass 128 512 4096
count() { # OPERATION RUNS -> instructions, first-level misses, last-level misses
  valgrind --tool=cachegrind --cache-sim=yes --D1=49152,12,64 --LL=2097152,16,64 --cachegrind-out-file=/dev/null \
    "$program" "$1" "$channels" "$length" "$2" 2>&1 | tr -d , | awk '/I +refs:/ {i = $NF} /D1 +misses:/ {d = $4} /LL misses:/ {l = $4} END {print i, d, l}'
}
printf '%-10s %12s %12s %12s   for each of %d x %d points\n' operation instructions "D1 misses" "LL misses" "$channels" "$length"
for operation; do
  read -r i1 d1 l1 < <(count "$operation" 1)
  read -r i3 d3 l3 < <(count "$operation" 3)
  awk -v o="$operation" -v p="$((2 * channels * length))" -v i=$((i3 - i1)) -v d=$((d3 - d1)) -v l=$((l3 - l1)) \
    'BEGIN {printf "%-10s %12.2f %12.4f %12.4f\n", o, i / p, d / p, l / p}'
done
