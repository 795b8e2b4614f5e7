// Several pointwise computations over the same arrays, block by block: each block stays in the L1 cache from the
// first to the last, so that memory is read and written once. What a step of an optimizer is.
#include "loops.h"

namespace tt {
inline namespace KERNEL_NS {

namespace {

/** Elements below which a chain stays in one thread. */
constexpr i64 kGrain = 16384;
/** Elements of a block: some tensors and the scalars, each expanded to a block, fit the L1 cache. */
constexpr i64 kBlock = 512;
constexpr int kMaxTensors = 16;
constexpr int kMaxScalars = 32;
constexpr int kMaxSteps = 8;
constexpr int kScratchSlot = 0;

struct Step {
  Span span;
  int out;
  int count;
  int inputs[kMaxInputs];  // a tensor's number, or -1 - a scalar's
};

struct Chain {
  i64 size;  // bytes of an element
  bool is_double;
  int tensors, scalars, steps;
  char* data[kMaxTensors];
  double values[kMaxScalars];
  Step step[kMaxSteps];
};

/** Each scalar as a block of its own. */
void expand_scalars(const Chain& chain, char* blocks) {
  for (int s = 0; s < chain.scalars; s++) {
    char* block = blocks + s * kBlock * chain.size;
    for (i64 i = 0; i < kBlock; i++) {
      if (chain.is_double)
        reinterpret_cast<double*>(block)[i] = chain.values[s];
      else
        reinterpret_cast<float*>(block)[i] = static_cast<float>(chain.values[s]);
    }
  }
}

void run_blocks(const Chain& chain, i64 begin, i64 end) {
  const i64 bytes = kBlock * chain.size;
  char* scalars = static_cast<char*>(tt_scratch(kScratchSlot, static_cast<size_t>(bytes * chain.scalars + 64)));
  expand_scalars(chain, scalars);
  for (i64 at = begin; at < end; at += kBlock) {
    const i64 n = end - at < kBlock ? end - at : kBlock;
    for (int k = 0; k < chain.steps; k++) {
      const Step& step = chain.step[k];
      const void* in[kMaxInputs];
      for (int i = 0; i < step.count; i++) {
        const int ref = step.inputs[i];
        in[i] = ref >= 0 ? chain.data[ref] + at * chain.size : scalars + (-1 - ref) * bytes;
      }
      step.span(chain.data[step.out] + at * chain.size, in, n);
    }
  }
}

/**
 * Runs spans one after the other over arrays of one length and of the compute dtype (F32 or F64): dtype, length,
 * number of tensors and their addresses, number of scalars and their values, number of steps, and for each step:
 * span id, number of the output tensor, number of inputs, and the inputs: a tensor's number or -1 - a scalar's.
 */
void pointwise_chain(double* p) {
  Args args(p);
  Chain chain;
  const i64 dtype = args.integer();
  chain.size = item_size(static_cast<DType>(dtype));
  chain.is_double = static_cast<DType>(dtype) == DType::F64;
  const i64 n = args.integer();
  chain.tensors = static_cast<int>(args.integer());
  for (int i = 0; i < chain.tensors; i++) chain.data[i] = args.pointer<char>();
  chain.scalars = static_cast<int>(args.integer());
  for (int i = 0; i < chain.scalars; i++) chain.values[i] = args.number();
  chain.steps = static_cast<int>(args.integer());
  for (int k = 0; k < chain.steps; k++) {
    Step& step = chain.step[k];
    step.span = span_table[args.integer()].spans[dtype];
    step.out = static_cast<int>(args.integer());
    step.count = static_cast<int>(args.integer());
    for (int i = 0; i < step.count; i++) step.inputs[i] = static_cast<int>(args.integer());
  }
  parallel_for_any(n, kGrain, [&](i64 begin, i64 end) { run_blocks(chain, begin, end); });
}

}  // namespace

extern const KernelEntry chain_kernels[] = {
    {"pointwise_chain", pointwise_chain},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
