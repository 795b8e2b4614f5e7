// The threads of the WebAssembly build, as kernel.h wants them. Without shared memory there is one. With it, JavaScript
// starts workers that share this memory (src/backends/cpu/wasm_threads.ts); work is cut and claimed as in pool.cc: parts
// depend only on the size, the grain and the thread count, and the caller never waits for a thread that has not woken
// up. The caller may be a page's main thread, which must not sleep: it spins for what other threads still run.
#include "kernel.h"
#include "wasm_memory.h"

#define TT_EXPORT(name) __attribute__((export_name(#name)))

#if !defined(TT_THREADS)

extern "C" {

void tt_parallel(int64_t n, int64_t, void (*fn)(void*, int64_t, int64_t), void* context) {
  if (n > 0) fn(context, 0, n);
}

void tt_parallel_chunks(int64_t n, int64_t, void (*fn)(void*, int64_t, int64_t), void* context) {
  if (n > 0) fn(context, 0, n);
}

int tt_num_threads(void) { return 1; }

TT_EXPORT(setThreads) void tt_wasm_set_threads(int) {}
TT_EXPORT(abandon) void tt_wasm_abandon() {}

}  // extern "C"

#else

namespace {

// A ticket says which job is open and which of its parts is next: job number, parts, next part.
using Ticket = uint64_t;
constexpr Ticket make_ticket(uint64_t job, uint64_t parts) { return job << 32 | parts << 16; }
constexpr uint32_t job_of(Ticket t) { return static_cast<uint32_t>(t >> 32); }
constexpr uint32_t parts_of(Ticket t) { return t >> 16 & 0xffff; }
constexpr uint32_t next_of(Ticket t) { return t & 0xffff; }

constexpr int kWorkerSpin = 20000;  // looks at the ticket before a worker sleeps: some tens of microseconds

thread_local bool in_parallel = false;

class Pool {
 public:
  int threads = 1;

  void run(int64_t n, int64_t chunk, void (*fn)(void*, int64_t, int64_t), void* context) {
    const int64_t parts = (n + chunk - 1) / chunk;
    if (parts == 1 || threads == 1 || in_parallel || parts > 0xffff) {
      for (int64_t begin = 0; begin < n; begin += chunk) fn(context, begin, begin + chunk < n ? begin + chunk : n);
      return;
    }
    if (started_ < threads) {
      tt_wasm_start_threads(started_, threads);
      started_ = threads;
    }
    fn_ = fn;
    context_ = context;
    n_ = n;
    chunk_ = chunk;
    failed_ = 0;
    __atomic_store_n(&done_, 0, __ATOMIC_RELAXED);
    const Ticket open = make_ticket(++job_, static_cast<uint64_t>(parts));
    __atomic_store_n(&ticket_, open, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&sleepers_, __ATOMIC_SEQ_CST) > 0) {
      __atomic_fetch_add(&alarm_, 1, __ATOMIC_SEQ_CST);
      __builtin_wasm_memory_atomic_notify(&alarm_, static_cast<uint32_t>(parts - 1));
    }
    work<true>();
    wait();
    if (failed_) tt_wasm_out_of_memory(failed_);
  }

  /** A part threw: it counts as done, and the caller leaves only when no other part of the job runs. */
  void abandon(bool caller) {
    if (!in_parallel) return;
    __atomic_fetch_add(&done_, 1, __ATOMIC_RELEASE);
    if (caller) {
      work<false>();
      wait();
    }
    in_parallel = false;
  }

  [[noreturn]] void serve(int index) {
    uint32_t seen = 0;
    for (;;) {
      while (!fresh(seen)) sleep(seen);
      seen = job_of(__atomic_load_n(&ticket_, __ATOMIC_ACQUIRE));
      if (index < threads) work<true>();
    }
  }

  void fail(size_t nbytes) { __atomic_store_n(&failed_, nbytes, __ATOMIC_RELEASE); }

 private:
  /** Claims parts of the open job until none is left, and runs them. */
  template <bool Run>
  void work() {
    in_parallel = true;
    Ticket t = __atomic_load_n(&ticket_, __ATOMIC_ACQUIRE);
    while (next_of(t) < parts_of(t)) {
      if (!__atomic_compare_exchange_n(&ticket_, &t, t + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) continue;
      // The claimed part keeps its job open, so these fields are this job's.
      const int64_t begin = static_cast<int64_t>(next_of(t)) * chunk_;
      if (Run) fn_(context_, begin, begin + chunk_ < n_ ? begin + chunk_ : n_);
      __atomic_fetch_add(&done_, 1, __ATOMIC_RELEASE);
      t = __atomic_load_n(&ticket_, __ATOMIC_ACQUIRE);
    }
    in_parallel = false;
  }

  void wait() const {
    const int parts = static_cast<int>(parts_of(__atomic_load_n(&ticket_, __ATOMIC_RELAXED)));
    while (__atomic_load_n(&done_, __ATOMIC_ACQUIRE) != parts) {
    }
  }

  bool fresh(uint32_t seen) const { return job_of(__atomic_load_n(&ticket_, __ATOMIC_SEQ_CST)) != seen; }

  void sleep(uint32_t seen) {
    for (int i = 0; i < kWorkerSpin; i++) {
      if (fresh(seen)) return;
    }
    const int alarm = __atomic_load_n(&alarm_, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&sleepers_, 1, __ATOMIC_SEQ_CST);
    if (!fresh(seen)) __builtin_wasm_memory_atomic_wait32(&alarm_, alarm, -1);
    __atomic_fetch_sub(&sleepers_, 1, __ATOMIC_SEQ_CST);
  }

  alignas(64) Ticket ticket_ = 0;
  alignas(64) int done_ = 0;
  alignas(64) int alarm_ = 0;
  int sleepers_ = 0;
  int started_ = 1;
  size_t failed_ = 0;  // the bytes that a worker could not have
  void (*fn_)(void*, int64_t, int64_t) = nullptr;
  void* context_ = nullptr;
  int64_t n_ = 0, chunk_ = 0;
  uint64_t job_ = 0;
};

Pool pool;

}  // namespace

extern "C" {

void tt_parallel(int64_t n, int64_t grain, void (*fn)(void*, int64_t, int64_t), void* context) {
  if (n <= 0) return;
  if (grain < 1) grain = 1;
  const int64_t chunk = (n + pool.threads - 1) / pool.threads;
  pool.run(n, chunk < grain ? grain : chunk, fn, context);
}

void tt_parallel_chunks(int64_t n, int64_t chunk, void (*fn)(void*, int64_t, int64_t), void* context) {
  if (n > 0) pool.run(n, chunk < 1 ? 1 : chunk, fn, context);
}

int tt_num_threads(void) { return pool.threads; }

TT_EXPORT(setThreads) void tt_wasm_set_threads(int n) { pool.threads = n; }
/** After an error that went through the module's frames, before anything else runs. */
TT_EXPORT(abandon) void tt_wasm_abandon() { pool.abandon(true); }

/** A worker's life. Where a part throws, JavaScript tells so and calls it again. */
TT_EXPORT(serve) void tt_wasm_serve(int index) { pool.serve(index); }
TT_EXPORT(workerFailed) void tt_wasm_worker_failed(size_t nbytes) {
  pool.fail(nbytes);
  pool.abandon(false);
}

}  // extern "C"

#endif
