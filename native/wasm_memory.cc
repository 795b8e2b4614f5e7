// The heap of the WebAssembly build: 64-byte aligned blocks of linear memory.
//
// Two-level segregated fit (Masmano, Ripoll, Crespo and Real, "TLSF: a new dynamic memory allocator for real-time
// systems", 2004): free blocks hang in lists by size class, bitmaps find the first list that fits, and neighbours that
// are free are joined. Linear memory only grows.
#include "wasm_memory.h"

#include <cstdlib>
#include <cstring>

extern "C" char __heap_base;

namespace {

using Size = uint32_t;

constexpr Size kAlign = 64;
constexpr Size kPage = 65536;
constexpr int kSubBits = 4;  // sixteen size classes to a doubling
constexpr int kSub = 1 << kSubBits;
constexpr int kLevels = 32 - 6 - kSubBits + 1;

/** Lies 64 bytes before the bytes of its block. */
struct Block {
  Block* before;  // its neighbour in memory
  Size size;      // bytes after this header, a multiple of kAlign; 0 marks the end of the heap
  bool free;
  Block *next, *previous;  // while free: in its list
};
static_assert(sizeof(Block) <= kAlign, "a header takes one unit");

class Heap {
 public:
  void* take(Size nbytes) {
    if (nbytes > 0xffff0000u - 2 * kAlign) return nullptr;
    const Size size = nbytes == 0 ? kAlign : (nbytes + kAlign - 1) & ~(kAlign - 1);
    Block* block = find(size);
    if (!block && grow(size)) block = find(size);
    if (!block) return nullptr;
    remove(block);
    split(block, size);
    block->free = false;
    used_ += block->size;
    if (used_ > peak_) peak_ = used_;
    return reinterpret_cast<char*>(block) + kAlign;
  }

  void give_back(void* p) {
    Block* block = reinterpret_cast<Block*>(static_cast<char*>(p) - kAlign);
    used_ -= block->size;
    Block* after = next_of(block);
    if (after->free) {
      remove(after);
      block->size += kAlign + after->size;
    }
    if (block->before && block->before->free) {
      Block* before = block->before;
      remove(before);
      before->size += kAlign + block->size;
      block = before;
    }
    next_of(block)->before = block;
    insert(block);
  }

  Size size_of(void* p) const { return reinterpret_cast<Block*>(static_cast<char*>(p) - kAlign)->size; }
  Size used() const { return used_; }
  Size peak() const { return peak_; }

 private:
  static Block* next_of(Block* b) { return reinterpret_cast<Block*>(reinterpret_cast<char*>(b) + kAlign + b->size); }

  struct Class {
    int level, sub;
  };
  /** The list that a block of this size hangs in. */
  static Class class_of(Size size) {
    const Size units = size / kAlign;
    if (units < kSub) return {0, static_cast<int>(units)};
    const int log = 31 - __builtin_clz(units);
    return {log - kSubBits + 1, static_cast<int>(units >> (log - kSubBits)) & (kSub - 1)};
  }

  /** A free block of at least this size, from the first list whose blocks are all large enough. */
  Block* find(Size size) {
    const Size units = size / kAlign;
    Size wanted = size;
    if (units >= kSub) {
      const Size step = kAlign << (31 - __builtin_clz(units) - kSubBits);
      wanted = size > 0xffffffffu - step ? size : size + step - 1;
    }
    Class c = class_of(wanted);
    uint32_t subs = c.sub < kSub ? subs_[c.level] & (~0u << c.sub) : 0;
    if (!subs) {
      const uint32_t levels = c.level + 1 < 32 ? levels_ & (~0u << (c.level + 1)) : 0;
      if (!levels) return nullptr;
      c.level = __builtin_ctz(levels);
      subs = subs_[c.level];
    }
    return lists_[c.level][__builtin_ctz(subs)];
  }

  void insert(Block* block) {
    const Class c = class_of(block->size);
    Block*& head = lists_[c.level][c.sub];
    block->free = true;
    block->previous = nullptr;
    block->next = head;
    if (head) head->previous = block;
    head = block;
    subs_[c.level] |= 1u << c.sub;
    levels_ |= 1u << c.level;
  }

