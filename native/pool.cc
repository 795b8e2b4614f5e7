// The platform's half of kernel.h: one pool of threads for the whole process, and scratch memory.
//
// Work is cut into parts that depend only on (n, grain, thread count), and threads claim parts from a
// counter, so a result never depends on who ran which part, and a caller never waits for a thread that
// has not woken up: it runs that part itself. The pool is shared by every JavaScript environment of the
// process and never torn down.
#include "pool.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#include <sys/mman.h>
#endif
#if defined(_WIN32)
#include <malloc.h>
#include <process.h>
#else
#include <pthread.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#include "kernel.h"

namespace {

constexpr int kMaxThreads = 1024;
// A training step leaves gaps of tens to hundreds of microseconds between its parallel parts, and a thread that
// sleeps takes longer than such a part to wake up (measured: an MLP step of 100 us takes 190 when workers sleep after
// 60 us). After the first, tight phase a waiting thread offers its core to others at every look.
constexpr auto kTightSpin = std::chrono::microseconds(200);
constexpr auto kWorkerSpin = std::chrono::microseconds(1000);
constexpr auto kCallerSpin = std::chrono::microseconds(200);

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

/** Spins until ready() or until the time is up; returns ready()'s last answer. */
template <class Ready>
bool spin(std::chrono::microseconds limit, const Ready& ready) {
  if (ready()) return true;
  const auto start = std::chrono::steady_clock::now();
  for (;;) {
    for (int i = 0; i < 32; i++) {
      if (ready()) return true;
      relax();
    }
    const auto waited = std::chrono::steady_clock::now() - start;
    if (waited >= limit) return ready();
    if (waited >= kTightSpin) std::this_thread::yield();
  }
}

int positive_env(const char* name) {
  const char* text = std::getenv(name);
  const int n = text ? std::atoi(text) : 0;
  return n > 0 ? n : 0;
}

int default_threads() {
  int n = positive_env("TYPETORCH_NUM_THREADS");
  if (!n) n = positive_env("OMP_NUM_THREADS");
  if (!n) n = tt_available_cores();
  return n < kMaxThreads ? n : kMaxThreads;
}

// A ticket says which job is open and which of its parts is next: job number, parts, next part.
using Ticket = uint64_t;
constexpr Ticket make_ticket(uint64_t job, uint64_t parts) { return job << 32 | parts << 16; }
constexpr uint32_t job_of(Ticket t) { return static_cast<uint32_t>(t >> 32); }
constexpr uint32_t parts_of(Ticket t) { return t >> 16 & 0xffff; }
constexpr uint32_t next_of(Ticket t) { return t & 0xffff; }

thread_local bool in_parallel = false;

struct Chore {
  void (*call)(void*) = nullptr;
  void* context = nullptr;
};
thread_local Chore chore;

class Pool {
 public:
  static Pool& get() {
    static Pool* pool = new Pool;  // leaked: its threads outlive every environment
    return *pool;
  }

  int threads() const { return threads_.load(std::memory_order_relaxed); }
  void set_threads(int n) { threads_.store(n < 1 ? 1 : n > kMaxThreads ? kMaxThreads : n); }

  void run(int64_t n, int64_t chunk, void (*fn)(void*, int64_t, int64_t), void* context) {
    if (n <= 0) return;
    if (chunk < (n >> 14) + 1) chunk = (n >> 14) + 1;  // a ticket counts to 2^16
    const int64_t threads = this->threads();
    const int64_t parts = (n + chunk - 1) / chunk;
    // Inside a part, or while another environment uses the pool, this thread runs every part itself.
    if (parts == 1 || threads == 1 || in_parallel || !busy_.try_lock()) {
      for (int64_t begin = 0; begin < n; begin += chunk) fn(context, begin, begin + chunk < n ? begin + chunk : n);
      return;
    }
    spawn(static_cast<int>(threads) - 1);
    fn_ = fn;
    context_ = context;
    n_ = n;
    chunk_ = chunk;
    done_.store(0, std::memory_order_relaxed);
    ticket_.store(make_ticket(++job_, static_cast<uint64_t>(parts)), std::memory_order_seq_cst);
    wake(static_cast<int>(parts < threads ? parts : threads) - 1);
    if (chore.call) do_chore();
    work();
    const auto finished = [&] { return done_.load(std::memory_order_acquire) == parts; };
    while (!spin(kCallerSpin, finished)) std::this_thread::yield();
    busy_.unlock();
  }

