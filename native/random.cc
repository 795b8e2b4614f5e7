// Random kernels: the generator itself, uniform, normal, integers and permutations, in the draw order and
// with the transforms of PyTorch's CPU kernels (AVX2 and up, not Intel), so that a seed gives PyTorch's
// numbers. Out tensors are contiguous.
//
// The words of mt19937 are sequential; the kernels draw them in blocks and transform each block with loops
// that the compiler vectorises.
#include "random.h"

namespace tt {
inline namespace KERNEL_NS {
namespace rng {

// ---------------------------------------------------------------------------------------------------------
// mt19937 (Matsumoto and Nishimura, 1998)
// ---------------------------------------------------------------------------------------------------------

namespace {

constexpr int kWords = GeneratorState::kWords;
constexpr int kShift = 397;

inline uint32_t twist(uint32_t u, uint32_t v) {
  const uint32_t mixed = (u & 0x80000000u) | (v & 0x7fffffffu);
  return (mixed >> 1) ^ ((0u - (v & 1)) & 0x9908b0dfu);
}

}  // namespace

void seed_generator(GeneratorState& state, uint64_t seed) {
  state.seed = seed;
  uint32_t word = static_cast<uint32_t>(seed);
  state.words[0] = word;
  for (uint32_t j = 1; j < kWords; j++) {
    word = 1812433253u * (word ^ (word >> 30)) + j;
    state.words[j] = word;
  }
  state.left = 1;
  state.next = 0;
  state.normal_double = 0;
  state.normal_float = 0;
  state.has_normal_double = 0;
  state.has_normal_float = 0;
}

void refill_generator(GeneratorState& state) {
  uint32_t* p = state.words;
  for (int j = 0; j < kWords - kShift; j++) p[j] = p[j + kShift] ^ twist(p[j], p[j + 1]);
  for (int j = kWords - kShift; j < kWords - 1; j++) p[j] = p[j + kShift - kWords] ^ twist(p[j], p[j + 1]);
  p[kWords - 1] = p[kShift - 1] ^ twist(p[kWords - 1], p[0]);
  state.left = kWords;
  state.next = 0;
}

void draw_words(GeneratorState& state, uint32_t* __restrict out, i64 n) {
  while (n > 0) {
    i64 ready = state.left - 1;
    const i64 stored = static_cast<i64>(kWords) - state.next;
    if (ready > stored) ready = stored;
    if (ready <= 0) {
      *out++ = draw32(state);
      n--;
      continue;
    }
    const i64 count = ready < n ? ready : n;
    const uint32_t* __restrict words = state.words + state.next;
    for (i64 i = 0; i < count; i++) out[i] = temper(words[i]);
    state.next += static_cast<uint32_t>(count);
    state.left -= static_cast<int32_t>(count);
    out += count;
    n -= count;
  }
}

}  // namespace rng

// ---------------------------------------------------------------------------------------------------------
// Generator kernels
// ---------------------------------------------------------------------------------------------------------

namespace {

using namespace rng;

/** The bytes of torch.get_rng_state(): at::detail::CPUGeneratorImplState, kept for old checkpoints. */
struct SavedState {
  uint64_t initial_seed;
  int32_t left;
  int32_t seeded;
  uint64_t next;
  uint64_t state[kWords];
  double normal_x;
  double normal_y;
  double normal_rho;
  int32_t normal_is_valid;
  int32_t padding;
  float next_float_normal_sample;
  u8 is_next_float_normal_sample_valid;
  u8 tail[3];
};
static_assert(sizeof(SavedState) == 5056, "the size that PyTorch checks");

/** () -> [bytes of a generator state, bytes of a saved state] */
void generator_size(double* args) {
  args[0] = sizeof(GeneratorState);
  args[1] = sizeof(SavedState);
}

/** state, low 32 bits of the seed, high 32 bits. Clears the cached normal samples. */
void generator_seed(double* args) {
  Args a(args);
  auto* state = a.pointer<GeneratorState>();
  const auto low = static_cast<uint32_t>(a.number());
  const auto high = static_cast<uint32_t>(a.number());
  seed_generator(*state, static_cast<uint64_t>(high) << 32 | low);
}

/** state -> [low 32 bits of the initial seed, high 32 bits] */
void generator_initial_seed(double* args) {
  const uint64_t seed = Args(args).pointer<GeneratorState>()->seed;
  args[0] = static_cast<uint32_t>(seed);
  args[1] = static_cast<uint32_t>(seed >> 32);
}

/** state, 5056 bytes: writes torch.get_rng_state()'s layout. */
void generator_get(double* args) {
  Args a(args);
  const auto* state = a.pointer<GeneratorState>();
  char* bytes = a.pointer<char>();
  SavedState saved{};
  saved.initial_seed = state->seed;
  saved.left = state->left;
  saved.seeded = 1;
  saved.next = state->next;
  for (int j = 0; j < kWords; j++) saved.state[j] = state->words[j];
  saved.normal_is_valid = state->has_normal_double;
  if (state->has_normal_double) saved.normal_y = state->normal_double;
  saved.is_next_float_normal_sample_valid = state->has_normal_float;
  if (state->has_normal_float) saved.next_float_normal_sample = state->normal_float;
  memcpy(bytes, &saved, sizeof saved);
}

/** state, 5056 bytes -> [1, or 0 where they are no valid mt19937 state: then nothing changes] */
void generator_set(double* args) {
  Args a(args);
  auto* state = a.pointer<GeneratorState>();
  SavedState saved;
  memcpy(&saved, a.pointer<char>(), sizeof saved);
  const bool valid = saved.seeded && saved.left > 0 && saved.left <= kWords &&
                     static_cast<uint32_t>(saved.next) <= static_cast<uint32_t>(kWords);
  args[0] = valid;
  if (!valid) return;
  state->seed = saved.initial_seed;
  state->left = saved.left;
  state->next = static_cast<uint32_t>(saved.next);
  for (int j = 0; j < kWords; j++) state->words[j] = static_cast<uint32_t>(saved.state[j]);
  state->has_normal_double = saved.normal_is_valid != 0;
  state->normal_double = saved.normal_y;
  state->has_normal_float = saved.is_next_float_normal_sample_valid != 0;
  state->normal_float = saved.next_float_normal_sample;
}

// ---------------------------------------------------------------------------------------------------------
// Uniform
// ---------------------------------------------------------------------------------------------------------

template <class T>
void uniform_fill(GeneratorState& state, T* __restrict out, i64 n, double from, double to) {
  using C = typename Compute<T>::type;
  const C base = static_cast<C>(from), span = static_cast<C>(to) - base;
  const auto first = widen(convert<T>(from)), last = widen(convert<T>(to));
  C unit[kDrawBlock];
  for (i64 begin = 0; begin < n; begin += kDrawBlock) {
    const i64 count = n - begin < kDrawBlock ? n - begin : kDrawBlock;
    draw_units(state, unit, count);
    T* __restrict block = out + begin;
    if (base == 0 && span == 1 && sizeof(T) >= 4) {
      for (i64 i = 0; i < count; i++) block[i] = convert<T>(unit[i]);
      continue;
    }
    for (i64 i = 0; i < count; i++) {
      // Where rounding reached the excluded end, PyTorch returns the start.
      const T value = convert<T>(fused(unit[i], span, base));
      block[i] = convert<T>(widen(value) == last ? first : widen(value));
    }
  }
}

/** state, out (F32 F64 F16 BF16), from, to: uniform_(from, to) */
void random_uniform(double* args) {
  Args a(args);
  auto& state = *a.pointer<GeneratorState>();
  TensorArg out;
  a.tensor(out);
  const double from = a.number(), to = a.number();
  with_floating(out.dtype, [&](auto element) {
    uniform_fill(state, out.as<decltype(element)>(), out.numel(), from, to);
  });
}

// ---------------------------------------------------------------------------------------------------------
// Normal
// ---------------------------------------------------------------------------------------------------------

/** Fused multiply-add, always right. */
struct Fused {
  float operator()(float a, float b, float c) { return fused(a, b, c); }
};

/** Rounds twice, in double and then to float, which vectorises without a fused instruction; `doubt` tells
    when the two roundings may differ from one: an inexact sum halfway between two floats, rare. */
struct RoundedTwice {
  int64_t doubt = 0;

  float operator()(float a, float b, float c) {
    const double product = static_cast<double>(a) * b, addend = c;
    const double sum = product + addend;
    int64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    const bool halfway = (bits & 0x1fffffff) == 0x10000000;
    const bool exact = (sum - product == addend) & (sum - addend == product);
    doubt |= halfway & !exact;
    return static_cast<float>(sum);
  }
};

/** ln(x) for normal x in (0, 1]: Cephes logf, with the fused steps of PyTorch's AVX2 build. */
template <class MultiplyAdd>
inline float log_unit(float x, MultiplyAdd& fma) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  float e = static_cast<float>(static_cast<int32_t>(bits >> 23) - 126);
  bits = (bits & 0x807fffffu) | 0x3f000000u;
  float m;
  memcpy(&m, &bits, sizeof m);  // x = m * 2^e, m in [0.5, 1)
  const bool small = m < 0.707106781186547524f;
  e = small ? e - 1.0f : e;
  const float t = (m - 1.0f) + (small ? m : 0.0f);
  const float tt = t * t;
  float p = 7.0376836292e-2f;
  p = fma(p, t, -1.1514610310e-1f);
  p = fma(p, t, 1.1676998740e-1f);
  p = fma(p, t, -1.2420140846e-1f);
  p = fma(p, t, 1.4249322787e-1f);
  p = fma(p, t, -1.6668057665e-1f);
  p = fma(p, t, 2.0000714765e-1f);
  p = fma(p, t, -2.4999993993e-1f);
  p = fma(p, t, 3.3333331174e-1f);
  p = fma(p * t, tt, e * -2.12194440e-4f);
  p = p - tt * 0.5f;
  return fma(e, 0.693359375f, t + p);
}

/** sin and cos of x in [0, 2 pi]: Cephes sinf and cosf, with the fused steps of PyTorch's AVX2 build. */
template <class MultiplyAdd>
inline void sin_cos(float x, MultiplyAdd& fma, float& sine, float& cosine) {
  const int32_t octant = (static_cast<int32_t>(x * 1.27323954473516f) + 1) & ~1;
  const float y = static_cast<float>(octant);
  x = fma(y, -0.78515625f, x);
  x = fma(y, -2.4187564849853515625e-4f, x);
  x = fma(y, -3.77489497744594108e-8f, x);
  const float xx = x * x;
  float c = 2.443315711809948e-5f;
  c = fma(c, xx, -1.388731625493765e-3f);
  c = fma(c, xx, 4.166664568298827e-2f);
  c = fma(c * xx, xx, -(xx * 0.5f)) + 1.0f;
  float s = -1.9515295891e-4f;
  s = fma(s, xx, 8.3321608736e-3f);
  s = fma(s, xx, -1.6666654611e-1f);
  s = fma(s * xx, x, x);
  const bool swapped = (octant & 2) != 0;
  const float a = swapped ? c : s, b = swapped ? s : c;
  sine = (octant & 4) != 0 ? -a : a;
  cosine = ((octant - 2) & 4) == 0 ? -b : b;
}

/** 16 uniforms to 16 normals: element j pairs with j + 8. */
template <class MultiplyAdd>
inline void box_muller(const float* __restrict unit, float* __restrict out, float mean, float deviation,
                       MultiplyAdd& multiply_add) {
  MultiplyAdd fma = multiply_add;
  for (int j = 0; j < 8; j++) {
    const float radius = std::sqrt(-2.0f * log_unit(1.0f - unit[j], fma));
    float sine, cosine;
    sin_cos(6.283185307179586f * unit[j + 8], fma, sine, cosine);
    out[j] = fma(radius * cosine, deviation, mean);
    out[j + 8] = fma(radius * sine, deviation, mean);
  }
  multiply_add = fma;
}

inline void box_muller(float* data, float mean, float deviation) {
  float normal[16];
  Fused exact;
#if TT_FUSED
  box_muller(data, normal, mean, deviation, exact);
#else
  RoundedTwice fast;
  box_muller(data, normal, mean, deviation, fast);
  if (fast.doubt) box_muller(data, normal, mean, deviation, exact);
#endif
  memcpy(data, normal, sizeof normal);
}
inline void box_muller(double* data, double mean, double deviation) {
  for (int j = 0; j < 8; j++) {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - data[j]));
    const double theta = 6.283185307179586 * data[j + 8];
    data[j] = fused(radius * std::cos(theta), deviation, mean);
    data[j + 8] = fused(radius * std::sin(theta), deviation, mean);
  }
}

