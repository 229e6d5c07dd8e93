/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-error.h"
#include "vp-steps.h"

typedef struct
{
  GString *trace;
  GMainLoop *loop;
  int fail_at;       /* step that fails, -1: none */
  gboolean later;    /* steps finish from an idle source */
  GCancellable *cancel_in_b;
  GError *error;
} Owner;

typedef struct
{
  VpSteps *steps;
  GError *error;
} Later;

static gboolean
done_later (gpointer data)
{
  Later *later = data;

  vp_step_done (later->steps, later->error);
  g_free (later);
  return G_SOURCE_REMOVE;
}

static void
answer (Owner *owner, VpSteps *steps, GError *error)
{
  Later *later;

  if (!owner->later)
    {
      vp_step_done (steps, error);
      return;
    }
  later = g_new (Later, 1);
  *later = (Later) { steps, error };
  g_idle_add (done_later, later);
}

static void
run (Owner *owner, VpSteps *steps, char name, int index)
{
  g_string_append_c (owner->trace, name);
  answer (owner, steps,
          owner->fail_at == index ? g_error_new (VP_ERROR, VP_ERROR_FAILED, "step %c", name) : NULL);
}

static void
undo (Owner *owner, VpSteps *steps, char name)
{
  g_string_append_c (owner->trace, name);
  answer (owner, steps, NULL);
}

static void
run_a (gpointer o, VpSteps *s, GCancellable *c)
{
  run (o, s, 'A', 0);
}

static void
undo_a (gpointer o, VpSteps *s)
{
  undo (o, s, 'a');
}

static void
run_b (gpointer o, VpSteps *s, GCancellable *c)
{
  Owner *owner = o;

  g_cancellable_cancel (owner->cancel_in_b);
  run (o, s, 'B', 1);
}

static void
run_c (gpointer o, VpSteps *s, GCancellable *c)
{
  run (o, s, 'C', 2);
}

static void
undo_c (gpointer o, VpSteps *s)
{
  undo (o, s, 'c');
}

/* B has no undo */
static const VpStep table[] = { { "a", run_a, undo_a }, { "b", run_b, NULL }, { "c", run_c, undo_c } };

static void
forwarded (GObject *source, GAsyncResult *res, gpointer data)
{
  Owner *owner = data;

  vp_steps_forward_finish (NULL, res, &owner->error);
  g_main_loop_quit (owner->loop);
}

static void
unwound (GObject *source, GAsyncResult *res, gpointer data)
{
  Owner *owner = data;

  vp_steps_unwind_finish (NULL, res);
  g_main_loop_quit (owner->loop);
}

static void
check (gboolean later, int fail_at, gboolean cancel, const char *up, VpError code, const char *down)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Owner owner = { g_string_new (NULL), loop, fail_at, later, cancel ? cancellable : NULL, NULL };
  g_autoptr (VpSteps) steps = vp_steps_new (table, G_N_ELEMENTS (table), &owner);

  vp_steps_forward_async (steps, cancellable, forwarded, &owner);
  g_main_loop_run (loop);
  g_assert_cmpstr (owner.trace->str, ==, up);
  if (down == NULL)
    {
      g_assert_error (owner.error, VP_ERROR, (int) code);
      g_assert_cmpuint (vp_steps_get_done (steps), ==, 0);
    }
  else
    {
      g_assert_no_error (owner.error);
      g_assert_cmpuint (vp_steps_get_done (steps), ==, 3);
      g_string_truncate (owner.trace, 0);
      vp_steps_unwind_async (steps, unwound, &owner);
      g_main_loop_run (loop);
      g_assert_cmpstr (owner.trace->str, ==, down);
    }
  g_assert_false (vp_steps_is_busy (steps));
  g_clear_error (&owner.error);
  g_string_free (owner.trace, TRUE);
}

static void
test_all (gconstpointer data)
{
  gboolean later = GPOINTER_TO_INT (data);

  check (later, -1, FALSE, "ABC", 0, "ca");
  check (later, 0, FALSE, "A", VP_ERROR_FAILED, NULL);
  check (later, 1, FALSE, "ABa", VP_ERROR_FAILED, NULL);
  check (later, 2, FALSE, "ABCa", VP_ERROR_FAILED, NULL);
  check (later, -1, TRUE, "ABa", VP_ERROR_CANCELLED, NULL);
}

static void
test_recovery (void)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Owner owner = { g_string_new (NULL), loop, -1, TRUE, NULL, NULL };
  g_autoptr (VpSteps) steps = vp_steps_new (table, G_N_ELEMENTS (table), &owner);

  vp_steps_set_done (steps, 3);
  vp_steps_unwind_async (steps, unwound, &owner);
  g_main_loop_run (loop);
  g_assert_cmpstr (owner.trace->str, ==, "ca");
  g_string_free (owner.trace, TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/steps/at-once", GINT_TO_POINTER (FALSE), test_all);
  g_test_add_data_func ("/steps/later", GINT_TO_POINTER (TRUE), test_all);
  g_test_add_func ("/steps/recovery", test_recovery);
  return g_test_run ();
}
