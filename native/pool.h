// The process-wide thread pool, as seen by the addon (kernels see kernel.h).
#pragma once

extern "C" {
/** Sets how many threads tt_parallel may use, the caller included; at least 1. */
void tt_set_num_threads(int n);
}

/** What the calling thread does in its next parallel job while the other threads start on it: call(context), once.
    Null to take it back. */
void tt_set_chore(void (*call)(void*), void* context);

/** The processors that this process may use: affinity mask and container quota considered. */
int tt_available_cores();

/** Starts a detached thread; false where the system refuses (without exceptions). */
bool tt_start_thread(void (*body)(void*), void* argument);
