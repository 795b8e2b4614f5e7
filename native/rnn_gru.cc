// Gated recurrent units (Cho et al., 2014) and Elman's simple recurrence, all steps of one layer in one direction.
//
// Kernel `gru`: out [rows, H], before [rows, H], h_n [B, H], inner [rows, H] (hidden part of the candidate); gates
// [rows, 3H] (in: input part with its bias; out: activated r, z, n), h_0, w_hh [3H, H], optional b_hh [3H], sizes,
// reverse.
// Kernel `gru_backward`: d_in [rows, 3H], d_rec [rows, 3H] (gradients of the two parts of the gates), d_h [B, H];
// optional gradients of out and h_n; gates, inner, before, w_hh, sizes, reverse.
//
// Kernel `elman`: out [rows, H] (in: input part with both biases), before, h_n, h_0, w_hh [H, H], relu, sizes, reverse.
// Kernel `elman_backward`: d_in [rows, H], d_h [B, H]; optional gradients of out and h_n; out, w_hh, relu, sizes,
// reverse. Float or double; all contiguous, but that rows of the GRU's gates and of their gradients may be farther apart.
#include "rnn.h"

namespace tt {
inline namespace KERNEL_NS {
namespace rnn {
namespace {

// ---- gated recurrent units

struct Gru {
  TensorArg out, before, last, inner, gates, h0, w_hh, b_hh;
  bool has_bias;
  Sequence q;
};

/** One row: activates its gates, given the hidden part of them; the new hidden state. */
template <class T>
void gru_row(T* g, const T* part, const T* h_before, T* inner, T* h, i64 n) {
  each_vector<T>(n, [&](i64 j, i64 k) {
    const Vec<T> r = v_sigmoid(get(g + j, k) + get(part + j, k));
    const Vec<T> z = v_sigmoid(get(g + n + j, k) + get(part + n + j, k));
    const Vec<T> in = get(part + 2 * n + j, k), u = v_tanh(get(g + 2 * n + j, k) + r * in);
    put(g + j, r, k);
    put(g + n + j, z, k);
    put(g + 2 * n + j, u, k);
    put(inner + j, in, k);
    put(h + j, u + z * (get(h_before + j, k) - u), k);
  });
}

template <class T>
void gru_rows(const Gru& x, const PackedB<T>& w, i64 begin, i64 end) {
  const Sequence& q = x.q;
  const i64 H = x.out.shape[1];
  const Hidden<T> hidden{x.h0.as<T>(), x.before.as<T>(), x.last.as<T>(), H};
  T* part = scratch_rows<T>((end - begin) * 3 * H);
  for (i64 s = 0; s < q.steps; s++) {
    const i64 stop = min_of(end, q.size(s)), at = q.offset(s) + begin;
    if (stop <= begin) continue;
    hidden.enter(q, s, begin, stop);
    for (i64 r = 0; r < stop - begin && x.has_bias; r++) copy_row(part + r * 3 * H, x.b_hh.as<T>(), 3 * H);
    multiply_packed(w, hidden.before + at * H, H, stop - begin, part, 3 * H, x.has_bias);
    for (i64 r = begin; r < stop; r++) {
      const i64 row = q.offset(s) + r;
      T* h = x.out.as<T>() + row * H;
      gru_row<T>(x.gates.as<T>() + row * x.gates.strides[0], part + (r - begin) * 3 * H, hidden.before + row * H,
                 x.inner.as<T>() + row * H, h, H);
      hidden.leave(q, s, r, h);
    }
  }
}

void gru(double* args) {
  Args a(args);
  Gru x;
  a.tensor(x.out);
  a.tensor(x.before);
  a.tensor(x.last);
  a.tensor(x.inner);
  a.tensor(x.gates);
  a.tensor(x.h0);
  a.tensor(x.w_hh);
  x.has_bias = optional(a, x.b_hh);
  x.q = read_sequence(a);
  TT_RNN_BY_TYPE(x.out, {
    const PackedB<T> w = pack_weight<T>(kWeights, x.w_hh, true);
    over_batch(x.q, [&](i64 begin, i64 end) { gru_rows<T>(x, w, begin, end); });
  })
}

struct GruBackward {
  TensorArg d_in, d_rec, d_h, d_out, d_last, gates, inner, before, w_hh;
  bool has_out, has_last;
  Sequence q;
};

/** One row: gradients of both parts of its gates; d_h becomes what passes by the gates. */
template <class T>
void gru_backward_row(T* d_in, T* d_rec, const T* g, const T* inner, const T* h_before, const T* d_out, T* d_h, i64 n) {
  const Vec<T> one = broadcast<T>(T(1));
  each_vector<T>(n, [&](i64 j, i64 k) {
    const Vec<T> r = get(g + j, k), z = get(g + n + j, k), u = get(g + 2 * n + j, k);
    const Vec<T> state = get(d_h + j, k), d = d_out == nullptr ? state : state + get(d_out + j, k);
    const Vec<T> du = d * (one - z) * (one - u * u);
    const Vec<T> dr = du * get(inner + j, k) * r * (one - r);
    const Vec<T> dz = d * (get(h_before + j, k) - u) * z * (one - z);
    put(d_in + j, dr, k);
    put(d_in + n + j, dz, k);
    put(d_in + 2 * n + j, du, k);
    put(d_rec + j, dr, k);
    put(d_rec + n + j, dz, k);
    put(d_rec + 2 * n + j, du * r, k);
    put(d_h + j, d * z, k);
  });
}

template <class T>
void gru_backward_rows(const GruBackward& x, const PackedB<T>& w, i64 begin, i64 end) {
  const Sequence& q = x.q;
  const i64 H = x.d_h.shape[1], D = x.d_in.strides[0];
  for (i64 s = q.steps - 1; s >= 0; s--) {
    const i64 stop = min_of(end, q.size(s)), at = q.offset(s) + begin;
    if (stop <= begin) continue;
    for (i64 r = begin; r < stop; r++) {
      const i64 row = q.offset(s) + r;
      gru_backward_row<T>(x.d_in.as<T>() + row * D, x.d_rec.as<T>() + row * D,
                          x.gates.as<T>() + row * x.gates.strides[0], x.inner.as<T>() + row * H, x.before.as<T>() + row * H,
                          x.has_out ? x.d_out.as<T>() + row * H : nullptr, x.d_h.as<T>() + r * H, H);
    }
    multiply_packed(w, x.d_rec.as<T>() + at * D, D, stop - begin, x.d_h.as<T>() + begin * H, H, true);
  }
}

void gru_backward(double* args) {
  Args a(args);
  GruBackward x;
  a.tensor(x.d_in);
  a.tensor(x.d_rec);
  a.tensor(x.d_h);
  x.has_out = optional(a, x.d_out);
  x.has_last = optional(a, x.d_last);
  a.tensor(x.gates);
  a.tensor(x.inner);
  a.tensor(x.before);
  a.tensor(x.w_hh);
  x.q = read_sequence(a);
  TT_RNN_BY_TYPE(x.d_in, {
    fill_from(x.d_h.as<T>(), x.has_last, x.d_last, x.d_h.numel());
    const PackedB<T> w = pack_weight<T>(kWeights, x.w_hh, false);
    over_batch(x.q, [&](i64 begin, i64 end) { gru_backward_rows<T>(x, w, begin, end); });
  })
}

// ---- simple recurrence

struct Elman {
  TensorArg out, before, last, h0, w_hh;
  bool relu;
  Sequence q;
};

template <class T>
void elman_rows(const Elman& x, const PackedB<T>& w, i64 begin, i64 end) {
  const Sequence& q = x.q;
  const i64 H = x.out.shape[1];
  const Hidden<T> hidden{x.h0.as<T>(), x.before.as<T>(), x.last.as<T>(), H};
  for (i64 s = 0; s < q.steps; s++) {
    const i64 stop = min_of(end, q.size(s)), at = q.offset(s) + begin;
    if (stop <= begin) continue;
    hidden.enter(q, s, begin, stop);
    multiply_packed(w, hidden.before + at * H, H, stop - begin, x.out.as<T>() + at * H, H, true);
    for (i64 r = begin; r < stop; r++) {
      T* h = x.out.as<T>() + (q.offset(s) + r) * H;
      each_vector<T>(H, [&](i64 j, i64 k) {
        const Vec<T> v = get(h + j, k);
        put(h + j, x.relu ? (v < Vec<T>{} ? Vec<T>{} : v) : v_tanh(v), k);
      });
      hidden.leave(q, s, r, h);
    }
  }
}

void elman(double* args) {
  Args a(args);
  Elman x;
  a.tensor(x.out);
  a.tensor(x.before);
  a.tensor(x.last);
  a.tensor(x.h0);
  a.tensor(x.w_hh);
  x.relu = a.flag();
  x.q = read_sequence(a);
  TT_RNN_BY_TYPE(x.out, {
    const PackedB<T> w = pack_weight<T>(kWeights, x.w_hh, true);
    over_batch(x.q, [&](i64 begin, i64 end) { elman_rows<T>(x, w, begin, end); });
  })
}

struct ElmanBackward {
  TensorArg d_in, d_h, d_out, d_last, out, w_hh;
  bool has_out, has_last, relu;
  Sequence q;
};

template <class T>
void elman_backward_rows(const ElmanBackward& x, const PackedB<T>& w, i64 begin, i64 end) {
  const Sequence& q = x.q;
  const i64 H = x.d_h.shape[1];
  const Vec<T> one = broadcast<T>(T(1));
  T* d_h = x.d_h.as<T>();
  for (i64 s = q.steps - 1; s >= 0; s--) {
    const i64 stop = min_of(end, q.size(s)), at = q.offset(s) + begin;
    if (stop <= begin) continue;
    for (i64 r = begin; r < stop; r++) {
      const i64 row = (q.offset(s) + r) * H;
      const T* h = x.out.as<T>() + row;
      const T* from = x.has_out ? x.d_out.as<T>() + row : nullptr;
      each_vector<T>(H, [&](i64 j, i64 k) {
        const Vec<T> state = get(d_h + r * H + j, k), v = get(h + j, k);
        const Vec<T> d = from == nullptr ? state : state + get(from + j, k);
        put(x.d_in.as<T>() + row + j, x.relu ? (v > Vec<T>{} ? d : Vec<T>{}) : d * (one - v * v), k);
      });
    }
    multiply_packed(w, x.d_in.as<T>() + at * H, H, stop - begin, d_h + begin * H, H, false);
  }
}

void elman_backward(double* args) {
  Args a(args);
  ElmanBackward x;
  a.tensor(x.d_in);
  a.tensor(x.d_h);
  x.has_out = optional(a, x.d_out);
  x.has_last = optional(a, x.d_last);
  a.tensor(x.out);
  a.tensor(x.w_hh);
  x.relu = a.flag();
  x.q = read_sequence(a);
  TT_RNN_BY_TYPE(x.d_in, {
    fill_from(x.d_h.as<T>(), x.has_last, x.d_last, x.d_h.numel());
    const PackedB<T> w = pack_weight<T>(kWeights, x.w_hh, false);
    over_batch(x.q, [&](i64 begin, i64 end) { elman_backward_rows<T>(x, w, begin, end); });
  })
}

}  // namespace
}  // namespace rnn

extern const KernelEntry rnn_gru_kernels[];
const KernelEntry rnn_gru_kernels[] = {{"gru", rnn::gru},
                                       {"gru_backward", rnn::gru_backward},
                                       {"elman", rnn::elman},
                                       {"elman_backward", rnn::elman_backward},
                                       {nullptr, nullptr}};

}  // namespace KERNEL_NS
}  // namespace tt
