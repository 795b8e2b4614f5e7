// The addon: kernels, threads and memory as JavaScript functions. See src/backends/cpu/native.node.ts for
// what each export does.
#include <node_api.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

#include "kernel.h"
#include "owners.h"
#include "pool.h"
#include "table.h"

#ifdef TT_HAS_V4
TT_DECLARE_TABLES(v4)
#endif
#ifdef TT_HAS_V3
TT_DECLARE_TABLES(v3)
#endif
#ifdef TT_HAS_V2
TT_DECLARE_TABLES(v2)
#endif
#ifdef TT_HAS_NEON
TT_DECLARE_TABLES(neon)
#endif
#ifdef TT_HAS_GENERIC
TT_DECLARE_TABLES(generic)
#endif

namespace {

// ---- instruction sets ----------------------------------------------------------------------------------

struct Isa {
  const char* name;   // as JavaScript sees it
  const char* build;  // as the build calls it
  const tt::KernelEntry* (*kernels)();
  const char* (*span_name)(int);
  bool (*runs_here)();
};

#if defined(TT_HAS_V4) || defined(TT_HAS_V3) || defined(TT_HAS_V2)
bool has_v2() { return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt"); }
bool has_v3() {
  return has_v2() && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}
bool has_v4() {
  return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}
#else
bool always() { return true; }
#endif

/** The builds in this binary, best first. */
const Isa kIsas[] = {
#ifdef TT_HAS_V4
    {"avx512", "v4", tt_kernels_v4, tt_span_name_v4, has_v4},
#endif
#ifdef TT_HAS_V3
    {"avx2", "v3", tt_kernels_v3, tt_span_name_v3, has_v3},
#endif
#ifdef TT_HAS_V2
    {"sse4", "v2", tt_kernels_v2, tt_span_name_v2, has_v2},
#endif
#ifdef TT_HAS_NEON
    {"neon", "neon", tt_kernels_neon, tt_span_name_neon, always},
#endif
#ifdef TT_HAS_GENERIC
    {"generic", "generic", tt_kernels_generic, tt_span_name_generic, always},
#endif
};

/** The best build that runs here, or the one that TYPETORCH_ISA names; null when there is none. */
const Isa* choose_isa() {
  const char* wanted = std::getenv("TYPETORCH_ISA");
  if (wanted && *wanted && std::strcmp(wanted, "all") != 0) {
    for (const Isa& isa : kIsas) {
      if (std::strcmp(wanted, isa.name) != 0 && std::strcmp(wanted, isa.build) != 0) continue;
      return isa.runs_here() ? &isa : nullptr;
    }
    return nullptr;
  }
  for (const Isa& isa : kIsas) {
    if (isa.runs_here()) return &isa;
  }
  return nullptr;
}

// ---- one environment -----------------------------------------------------------------------------------

constexpr size_t kArgs = 16384;

/** Argument arrays are never freed, as JavaScript may keep a view: a later environment takes them over. */
class ArgsPool {
 public:
  static double* take() {
    std::lock_guard<std::mutex> lock(mutex());
    if (Node* node = head()) {
      head() = node->next;
      double* args = node->args;
      std::free(node);
      std::memset(args, 0, kArgs * sizeof(double));
      return args;
    }
    // An extra page on either side keeps the array away from others' cache lines.
    char* p = static_cast<char*>(std::calloc(1, kArgs * sizeof(double) + 128));
    return reinterpret_cast<double*>((reinterpret_cast<uintptr_t>(p) + 63) & ~uintptr_t(63));
  }
  static void give_back(double* args) {
    std::lock_guard<std::mutex> lock(mutex());
    Node* node = static_cast<Node*>(std::malloc(sizeof(Node)));
    if (!node) return;
    *node = {args, head()};
    head() = node;
  }

 private:
  struct Node {
    double* args;
    Node* next;
  };
  static std::mutex& mutex() {
    static std::mutex* m = new std::mutex;
    return *m;
  }
  static Node*& head() {
    static Node* h = nullptr;
    return h;
  }
};

struct Environment {
  explicit Environment(napi_env env) : args(ArgsPool::take()), owners(env) {}
  ~Environment() { ArgsPool::give_back(args); }

  double* args;
  const Isa* isa = nullptr;
  const tt::KernelEntry* kernels = nullptr;
  int kernel_count = 0;
  tt::Owners owners;
};

Environment* environment(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return static_cast<Environment*>(data);
}

// ---- arguments and results -----------------------------------------------------------------------------

napi_value fail(napi_env env, const char* message) {
  napi_throw_error(env, nullptr, message);
  return nullptr;
}
napi_value fail_type(napi_env env, const char* message) {
  napi_throw_type_error(env, nullptr, message);
  return nullptr;
}

/** A function's arguments; the missing ones are undefined. */
template <size_t N>
struct Arguments {
  napi_value at[N];
  Arguments(napi_env env, napi_callback_info info) {
    size_t n = N;
    napi_get_cb_info(env, info, &n, at, nullptr, nullptr);
  }
};

/** A whole number in [0, limit]. */
bool whole(napi_env env, napi_value value, double limit, double* out) {
  return napi_get_value_double(env, value, out) == napi_ok && *out >= 0 && *out <= limit && *out == std::floor(*out);
}

bool address_of(napi_env env, napi_value value, uintptr_t* out) {
  double d;
  if (!whole(env, value, 9007199254740991.0, &d) || d == 0) return false;
  *out = static_cast<uintptr_t>(d);
  return true;
}

napi_value number(napi_env env, double x) {
  napi_value result = nullptr;
  napi_create_double(env, x, &result);
  return result;
}

size_t element_size(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      return 8;
    default:
      return 0;
  }
}

/** The bytes of a typed array, DataView or Buffer. */
bool bytes_of(napi_env env, napi_value value, void** data, size_t* nbytes) {
  bool is = false;
  if (napi_is_typedarray(env, value, &is) == napi_ok && is) {
    napi_typedarray_type type = static_cast<napi_typedarray_type>(-1);
    size_t length = 0;
    if (napi_get_typedarray_info(env, value, &type, &length, data, nullptr, nullptr) == napi_ok) {
      *nbytes = length * element_size(type);
      if (element_size(type) != 0) return true;
    }
  }
  if (napi_is_dataview(env, value, &is) == napi_ok && is) {
    return napi_get_dataview_info(env, value, nbytes, data, nullptr, nullptr) == napi_ok;
  }
  // Kinds that this Node-API does not name (Float16Array).
  if (napi_is_buffer(env, value, &is) == napi_ok && is) {
    return napi_get_buffer_info(env, value, data, nbytes) == napi_ok;
  }
  return false;
}

// ---- exports -------------------------------------------------------------------------------------------

napi_value run(napi_env env, napi_callback_info) {
  Environment* e = environment(env);
  const double id = e->args[0];
  if (!(id >= 0 && id < e->kernel_count)) return fail(env, "typetorch: run() with an unknown kernel id in args[0]");
  // Garbage is collected while the other threads work on the kernel's first parts. An operand that nothing else holds
  // may go to the free list meanwhile; its bytes stay as they are until the next allocation, after this call.
#if defined(__SANITIZE_ADDRESS__)
  const bool due = false;  // free blocks may not be read there
#else
  const bool due = e->owners.sweep_due();
#endif
  if (due) tt_set_chore([](void* owners) { static_cast<tt::Owners*>(owners)->sweep(false); }, &e->owners);
  e->kernels[static_cast<int>(id)].run(e->args + 1);
  if (due) tt_set_chore(nullptr, nullptr);
  return nullptr;
}

template <class NameAt>
napi_value names(napi_env env, const NameAt& name_at) {
  napi_value list = nullptr, name;
  napi_create_array(env, &list);
  for (int i = 0; const char* text = name_at(i); i++) {
    napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, list, static_cast<uint32_t>(i), name);
  }
  return list;
}

