#include "owners.h"

#include <chrono>
#include <cstdlib>

namespace tt {
namespace {

constexpr double kMinBudget = 7e6;
// What sweeping may cost, in seconds per byte handed out. Memory that left the caches costs about 20e-12 to write
// again (measured: 4 MB sums over rings of 1 to 32 result blocks), so frequent cheap sweeps win over rare ones.
constexpr double kCostPerByte = 12e-12;
constexpr double kCostPerBlock = 1e-6;
constexpr double kChargePerBlock = 1024;  // the JavaScript object and the weak reference of a block
constexpr size_t kOldPerSweep = 256;      // old blocks looked at in a minor sweep

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

bool Owners::Generation::reserve(size_t extra) {
  if (count + extra <= capacity) return true;
  size_t size = capacity ? 2 * capacity : 256;
  if (size < count + extra) size = count + extra;
  Block** grown = static_cast<Block**>(std::realloc(items, size * sizeof(Block*)));
  if (!grown) return false;
  items = grown;
  capacity = size;
  return true;
}

Owners::~Owners() {
  for (Generation& g : generations_) {
    for (size_t i = 0; i < g.count; i++) napi_delete_reference(env_, static_cast<napi_ref>(g.items[i]->owner));
    std::free(g.items);
  }
  if (collector_) napi_delete_reference(env_, collector_);
}

napi_status Owners::set_collector(napi_value collect) {
  napi_ref fresh;
  const napi_status status = napi_create_reference(env_, collect, 1, &fresh);
  if (status != napi_ok) return status;
  if (collector_) napi_delete_reference(env_, collector_);
  collector_ = fresh;
  return napi_ok;
}

Block* Owners::allocate(napi_value owner, size_t nbytes, napi_status* status) {
  *status = napi_ok;
  handed_out_ += static_cast<double>(nbytes) + kChargePerBlock;
  // From the budget on a sweep is due, and the next parallel kernel hides most of it (node_api.cc); past twice the
  // budget, or without a cached block, it happens here.
  if (handed_out_ >= budget_ && (handed_out_ >= 2 * budget_ || !cache_.has_free(nbytes))) sweep(false);
  Block* block = cache_.has_free(nbytes) ? cache_.take(nbytes, limit_) : take_fresh(nbytes);
  if (!block) return nullptr;
  napi_ref ref;
  *status = napi_create_reference(env_, owner, 0, &ref);
  if (*status != napi_ok) {
    cache_.give_back(block);
    return nullptr;
  }
  block->owner = ref;
  if (!add(block, 0)) {
    napi_delete_reference(env_, ref);
    cache_.give_back(block);
    return nullptr;
  }
  return block;
}

bool Owners::release(uintptr_t address) {
  Block* block = cache_.find(address);
  if (!block || !block->in_use) return false;
  handed_out_ -= static_cast<double>(block->requested);
  if (handed_out_ < 0) handed_out_ = 0;
  remove(block);
  napi_delete_reference(env_, static_cast<napi_ref>(block->owner));
  cache_.give_back(block);
  return true;
}

/** Whether another major collection now would take more than 5 % of the time since the last one. */
bool Owners::major_too_soon() const { return now() - last_major_ < 20 * major_cost_; }

size_t Owners::ceiling() const {
  const size_t c = major_too_soon() ? 2 * confirmed_ + (size_t(192) << 20)
                                    : confirmed_ + confirmed_ / 2 + (size_t(128) << 20);
  return c < limit_ ? c : limit_;
}

/** The largest budget that leaves the live set under the ceiling. */
double Owners::largest_budget() const {
  const double live = static_cast<double>(confirmed_);
  return major_too_soon() ? live + 160e6 : live / 2 + 96e6;
}

/** A block that no cached one serves; collects and empties the cache before it gives up. */
Block* Owners::take_fresh(size_t nbytes) {
  if (nbytes > limit_) return nullptr;
  make_room(nbytes);
  Block* block = cache_.used() + nbytes <= limit_ ? cache_.take(nbytes, ceiling()) : nullptr;
  if (block) return block;
  sweep(true);
  cache_.trim(0);
  return cache_.used() + nbytes <= limit_ ? cache_.take(nbytes, ceiling()) : nullptr;
}

/** Makes reserved() + nbytes fit under the ceiling, by collecting where dropping cached blocks is not enough. */
void Owners::make_room(size_t nbytes) {
  if (cache_.used() + nbytes <= ceiling()) return;  // take() drops cached blocks
  // Worth a minor collection where that much was handed out since the last one.
  if (handed_out_ > static_cast<double>(cache_.used()) / 4) {
    sweep(false);
    if (cache_.used() + nbytes <= ceiling()) return;
  }
  sweep(true);
  // What is left is alive: the live set may grow by this block.
  if (cache_.used() + nbytes > confirmed_) confirmed_ = cache_.used() + nbytes;
}

bool Owners::collect(bool major) {
  napi_value fn, receiver, argument, result;
  if (!collector_ || napi_get_reference_value(env_, collector_, &fn) != napi_ok) return false;
  if (napi_get_undefined(env_, &receiver) != napi_ok) return false;
  if (napi_get_boolean(env_, major, &argument) != napi_ok) return false;
  if (napi_call_function(env_, receiver, fn, 1, &argument, &result) == napi_ok) return true;
  bool pending = false;
  if (napi_is_exception_pending(env_, &pending) == napi_ok && pending) {
    napi_value error;
    napi_get_and_clear_last_exception(env_, &error);
  }
  return false;
}

void Owners::sweep(bool major) {
  if (collecting_) return;
  collecting_ = true;
  const double start = now();
  const bool too_soon = major && major_too_soon();
  const double used = static_cast<double>(cache_.live());
  polled_ = generations_[0].count + generations_[1].count;
  napi_handle_scope scope;
  if (napi_open_handle_scope(env_, &scope) == napi_ok) {
    collect(major);
    napi_close_handle_scope(env_, scope);
  }
  // Oldest first: the most recent block ends on top of the free list, as its bytes are likeliest in a cache.
  if (major) {
    poll(2, 0, generations_[2].count);
  } else if (generations_[2].count > 0) {
    if (old_cursor_ >= generations_[2].count) old_cursor_ = 0;
    const size_t end = old_cursor_ + kOldPerSweep;
    const size_t count = generations_[2].count;
    poll(2, old_cursor_, end < count ? end : count);
    old_cursor_ = end;
  }
  poll(1, 0, generations_[1].count);
  poll(0, 0, generations_[0].count);
  age(1);
  age(0);
  const double end = now();
  counts_.sweeps++;
  counts_.seconds += end - start;
  if (major) {
    counts_.major++;
    major_cost_ = end - start;
    last_major_ = end;
    if (cache_.used() > confirmed_) confirmed_ = cache_.used();
    // Blocks aged out of reach of the minor collections: make those rarer.
    const double most = largest_budget();
    floor_ = too_soon || 2 * budget_ > most ? most : 2 * budget_;
    if (budget_ < floor_) budget_ = floor_;
    minors_since_major_ = 0;
  } else {
    counts_.minor++;
    minors_since_major_++;
    adapt(end - start, handed_out_, used - static_cast<double>(cache_.live()));
  }
  handed_out_ = 0;
  last_sweep_ = end;
  collecting_ = false;
}

void Owners::adapt(double cost, double handed_out, double freed) {
  const double most = largest_budget();
  if (minors_since_major_ % 64 == 0 && floor_ > kMinBudget) floor_ /= 2;
  if (freed < 0.35 * handed_out) {
    budget_ *= 2;  // mostly live: a rarer look finds more
  } else {
    // The least of recent costs: a sweep is slow when its own data left the caches, and rarer ones are slower still.
    // What each block costs is spent in any case; only the rest is saved by rarer sweeps.
    double fixed = cost - kCostPerBlock * static_cast<double>(polled_);
    if (fixed < 0) fixed = 0;
    sweep_cost_ = fixed < 1.1 * sweep_cost_ ? fixed : 1.1 * sweep_cost_;
    if (sweep_cost_ < 20e-6) sweep_cost_ = 20e-6;
    double wish = sweep_cost_ / kCostPerByte;
    if (wish < budget_ / 2) wish = budget_ / 2;
    if (wish > budget_ * 2) wish = budget_ * 2;
    budget_ = (budget_ + wish) / 2;
  }
  if (budget_ > most) budget_ = most;
  if (budget_ < floor_) budget_ = floor_;
  if (budget_ < kMinBudget) budget_ = kMinBudget;
}

bool Owners::dead(Block* block) {
  napi_value value = nullptr;
  return napi_get_reference_value(env_, static_cast<napi_ref>(block->owner), &value) == napi_ok && !value;
}

/** Takes back the dead among generation[begin, end), in order; the others stay in order. */
void Owners::poll(int generation, size_t begin, size_t end) {
  Generation& g = generations_[generation];
  size_t kept = begin;
  for (size_t chunk = begin; chunk < end; chunk += 256) {
    napi_handle_scope scope;  // a handle per live object: closed every so often
    if (napi_open_handle_scope(env_, &scope) != napi_ok) return;
    const size_t stop = chunk + 256 < end ? chunk + 256 : end;
    for (size_t i = chunk; i < stop; i++) {
      Block* block = g.items[i];
      if (dead(block)) {
        napi_delete_reference(env_, static_cast<napi_ref>(block->owner));
        cache_.give_back(block);
      } else {
        block->position = static_cast<uint32_t>(kept);
        g.items[kept++] = block;
      }
    }
    napi_close_handle_scope(env_, scope);
  }
  if (kept == end) return;
  for (size_t i = end; i < g.count; i++) {
    g.items[i]->position = static_cast<uint32_t>(kept);
    g.items[kept++] = g.items[i];
  }
  g.count = kept;
}

/** Moves the survivors of a generation to the next. */
void Owners::age(int generation) {
  Generation &from = generations_[generation], &to = generations_[generation + 1];
  if (!to.reserve(from.count)) return;
  for (size_t i = 0; i < from.count; i++) add(from.items[i], generation + 1);
  from.count = 0;
}

bool Owners::add(Block* block, int generation) {
  Generation& g = generations_[generation];
  if (!g.reserve(1)) return false;
  block->generation = static_cast<uint8_t>(generation);
  block->position = static_cast<uint32_t>(g.count);
  g.items[g.count++] = block;
  return true;
}

void Owners::remove(Block* block) {
  Generation& g = generations_[block->generation];
  Block* last = g.items[--g.count];
  g.items[block->position] = last;
  last->position = block->position;
}

}  // namespace tt