/** Fills n (a multiple of 16) elements. */
template <class T>
void normal_blocks(GeneratorState& state, T* __restrict out, i64 n, double mean, double deviation) {
  using C = typename Compute<T>::type;
  const C center = static_cast<C>(mean), scale = static_cast<C>(deviation);
  if constexpr (std::is_same_v<T, double>) {
    // The C library's double functions cost far more than the draws: worth threads.
    for (i64 begin = 0; begin < n; begin += kDrawBlock) {
      draw_units(state, out + begin, n - begin < kDrawBlock ? n - begin : kDrawBlock);
    }
    parallel_for(n / 16, 256, [=](i64 begin, i64 end) {
      for (i64 block = begin; block < end; block++) box_muller(out + 16 * block, center, scale);
    });
    return;
  }
  alignas(64) C unit[kDrawBlock];
  for (i64 begin = 0; begin < n; begin += kDrawBlock) {
    const i64 count = n - begin < kDrawBlock ? n - begin : kDrawBlock;
    draw_units(state, unit, count);
    for (i64 i = 0; i < count; i += 16) box_muller(unit + i, center, scale);
    for (i64 i = 0; i < count; i++) out[begin + i] = convert<T>(unit[i]);
  }
}

/** PyTorch fills a tail by drawing the last 16 elements again. For float and double all n draws come first,
    so the tail's own draws are skipped; half types draw block by block and skip nothing. */