napi_value kernel_names(napi_env env, napi_callback_info) {
  const tt::KernelEntry* kernels = environment(env)->kernels;
  return names(env, [&](int i) { return kernels[i].name; });
}

napi_value span_names(napi_env env, napi_callback_info) { return names(env, environment(env)->isa->span_name); }

napi_value allocate(napi_env env, napi_callback_info info) {
  Arguments<2> a(env, info);
  double nbytes;
  if (!whole(env, a.at[1], 9007199254740991.0, &nbytes))
    return fail_type(env, "allocate(owner, nbytes): nbytes must be a whole number from 0 to 2^53 - 1");
  napi_status status;
  const tt::Block* block = environment(env)->owners.allocate(a.at[0], static_cast<size_t>(nbytes), &status);
  if (block) return number(env, static_cast<double>(block->address));
  if (status != napi_ok) return fail_type(env, "allocate(owner, nbytes): owner must be an object");
  char message[160];
  std::snprintf(message, sizeof message,
                "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to allocate "
                "%.0f bytes.",
                nbytes);
  return fail(env, message);
}

napi_value release(napi_env env, napi_callback_info info) {
  Arguments<1> a(env, info);
  uintptr_t address;
  if (!address_of(env, a.at[0], &address)) return fail_type(env, "release(address): address must be a whole number");
  if (!environment(env)->owners.release(address))
    return fail(env, "release(address): no block in use starts at this address");
  return nullptr;
}

