/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Linked into virtpodd where it is built with --enable-sanitizers=thread.
 *
 * ThreadSanitizer sees what instrumented code and pthreads do. GLib's locks are
 * neither: they are atomics and futexes inside a library that is not built for
 * it, so what they order looks like races. Each function here stands before
 * GLib's own of that name (the program's come first), tells ThreadSanitizer what
 * GLib documents about the order of things, and calls it:
 *
 *   a mutex          whoever locks it sees what was done before it was unlocked
 *   a reference      who drops the last one sees what was done under the others
 *   a thread pool    a job sees what was done before it was pushed
 *   a task           who takes its result sees what was done before it returned
 *   a main context   its loop, once around, sees what was done before a source
 *                    was attached, and the other way round; so do others that attach
 *
 * Nothing is said about our own data: a race on that is still one. */
#include <dlfcn.h>
#include <gio/gio.h>
#include <poll.h>
#include <sanitizer/tsan_interface.h>

/* The next definition of a function, which is the library's. */
#define NEXT(name)                                                                                           \
  static __typeof__ (&name) found;                                                                           \
  __typeof__ (&name) next = __atomic_load_n (&found, __ATOMIC_RELAXED);                                      \
  if (next == NULL)                                                                                          \
    {                                                                                                        \
      next = (__typeof__ (&name)) dlsym (RTLD_NEXT, #name);                                                  \
      __atomic_store_n (&found, next, __ATOMIC_RELAXED);                                                     \
    }

/* ---- locks ---- */

void
g_mutex_lock (GMutex *mutex)
{
  NEXT (g_mutex_lock);
  next (mutex);
  __tsan_acquire (mutex);
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  NEXT (g_mutex_trylock);
  if (!next (mutex))
    return FALSE;
  __tsan_acquire (mutex);
  return TRUE;
}

void
g_mutex_unlock (GMutex *mutex)
{
  NEXT (g_mutex_unlock);
  __tsan_release (mutex);
  next (mutex);
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  NEXT (g_cond_wait);
  __tsan_release (mutex);
  next (cond, mutex);
  __tsan_acquire (mutex);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  NEXT (g_cond_wait_until);
  __tsan_release (mutex);
  gboolean signalled = next (cond, mutex, end_time);
  __tsan_acquire (mutex);
  return signalled;
}

/* ---- thread pools ---- */

typedef struct
{
  GFunc func;
  gpointer user_data;
} Pool;

static void
run_in_pool (gpointer data, gpointer user_data)
{
  Pool *pool = user_data;

  __tsan_acquire (data);
  pool->func (data, pool->user_data);
}

GThreadPool *
g_thread_pool_new (GFunc func, gpointer user_data, gint max_threads, gboolean exclusive, GError **error)
{
  NEXT (g_thread_pool_new);
  Pool *pool = g_new (Pool, 1); /* pools are few and live long */

  pool->func = func;
  pool->user_data = user_data;
  return next (run_in_pool, pool, max_threads, exclusive, error);
}

gboolean
g_thread_pool_push (GThreadPool *pool, gpointer data, GError **error)
{
  NEXT (g_thread_pool_push);
  __tsan_release (data);
  return next (pool, data, error);
}

/* ---- tasks ---- */

void
g_task_return_boolean (GTask *task, gboolean result)
{
  NEXT (g_task_return_boolean);
  __tsan_release (task);
  next (task, result);
}

void
g_task_return_int (GTask *task, gssize result)
{
  NEXT (g_task_return_int);
  __tsan_release (task);
  next (task, result);
}

void
g_task_return_pointer (GTask *task, gpointer result, GDestroyNotify destroy)
{
  NEXT (g_task_return_pointer);
  __tsan_release (task);
  next (task, result, destroy);
}

void
g_task_return_error (GTask *task, GError *error)
{
  NEXT (g_task_return_error);
  __tsan_release (task);
  next (task, error);
}

gboolean
g_task_propagate_boolean (GTask *task, GError **error)
{
  NEXT (g_task_propagate_boolean);
  __tsan_acquire (task);
  return next (task, error);
}

gssize
g_task_propagate_int (GTask *task, GError **error)
{
  NEXT (g_task_propagate_int);
  __tsan_acquire (task);
  return next (task, error);
}

gpointer
g_task_propagate_pointer (GTask *task, GError **error)
{
  NEXT (g_task_propagate_pointer);
  __tsan_acquire (task);
  return next (task, error);
}

/* ---- references ---- */

#define UNREF(function, type)                                                                                \
  void function (type object)                                                                                \
  {                                                                                                          \
    NEXT (function);                                                                                         \
    __tsan_acquire ((void *) object);                                                                        \
    __tsan_release ((void *) object);                                                                        \
    next (object);                                                                                           \
  }

#undef g_object_unref
UNREF (g_object_unref, gpointer)
UNREF (g_variant_unref, GVariant *)
UNREF (g_bytes_unref, GBytes *)
UNREF (g_source_unref, GSource *)
UNREF (g_main_context_unref, GMainContext *)
UNREF (g_closure_unref, GClosure *)

/* ---- main contexts ---- */

static void
enter_context (GMainContext *context)
{
  context = context != NULL ? context : g_main_context_default ();
  __tsan_acquire (context);
  __tsan_release (context);
}

guint
g_source_attach (GSource *source, GMainContext *context)
{
  NEXT (g_source_attach);
  enter_context (context);
  guint id = next (source, context);
  enter_context (context);
  return id;
}

void
g_source_destroy (GSource *source)
{
  NEXT (g_source_destroy);
  GMainContext *context = g_source_get_context (source);

  if (context != NULL)
    enter_context (context);
  next (source);
  if (context != NULL)
    enter_context (context);
}

/* Every turn of a loop is in here once, before it dispatches. */
int
poll (struct pollfd *fds, nfds_t n, int timeout)
{
  NEXT (poll);
  GMainContext *context = g_main_context_get_thread_default ();
  int ready;

  context = context != NULL ? context : g_main_context_default ();
  /* a worker that waits for something has no loop */
  if (!g_main_context_is_owner (context))
    return next (fds, n, timeout);
  __tsan_release (context);
  ready = next (fds, n, timeout);
  __tsan_acquire (context);
  return ready;
}
