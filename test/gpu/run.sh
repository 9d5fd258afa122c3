#!/usr/bin/env bash
# Checks and times everything that runs on an NVIDIA GPU, in one command, on a machine that needs nothing but the driver and nvcc (or built
# files). What is there besides is used: PyTorch for comparison, compute-sanitizer, cuobjdump, Node with a built dist/ for the whole way.
#
# usage: test/gpu/run.sh [--out FOLDER] [--built FOLDER] [--architectures LIST] [--steps check,disassemble,...]
#   --out    where reports go (default out/gpu)
#   --architectures  what to compile for, as CMAKE_CUDA_ARCHITECTURES (default: as the product)
#   --built  folder with liblongconv_cuda.so and cuda_check: nothing is compiled
#   --steps  default: check,disassemble,sanitize,node,model
# Steps: check        every kernel against float64, and times                          -> kernels.json
#        disassemble  tensor-core instructions and local memory in the machine code    -> disassembly.txt
#        sanitize     memcheck and racecheck of the small sizes                        -> sanitizer.txt
#        node         command line, addon and CUDA kernels: forward against the CPU    -> node.txt
#        model        a HyenaDNA-shaped model of a million tokens, against PyTorch     -> model.json, pytorch.json
# Exit code 1 when something failed, 3 when there is no usable GPU.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
out=$root/out/gpu built= architectures= steps=check,disassemble,sanitize,node,model
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=$2; shift 2 ;;
    --built) built=$2; shift 2 ;;
    --architectures) architectures=$2; shift 2 ;;
    --steps) steps=$2; shift 2 ;;
    *) sed -n '2,16s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done
mkdir -p "$out"
failed=()
wanted() { [[ ,$steps, == *,$1,* ]]; }
finish() { # NAME CODE
  if [ "$2" = 0 ]; then echo "== $1: ok (${SECONDS} s since the start)"; else echo "== $1: FAILED ($2)"; failed+=("$1"); fi
}

if [ -z "$built" ]; then
  command -v nvcc >/dev/null || { echo "There is no nvcc here: build elsewhere and give --built FOLDER." >&2; exit 2; }
  built=$out/build
  generator=(); command -v ninja >/dev/null && generator=(-G Ninja)
  [ -z "$architectures" ] || generator+=("-DLONGCONV_CUDA_ARCHITECTURES=$architectures")
  cmake -S "$root/test/gpu" -B "$built" "${generator[@]}" >"$out/build.log" 2>&1 && cmake --build "$built" --parallel "$(nproc)" >>"$out/build.log" 2>&1
  code=$?
  [ $code = 0 ] || { tail -n 30 "$out/build.log"; echo "The build failed." >&2; exit 1; }
  built=$built/bin
  finish build 0
fi
library=$built/liblongconv_cuda.so
# cuBLASLt comes with PyTorch as a Python package; the kernels take it where the loader finds it.
for folder in $(python3 -c 'import glob, nvidia; [print(f) for p in nvidia.__path__ for f in glob.glob(p + "/cu*/lib")]' 2>/dev/null); do
  export LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
done
export LONGCONV_CUDA_LIBRARY=$library

if wanted check; then
  "$built/cuda_check" "$library" --time --json "$out/kernels.json" >"$out/kernels.txt" 2>&1
  code=$?
  grep -v '^ok ' "$out/kernels.txt"
  [ $code = 3 ] && exit 3
  finish check $code
fi

if wanted disassemble && command -v cuobjdump >/dev/null; then
  "$root/test/gpu/disassembly.sh" "$library" >"$out/disassembly.txt" 2>&1
  code=$?
  tail -n 40 "$out/disassembly.txt"
  finish disassemble $code
fi

if wanted sanitize && command -v compute-sanitizer >/dev/null; then
  : >"$out/sanitizer.txt"
  for tool in memcheck racecheck; do
    compute-sanitizer --tool $tool --error-exitcode 9 "$built/cuda_check" "$library" --quick >"$out/sanitizer-$tool.txt" 2>&1
    code=$?
    grep -v '^ok ' "$out/sanitizer-$tool.txt" | head -n 25
    cat "$out/sanitizer-$tool.txt" >>"$out/sanitizer.txt"
    rm "$out/sanitizer-$tool.txt"
    finish "sanitize ($tool)" $code
  done
fi

cli() { node "$root/dist/cli.js" "$@"; }
has_node() { command -v node >/dev/null && [ -f "$root/dist/cli.js" ] && [ -f "$root/dist/native/longconv.node" ]; }
has_torch() { python3 -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; }

if wanted node && has_node; then
  work=$(mktemp -d)
  {
    cli devices &&
      python3 "$root/test/gpu/hyena_model.py" make "$work" --length 16384 --width 128 --layers 2 &&
      cli forward "$work/model.safetensors" --input "$work/ids.safetensors" -o "$work/gpu.safetensors" --backend cuda &&
      if has_torch; then python3 "$root/test/gpu/hyena_model.py" run "$work" --length 16384 --logits "$work/gpu.safetensors"; fi
  } >"$out/node.txt" 2>&1
  code=$?
  tail -n 12 "$out/node.txt"
  finish node $code
  rm -rf "$work"
fi

if wanted model && has_node; then
  work=$(mktemp -d)
  length=1048576
  {
    python3 "$root/test/gpu/hyena_model.py" make "$work" --length $length &&
      cli plan "$work/model.safetensors" --partial 4096 -o "$work/partial.surgery.json" &&
      cli validate "$work/partial.surgery.json" --length $length --backend cuda --json "$out/model.json"
  } >"$out/model.txt" 2>&1
  code=$?
  tail -n 30 "$out/model.txt"
  finish model $code
  if has_torch; then
    python3 "$root/test/gpu/hyena_model.py" run "$work" --length $length >"$out/pytorch.json" 2>"$out/pytorch.txt"
    code=$?
    cat "$out/pytorch.json"; tail -n 5 "$out/pytorch.txt"
    finish "model in PyTorch" $code
  fi
  rm -rf "$work"
fi

if [ ${#failed[@]} -gt 0 ]; then
  printf 'FAILED: %s\n' "${failed[*]}"
  exit 1
fi
echo "All done in ${SECONDS} s; reports in $out"
