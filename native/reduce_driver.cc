// The driver of reductions: sorts and merges dimensions, picks rows or columns, stages what the operation cannot
// read in place, and shares the work among threads.
#include "reduce.h"

namespace tt {
inline namespace KERNEL_NS {
namespace reduction {
namespace {

constexpr i64 kPiece = 1024;         // outputs whose partial results are held at once
constexpr i64 kStage = 2048;         // elements converted at once
constexpr i64 kParallelWork = 32768;  // elements below which threads cost more than they save
constexpr int kStateSlot = 6;
constexpr int kStageSlot = 7;

struct Dim {
  i64 size, in, out[2];
};

struct Plan {
  const ReduceOp* op;
  const TensorArg* outs;
  int n_out;
  const TensorArg* in;
  double param;
  Dim kept[kMaxDims + 1], red[kMaxDims + 1];
  int n_kept, n_red;
  i64 outer_kept, count;
  bool rows;

  const Dim& inner_kept() const { return kept[n_kept - 1]; }
  const Dim& inner_red() const { return red[n_red - 1]; }
};

/** Sorts outermost first by the input's stride (repeated dimensions outermost), then merges neighbours. */
int arrange(Dim* dims, int n) {
  auto outside = [](const Dim& a, const Dim& b) { return b.in != 0 && (a.in == 0 || a.in > b.in); };
  for (int i = 1; i < n; i++) {
    const Dim d = dims[i];
    int j = i;
    for (; j > 0 && outside(d, dims[j - 1]); j--) dims[j] = dims[j - 1];
    dims[j] = d;
  }
  int m = 0;
  for (int i = 0; i < n; i++) {
    const Dim& d = dims[i];
    if (m > 0) {
      Dim& o = dims[m - 1];
      if (o.in == d.in * d.size && o.out[0] == d.out[0] * d.size && o.out[1] == d.out[1] * d.size) {
        o = {o.size * d.size, d.in, {d.out[0], d.out[1]}};
        continue;
      }
    }
    dims[m++] = d;
  }
  if (m == 0) dims[m++] = {1, 0, {0, 0}};
  return m;
}

/** False when there is no output. */
bool make_plan(Plan& p, const bool* reduced) {
  const TensorArg& in = *p.in;
  p.n_kept = p.n_red = 0;
  p.count = 1;
  i64 outputs = 1;
  for (int d = 0; d < in.ndim; d++) {
    if (reduced[d]) {
      p.count *= in.shape[d];
      if (in.shape[d] != 1) p.red[p.n_red++] = {in.shape[d], in.strides[d], {0, 0}};
    } else {
      outputs *= in.shape[d];
      const i64 second = p.n_out > 1 ? p.outs[1].strides[d] : 0;
      if (in.shape[d] != 1) p.kept[p.n_kept++] = {in.shape[d], in.strides[d], {p.outs[0].strides[d], second}};
    }
  }
  if (outputs == 0) return false;
  p.n_kept = arrange(p.kept, p.n_kept);
  p.n_red = arrange(p.red, p.n_red);
  const Dim &k = p.inner_kept(), &r = p.inner_red();
  p.outer_kept = outputs / k.size;
  p.rows = k.size == 1 || (r.size > 1 && r.in != 0 && (r.in < k.in || k.in == 0));
  return true;
}

/** Absorbs a box of c outputs by n elements starting at src, converting it in parts unless it can be read in place. */
void absorb_box(const Plan& p, States states, const char* src, i64 c, i64 n, i64 first) {
  const ReduceOp& op = *p.op;
  const i64 ks = p.inner_kept().in, rs = p.inner_red().in, item = item_size(p.in->dtype);
  if (p.in->dtype == op.span && (p.rows ? rs : ks) == 1) {
    op.absorb(states, {src, p.rows, c, n, p.rows ? ks : rs, first}, p.param);
    return;
  }
  const i64 inner = p.rows ? n : c, outer = p.rows ? c : n;
  const i64 inner_stride = p.rows ? rs : ks, outer_stride = p.rows ? ks : rs;
  const i64 wide = inner < kStage ? inner : kStage;
  const i64 most = kStage / wide, high = outer < most ? outer : most;
  char* buffer = static_cast<char*>(tt_scratch(kStageSlot, kStage * 16));
  const i64 span_item = item_size(op.span);
  for (i64 o = 0; o < outer; o += high) {
    const i64 h = outer - o < high ? outer - o : high;
    for (i64 i = 0; i < inner; i += wide) {
      const i64 w = inner - i < wide ? inner - i : wide;
      const char* from = src + (o * outer_stride + i * inner_stride) * item;
      if (w == inner && outer_stride == inner * inner_stride) {
        load_convert(op.span, from, p.in->dtype, inner_stride, buffer, h * w);
      } else {
        for (i64 j = 0; j < h; j++)
          load_convert(op.span, from + j * outer_stride * item, p.in->dtype, inner_stride, buffer + j * w * span_item, w);
      }
      if (p.rows) {
        op.absorb(states.at(o), {buffer, true, h, w, w, first + i}, p.param);
      } else {
        op.absorb(states.at(i), {buffer, false, w, h, w, first + o}, p.param);
      }
    }
  }
}

/** Where the outer kept index `item` starts in the input and the outputs (in elements). */
void locate(const Plan& p, i64 item, i64& in, i64* out) {
  in = out[0] = out[1] = 0;
  for (int d = p.n_kept - 2; d >= 0; d--) {
    const i64 i = item % p.kept[d].size;
    item /= p.kept[d].size;
    in += i * p.kept[d].in;
    out[0] += i * p.kept[d].out[0];
    out[1] += i * p.kept[d].out[1];
  }
}

/** Outputs [begin, begin + c) of one outer kept index absorb the part [lo, hi) of the outermost reduced dimension. */
void absorb_part(const Plan& p, States states, i64 item, i64 begin, i64 c, i64 lo, i64 hi) {
  i64 offset, out[2];
  locate(p, item, offset, out);
  offset += begin * p.inner_kept().in + lo * p.red[0].in;
  const i64 size = item_size(p.in->dtype);
  if (p.n_red == 1) {
    if (hi > lo) absorb_box(p, states, p.in->data + offset * size, c, hi - lo, lo);
    return;
  }
  i64 steps = hi - lo, index[kMaxDims] = {};
  for (int d = 1; d < p.n_red - 1; d++) steps *= p.red[d].size;
  for (i64 s = 0; s < steps; s++) {
    absorb_box(p, states, p.in->data + offset * size, c, p.inner_red().size, 0);
    for (int d = p.n_red - 2; d >= 0; d--) {
      offset += p.red[d].in;
      if (++index[d] < p.red[d].size || d == 0) break;
      offset -= p.red[d].in * p.red[d].size;
      index[d] = 0;
    }
  }
}

void write_results(const Plan& p, States states, i64 item, i64 begin, i64 c) {
  const ReduceOp& op = *p.op;
  op.finish(states, c, p.count, p.param);
  i64 offset, out[2];
  locate(p, item, offset, out);
  const Dim& k = p.inner_kept();
  if (op.result0 == DType::C128) {
    const TensorArg& o = p.outs[0];
    for (i64 j = 0; j < c; j++) {
      const double z[2] = {states.field<double>(0)[j], states.field<double>(1)[j]};
      store_convert(o.dtype, o.data + (out[0] + (begin + j) * k.out[0]) * item_size(o.dtype), 1, DType::C128, z, 1);
    }
    return;
  }
  for (int f = 0; f < p.n_out; f++) {
    const TensorArg& o = p.outs[f];
    char* dst = o.data + (out[f] + begin * k.out[f]) * item_size(o.dtype);
    store_convert(o.dtype, dst, k.out[f], f == 0 ? op.result0 : op.result1, states.field<double>(f), c);
  }
}

/** Few outputs and many elements each: the threads share the outermost reduced dimension, then merge in order. */
void reduce_shared(const Plan& p, i64 parts) {
  const i64 c = p.inner_kept().size, fields = p.op->fields;
  double* memory = static_cast<double*>(tt_scratch(kStateSlot, static_cast<size_t>(parts * fields * c) * sizeof(double)));
  for (i64 item = 0; item < p.outer_kept; item++) {
    parallel_for(parts, 1, [&](i64 begin, i64 end) {
      for (i64 part = begin; part < end; part++) {
        const States s{memory + part * fields * c, c};
        p.op->init(s, c);
        const i64 n = p.red[0].size;
        absorb_part(p, s, item, 0, c, n * part / parts, n * (part + 1) / parts);
      }
    });
    const States total{memory, c};
    for (i64 part = 1; part < parts; part++) p.op->merge(total, {memory + part * fields * c, c}, c);
    write_results(p, total, item, 0, c);
  }
}

/** Each thread reduces whole outputs, a piece of the innermost kept dimension at a time. */
void reduce_pieces(const Plan& p, i64 piece, bool parallel) {
  const i64 c = p.inner_kept().size, pieces = (c + piece - 1) / piece;
  const i64 total = p.outer_kept * pieces, work = p.count * piece;
  const i64 grain = parallel ? 1 + kParallelWork / 2 / (work + 1) : total;
  parallel_for(total, grain, [&](i64 begin, i64 end) {
    double* memory = static_cast<double*>(tt_scratch(kStateSlot, static_cast<size_t>(p.op->fields * piece) * sizeof(double)));
    for (i64 t = begin; t < end; t++) {
      const i64 item = t / pieces, at = t % pieces * piece;
      const i64 n = c - at < piece ? c - at : piece;
      const States s{memory, n};
      p.op->init(s, n);
      if (p.count > 0) absorb_part(p, s, item, at, n, 0, p.red[0].size);
      write_results(p, s, item, at, n);
    }
  });
}

}  // namespace

void reduce(const ReduceOp& op, const TensorArg* outs, int n_out, const TensorArg& in, const bool* reduced, double param) {
  Plan p;
  p.op = &op;
  p.outs = outs;
  p.n_out = n_out;
  p.in = &in;
  p.param = param;
  if (!make_plan(p, reduced)) return;
  const i64 c = p.inner_kept().size, threads = tt_num_threads();
  i64 piece = c < kPiece ? c : kPiece;
  const bool parallel = threads > 1 && p.count * c * p.outer_kept > kParallelWork;
  if (parallel && p.outer_kept < threads) {
    const i64 unit = p.rows ? 1 : 64;  // columns: whole cache lines for each thread
    if (c < threads * unit && p.red[0].size >= threads) return reduce_shared(p, threads);
    const i64 share = (c + threads * unit - 1) / (threads * unit) * unit;
    piece = share < piece ? share : piece;
  }
  reduce_pieces(p, piece, parallel);
}

}  // namespace reduction
}  // namespace KERNEL_NS
}  // namespace tt