napi_value adopt(napi_env env, napi_callback_info info) {
  Arguments<2> a(env, info);
  void* data = nullptr;
  size_t nbytes = 0;
  bool is = false;
  if (napi_is_arraybuffer(env, a.at[1], &is) == napi_ok && is) {
    if (napi_get_arraybuffer_info(env, a.at[1], &data, &nbytes) == napi_ok)
      return number(env, static_cast<double>(reinterpret_cast<uintptr_t>(data)));
  } else {
    // A SharedArrayBuffer is not an array buffer to Node-API; a view of it is read like any other.
    napi_value global, constructor, view;
    if (napi_get_global(env, &global) == napi_ok &&
        napi_get_named_property(env, global, "SharedArrayBuffer", &constructor) == napi_ok &&
        napi_instanceof(env, a.at[1], constructor, &is) == napi_ok && is &&
        napi_get_named_property(env, global, "Uint8Array", &constructor) == napi_ok &&
        napi_new_instance(env, constructor, 1, &a.at[1], &view) == napi_ok && bytes_of(env, view, &data, &nbytes))
      return number(env, static_cast<double>(reinterpret_cast<uintptr_t>(data)));
  }
  return fail_type(env, "adopt(owner, buffer): buffer must be an ArrayBuffer or a SharedArrayBuffer");
}

/** The arguments of read and write: an address and a view. */
bool copy_arguments(napi_env env, napi_callback_info info, uintptr_t* address, void** data, size_t* nbytes) {
  Arguments<2> a(env, info);
  if (!bytes_of(env, a.at[1], data, nbytes)) {
    fail_type(env, "read/write(address, array): array must be a typed array or a DataView");
    return false;
  }
  if (*nbytes != 0 && !address_of(env, a.at[0], address)) {
    fail_type(env, "read/write(address, array): address must be a whole number");
    return false;
  }
  return true;
}

napi_value read(napi_env env, napi_callback_info info) {
  uintptr_t address = 0;
  void* data;
  size_t nbytes;
  if (copy_arguments(env, info, &address, &data, &nbytes) && nbytes)
    std::memcpy(data, reinterpret_cast<const void*>(address), nbytes);
  return nullptr;
}

napi_value write(napi_env env, napi_callback_info info) {
  uintptr_t address = 0;
  void* data;
  size_t nbytes;
  if (copy_arguments(env, info, &address, &data, &nbytes) && nbytes)
    std::memcpy(reinterpret_cast<void*>(address), data, nbytes);
  return nullptr;
}

napi_value view(napi_env env, napi_callback_info info) {
  Arguments<3> a(env, info);
  uintptr_t address;
  double nbytes;
  napi_valuetype type;
  if (napi_typeof(env, a.at[0], &type) != napi_ok || (type != napi_object && type != napi_function))
    return fail_type(env, "view(owner, address, nbytes): owner must be an object");
  if (!address_of(env, a.at[1], &address) || !whole(env, a.at[2], 4503599627370496.0, &nbytes))
    return fail_type(env, "view(owner, address, nbytes): address and nbytes must be whole numbers");
  napi_value buffer;
  if (napi_create_external_arraybuffer(env, reinterpret_cast<void*>(address), static_cast<size_t>(nbytes), nullptr,
                                       nullptr, &buffer) != napi_ok)
    return fail(env, "this runtime does not allow array buffers over native memory");
  // A property rather than a strong reference: an owner that keeps its view stays collectable.
  const napi_property_descriptor owner = {"owner", nullptr, nullptr, nullptr, nullptr, a.at[0], napi_default, nullptr};
  if (napi_define_properties(env, buffer, 1, &owner) != napi_ok) return nullptr;
  return buffer;
}

napi_value memory_stats(napi_env env, napi_callback_info) {
  tt::Owners& owners = environment(env)->owners;
  const tt::BlockCache& cache = owners.cache();
  const tt::SweepCounts& counts = owners.counts();
  const struct {
    const char* name;
    double value;
  } fields[] = {
      {"live", static_cast<double>(cache.live())},
      {"cached", static_cast<double>(cache.cached())},
      {"reserved", static_cast<double>(cache.reserved())},
      {"peak", static_cast<double>(cache.peak())},
      {"sweeps", counts.sweeps},
      {"minor", counts.minor},
      {"major", counts.major},
      {"sweepSeconds", counts.seconds},
  };
  napi_value stats = nullptr;
  napi_create_object(env, &stats);
  for (const auto& f : fields) napi_set_named_property(env, stats, f.name, number(env, f.value));
  return stats;
}

