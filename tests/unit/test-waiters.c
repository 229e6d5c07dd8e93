/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-waiters.h"

#include "vp-error.h"

typedef struct
{
  guint ok;
  guint failed;
  guint cancelled;
} Count;

static void
on_ready (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Count *count = user_data;
  g_autoptr (GError) error = NULL;

  if (g_task_propagate_boolean (G_TASK (result), &error))
    count->ok++;
  else if (vp_error_is (error, VP_ERROR_CANCELLED))
    count->cancelled++;
  else
    count->failed++;
}

static void
turn (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
test_answer (void)
{
  g_autoptr (VpWaiters) waiters = vp_waiters_new ();
  g_autoptr (GError) error = g_error_new (VP_ERROR, VP_ERROR_INVALID_STATE, "no");
  Count count = { 0 };

  vp_waiters_answer (waiters, NULL);
  for (int i = 0; i < 5; i++)
    vp_waiters_add (waiters, g_task_new (NULL, NULL, on_ready, &count));
  turn ();
  g_assert_cmpuint (count.ok, ==, 0);
  g_assert_cmpuint (vp_waiters_get_n (waiters), ==, 5);
  vp_waiters_answer (waiters, NULL);
  turn ();
  g_assert_cmpuint (count.ok, ==, 5);
  g_assert_cmpuint (vp_waiters_get_n (waiters), ==, 0);

  vp_waiters_add (waiters, g_task_new (NULL, NULL, on_ready, &count));
  vp_waiters_answer (waiters, error);
  turn ();
  g_assert_cmpuint (count.failed, ==, 1);
}

static void
test_cancel (void)
{
  g_autoptr (VpWaiters) waiters = vp_waiters_new ();
  g_autoptr (GCancellable) one = g_cancellable_new ();
  g_autoptr (GCancellable) two = g_cancellable_new ();
  Count count = { 0 };

  vp_waiters_add (waiters, g_task_new (NULL, one, on_ready, &count));
  vp_waiters_add (waiters, g_task_new (NULL, two, on_ready, &count));
  g_cancellable_cancel (one);
  turn ();
  g_assert_cmpuint (count.cancelled, ==, 1);
  g_assert_cmpuint (vp_waiters_get_n (waiters), ==, 1);

  /* answered first, cancelled at once after that: one answer */
  vp_waiters_answer (waiters, NULL);
  g_cancellable_cancel (two);
  turn ();
  g_assert_cmpuint (count.ok, ==, 1);
  g_assert_cmpuint (count.cancelled, ==, 1);
}

/* Cancelled before it is added, and the other way round in the same turn. */
static void
test_cancelled_before (void)
{
  g_autoptr (VpWaiters) waiters = vp_waiters_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Count count = { 0 };

  g_cancellable_cancel (cancellable);
  vp_waiters_add (waiters, g_task_new (NULL, cancellable, on_ready, &count));
  turn ();
  g_assert_cmpuint (count.cancelled, ==, 1);

  vp_waiters_add (waiters, g_task_new (NULL, cancellable, on_ready, &count));
  vp_waiters_answer (waiters, NULL);
  turn ();
  g_assert_cmpuint (count.cancelled, ==, 1);
  g_assert_cmpuint (count.ok, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/waiters/answer", test_answer);
  g_test_add_func ("/waiters/cancel", test_cancel);
  g_test_add_func ("/waiters/cancelled-before", test_cancelled_before);
  return g_test_run ();
}
