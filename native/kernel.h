// What every kernel file shares: element types, tensor arguments, and parallel loops.
//
// A kernel is `void name(double* args)`. The caller (TypeScript) has checked shapes, dtypes and bounds
// and wrote the arguments to one array of doubles: numbers as they are, a tensor as
// [address, dtype, ndim, shape..., strides...] (strides in elements). Results go to args[0].
//
// The kernel files are compiled once per instruction set, with KERNEL_NS naming the build, and again to
// WebAssembly: everything with code in it lives inside namespace tt::KERNEL_NS, so that the linker
// never merges two builds of one inline function; no exceptions, no RTTI, no operating system, and of
// the standard library only what is header-only and constexpr or C (<cmath>, <cstring>, ...).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#ifndef KERNEL_NS
#define KERNEL_NS generic
#endif

// The platform's half of the contract, compiled once (pool.cc): threads and scratch memory.
extern "C" {
/** Runs fn(context, begin, end) over disjoint parts of [0, n), none smaller than grain but the last; the
    parts depend only on n, grain and the thread count. Nested calls run in the calling thread. */
void tt_parallel(int64_t n, int64_t grain, void (*fn)(void*, int64_t, int64_t), void* context);
/** Like tt_parallel, over parts of `chunk` (the last may be smaller): several to a thread, so that one which comes
    late finds less to do. */
void tt_parallel_chunks(int64_t n, int64_t chunk, void (*fn)(void*, int64_t, int64_t), void* context);
/** How many threads tt_parallel may use, the caller included. */
int tt_num_threads(void);
/** A 64-byte aligned buffer of this thread, valid until its next request of the same slot (0..7). */
void* tt_scratch(int slot, size_t nbytes);
}

namespace tt {

using i64 = int64_t;
using u8 = uint8_t;

/** In the order of src/dtype.ts. */
enum class DType : int { Bool, U8, I8, I16, I32, I64, F16, BF16, F32, F64, C64, C128 };

using Kernel = void (*)(double* args);
struct KernelEntry {
  const char* name;
  Kernel run;
};

constexpr int kMaxDims = 64;

inline namespace KERNEL_NS {

constexpr i64 item_size(DType t) {
  switch (t) {
    case DType::Bool:
    case DType::U8:
    case DType::I8:
      return 1;
    case DType::I16:
    case DType::F16:
    case DType::BF16:
      return 2;
    case DType::I32:
    case DType::F32:
      return 4;
    case DType::I64:
    case DType::F64:
    case DType::C64:
      return 8;
    case DType::C128:
      return 16;
  }
  return 0;
}

struct TensorArg {
  char* data;
  DType dtype;
  int ndim;
  i64 shape[kMaxDims];
  i64 strides[kMaxDims];

  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data);
  }
  i64 numel() const {
    i64 n = 1;
    for (int d = 0; d < ndim; d++) n *= shape[d];
    return n;
  }
  bool contiguous() const {
    i64 expected = 1;
    for (int d = ndim - 1; d >= 0; d--) {
      if (shape[d] != 1 && strides[d] != expected) return false;
      expected *= shape[d];
    }
    return true;
  }
};

/** Reads a kernel's arguments in the order in which TypeScript wrote them. */
class Args {
 public:
  explicit Args(const double* p) : p_(p) {}
  double number() { return *p_++; }
  i64 integer() { return static_cast<i64>(*p_++); }
  bool flag() { return *p_++ != 0; }
  template <class T>
  T* pointer() {
    return reinterpret_cast<T*>(static_cast<uintptr_t>(*p_++));
  }
  void tensor(TensorArg& t) {
    t.data = pointer<char>();
    t.dtype = static_cast<DType>(integer());
    t.ndim = static_cast<int>(integer());
    for (int d = 0; d < t.ndim; d++) t.shape[d] = integer();
    for (int d = 0; d < t.ndim; d++) t.strides[d] = integer();
  }

 private:
  const double* p_;
};

/** Calls body(begin, end) over disjoint parts of [0, n), in several threads when n exceeds grain. */
template <class Body>
inline void parallel_for(i64 n, i64 grain, const Body& body) {
  if (n <= grain) {
    if (n > 0) body(i64(0), n);
    return;
  }
  tt_parallel(
      n, grain, [](void* context, i64 begin, i64 end) { (*static_cast<const Body*>(context))(begin, end); },
      const_cast<Body*>(&body));
}

/** The same for loops whose results do not depend on where parts begin: four parts to a thread, or more. */
template <class Body>
inline void parallel_for_any(i64 n, i64 grain, const Body& body) {
  if (n <= grain) {
    if (n > 0) body(i64(0), n);
    return;
  }
  const i64 parts = 4 * static_cast<i64>(tt_num_threads());
  i64 chunk = ((n + parts - 1) / parts + 63) & ~i64(63);
  // Half of what makes a thread worth its start: measured at a million elements, with a collection beside the first parts.
  const i64 most = grain > 1 ? grain / 2 : 1;
  if (chunk > most) chunk = most;
  tt_parallel_chunks(
      n, chunk,
      [](void* context, i64 begin, i64 end) { (*static_cast<const Body*>(context))(begin, end); },
      const_cast<Body*>(&body));
}

}  // namespace KERNEL_NS
}  // namespace tt