template <class T>
void normal_fill(GeneratorState& state, T* __restrict out, i64 n, double mean, double deviation, bool one_by_one) {
  if (n < 16 || one_by_one) {
    for (i64 i = 0; i < n; i++) out[i] = convert<T>(fused(draw_normal_double(state), deviation, mean));
    return;
  }
  const i64 tail = n % 16;
  normal_blocks(state, out, n - tail, mean, deviation);
  if (tail == 0) return;
  if constexpr (sizeof(T) >= 4) {
    typename Compute<T>::type skipped[16];
    draw_units(state, skipped, tail);
  }
  normal_blocks(state, out + n - 16, 16, mean, deviation);
}

/** state, out (F32 F64 F16 BF16), mean, standard deviation, one by one: normal_(mean, std). PyTorch fills
    tensors below 16 elements and those that are not contiguous one by one from double pairs, the second of
    which is cached in the state; `one by one` says that out stands for such a tensor. */
void random_normal(double* args) {
  Args a(args);
  auto& state = *a.pointer<GeneratorState>();
  TensorArg out;
  a.tensor(out);
  const double mean = a.number(), deviation = a.number();
  const bool one_by_one = a.flag();
  with_floating(out.dtype, [&](auto element) {
    normal_fill(state, out.as<decltype(element)>(), out.numel(), mean, deviation, one_by_one);
  });
}

