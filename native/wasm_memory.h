// The heap of the WebAssembly build, and what it asks of JavaScript (src/backends/cpu/wasm.ts).
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

extern "C" {
/** Grows linear memory; 0 where it cannot grow that far. */
__attribute__((import_module("typetorch"), import_name("grow"))) int tt_wasm_grow(uint32_t pages);
/** Throws a JavaScript error: out of memory. */
[[noreturn]] __attribute__((import_module("typetorch"), import_name("outOfMemory"))) void tt_wasm_out_of_memory(
    size_t nbytes);
/** Starts workers first .. last - 1, which begin to serve when they are ready. */
__attribute__((import_module("typetorch"), import_name("startThreads"))) void tt_wasm_start_threads(int first, int last);
}

/** A 64-byte aligned block, contents undefined; null when there is no memory. */
void* tt_heap_take(size_t nbytes);
void tt_heap_give_back(void* p);
/** Bytes of the blocks in use, now and at most so far. */
size_t tt_heap_used();
size_t tt_heap_peak();
