// Filters that layers of low rank generate, under sanitizers and on emulated processors.
#pragma once

namespace longconv::test {

/// Compares the matrix products of every instruction set with sums in order, and low-rank filters made by one thread with those made by
/// several, of a range of lags, and of a call that another thread cancels. Null, or what was wrong.
const char* check_low_rank_filters();

}  // namespace longconv::test