// ---------------------------------------------------------------------------------------------------------
// Integers
// ---------------------------------------------------------------------------------------------------------

/** word % divisor, exactly, by a double division that vectorises: the quotient is off by at most one. */
inline uint32_t remainder32(uint32_t word, double divisor, uint32_t whole_divisor) {
  const auto quotient = static_cast<uint32_t>(static_cast<int64_t>(static_cast<double>(word) / divisor));
  const uint32_t rest = word - quotient * whole_divisor;
  return static_cast<int32_t>(rest) < 0 ? rest + whole_divisor : rest;
}

/** random_(from, to) with range = to - from: 32 bits a value while range < 2^28, else 64. */
template <class T>
void integer_fill(GeneratorState& state, T* __restrict out, i64 n, i64 from, uint64_t range) {
  uint32_t words[kDrawBlock];
  if (range >= uint64_t(1) << 28) {
    for (i64 i = 0; i < n; i++) {
      out[i] = convert<T>(static_cast<i64>(draw64(state) % range + static_cast<uint64_t>(from)));
    }
    return;
  }
  const auto divisor = static_cast<uint32_t>(range);
  for (i64 begin = 0; begin < n; begin += kDrawBlock) {
    const i64 count = n - begin < kDrawBlock ? n - begin : kDrawBlock;
    draw_words(state, words, count);
    for (i64 i = 0; i < count; i++) {
      const i64 value = static_cast<i64>(remainder32(words[i], divisor, divisor));
      out[begin + i] = convert<T>(value + from);
    }
  }
}

/** random_(): [0, largest] for integers, [0, 2^digits] for floating types, where digits is the precision. */
template <class T>
void integer_fill_default(GeneratorState& state, T* __restrict out, i64 n) {
  for (i64 i = 0; i < n; i++) {
    if constexpr (std::is_same_v<T, i64>) {
      out[i] = static_cast<i64>(draw64(state) & 0x7fffffffffffffffu);
    } else if constexpr (std::is_same_v<T, double>) {
      out[i] = static_cast<double>(draw64(state) % ((uint64_t(1) << 53) + 1));
    } else if constexpr (std::is_same_v<T, Boolean>) {
      out[i] = {static_cast<u8>(draw32(state) & 1)};
    } else if constexpr (std::is_same_v<T, float>) {
      out[i] = static_cast<float>(draw32(state) % ((1u << 24) + 1));
    } else if constexpr (std::is_same_v<T, Half>) {
      out[i] = convert<T>(draw32(state) % ((1u << 11) + 1));
    } else if constexpr (std::is_same_v<T, BFloat16>) {
      out[i] = convert<T>(draw32(state) % ((1u << 8) + 1));
    } else {
      constexpr int bits = 8 * sizeof(T) - (static_cast<T>(-1) < static_cast<T>(0) ? 1 : 0);
      out[i] = static_cast<T>(draw32(state) & static_cast<uint32_t>((uint64_t(1) << bits) - 1));
    }
  }
}

