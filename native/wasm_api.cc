// The WebAssembly module: kernels, threads and memory as exports. See src/backends/cpu/wasm.ts for what calls them.
#include "kernel.h"
#include "table.h"
#include "wasm_memory.h"

TT_DECLARE_TABLES(wasm)

#define TT_EXPORT(name) __attribute__((export_name(#name)))

namespace {

constexpr int kArgs = 16384;
alignas(64) double args[kArgs];

const tt::KernelEntry* const kernels = tt_kernels_wasm();
const int kernel_count = [] {
  int n = 0;
  while (kernels[n].name) n++;
  return n;
}();

struct Scratch {
  void* data[8];
  size_t size[8];
};
thread_local Scratch scratch;

}  // namespace

extern "C" {

TT_EXPORT(args) double* tt_wasm_args() { return args; }
TT_EXPORT(argsLength) int tt_wasm_args_length() { return kArgs; }

/** Runs kernel args[0] on the arguments after it; 0 when there is no such kernel. */
TT_EXPORT(run) int tt_wasm_run() {
  const double id = args[0];
  if (!(id >= 0 && id < kernel_count)) return 0;
  kernels[static_cast<int>(id)].run(args + 1);
  return 1;
}

/** Names as C strings, null after the last. */
TT_EXPORT(kernelName) const char* tt_wasm_kernel_name(int i) { return kernels[i].name; }
TT_EXPORT(spanName) const char* tt_wasm_span_name(int i) { return tt_span_name_wasm(i); }

TT_EXPORT(take) void* tt_wasm_take(size_t nbytes) { return tt_heap_take(nbytes); }
TT_EXPORT(giveBack) void tt_wasm_give_back(void* p) { tt_heap_give_back(p); }
TT_EXPORT(heapUsed) size_t tt_wasm_heap_used() { return tt_heap_used(); }
TT_EXPORT(heapPeak) size_t tt_wasm_heap_peak() { return tt_heap_peak(); }

void* tt_scratch(int slot, size_t nbytes) {
  if (scratch.size[slot] < nbytes) {
    if (scratch.data[slot]) tt_heap_give_back(scratch.data[slot]);
    // Grows by half at least, so that slowly rising requests do not reallocate each time.
    size_t size = scratch.size[slot] + scratch.size[slot] / 2;
    if (size < nbytes) size = nbytes;
    scratch.size[slot] = 0;
    scratch.data[slot] = tt_heap_take(size);
    if (!scratch.data[slot]) tt_wasm_out_of_memory(size);
    scratch.size[slot] = size;
  }
  return scratch.data[slot];
}

}  // extern "C"
