// Scaled dot product attention without the matrix of weights: blocks of scores stay in the cache, and backward makes
// them again (Dao et al., FlashAttention, 2022).
//
// Kernel `attention`: out [B, H, L, Ev], lse [B, H, L] (logarithm of each row's sum of exponentials); q [B, H, L, E],
// k [B, H, S, E], v [B, H, S, Ev], optional mask [B, H, L, S] (bool: true takes part; else added to the scores), optional
// drop [B, H, L, S] (factors of the weights), scale, causal.
//
// Kernel `attention_backward`: d_q, d_k, d_v, gradient of out, out, lse, q, k, v, optional mask, optional drop, scale,
// causal. Float or double; the last dimension of all but the mask is contiguous.
#include "gemm_prepacked.h"
#include "rows.h"
#include "vmath.h"

namespace tt {
inline namespace KERNEL_NS {
namespace attention {
namespace {

using rows::add_lanes;
using rows::each_vector;
using rows::get;
using rows::only;
using rows::optional;
using rows::put;

constexpr i64 kQueries = 64;  // rows of a block of scores
constexpr i64 kKeys = 256;    // its columns

enum Slot : int { kScores = 4, kGradScores = 5, kRowValues = 6 };

template <class T>
T* scratch(Slot slot, i64 count) {
  return static_cast<T*>(tt_scratch(slot, static_cast<size_t>(count) * sizeof(T)));
}

/** One head of a 4-d tensor: a matrix of contiguous rows. */
template <class T>
struct Head {
  T* data;
  i64 row;
  T* at(i64 i) const { return data + i * row; }
};
template <class T>
Head<T> head_of(const TensorArg& t, i64 b, i64 h) {
  return Head<T>{t.as<T>() + b * t.strides[0] + h * t.strides[1], t.strides[2]};
}

struct Inputs {
  TensorArg q, k, v, mask, drop;
  bool has_mask, has_drop, causal;
  double scale;
  i64 batch() const { return q.shape[0]; }
  i64 heads() const { return q.shape[1]; }
  i64 queries() const { return q.shape[2]; }
  i64 keys() const { return k.shape[2]; }
  i64 size() const { return q.shape[3]; }
  i64 width() const { return v.shape[3]; }
  /** Keys that the queries before `end` may see. */
  i64 seen(i64 end) const { return causal ? min_of(keys(), end) : keys(); }
};

void read_inputs(Args& a, Inputs& x) {
  a.tensor(x.q);
  a.tensor(x.k);
  a.tensor(x.v);
  x.has_mask = optional(a, x.mask);
  x.has_drop = optional(a, x.drop);
  x.scale = a.number();
  x.causal = a.flag();
}

/** Rows [i, i + m) of the queries against keys [j, j + n) of one head. */
struct Part {
  i64 b, h, i, m, j, n;
};

/** Columns of row r of a part that its query may see. */
i64 visible(const Inputs& x, const Part& p, i64 r) {
  if (!x.causal) return p.n;
  const i64 n = p.i + r + 1 - p.j;
  return n < 0 ? 0 : min_of(n, p.n);
}

/** c = a b^T of contiguous rows. */
template <class T>
void product_transposed(const Head<T>& a, const Head<T>& b, i64 m, i64 n, i64 k, T* c, i64 c_row) {
  multiply(Product<T, T>{m, n, k, a.data, a.row, 1, b.data, 1, b.row, c, c_row, 1}, T(0));
}

/** Scales n scores of row r and adds the mask. */
template <class T>
void mask_row(const Inputs& x, const Part& p, i64 r, T* s, i64 n) {
  const Vec<T> scale = broadcast<T>(static_cast<T>(x.scale));
  each_vector<T>(n, [&](i64 c, i64 l) { put(s + c, get(s + c, l) * scale, l); });
  if (!x.has_mask) return;
  const i64 step = x.mask.strides[3];
  const i64 at = p.b * x.mask.strides[0] + p.h * x.mask.strides[1] + (p.i + r) * x.mask.strides[2] + p.j * step;
  if (x.mask.dtype == DType::Bool) {
    const u8* m = x.mask.as<u8>() + at;
    for (i64 c = 0; c < n; c++) s[c] = m[c * step] ? s[c] : -static_cast<T>(__builtin_inf());
  } else {
    const T* m = x.mask.as<T>() + at;
    for (i64 c = 0; c < n; c++) s[c] += m[c * step];
  }
}

template <class T>
T row_max(const T* s, i64 n) {
  constexpr int L = lanes<T>;
  T best = -static_cast<T>(__builtin_inf());
  i64 c = 0;
  if (n >= L) {
    Vec<T> m = load(s);
    for (c = L; c + L <= n; c += L) m = v_max(m, load(s + c));
    for (int l = 0; l < L; l++) best = m[l] > best || m[l] != m[l] ? m[l] : best;
  }
  for (; c < n; c++) best = s[c] > best || s[c] != s[c] ? s[c] : best;
  return best;
}

/** s = exp(s - shift) for the first n of `all` columns, zero in the others; returns the sum. */
template <class T>
T exp_row(T* s, T shift, i64 n, i64 all) {
  const Vec<T> by = broadcast<T>(shift);
  Vec<T> sum{};
  each_vector<T>(n, [&](i64 c, i64 l) {
    const Vec<T> e = v_exp(get(s + c, l) - by);
    put(s + c, e, l);
    sum += only<T>(e, l);
  });
  for (i64 c = n; c < all; c++) s[c] = T(0);
  return static_cast<T>(add_lanes<T>(sum));
}

template <class T>
void scale_row(T* x, T by, i64 n) {
  const Vec<T> f = broadcast<T>(by);
  each_vector<T>(n, [&](i64 c, i64 l) { put(x + c, get(x + c, l) * f, l); });
}

/** s *= factors of dropout. */
template <class T>
void drop_row(const Inputs& x, const Part& p, i64 r, T* s, i64 n) {
  const T* d = x.drop.as<T>() + ((p.b * x.heads() + p.h) * x.queries() + p.i + r) * x.keys() + p.j;
  each_vector<T>(n, [&](i64 c, i64 l) { put(s + c, get(s + c, l) * get(d + c, l), l); });
}

// ---- forward

struct Forward : Inputs {
  TensorArg out, lse;
};

/** One block of scores: weights with the maximum so far, and what that does to the sums before. */
template <class T>
void weigh(const Forward& x, const Part& p, T* s, T* best, T* total, const Head<T>& out) {
  const T lowest = -static_cast<T>(__builtin_inf());
  for (i64 r = 0; r < p.m; r++) {
    T* row = s + r * p.n;
    const i64 n = visible(x, p, r);
    mask_row<T>(x, p, r, row, n);
    const T found = row_max<T>(row, n), before = best[r];
    const T now = found > before || found != found ? found : before;
    const T sum = exp_row<T>(row, now == lowest ? T(0) : now, n, p.n);
    if (p.j > 0 && now != before) {
      const T rescale = before == lowest ? T(0) : v_exp(broadcast<T>(before - now))[0];
      total[r] *= rescale;
      scale_row(out.at(r), rescale, x.width());
    }
    total[r] += sum;
    best[r] = now;
    if (x.has_drop) drop_row<T>(x, p, r, row, n);
  }
}

template <class T>
void forward_block(const Forward& x, i64 b, i64 h, i64 i) {
  const i64 m = min_of(kQueries, x.queries() - i), keys = x.seen(i + m);
  const Head<T> q = head_of<T>(x.q, b, h), k = head_of<T>(x.k, b, h), v = head_of<T>(x.v, b, h);
  const Head<T> all = head_of<T>(x.out, b, h), out{all.at(i), all.row};
  T* s = scratch<T>(kScores, kQueries * kKeys);
  T* best = scratch<T>(kRowValues, 2 * kQueries);
  T* total = best + kQueries;
  for (i64 r = 0; r < m; r++) {
    best[r] = -static_cast<T>(__builtin_inf());
    total[r] = T(0);
  }
  for (i64 j = 0; j < keys; j += kKeys) {
    const Part p{b, h, i, m, j, min_of(kKeys, keys - j)};
    product_transposed<T>({q.at(i), q.row}, {k.at(j), k.row}, m, p.n, x.size(), s, p.n);
    weigh<T>(x, p, s, best, total, out);
    multiply(Product<T, T>{m, x.width(), p.n, s, p.n, 1, v.at(j), v.row, 1, out.data, out.row, 1}, T(j > 0));
  }
  T* lse = x.lse.as<T>() + (b * x.heads() + h) * x.queries() + i;
  for (i64 r = 0; r < m; r++) {
    // A row that sees no key is zero, and so are its gradients.
    const bool empty = total[r] == T(0);
    scale_row(out.at(r), empty ? T(0) : T(1) / total[r], x.width());
    lse[r] = empty ? static_cast<T>(__builtin_inf()) : best[r] + v_log(broadcast<T>(total[r]))[0];
  }
}

void forward(double* args) {
  Args a(args);
  Forward x;
  a.tensor(x.out);
  a.tensor(x.lse);
  read_inputs(a, x);
  const i64 blocks = ceil_div(x.queries(), kQueries), jobs = x.batch() * x.heads() * blocks;
  const i64 work = kQueries * x.keys() * (x.size() + x.width());
  parallel_for(jobs, 1 + 131072 / (work + 1), [&](i64 begin, i64 end) {
    for (i64 job = begin; job < end; job++) {
      const i64 head = job / blocks, i = job % blocks * kQueries;
      if (x.q.dtype == DType::F64) {
        forward_block<double>(x, head / x.heads(), head % x.heads(), i);
      } else {
        forward_block<float>(x, head / x.heads(), head % x.heads(), i);
      }
    }
  });
}

// ---- backward

struct Backward : Inputs {
  TensorArg d_q, d_k, d_v, d_out, out, lse;
};

template <class T>
T inner(const T* a, const T* b, i64 n) {
  Vec<T> sum{};
  each_vector<T>(n, [&](i64 c, i64 l) { sum += get(a + c, l) * get(b + c, l); });
  return static_cast<T>(add_lanes<T>(sum));
}

/** From scores to weights (times dropout) in s, and from gradients of the weights to those of the scores in d. */
template <class T>
void backward_scores(const Backward& x, const Part& p, T* s, T* d, const T* lse, const T* delta) {
  const Vec<T> scale = broadcast<T>(static_cast<T>(x.scale));
  for (i64 r = 0; r < p.m; r++) {
    T *row = s + r * p.n, *grad = d + r * p.n;
    const i64 n = visible(x, p, r);
    mask_row<T>(x, p, r, row, n);
    exp_row<T>(row, lse[r], n, p.n);
    if (x.has_drop) drop_row<T>(x, p, r, grad, n);
    const Vec<T> own = broadcast<T>(delta[r]);
    each_vector<T>(n, [&](i64 c, i64 l) {
      put(grad + c, get(row + c, l) * (get(grad + c, l) - own) * scale, l);
    });
    for (i64 c = n; c < p.n; c++) grad[c] = T(0);
    if (x.has_drop) drop_row<T>(x, p, r, row, n);
  }
}

template <class T>
void clear_rows(const Head<T>& x, i64 rows, i64 n) {
  for (i64 i = 0; i < rows; i++) memset(x.at(i), 0, static_cast<size_t>(n) * sizeof(T));
}

template <class T>
void backward_head(const Backward& x, i64 b, i64 h) {
  const i64 E = x.size(), V = x.width();
  const Head<T> q = head_of<T>(x.q, b, h), k = head_of<T>(x.k, b, h), v = head_of<T>(x.v, b, h);
  const Head<T> d_q = head_of<T>(x.d_q, b, h), d_k = head_of<T>(x.d_k, b, h), d_v = head_of<T>(x.d_v, b, h);
  const Head<T> d_out = head_of<T>(x.d_out, b, h), out = head_of<T>(x.out, b, h);
  const T* lse = x.lse.as<T>() + (b * x.heads() + h) * x.queries();
  T* s = scratch<T>(kScores, kQueries * kKeys);
  T* d = scratch<T>(kGradScores, kQueries * kKeys);
  T* delta = scratch<T>(kRowValues, 2 * kQueries);
  clear_rows(d_k, x.keys(), E);
  clear_rows(d_v, x.keys(), V);
  for (i64 i = 0; i < x.queries(); i += kQueries) {
    const i64 m = min_of(kQueries, x.queries() - i), keys = x.seen(i + m);
    for (i64 r = 0; r < m; r++) delta[r] = inner<T>(d_out.at(i + r), out.at(i + r), V);
    for (i64 j = 0; j < keys; j += kKeys) {
      const Part p{b, h, i, m, j, min_of(kKeys, keys - j)};
      product_transposed<T>({q.at(i), q.row}, {k.at(j), k.row}, m, p.n, E, s, p.n);
      product_transposed<T>({d_out.at(i), d_out.row}, {v.at(j), v.row}, m, p.n, V, d, p.n);
      backward_scores<T>(x, p, s, d, lse + i, delta);
      multiply(Product<T, T>{p.n, V, m, s, 1, p.n, d_out.at(i), d_out.row, 1, d_v.at(j), d_v.row, 1}, T(1));
      multiply(Product<T, T>{m, E, p.n, d, p.n, 1, k.at(j), k.row, 1, d_q.at(i), d_q.row, 1}, T(j > 0));
      multiply(Product<T, T>{p.n, E, m, d, 1, p.n, q.at(i), q.row, 1, d_k.at(j), d_k.row, 1}, T(1));
    }
  }
}

void backward(double* args) {
  Args a(args);
  Backward x;
  a.tensor(x.d_q);
  a.tensor(x.d_k);
  a.tensor(x.d_v);
  a.tensor(x.d_out);
  a.tensor(x.out);
  a.tensor(x.lse);
  read_inputs(a, x);
  const i64 work = x.queries() * x.keys() * (x.size() + x.width());
  parallel_for(x.batch() * x.heads(), 1 + 131072 / (work + 1), [&](i64 begin, i64 end) {
    for (i64 head = begin; head < end; head++) {
      if (x.q.dtype == DType::F64) {
        backward_head<double>(x, head / x.heads(), head % x.heads());
      } else {
        backward_head<float>(x, head / x.heads(), head % x.heads());
      }
    }
  });
}

}  // namespace
}  // namespace attention

extern const KernelEntry attention_kernels[];
const KernelEntry attention_kernels[] = {
    {"attention", attention::forward}, {"attention_backward", attention::backward}, {nullptr, nullptr}};

}  // namespace KERNEL_NS
}  // namespace tt