  void remove(Block* block) {
    const Class c = class_of(block->size);
    if (block->next) block->next->previous = block->previous;
    if (block->previous) {
      block->previous->next = block->next;
    } else {
      lists_[c.level][c.sub] = block->next;
      if (!block->next && !(subs_[c.level] &= ~(1u << c.sub))) levels_ &= ~(1u << c.level);
    }
  }

  /** Cuts what a block has beyond `size` off, as a free block. */
  void split(Block* block, Size size) {
    if (block->size < size + 2 * kAlign) return;
    Block* rest = reinterpret_cast<Block*>(reinterpret_cast<char*>(block) + kAlign + size);
    rest->before = block;
    rest->size = block->size - size - kAlign;
    block->size = size;
    next_of(rest)->before = rest;
    insert(rest);
  }

  /** Appends memory that holds a block of `size` bytes, an eighth of the heap more where it can be had. */
  bool grow(Size size) {
    const uint64_t held = static_cast<uint64_t>(__builtin_wasm_memory_size(0)) * kPage;
    if (!end_) start(held);
    const Size last = end_->before && end_->before->free ? end_->before->size : 0;
    // What find() asks for may lie a class above the size.
    const uint64_t needed = static_cast<uint64_t>(size) + size / kSub + 4 * kAlign - (last < size ? last : 0);
    const uint64_t generous = needed > held / 8 ? needed : held / 8;
    for (const uint64_t wish : {generous, needed}) {
      const uint64_t pages = (wish + kPage - 1) / kPage;
      if (held / kPage + pages > 65536 || !tt_wasm_grow(static_cast<Size>(pages))) continue;
      extend(static_cast<Size>(pages * kPage));
      return true;
    }
    return false;
  }

  /** Takes the memory that the module came with. */
  void start(uint64_t held) {
    const uintptr_t first = (reinterpret_cast<uintptr_t>(&__heap_base) + kAlign - 1) & ~uintptr_t(kAlign - 1);
    end_ = reinterpret_cast<Block*>(first);
    *end_ = Block{nullptr, 0, false, nullptr, nullptr};
    if (held > first + 2 * kAlign) extend(static_cast<Size>(held - first - kAlign));
  }

  /** Turns the end mark and the bytes behind it into a free block. */
  void extend(Size nbytes) {
    Block* block = end_;
    block->size = nbytes - kAlign;
    end_ = next_of(block);
    *end_ = Block{block, 0, false, nullptr, nullptr};
    used_ += block->size;
    give_back(reinterpret_cast<char*>(block) + kAlign);
  }

  Block* lists_[kLevels][kSub] = {};
  uint32_t subs_[kLevels] = {};
  uint32_t levels_ = 0;
  Block* end_ = nullptr;
  Size used_ = 0, peak_ = 0;
};

Heap heap;

#if defined(TT_THREADS)
int heap_lock = 0;
struct Locked {
  Locked() {
    while (__atomic_exchange_n(&heap_lock, 1, __ATOMIC_ACQUIRE)) {
    }
  }
  ~Locked() { __atomic_store_n(&heap_lock, 0, __ATOMIC_RELEASE); }
};
#else
struct Locked {
  Locked() {}
};
#endif

}  // namespace

void* tt_heap_take(size_t nbytes) {
  const Locked locked;
  return heap.take(nbytes);
}
void tt_heap_give_back(void* p) {
  const Locked locked;
  heap.give_back(p);
}
size_t tt_heap_used() { return heap.used(); }
size_t tt_heap_peak() { return heap.peak(); }

// The C library of this build asks here.
extern "C" {
void* malloc(size_t nbytes) { return tt_heap_take(nbytes); }
void free(void* p) {
  if (p) tt_heap_give_back(p);
}
void* calloc(size_t n, size_t size) {
  void* p = size && n > SIZE_MAX / size ? nullptr : tt_heap_take(n * size);
  return p ? memset(p, 0, n * size) : nullptr;
}
void* realloc(void* p, size_t nbytes) {
  if (!p) return malloc(nbytes);
  void* grown = tt_heap_take(nbytes);
  if (!grown) return nullptr;
  const size_t old = heap.size_of(p);
  memcpy(grown, p, old < nbytes ? old : nbytes);
  free(p);
  return grown;
}
}
