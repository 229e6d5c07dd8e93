/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <string.h>

#include "vp-agent-error.h"
#include "vp-error.h"

typedef struct
{
  VpRpc rpc;
  int code;
  const char *message;
  VpError expected;
} ErrorCase;

static void
test_errors (void)
{
  static const ErrorCase cases[] = {
    { VP_RPC_SIGNAL_PROCESS, 5, "no such process", VP_ERROR_NOT_FOUND },
    { VP_RPC_SIGNAL_PROCESS, 1, "", VP_ERROR_CANCELLED },
    { VP_RPC_SIGNAL_PROCESS, 2, "x", VP_ERROR_AGENT_FAILED },
    { VP_RPC_SIGNAL_PROCESS, 3, "x", VP_ERROR_INVALID_ARGUMENT },
    { VP_RPC_SIGNAL_PROCESS, 4, "x", VP_ERROR_TIMED_OUT },
    { VP_RPC_SIGNAL_PROCESS, 6, "x", VP_ERROR_ALREADY_EXISTS },
    { VP_RPC_SIGNAL_PROCESS, 7, "x", VP_ERROR_AGENT_FAILED },
    { VP_RPC_SIGNAL_PROCESS, 8, "x", VP_ERROR_RESOURCE_EXHAUSTED },
    { VP_RPC_SIGNAL_PROCESS, 9, "x", VP_ERROR_INVALID_STATE },
    { VP_RPC_SIGNAL_PROCESS, 12, "x", VP_ERROR_NOT_SUPPORTED },
    { VP_RPC_SIGNAL_PROCESS, 14, "x", VP_ERROR_AGENT_UNAVAILABLE },
    { VP_RPC_SIGNAL_PROCESS, -5, "x", VP_ERROR_AGENT_FAILED },
    { VP_RPC_SIGNAL_PROCESS, 13, "exec: executable file not found", VP_ERROR_AGENT_FAILED },
    { VP_RPC_START_CONTAINER, 13, "executable file `nope` not found in $PATH: No such file or directory",
      VP_ERROR_COMMAND_NOT_FOUND },
    { VP_RPC_CREATE_CONTAINER, 2, "exec /bin/nope: no such file or directory", VP_ERROR_COMMAND_NOT_FOUND },
    { VP_RPC_EXEC_PROCESS, 5, "nope: not found", VP_ERROR_COMMAND_NOT_FOUND },
    { VP_RPC_EXEC_PROCESS, 5, "container abc: not found", VP_ERROR_NOT_FOUND },
    { VP_RPC_EXEC_PROCESS, 5, "process \"exec executable\" of container \"a\": not found",
      VP_ERROR_NOT_FOUND },
    { VP_RPC_EXEC_PROCESS, 5, "process \"p\" of container \"c\": executable file `x` not found in $PATH",
      VP_ERROR_COMMAND_NOT_FOUND },
    { VP_RPC_EXEC_PROCESS, 13, "process \"p\" of container \"c\": open executable: Permission denied",
      VP_ERROR_COMMAND_NOT_EXECUTABLE },
    { VP_RPC_EXEC_PROCESS, 13, "exec: \"/etc/passwd\": permission denied", VP_ERROR_COMMAND_NOT_EXECUTABLE },
    { VP_RPC_EXEC_PROCESS, 7, "/etc/passwd", VP_ERROR_COMMAND_NOT_EXECUTABLE },
    { VP_RPC_START_CONTAINER, 2, "exec /x: Exec format error", VP_ERROR_COMMAND_NOT_EXECUTABLE },
    { VP_RPC_CREATE_CONTAINER, 13, "mount /a to /b (noexec): no such file or directory",
      VP_ERROR_AGENT_FAILED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = vp_agent_error_new (cases[i].rpc, cases[i].code, cases[i].message);

      g_test_message ("%s", cases[i].message);
      g_assert_error (error, VP_ERROR, (int) cases[i].expected);
      g_assert_true (g_str_has_prefix (error->message, vp_rpc_info (cases[i].rpc)->method));
    }
}

static void
test_sanitise (void)
{
  g_autofree char *plain = vp_agent_text_sanitise ("grün", strlen ("grün"), 512);
  g_autofree char *control = vp_agent_text_sanitise ("a\nb\x1b[2J\x7f\0z", 10, 512);
  g_autofree char *invalid = vp_agent_text_sanitise ("\xff\xc3(", 3, 512);
  g_autofree char *bidi = vp_agent_text_sanitise ("\u202Eabc", strlen ("\u202Eabc"), 512);
  g_autofree char *nothing = vp_agent_text_sanitise (NULL, 0, 512);
  g_autofree char *many = g_strnfill (4000, '\n');
  g_autofree char *cut = vp_agent_text_sanitise (many, 4000, 512);
  g_autofree char *umlauts = vp_agent_text_sanitise ("üüüüüü", 12, 10);
  g_autofree char *exact = vp_agent_text_sanitise ("0123456789", 10, 10);

  g_assert_cmpstr (plain, ==, "grün");
  g_assert_cmpstr (control, ==, "a\\nb\\x1b[2J\\x7f\\x00z");
  g_assert_cmpstr (invalid, ==, "\\xff\\xc3(");
  g_assert_cmpstr (bidi, ==, "\\u{202e}abc");
  g_assert_cmpstr (nothing, ==, "");
  g_assert_cmpuint (strlen (cut), <=, 512);
  g_assert_true (g_str_has_suffix (cut, "\\n..."));
  g_assert_cmpstr (umlauts, ==, "üüü...");
  g_assert_cmpstr (exact, ==, "0123456789");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agent-error/codes", test_errors);
  g_test_add_func ("/agent-error/sanitise", test_sanitise);
  return g_test_run ();
}
