// A caching allocator of 64-byte aligned blocks: size classes, free blocks reused most recent first, and a
// cap on what is kept. It knows nothing of JavaScript (owners.h decides when a block is free).
// Not thread-safe: each JavaScript environment has its own.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tt {

struct Block {
  uintptr_t address = 0;
  size_t capacity = 0;   // bytes of its size class
  size_t requested = 0;  // bytes asked for while in use
  void* owner = nullptr;  // while in use: what owners.cc keeps about it
  uint32_t position = 0;  // while in use: index in its generation
  uint16_t size_class = 0;
  uint8_t generation = 0;
  bool in_use = false;
  Block *newer = nullptr, *older = nullptr;          // free large blocks by age
  Block *above = nullptr, *below = nullptr;          // free blocks of one class
};

class BlockCache {
 public:
  BlockCache();
  ~BlockCache();  // returns everything to the operating system, blocks in use included
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  /**
   * A block of at least nbytes, contents undefined; null when there is no memory. A fresh mapping first
   * drops cached blocks, oldest first, until reserved() fits in `ceiling`.
   */
  Block* take(size_t nbytes, size_t ceiling);
  /** Whether take() would find a free block without a fresh mapping. */
  bool has_free(size_t nbytes) const;
  void give_back(Block* block);
  /** The block at this address, in use or not; null when there is none. */
  Block* find(uintptr_t address) const;
  /** Unmaps free large blocks, oldest first, until at most `keep` bytes of them are left. */
  void trim(size_t keep);

  /** Bytes asked for by the blocks in use, and the bytes of those blocks. */
  size_t live() const { return live_; }
  size_t used() const { return used_; }
  size_t cached() const { return reserved_ - used_; }
  size_t reserved() const { return reserved_; }
  size_t peak() const { return peak_; }

 private:
  static constexpr int kClasses = 8 * 48;

  Block* new_block();
  Block* map_large(size_t nbytes, int size_class, size_t ceiling);
  bool carve_slab(int size_class);
  Block* pop(int size_class);
  void push(Block* block);
  void unlink_free(Block* block);
  void unmap(Block* block);
  bool insert(Block* block);
  void erase(uintptr_t address);
  bool grow_table();

  Block* free_[kClasses] = {};
  Block *newest_ = nullptr, *oldest_ = nullptr;  // free large blocks
  Block* spare_ = nullptr;                       // unused Block records, linked by `below`
  struct Arena;
  Arena* arenas_ = nullptr;                      // memory of Block records and of slabs
  Block** table_ = nullptr;                      // open addressing by address
  size_t table_size_ = 0, table_used_ = 0;
  size_t live_ = 0, used_ = 0, reserved_ = 0, peak_ = 0, cached_large_ = 0;
};

/** The most memory this process may use: physical memory or its container's limit. */
size_t memory_limit();

}  // namespace tt
