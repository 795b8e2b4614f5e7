// Long short-term memory (Hochreiter and Schmidhuber, 1997; projections: Sak et al., 2014), all steps of one layer in
// one direction.
//
// Kernel `lstm`: out [rows, P], before [rows, P], cells [rows, H], raw [rows, H] (with a projection), h_n [B, P],
// c_n [B, H]; gates [rows, 4H] (in: input part with both biases; out: activated i, f, g, o), h_0, c_0, w_hh [4H, P],
// optional w_hr [P, H], sizes [steps], reverse.
//
// Kernel `lstm_backward`: d_gates [rows, 4H], d_h [B, P], d_c [B, H], d_out [rows, P] (with a projection: gradients of
// the hidden states); optional gradients of out, h_n, c_n; gates, cells, c_0, w_hh, optional w_hr, sizes, reverse.
// Float or double; all contiguous, but that rows of the gates and of their gradients may be farther apart.
#include "rnn.h"

namespace tt {
inline namespace KERNEL_NS {
namespace rnn {
namespace {

struct Lstm {
  TensorArg out, before, cells, raw, last_h, last_c, gates, h0, c0, w_hh, w_hr;
  bool projected;
  Sequence q;
  i64 hidden() const { return cells.shape[1]; }
};

/** One row: activates its gates; new cell and hidden state. */
template <class T>
void forward_row(T* g, const T* c_before, T* c, T* h, i64 n) {
  each_vector<T>(n, [&](i64 j, i64 k) {
    const Vec<T> i = v_sigmoid(get(g + j, k)), f = v_sigmoid(get(g + n + j, k));
    const Vec<T> u = v_tanh(get(g + 2 * n + j, k)), o = v_sigmoid(get(g + 3 * n + j, k));
    const Vec<T> cell = f * get(c_before + j, k) + i * u;
    put(g + j, i, k);
    put(g + n + j, f, k);
    put(g + 2 * n + j, u, k);
    put(g + 3 * n + j, o, k);
    put(c + j, cell, k);
    put(h + j, o * v_tanh(cell), k);
  });
}

template <class T>
void forward_rows(const Lstm& x, const PackedB<T>& w, const PackedB<T>& w_hr, i64 begin, i64 end) {
  const Sequence& q = x.q;
  const i64 H = x.hidden(), P = x.out.shape[1], G = x.gates.strides[0];
  const Hidden<T> hidden{x.h0.as<T>(), x.before.as<T>(), x.last_h.as<T>(), P};
  T *out = x.out.as<T>(), *cells = x.cells.as<T>(), *gates = x.gates.as<T>();
  T* raw = x.projected ? x.raw.as<T>() : out;
  for (i64 s = 0; s < q.steps; s++) {
    const i64 stop = min_of(end, q.size(s)), at = q.offset(s) + begin;
    if (stop <= begin) continue;
    hidden.enter(q, s, begin, stop);
    multiply_packed(w, hidden.before + at * P, P, stop - begin, gates + at * G, G, true);
    for (i64 r = begin; r < stop; r++) {
      const i64 row = q.offset(s) + r;
      const T* c_before = r < q.size(s - 1) ? cells + (q.offset(s - 1) + r) * H : x.c0.as<T>() + r * H;
      forward_row<T>(gates + row * G, c_before, cells + row * H, raw + row * H, H);
      if (r >= q.size(s + 1)) copy_row(x.last_c.as<T>() + r * H, cells + row * H, H);
    }
    if (x.projected) multiply_packed(w_hr, raw + at * H, H, stop - begin, out + at * P, P, false);
    for (i64 r = begin; r < stop; r++) hidden.leave(q, s, r, out + (q.offset(s) + r) * P);
  }
}

void lstm(double* args) {
  Args a(args);
  Lstm x;
  a.tensor(x.out);
  a.tensor(x.before);
  a.tensor(x.cells);
  x.projected = optional(a, x.raw);
  a.tensor(x.last_h);
  a.tensor(x.last_c);
  a.tensor(x.gates);
  a.tensor(x.h0);
  a.tensor(x.c0);
  a.tensor(x.w_hh);
  optional(a, x.w_hr);
  x.q = read_sequence(a);
  TT_RNN_BY_TYPE(x.out, {
    const PackedB<T> w = pack_weight<T>(kWeights, x.w_hh, true);
    const PackedB<T> w_hr = x.projected ? pack_weight<T>(kProjection, x.w_hr, true) : w;
    over_batch(x.q, [&](i64 begin, i64 end) { forward_rows<T>(x, w, w_hr, begin, end); });
  })
}

struct LstmBackward {
  TensorArg d_gates, d_h, d_c, d_hidden, d_out, d_last_h, d_last_c, gates, cells, c0, w_hh, w_hr;
  bool projected, has_out, has_last_h, has_last_c;
  Sequence q;
  i64 hidden() const { return cells.shape[1]; }
};

/** One row: gradients of its gates before activation; d_c becomes the gradient of the cell before. */
template <class T>
void backward_row(T* d, const T* g, const T* c_before, const T* c, const T* d_h, T* d_c, i64 n) {
  const Vec<T> one = broadcast<T>(T(1));
  each_vector<T>(n, [&](i64 j, i64 k) {
    const Vec<T> i = get(g + j, k), f = get(g + n + j, k), u = get(g + 2 * n + j, k), o = get(g + 3 * n + j, k);
    const Vec<T> t = v_tanh(get(c + j, k)), dh = get(d_h + j, k);
    const Vec<T> dc = get(d_c + j, k) + dh * o * (one - t * t);
    put(d + j, dc * u * i * (one - i), k);
    put(d + n + j, dc * get(c_before + j, k) * f * (one - f), k);
    put(d + 2 * n + j, dc * i * (one - u * u), k);
    put(d + 3 * n + j, dh * t * o * (one - o), k);
    put(d_c + j, dc * f, k);
  });
}

template <class T>
void backward_rows(const LstmBackward& x, const PackedB<T>& w, const PackedB<T>& w_hr, i64 begin, i64 end) {
  const Sequence& q = x.q;
  const i64 H = x.hidden(), P = x.d_h.shape[1], D = x.d_gates.strides[0], most = end - begin;
  T *d_h = x.d_h.as<T>(), *d_c = x.d_c.as<T>(), *d_gates = x.d_gates.as<T>();
  T* sums = scratch_rows<T>(most * (H + P));
  T* raw = sums + most * P;
  for (i64 s = q.steps - 1; s >= 0; s--) {
    const i64 stop = min_of(end, q.size(s)), at = q.offset(s) + begin;
    if (stop <= begin) continue;
    T* total = x.projected ? x.d_hidden.as<T>() + at * P : sums;
    for (i64 r = begin; r < stop; r++) {
      T* to = total + (r - begin) * P;
      const T* from = x.has_out ? x.d_out.as<T>() + (q.offset(s) + r) * P : nullptr;
      each_vector<T>(P, [&](i64 j, i64 k) {
        const Vec<T> state = get(d_h + r * P + j, k);
        put(to + j, from == nullptr ? state : state + get(from + j, k), k);
      });
    }
    if (x.projected) multiply_packed(w_hr, total, P, stop - begin, raw, H, false);
    const T* d_raw = x.projected ? raw : total;
    for (i64 r = begin; r < stop; r++) {
      const i64 row = q.offset(s) + r;
      const T* c_before = r < q.size(s - 1) ? x.cells.as<T>() + (q.offset(s - 1) + r) * H : x.c0.as<T>() + r * H;
      backward_row<T>(d_gates + row * D, x.gates.as<T>() + row * x.gates.strides[0], c_before,
                      x.cells.as<T>() + row * H, d_raw + (r - begin) * H, d_c + r * H, H);
    }
    multiply_packed(w, d_gates + at * D, D, stop - begin, d_h + begin * P, P, false);
  }
}

void lstm_backward(double* args) {
  Args a(args);
  LstmBackward x;
  a.tensor(x.d_gates);
  a.tensor(x.d_h);
  a.tensor(x.d_c);
  x.projected = optional(a, x.d_hidden);
  x.has_out = optional(a, x.d_out);
  x.has_last_h = optional(a, x.d_last_h);
  x.has_last_c = optional(a, x.d_last_c);
  a.tensor(x.gates);
  a.tensor(x.cells);
  a.tensor(x.c0);
  a.tensor(x.w_hh);
  optional(a, x.w_hr);
  x.q = read_sequence(a);
  TT_RNN_BY_TYPE(x.d_gates, {
    fill_from(x.d_h.as<T>(), x.has_last_h, x.d_last_h, x.d_h.numel());
    fill_from(x.d_c.as<T>(), x.has_last_c, x.d_last_c, x.d_c.numel());
    const PackedB<T> w = pack_weight<T>(kWeights, x.w_hh, false);
    const PackedB<T> w_hr = x.projected ? pack_weight<T>(kProjection, x.w_hr, false) : w;
    over_batch(x.q, [&](i64 begin, i64 end) { backward_rows<T>(x, w, w_hr, begin, end); });
  })
}

}  // namespace
}  // namespace rnn

extern const KernelEntry rnn_lstm_kernels[];
const KernelEntry rnn_lstm_kernels[] = {{"lstm", rnn::lstm}, {"lstm_backward", rnn::lstm_backward}, {nullptr, nullptr}};

}  // namespace KERNEL_NS
}  // namespace tt