/** random_(from = -2^63): all 64 bits. */
template <class T>
void integer_fill_all_bits(GeneratorState& state, T* __restrict out, i64 n) {
  for (i64 i = 0; i < n; i++) out[i] = convert<T>(static_cast<i64>(draw64(state)));
}

enum class IntegerMode { FromTo, Default, AllBits };

/** state, out (Bool U8 I8 I16 I32 I64 F16 BF16 F32 F64), mode (0 from and range, 1 random_(), 2 all 64 bits),
    from as low 32 bits and signed high 32 bits, range likewise but unsigned: random_, randint */
void random_integer(double* args) {
  Args a(args);
  auto& state = *a.pointer<GeneratorState>();
  TensorArg out;
  a.tensor(out);
  const auto mode = static_cast<IntegerMode>(a.integer());
  const i64 from_low = a.integer(), from_high = a.integer();
  const auto range_low = static_cast<uint64_t>(a.integer()), range_high = static_cast<uint64_t>(a.integer());
  const auto from = static_cast<i64>(static_cast<uint64_t>(from_high) << 32 | static_cast<uint64_t>(from_low));
  const uint64_t range = range_high << 32 | range_low;
  with_real(out.dtype, [&](auto element) {
    using T = decltype(element);
    const i64 n = out.numel();
    if (mode == IntegerMode::FromTo) {
      integer_fill(state, out.as<T>(), n, from, range);
    } else if (mode == IntegerMode::Default) {
      integer_fill_default(state, out.as<T>(), n);
    } else {
      integer_fill_all_bits(state, out.as<T>(), n);
    }
  });
}

// ---------------------------------------------------------------------------------------------------------
// Permutation
// ---------------------------------------------------------------------------------------------------------

/** Fisher-Yates from the front, with 32-bit draws. */
void permute_small(GeneratorState& state, i64* out, i64 n) {
  for (i64 i = 0; i < n; i++) out[i] = i;
  uint32_t words[kDrawBlock];
  for (i64 begin = 0; begin < n - 1; begin += kDrawBlock) {
    const i64 count = n - 1 - begin < kDrawBlock ? n - 1 - begin : kDrawBlock;
    draw_words(state, words, count);
    const auto rest = static_cast<uint32_t>(n - begin);
    for (i64 i = 0; i < count; i++) {
      const uint32_t divisor = rest - static_cast<uint32_t>(i);
      words[i] = remainder32(words[i], divisor, divisor);
    }
    i64* from = out + begin;
    for (i64 i = 0; i < count; i++) {
      const i64 kept = from[i];
      from[i] = from[i + words[i]];
      from[i + words[i]] = kept;
    }
  }
}

/** state, out (I64, one dimension): randperm */
void random_permutation(double* args) {
  Args a(args);
  auto& state = *a.pointer<GeneratorState>();
  TensorArg out;
  a.tensor(out);
  const i64 n = out.numel();
  i64* data = out.as<i64>();
  // A 32-bit draw is biased for large n: from here on PyTorch draws 64 bits and shuffles inside out.
  if (n < static_cast<i64>(0xffffffffu / 20)) return permute_small(state, data, n);
  for (i64 i = 0; i < n; i++) {
    const auto z = static_cast<i64>(draw64(state) % static_cast<uint64_t>(i + 1));
    data[i] = i;
    data[i] = data[z];
    data[z] = i;
  }
}

}  // namespace

extern const KernelEntry random_kernels[] = {
    {"generator_size", generator_size},
    {"generator_seed", generator_seed},
    {"generator_initial_seed", generator_initial_seed},
    {"generator_get", generator_get},
    {"generator_set", generator_set},
    {"random_uniform", random_uniform},
    {"random_normal", random_normal},
    {"random_integer", random_integer},
    {"random_permutation", random_permutation},
    {"random_bernoulli", random_bernoulli},
    {"random_bernoulli_tensor", random_bernoulli_tensor},
    {"random_exponential", random_exponential},
    {"random_geometric", random_geometric},
    {"random_cauchy", random_cauchy},
    {"random_log_normal", random_log_normal},
    {"random_poisson", random_poisson},
    {"random_binomial", random_binomial},
    {"random_gamma", random_gamma},
    {"random_dirichlet", random_dirichlet},
    {"random_multinomial", random_multinomial},
    {"random_rrelu", random_rrelu},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