 private:
  Pool() : threads_(default_threads()) {}

  static void do_chore() {
    const Chore c = chore;
    chore = {};
    in_parallel = true;  // it may not open a job inside this one
    c.call(c.context);
    in_parallel = false;
  }

  /** Starts workers until there are `count`; does with fewer where the system refuses. */
  void spawn(int count) {
    for (; workers_ < count; workers_++) {
      const int index = workers_;
      if (!tt_start_thread([](void* i) { Pool::get().worker(static_cast<int>(reinterpret_cast<intptr_t>(i))); },
                           reinterpret_cast<void*>(static_cast<intptr_t>(index))))
        return;
    }
  }

  void wake(int helpers) {
    // Pairs with the sleeper's: it counts itself, then looks at the ticket once more.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const int sleepers = sleepers_.load(std::memory_order_relaxed);
    if (sleepers == 0) return;
    alarm_.fetch_add(1, std::memory_order_seq_cst);
    if (helpers >= sleepers) {
      alarm_.notify_all();
    } else {
      for (int i = 0; i < helpers; i++) alarm_.notify_one();
    }
  }

  /** Claims and runs parts of the open job until none is left. */
  void work() {
    in_parallel = true;
    Ticket t = ticket_.load(std::memory_order_acquire);
    while (next_of(t) < parts_of(t)) {
      if (!ticket_.compare_exchange_weak(t, t + 1, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
      // The claimed part keeps its job open, so these fields are this job's.
      const int64_t begin = static_cast<int64_t>(next_of(t)) * chunk_;
      const int64_t end = begin + chunk_ < n_ ? begin + chunk_ : n_;
      fn_(context_, begin, end);
      done_.fetch_add(1, std::memory_order_release);
      t = ticket_.load(std::memory_order_acquire);
    }
    in_parallel = false;
  }

  void worker(int index) {
    uint32_t seen = 0;
    const auto fresh = [&] { return job_of(ticket_.load(std::memory_order_acquire)) != seen; };
    for (;;) {
      while (!spin(kWorkerSpin, fresh)) {
        const int alarm = alarm_.load(std::memory_order_seq_cst);
        sleepers_.fetch_add(1, std::memory_order_seq_cst);
        std::atomic_thread_fence(std::memory_order_seq_cst);
        if (!fresh()) alarm_.wait(alarm);
        sleepers_.fetch_sub(1, std::memory_order_seq_cst);
      }
      seen = job_of(ticket_.load(std::memory_order_acquire));
      if (index < threads() - 1) work();
    }
  }

  std::mutex busy_;  // held by the environment whose job is open
  alignas(64) std::atomic<Ticket> ticket_{0};
  alignas(64) std::atomic<int64_t> done_{0};
  alignas(64) std::atomic<int> alarm_{0};
  std::atomic<int> sleepers_{0};
  std::atomic<int> threads_;
  void (*fn_)(void*, int64_t, int64_t) = nullptr;
  void* context_ = nullptr;
  int64_t n_ = 0, chunk_ = 0;
  uint64_t job_ = 0;
  int workers_ = 0;
};

// ---- scratch -------------------------------------------------------------------------------------------

struct Scratch {
  void* data[8] = {};
  size_t size[8] = {};
  ~Scratch() {
    for (void* p : data) release(p);
  }
  static void release(void* p) {
#if defined(_WIN32)
    _aligned_free(p);
#else
    std::free(p);
#endif
  }
  static void* acquire(size_t size) {
#if defined(_WIN32)
    return _aligned_malloc(size, 64);
#else
    const bool huge = size >= size_t(2) << 20;
    void* p = nullptr;
    if (posix_memalign(&p, huge ? size_t(2) << 20 : 64, size) != 0) return nullptr;
#if defined(__linux__)
    if (huge) madvise(p, size, MADV_HUGEPAGE);
#endif
    return p;
#endif
  }
};

thread_local Scratch scratch;

}  // namespace

int tt_available_cores() {
#if defined(__linux__)
  cpu_set_t set;
  int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
  if (n == 0) n = static_cast<int>(std::thread::hardware_concurrency());
  // A container's processor quota: "max 100000" or "150000 100000" (cgroup v2).
  if (FILE* f = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
    long long quota = 0, period = 0;
    if (std::fscanf(f, "%lld %lld", &quota, &period) == 2 && quota > 0 && period > 0) {
      const int limit = static_cast<int>((quota + period - 1) / period);
      if (limit < n) n = limit;
    }
    std::fclose(f);
  }
#else
  const int n = static_cast<int>(std::thread::hardware_concurrency());
#endif
  return n > 0 ? n : 1;
}

bool tt_start_thread(void (*body)(void*), void* argument) {
  struct Start {
    void (*body)(void*);
    void* argument;
  };
  Start* start = static_cast<Start*>(std::malloc(sizeof(Start)));
  if (!start) return false;
  *start = {body, argument};
#if defined(_WIN32)
  const auto entry = [](void* p) {
    const Start s = *static_cast<Start*>(p);
    std::free(p);
    s.body(s.argument);
  };
  if (_beginthread(entry, 0, start) != uintptr_t(-1)) return true;
#else
  const auto entry = [](void* p) -> void* {
    const Start s = *static_cast<Start*>(p);
    std::free(p);
    s.body(s.argument);
    return nullptr;
  };
  pthread_t thread;
  if (pthread_create(&thread, nullptr, entry, start) == 0) {
    pthread_detach(thread);
    return true;
  }
#endif
  std::free(start);
  return false;
}

extern "C" {

void tt_parallel(int64_t n, int64_t grain, void (*fn)(void*, int64_t, int64_t), void* context) {
  const int64_t threads = Pool::get().threads();
  const int64_t share = (n + threads - 1) / threads;
  Pool::get().run(n, share > grain ? share : grain, fn, context);
}

void tt_parallel_chunks(int64_t n, int64_t chunk, void (*fn)(void*, int64_t, int64_t), void* context) {
  Pool::get().run(n, chunk, fn, context);
}

int tt_num_threads(void) { return Pool::get().threads(); }

void tt_set_num_threads(int n) { Pool::get().set_threads(n); }

void* tt_scratch(int slot, size_t nbytes) {
  if (scratch.size[slot] < nbytes) {
    Scratch::release(scratch.data[slot]);
    // Grows by half at least, so that slowly rising requests do not reallocate each time.
    size_t size = scratch.size[slot] + scratch.size[slot] / 2;
    if (size < nbytes) size = nbytes;
    size = (size + 4095) & ~size_t(4095);
    scratch.data[slot] = Scratch::acquire(size);
    if (!scratch.data[slot]) {
      std::fprintf(stderr, "typetorch: out of memory: %zu bytes of kernel scratch\n", size);
      std::abort();
    }
    scratch.size[slot] = size;
  }
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(scratch.data[slot], nbytes);
  __asan_poison_memory_region(static_cast<char*>(scratch.data[slot]) + nbytes, scratch.size[slot] - nbytes);
#endif
  return scratch.data[slot];
}

}  // extern "C"

void tt_set_chore(void (*call)(void*), void* context) { chore = {call, context}; }
