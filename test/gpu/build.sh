#!/bin/bash
# Builds fft_conv_check into the folder OUT_DIR (default: out/gpu). usage: build.sh [sm_90a]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
out=${OUT_DIR:-$root/out/gpu}
mkdir -p "$out"
arch=${1:-sm_90a}
flags="-std=c++20 -O3 -gencode arch=compute_${arch#sm_},code=$arch -Xptxas -v ${NVCC_FLAGS:-} -I$root/native/include -I$root/native/src -I$root/native/src/cuda -I$root/test/gpu"
compile() { nvcc $flags -c "$1" -o "$out/$(basename "${1%.*}").o" > "$out/$(basename "${1%.*}").log" 2>&1 || { grep -m5 error "$out/$(basename "${1%.*}").log"; exit 1; }; }
export -f compile
export flags out
find "$root/native/src/cuda/fft" "$root/native/src/cuda/fft_conv.cu" "$root/native/src/cuda/transform_choice.cpp" "$root/test/gpu" -name '*.cu' -o -name "tables.cpp" -o -name "transform_choice.cpp" | xargs -P "${JOBS:-$(nproc)}" -I{} bash -c 'compile {}'
nvcc -cudart static -o "$out/fft_conv_check" "$out"/*.o
