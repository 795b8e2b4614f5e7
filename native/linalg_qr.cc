// QR factorization and products with its Q. Matrices are column-major: a tensor argument [batch, n, m], contiguous, is a
// batch of m by n matrices.
//
//   linalg_geqrf: A (in place: R and the reflectors), tau [batch, min(m, n)]
//   linalg_orgqr: Q [batch, n, m] (result), V [batch, n, m], tau [batch, k]
//   linalg_ormqr: C (in place), V [batch, k, order], tau [batch, k], left, adjoint
#include "householder.h"

namespace tt {
inline namespace KERNEL_NS {
namespace {

using namespace dense;

void linalg_geqrf(double* args) {
  Args in(args);
  TensorArg a, tau;
  in.tensor(a);
  in.tensor(tau);
  const i64 n = a.shape[1], m = a.shape[2], k = m < n ? m : n;
  if (k == 0) return;
  by_scalar(a.dtype, [&]<class T>() {
    parallel_for(a.shape[0], batch_grain(m * n * k), [&](i64 begin, i64 end) {
      const Work work(factor_qr_bytes<T>(m, n));
      for (i64 b = begin; b < end; b++) factor_qr(m, n, a.as<T>() + b * m * n, m, tau.as<T>() + b * k, work);
    });
  });
}

void linalg_orgqr(double* args) {
  Args in(args);
  TensorArg q, v, tau;
  in.tensor(q);
  in.tensor(v);
  in.tensor(tau);
  const i64 n = q.shape[1], m = q.shape[2], k = tau.shape[1];
  if (m == 0 || n == 0) return;
  by_scalar(q.dtype, [&]<class T>() {
    parallel_for(q.shape[0], batch_grain(m * n * (k + 1)), [&](i64 begin, i64 end) {
      const Work work(form_q_bytes<T>(m, n));
      for (i64 b = begin; b < end; b++) {
        form_q(m, n, k, v.as<T>() + b * m * v.shape[1], m, tau.as<T>() + b * k, q.as<T>() + b * m * n, m, work);
      }
    });
  });
}

void linalg_ormqr(double* args) {
  Args in(args);
  TensorArg c, v, tau;
  in.tensor(c);
  in.tensor(v);
  in.tensor(tau);
  const bool left = in.flag(), adjoint = in.flag();
  const i64 n = c.shape[1], m = c.shape[2], k = tau.shape[1], order = left ? m : n, columns = v.shape[1];
  if (m == 0 || n == 0 || k == 0) return;
  by_scalar(c.dtype, [&]<class T>() {
    parallel_for(c.shape[0], batch_grain(m * n * k), [&](i64 begin, i64 end) {
      const Work work(apply_q_bytes<T>(left, m, n));
      for (i64 b = begin; b < end; b++) {
        apply_q(left, adjoint, m, n, k, v.as<T>() + b * order * columns, order, tau.as<T>() + b * k,
                c.as<T>() + b * m * n, m, work);
      }
    });
  });
}

}  // namespace

extern const KernelEntry linalg_qr_kernels[];
const KernelEntry linalg_qr_kernels[] = {
    {"linalg_geqrf", linalg_geqrf},
    {"linalg_orgqr", linalg_orgqr},
    {"linalg_ormqr", linalg_ormqr},
    {nullptr, nullptr},
};

}  // namespace KERNEL_NS
}  // namespace tt
