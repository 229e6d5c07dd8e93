/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>

#include "vp-error.h"
#include "vp-signal.h"

static void
test_good (void)
{
  static const struct {
    const char *text;
    int signum;
  } rows[] = {
    { "TERM", SIGTERM }, { "SIGTERM", SIGTERM }, { "sigterm", SIGTERM }, { "15", SIGTERM }, { "KILL", SIGKILL },
    { "WINCH", SIGWINCH }, { "SYS", SIGSYS }, { "RTMIN", 34 }, { "SIGRTMIN+3", 37 }, { "RTMAX-1", 63 }, { "64", 64 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      int signum = 0;

      g_assert_true (vp_signal_parse (rows[i].text, &signum, &error));
      g_assert_no_error (error);
      g_assert_cmpint (signum, ==, rows[i].signum);
    }
}

static void
test_bad (void)
{
  for (const char *const *p = (const char *const[]) { "", "0", "65", "-9", "TERMS", "SIG", "9x", "RTMIN+99", "\n", NULL };
       *p != NULL; p++)
    {
      g_autoptr (GError) error = NULL;
      int signum = 7;

      g_assert_false (vp_signal_parse (*p, &signum, &error));
      g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
      g_assert_cmpint (signum, ==, 7);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/signal/good", test_good);
  g_test_add_func ("/signal/bad", test_bad);
  return g_test_run ();
}
