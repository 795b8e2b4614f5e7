// Decides when blocks are free: each block belongs to a JavaScript object, and a sweep (a garbage collection
// in the middle of synchronous code, then a look at every weak reference) takes back the blocks of dead ones.
#pragma once

#include <node_api.h>

#include "memory.h"

namespace tt {

struct SweepCounts {
  double sweeps = 0, minor = 0, major = 0;
  double seconds = 0;  // spent in sweeps, garbage collections included
};

/**
 * The blocks of one environment and the policy of its sweeps.
 *
 * V8's minor collection frees an object only while it is young (it survived fewer than two of them), so
 * blocks are kept by generation: 0 and 1 are looked at in every sweep, 2 only after a major collection (and
 * a few of them in every sweep, in case V8 ran one of its own).
 *
 * The budget is the bytes handed out between two sweeps. It grows when sweeps cost more than 5 % of the time,
 * or when most blocks survive them (they would age out of reach of a minor collection), and shrinks to the
 * size of the caches when sweeps are cheap. Whatever the budget, blocks in use and cached stay under a
 * ceiling of 1.5 times the largest live set that a major collection has confirmed, plus 128 MB (2 times plus
 * 192 MB while major collections take more than 5 % of the time).
 */
class Owners {
 public:
  explicit Owners(napi_env env) : env_(env), limit_(memory_limit()) {}
  ~Owners();

  /** The collector is `collect(major: boolean)`. */
  napi_status set_collector(napi_value collect);

  /** Null when there is no memory; *status tells whether `owner` was refused as no object. */
  Block* allocate(napi_value owner, size_t nbytes, napi_status* status);
  /** Takes back the block at this address; false when no block in use starts there. */
  bool release(uintptr_t address);
  /** Garbage collection and sweep. A minor one gives no memory back to the system, so it may run while kernels do. */
  void sweep(bool major);
  /** Whether a minor sweep would be in time: the budget is used up, or will be soon. */
  bool sweep_due() const { return handed_out_ >= budget_ && !collecting_; }

  BlockCache& cache() { return cache_; }
  const SweepCounts& counts() const { return counts_; }

 private:
  struct Generation {
    Block** items = nullptr;
    size_t count = 0, capacity = 0;
    bool reserve(size_t extra);
  };

  Block* take_fresh(size_t nbytes);
  void make_room(size_t nbytes);
  bool collect(bool major);
  void poll(int generation, size_t begin, size_t end);
  void age(int generation);
  void remove(Block* block);
  bool add(Block* block, int generation);
  bool dead(Block* block);
  size_t ceiling() const;
  bool major_too_soon() const;
  double largest_budget() const;
  void adapt(double cost, double handed_out, double freed);

  napi_env env_;
  napi_ref collector_ = nullptr;
  BlockCache cache_;
  Generation generations_[3];
  SweepCounts counts_;
  size_t limit_;                // what this process may use at most
  size_t confirmed_ = 0;        // largest live set right after a major collection
  size_t old_cursor_ = 0;
  double budget_ = 7e6, floor_ = 7e6, sweep_cost_ = 30e-6;
  size_t polled_ = 0;
  double handed_out_ = 0;       // charge since the last sweep
  double last_sweep_ = 0, last_major_ = 0, major_cost_ = 0;
  int minors_since_major_ = 0;
  bool collecting_ = false;
};

}  // namespace tt
