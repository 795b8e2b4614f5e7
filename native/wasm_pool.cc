// The threads of the WebAssembly build, as kernel.h wants them: without shared memory there is one.
#include "kernel.h"

#define TT_EXPORT(name) __attribute__((export_name(#name)))

extern "C" {

void tt_parallel(int64_t n, int64_t, void (*fn)(void*, int64_t, int64_t), void* context) {
  if (n > 0) fn(context, 0, n);
}

void tt_parallel_chunks(int64_t n, int64_t, void (*fn)(void*, int64_t, int64_t), void* context) {
  if (n > 0) fn(context, 0, n);
}

int tt_num_threads(void) { return 1; }

TT_EXPORT(threads) int tt_wasm_threads() { return 1; }

}  // extern "C"