napi_value collect(napi_env env, napi_callback_info info) {
  Arguments<1> a(env, info);
  bool major = true;
  napi_get_value_bool(env, a.at[0], &major);
  environment(env)->owners.sweep(major);
  return nullptr;
}

napi_value empty_cache(napi_env env, napi_callback_info) {
  environment(env)->owners.cache().trim(0);
  return nullptr;
}

napi_value set_num_threads(napi_env env, napi_callback_info info) {
  Arguments<1> a(env, info);
  double n;
  if (!whole(env, a.at[0], 1e6, &n) || n < 1) return fail(env, "set_num_threads expects a positive integer");
  tt_set_num_threads(static_cast<int>(n));
  return nullptr;
}

napi_value get_num_threads(napi_env env, napi_callback_info) { return number(env, tt_num_threads()); }

napi_value isa(napi_env env, napi_callback_info) {
  napi_value name = nullptr;
  napi_create_string_utf8(env, environment(env)->isa->name, NAPI_AUTO_LENGTH, &name);
  return name;
}

napi_value isas(napi_env env, napi_callback_info) {
  const char* found[6] = {};
  int n = 0;
  for (const Isa& isa : kIsas) {
    if (isa.runs_here()) found[n++] = isa.name;
  }
  return names(env, [&](int i) { return found[i]; });
}

napi_value set_collector(napi_env env, napi_callback_info info) {
  Arguments<1> a(env, info);
  napi_valuetype type;
  if (napi_typeof(env, a.at[0], &type) != napi_ok || type != napi_function)
    return fail_type(env, "setCollector(collect): collect must be a function");
  if (environment(env)->owners.set_collector(a.at[0]) != napi_ok) return fail(env, "setCollector failed");
  return nullptr;
}

/** The array of arguments as a Float64Array over memory that outlives the environment. */
bool export_args(napi_env env, napi_value exports, double* args) {
  napi_value buffer, array;
  if (napi_create_external_arraybuffer(env, args, kArgs * sizeof(double), nullptr, nullptr, &buffer) != napi_ok)
    return false;
  return napi_create_typedarray(env, napi_float64_array, kArgs, buffer, 0, &array) == napi_ok &&
         napi_set_named_property(env, exports, "args", array) == napi_ok &&
         napi_set_named_property(env, exports, "argsAddress",
                                 number(env, static_cast<double>(reinterpret_cast<uintptr_t>(args)))) == napi_ok;
}

}  // namespace

NAPI_MODULE_INIT() {
  const Isa* chosen = choose_isa();
  if (!chosen) return fail(env, "typetorch: this addon has no kernels for this processor (or for TYPETORCH_ISA)");
  Environment* e = new (std::nothrow) Environment(env);
  if (!e || !e->args) return fail(env, "typetorch: out of memory");
  e->isa = chosen;
  e->kernels = chosen->kernels();
  while (e->kernels[e->kernel_count].name) e->kernel_count++;
  const auto destroy = [](napi_env, void* data, void*) { delete static_cast<Environment*>(data); };
  if (napi_set_instance_data(env, e, destroy, nullptr) != napi_ok) return nullptr;
  if (!export_args(env, exports, e->args))
    return fail(env, "typetorch: this runtime does not allow array buffers over native memory");
  const struct {
    const char* name;
    napi_callback fn;
  } functions[] = {
      {"run", run},
      {"kernelNames", kernel_names},
      {"spanNames", span_names},
      {"allocate", allocate},
      {"release", release},
      {"adopt", adopt},
      {"read", read},
      {"write", write},
      {"view", view},
      {"memoryStats", memory_stats},
      {"collect", collect},
      {"emptyCache", empty_cache},
      {"setNumThreads", set_num_threads},
      {"getNumThreads", get_num_threads},
      {"isa", isa},
      {"isas", isas},
      {"setCollector", set_collector},
  };
  for (const auto& f : functions) {
    napi_value fn;
    if (napi_create_function(env, f.name, NAPI_AUTO_LENGTH, f.fn, nullptr, &fn) != napi_ok ||
        napi_set_named_property(env, exports, f.name, fn) != napi_ok)
      return nullptr;
  }
  return exports;
}
