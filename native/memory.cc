#include "memory.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#if defined(_WIN32)
#include <malloc.h>
#include <windows.h>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace tt {
namespace {

#if defined(__SANITIZE_ADDRESS__)
/** In a sanitized build, what follows the bytes asked for, and every free block, may not be touched. */
constexpr size_t kRedZone = 64;
void guard(const Block* b) {
  char* p = reinterpret_cast<char*>(b->address);
  __asan_poison_memory_region(p, b->capacity);
  if (b->in_use) __asan_unpoison_memory_region(p, b->requested);
}
void unguard(void* p, size_t size) { __asan_unpoison_memory_region(p, size); }
#else
constexpr size_t kRedZone = 0;
void guard(const Block*) {}
void unguard(void*, size_t) {}
#endif

constexpr size_t kAlign = 64;
constexpr size_t kPage = 4096;
constexpr size_t kHuge = size_t(2) << 20;
constexpr size_t kSlab = size_t(1) << 20;
constexpr size_t kLargestSmall = size_t(64) << 10;  // above: a mapping of its own

/** Bytes from the operating system, aligned to pages (to huge pages when large); null when it has none. */
void* os_map(size_t size) {
#if defined(_WIN32)
  return VirtualAlloc(nullptr, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
#else
  const bool huge = size >= 2 * kHuge;
  const size_t slack = huge ? kHuge : 0;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#if defined(__linux__)
  if (!huge) flags |= MAP_POPULATE;  // one call instead of a fault per page
#endif
  char* p = static_cast<char*>(mmap(nullptr, size + slack, PROT_READ | PROT_WRITE, flags, -1, 0));
  if (p == MAP_FAILED) return nullptr;
  if (huge) {
    const size_t head = (kHuge - reinterpret_cast<uintptr_t>(p) % kHuge) % kHuge;
    if (head) munmap(p, head);
    if (slack - head) munmap(p + head + size, slack - head);
    p += head;
#if defined(__linux__)
    madvise(p, size, MADV_HUGEPAGE);
#endif
  }
  return p;
#endif
}

void os_unmap(void* p, size_t size) {
  unguard(p, size);
#if defined(_WIN32)
  (void)size;
  VirtualFree(p, 0, MEM_RELEASE);
#else
  munmap(p, size);
#endif
}

/** Eight classes to a doubling, in multiples of the alignment (of the page where large). */
int class_of(size_t nbytes) {
  const size_t units = nbytes <= kAlign ? 1 : (nbytes + kAlign - 1) / kAlign;
  if (units <= 8) return static_cast<int>(units) - 1;
  const int log = 63 - __builtin_clzll(units - 1);  // units - 1 in [2^log, 2^(log+1))
  return 8 * (log - 2) + static_cast<int>((units - 1) >> (log - 3) & 7);
}

size_t class_bytes(int size_class) {
  if (size_class < 8) return kAlign * static_cast<size_t>(size_class + 1);
  const int log = size_class / 8 + 2;
  const size_t bytes = kAlign * (((size_t(8) + static_cast<size_t>(size_class % 8) + 1)) << (log - 3));
  return bytes <= kLargestSmall ? bytes : (bytes + kPage - 1) / kPage * kPage;
}

size_t hash(uintptr_t address) { return (address >> 6) * 0x9e3779b97f4a7c15ull >> 20; }

#if defined(__linux__)
/** The number in a file of one number; 0 when there is none ("max" included). */
size_t number_in(const char* path) {
  unsigned long long n = 0;
  if (FILE* f = std::fopen(path, "r")) {
    if (std::fscanf(f, "%llu", &n) != 1) n = 0;
    std::fclose(f);
  }
  return static_cast<size_t>(n);
}
#endif

}  // namespace

struct BlockCache::Arena {
  Arena* next;
  void* memory;
  size_t size;
};

BlockCache::BlockCache() = default;

BlockCache::~BlockCache() {
  for (size_t i = 0; i < table_size_; i++) {
    Block* b = table_[i];
    if (b && b->capacity > kLargestSmall) os_unmap(reinterpret_cast<void*>(b->address), b->capacity);
  }
  std::free(table_);
  while (arenas_) {
    Arena* next = arenas_->next;
    os_unmap(arenas_->memory, arenas_->size);
    std::free(arenas_);
    arenas_ = next;
  }
}

Block* BlockCache::take(size_t nbytes, size_t ceiling) {
  const int size_class = class_of(nbytes + kRedZone);
  Block* block = pop(size_class);
  if (!block) {
    if (class_bytes(size_class) <= kLargestSmall) {
      if (!carve_slab(size_class)) return nullptr;
      block = pop(size_class);
    } else {
      // A block of the next two classes is at most 25 % larger.
      for (int c = size_class + 1; !block && c <= size_class + 2 && c < kClasses; c++) block = pop(c);
      if (!block) block = map_large(nbytes + kRedZone, size_class, ceiling);
    }
  }
  if (!block) return nullptr;
  block->in_use = true;
  block->requested = nbytes;
  guard(block);
  live_ += nbytes;
  used_ += block->capacity;
  if (live_ > peak_) peak_ = live_;
  return block;
}

bool BlockCache::has_free(size_t nbytes) const {
  const int size_class = class_of(nbytes + kRedZone);
  if (free_[size_class]) return true;
  if (class_bytes(size_class) <= kLargestSmall) return false;
  return free_[size_class + 1] || free_[size_class + 2];
}

void BlockCache::give_back(Block* block) {
  live_ -= block->requested;
  used_ -= block->capacity;
  block->in_use = false;
  block->owner = nullptr;
  guard(block);
  push(block);
}

Block* BlockCache::find(uintptr_t address) const {
  if (table_size_ == 0) return nullptr;
  for (size_t i = hash(address) & (table_size_ - 1);; i = (i + 1) & (table_size_ - 1)) {
    Block* b = table_[i];
    if (!b || b->address == address) return b;
  }
}

void BlockCache::trim(size_t keep) {
  while (cached_large_ > keep && oldest_) {
    Block* b = oldest_;
    unlink_free(b);
    unmap(b);
  }
}

Block* BlockCache::map_large(size_t nbytes, int size_class, size_t ceiling) {
  const size_t capacity = class_bytes(size_class);
  if (capacity < nbytes) return nullptr;
  if (reserved_ + capacity > ceiling) {
    const size_t excess = reserved_ + capacity - ceiling;
    trim(cached_large_ > excess ? cached_large_ - excess : 0);
  }
  Block* block = new_block();
  if (!block) return nullptr;
  void* p = os_map(capacity);
  block->address = reinterpret_cast<uintptr_t>(p);
  block->capacity = capacity;
  block->size_class = static_cast<uint16_t>(size_class);
  if (!p || !insert(block)) {
    if (p) os_unmap(p, capacity);
    block->below = spare_;
    spare_ = block;
    return nullptr;
  }
  reserved_ += capacity;
  return block;
}

/** Cuts a fresh slab into free blocks of a small class. */
bool BlockCache::carve_slab(int size_class) {
  const size_t capacity = class_bytes(size_class);
  // A rare size gets a small slab, so that a few odd tensors do not cost a megabyte.
  const size_t size = capacity <= 4 * kAlign ? kSlab / 4 : capacity * 8 < kSlab ? kSlab / 4 : kSlab;
  Arena* arena = static_cast<Arena*>(std::malloc(sizeof(Arena)));
  if (!arena) return false;
  void* p = os_map(size);
  if (!p) {
    std::free(arena);
    return false;
  }
  *arena = {arenas_, p, size};
  arenas_ = arena;
  // Pushed last to first, so that the first one is on top.
  for (size_t i = size / capacity; i-- > 0;) {
    Block* block = new_block();
    if (!block) return free_[size_class] != nullptr;
    block->address = reinterpret_cast<uintptr_t>(p) + i * capacity;
    block->capacity = capacity;
    block->size_class = static_cast<uint16_t>(size_class);
    if (!insert(block)) return free_[size_class] != nullptr;
    reserved_ += capacity;
    push(block);
  }
  return true;
}

Block* BlockCache::new_block() {
  if (!spare_) {
    const size_t size = size_t(64) << 10;
    Arena* arena = static_cast<Arena*>(std::malloc(sizeof(Arena)));
    void* p = arena ? os_map(size) : nullptr;
    if (!p) {
      std::free(arena);
      return nullptr;
    }
    *arena = {arenas_, p, size};
    arenas_ = arena;
    Block* records = static_cast<Block*>(p);
    for (size_t i = size / sizeof(Block); i-- > 0;) {
      records[i].below = spare_;
      spare_ = &records[i];
    }
  }
  Block* block = spare_;
  spare_ = block->below;
  *block = Block{};
  return block;
}

Block* BlockCache::pop(int size_class) {
  Block* block = free_[size_class];
  if (block) unlink_free(block);
  return block;
}

void BlockCache::push(Block* block) {
  Block*& top = free_[block->size_class];
  block->above = nullptr;
  block->below = top;
  if (top) top->above = block;
  top = block;
  if (block->capacity <= kLargestSmall) return;
  cached_large_ += block->capacity;
  block->newer = nullptr;
  block->older = newest_;
  (newest_ ? newest_->newer : oldest_) = block;
  newest_ = block;
}

void BlockCache::unlink_free(Block* block) {
  (block->above ? block->above->below : free_[block->size_class]) = block->below;
  if (block->below) block->below->above = block->above;
  if (block->capacity <= kLargestSmall) return;
  cached_large_ -= block->capacity;
  (block->newer ? block->newer->older : newest_) = block->older;
  (block->older ? block->older->newer : oldest_) = block->newer;
}

void BlockCache::unmap(Block* block) {
  erase(block->address);
  os_unmap(reinterpret_cast<void*>(block->address), block->capacity);
  reserved_ -= block->capacity;
  block->below = spare_;
  spare_ = block;
}

bool BlockCache::insert(Block* block) {
  if (2 * (table_used_ + 1) > table_size_ && !grow_table()) return false;
  size_t i = hash(block->address) & (table_size_ - 1);
  while (table_[i]) i = (i + 1) & (table_size_ - 1);
  table_[i] = block;
  table_used_++;
  return true;
}

void BlockCache::erase(uintptr_t address) {
  const size_t mask = table_size_ - 1;
  size_t hole = hash(address) & mask;
  while (table_[hole]->address != address) hole = (hole + 1) & mask;
  // Closes the gap: an entry moves up unless that would put it before its home slot.
  for (size_t i = (hole + 1) & mask; table_[i]; i = (i + 1) & mask) {
    const size_t home = hash(table_[i]->address) & mask;
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      table_[hole] = table_[i];
      hole = i;
    }
  }
  table_[hole] = nullptr;
  table_used_--;
}

bool BlockCache::grow_table() {
  const size_t size = table_size_ ? 2 * table_size_ : 1024;
  Block** table = static_cast<Block**>(std::calloc(size, sizeof(Block*)));
  if (!table) return false;
  Block** old = table_;
  const size_t old_size = table_size_;
  table_ = table;
  table_size_ = size;
  table_used_ = 0;
  for (size_t i = 0; i < old_size; i++) {
    if (old[i]) insert(old[i]);
  }
  std::free(old);
  return true;
}

size_t memory_limit() {
#if defined(_WIN32)
  MEMORYSTATUSEX status;
  status.dwLength = sizeof status;
  return GlobalMemoryStatusEx(&status) ? static_cast<size_t>(status.ullTotalPhys) : SIZE_MAX;
#else
  size_t limit = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
#if defined(__linux__)
  for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    const size_t n = number_in(path);
    if (n && n < limit) limit = n;
  }
#endif
  return limit;
#endif
}

}  // namespace tt
