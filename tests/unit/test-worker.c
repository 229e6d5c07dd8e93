/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gio.h>
#include <string.h>
#include <sys/prctl.h>

#include "vp-error.h"
#include "vp-worker.h"

typedef struct
{
  guint done;
  guint cancelled;
  char *last;
  GThread *main;
} Results;

static void
on_done (GObject *source, GAsyncResult *result, gpointer data)
{
  Results *results = data;
  g_autoptr (GError) error = NULL;
  char *text = g_task_propagate_pointer (G_TASK (result), &error);

  g_assert_true (g_thread_self () == results->main);
  results->done++;
  if (vp_error_is (error, VP_ERROR_CANCELLED))
    results->cancelled++;
  else
    g_assert_no_error (error);
  g_free (results->last);
  results->last = text;
}

static void
wait_for (Results *results, guint n)
{
  while (results->done < n)
    g_main_context_iteration (NULL, TRUE);
}

/* until the pool let go of everything, so that leaks are seen */
static void
settle (VpWorker *worker)
{
  while (vp_worker_get_running (worker) + vp_worker_get_queued (worker) > 0 || g_main_context_pending (NULL))
    g_main_context_iteration (NULL, FALSE);
  g_usleep (20000);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
name_func (GTask *task, gpointer source, gpointer data)
{
  char name[16];

  prctl (PR_GET_NAME, name);
  g_task_return_pointer (task, g_strdup_printf ("%s %s", name, (char *) data), g_free);
}

static void
test_result (void)
{
  g_autoptr (VpWorker) worker = vp_worker_new ("testing", 2);
  Results results = { .main = g_thread_self () };

  vp_worker_run_async (worker, NULL, test_result, name_func, g_strdup ("hello"), g_free, NULL, on_done,
                       &results);
  g_assert_cmpuint (results.done, ==, 0);
  wait_for (&results, 1);
  g_assert_true (g_str_has_prefix (results.last, "testing-"));
  g_assert_true (g_str_has_suffix (results.last, " hello"));
  settle (worker);
  g_free (results.last);
}

static gint gate, active, peak;

static void
gate_func (GTask *task, gpointer source, gpointer data)
{
  gint now = g_atomic_int_add (&active, 1) + 1;

  if (now > g_atomic_int_get (&peak))
    g_atomic_int_set (&peak, now);
  while (!g_atomic_int_get (&gate))
    g_usleep (1000);
  g_atomic_int_add (&active, -1);
  g_task_return_pointer (task, NULL, NULL);
}

static void
test_bounded (void)
{
  g_autoptr (VpWorker) worker = vp_worker_new ("w", 3);
  Results results = { .main = g_thread_self () };

  gate = active = peak = 0;
  for (int i = 0; i < 10; i++)
    vp_worker_run_async (worker, NULL, NULL, gate_func, NULL, NULL, NULL, on_done, &results);
  while (vp_worker_get_running (worker) < 3)
    g_usleep (1000);
  g_usleep (20000);
  g_assert_cmpuint (vp_worker_get_running (worker), ==, 3);
  g_assert_cmpuint (vp_worker_get_queued (worker), ==, 7);
  g_atomic_int_set (&gate, 1);
  wait_for (&results, 10);
  g_assert_cmpint (peak, ==, 3);
  settle (worker);
}

static void
test_cancel (void)
{
  g_autoptr (VpWorker) worker = vp_worker_new ("w", 1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Results results = { .main = g_thread_self () };

  gate = active = peak = 0;
  /* the first runs and is not stopped, the second waits and is */
  vp_worker_run_async (worker, NULL, NULL, gate_func, NULL, NULL, cancellable, on_done, &results);
  while (vp_worker_get_running (worker) == 0)
    g_usleep (1000);
  vp_worker_run_async (worker, NULL, NULL, gate_func, g_strdup ("copy"), g_free, cancellable, on_done,
                       &results);
  g_cancellable_cancel (cancellable);
  g_assert_cmpuint (results.done, ==, 0);
  wait_for (&results, 1);
  g_assert_cmpuint (results.cancelled, ==, 1);
  g_atomic_int_set (&gate, 1);
  wait_for (&results, 2);
  g_assert_cmpuint (results.cancelled, ==, 1);
  g_assert_cmpint (peak, ==, 1);

  /* cancelled beforehand: does not even get into the queue */
  vp_worker_run_async (worker, NULL, NULL, gate_func, NULL, NULL, cancellable, on_done, &results);
  g_assert_cmpuint (results.done, ==, 2);
  wait_for (&results, 3);
  g_assert_cmpuint (results.cancelled, ==, 2);
  settle (worker);
}

static void
on_gone (gpointer data, GObject *object)
{
  g_assert_true (g_thread_self () == ((Results *) data)->main);
  ((Results *) data)->cancelled = 77;
}

/* the job's reference on its source is often the last: it must not go in the pool thread */
static void
test_last_reference (void)
{
  VpWorker *worker = vp_worker_new ("w", 1);

  for (int i = 0; i < 200; i++)
    {
      GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
      Results results = { .main = g_thread_self () };

      gate = 1;
      g_object_weak_ref (object, on_gone, &results);
      vp_worker_run_async (worker, object, NULL, gate_func, NULL, NULL, NULL, on_done, &results);
      g_object_unref (object);
      wait_for (&results, 1);
      while (results.cancelled != 77)
        g_main_context_iteration (NULL, TRUE);
    }
  settle (worker);
  vp_worker_unref (worker);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/worker/result", test_result);
  g_test_add_func ("/worker/bounded", test_bounded);
  g_test_add_func ("/worker/cancel", test_cancel);
  g_test_add_func ("/worker/last-reference", test_last_reference);
  return g_test_run ();
}
