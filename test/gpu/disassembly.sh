#!/usr/bin/env bash
# disassembly.sh LIBRARY: machine code of every kernel for every GPU in it. Fails where a kernel of the matrix units has no tensor-core
# instruction (HMMA, HGMMA), one of the hot kernels keeps registers in local memory (LDL, STL), or an access has its descriptor in an odd uniform
# register, which ptxas 13.0 can make of copies with a cache policy and no GPU runs. Kernels of clusters (last template argument above 1) are empty
# for GPUs before compute capability 9.0, which have none. Kernels of transforms may spill for those.
set -euo pipefail
cuobjdump --dump-sass "$1" | awk '
  /arch = / { arch = $NF }
  /Function : / { name = $NF; order[++count] = arch " " name; tensor[order[count]] = 0; local[order[count]] = 0 }
  /HMMA|HGMMA/ { tensor[arch " " name]++ }
  /LDL|STL/ { local[arch " " name]++ }
  /desc\[UR[0-9]*[13579]\]/ { odd[arch " " name]++ }
  END {
    bad = 0
    for (i = 1; i <= count; i++) {
      hot = order[i] ~ /gemm_kernel|toeplitz_kernel/ || (order[i] ~ /one_pass|columnsI/ && order[i] !~ /^sm_8/)
      needs = order[i] ~ /gemm_kernel|toeplitz_kernel|one_pass/ && !(order[i] ~ /^sm_8/ && order[i] ~ /one_pass.*Li[2-8]EEEv/)
      wrong = (needs && tensor[order[i]] == 0) || (hot && local[order[i]] > 0) || odd[order[i]] > 0
      bad += wrong
      printf "%s %6d tensor-core %6d local-memory  %s\n", wrong ? "BAD" : "   ", tensor[order[i]], local[order[i]], order[i]
    }
    printf "%d kernels, %d bad\n", count, bad
    exit bad > 0 || count == 0
  }'
