/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "vp-error.h"
#include "vp-guest-messages.h"
#include "vp-guest-spec.h"
#include "vp-names.h"
#include "vp-oci-names.h"

static VpJson *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  VpJson *json = vp_json_parse (text, strlen (text), "file", &error);

  g_assert_no_error (error);
  return json;
}

static void
test_fields (void)
{
  g_autoptr (VpJson) json = parse (
      "{\"ociVersion\":\"1.0.2\",\"unknown\":[{}],\"hostname\":null,\"annotations\":{\"b\":\"1\",\"a\":\"2\"}"
      ","
      "\"process\":{\"terminal\":true,\"oomScoreAdj\":-999,\"consoleSize\":{\"height\":24,\"width\":80},"
      "\"user\":{\"uid\":4294967295,\"additionalGids\":[1,2]},\"args\":[\"a\",\"\"],"
      "\"rlimits\":[{\"type\":\"RLIMIT_AS\",\"hard\":18446744073709551615,\"soft\":1}]},"
      "\"linux\":{\"resources\":{\"memory\":{\"disableOOMKiller\":true,\"kernelTCP\":-1}},\"seccomp\":{"
      "\"syscalls\":[{"
      "\"names\":[\"x\"],\"errnoRet\":0},{\"names\":[\"y\"]}]}}}");
  g_autoptr (GError) error = NULL;
  Grpc__Spec *spec = vp_guest_spec_new (json, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (spec->version, ==, "1.0.2");
  g_assert_cmpstr (spec->hostname, ==, "");
  g_assert_cmpuint (spec->n_annotations, ==, 3);
  g_assert_cmpstr (spec->annotations[0]->key, ==, "b");
  g_assert_cmpstr (spec->annotations[1]->value, ==, "2");
  g_assert_cmpstr (spec->annotations[2]->key, ==, VP_OCI_EXTRA);
  g_assert_cmpstr (spec->annotations[2]->value, ==, "{\"unknown\":[{}]}");
  g_assert_true (spec->process->terminal);
  g_assert_cmpint (spec->process->oomscoreadj, ==, -999);
  g_assert_cmpuint (spec->process->consolesize->width, ==, 80);
  g_assert_cmpuint (spec->process->user->uid, ==, G_MAXUINT32);
  g_assert_cmpuint (spec->process->user->additionalgids[1], ==, 2);
  g_assert_cmpuint (spec->process->n_args, ==, 2);
  g_assert_cmpuint (spec->process->rlimits[0]->hard, ==, G_MAXUINT64);
  g_assert_true (spec->linux->resources->memory->disableoomkiller);
  g_assert_cmpint (spec->linux->resources->memory->kerneltcp, ==, -1);
  g_assert_cmpint (spec->linux->seccomp->syscalls[0]->errno_ret_case, !=, 0);
  g_assert_cmpint (spec->linux->seccomp->syscalls[1]->errno_ret_case, ==, 0);
  grpc__spec__free_unpacked (spec, NULL);
}

/* What the messages have no place for, and only that. */
static void
test_extra (void)
{
  static const struct
  {
    const char *text, *extra;
  } cases[] = {
    { "{\"ociVersion\":\"1.0.2\",\"hostname\":\"h\",\"x\":null}", NULL },
    { "{\"domainname\":\"d\",\"hostname\":\"h\"}", "{\"domainname\":\"d\"}" },
    { "{\"process\":{\"user\":{\"uid\":1,\"umask\":18},\"args\":[\"a\"],\"ioPriority\":{\"class\":\"c\"}}}",
      "{\"process\":{\"user\":{\"umask\":18},\"ioPriority\":{\"class\":\"c\"}}}" },
    { "{\"process\":{\"oomScoreAdj\":0}}", "{\"process\":{\"oomScoreAdj\":0}}" },
    { "{\"process\":{\"oomScoreAdj\":1}}", NULL },
    { "{\"mounts\":[{\"destination\":\"/a\"},{\"destination\":\"/b\",\"n\":1.5}]}",
      "{\"mounts\":{\"1\":{\"n\":1.5}}}" },
    { "{\"linux\":{\"seccomp\":{\"defaultAction\":\"a\",\"defaultErrnoRet\":38,\"syscalls\":[{\"names\":["
      "\"x\"],"
      "\"errnoRet\":1}]},\"resources\":{\"unified\":{\"a.b\":\"1\"},\"cpu\":{\"burst\":7,\"quota\":1}}}}",
      "{\"linux\":{\"seccomp\":{\"defaultErrnoRet\":38},\"resources\":{\"unified\":{\"a.b\":\"1\"},"
      "\"cpu\":{\"burst\":7}}}}" },
    { "{\"annotations\":{\"a\":\"b\"},\"linux\":{\"sysctl\":{\"a\":\"b\"}}}", NULL },
  };

  g_assert_cmpstr (VP_OCI_EXTRA, ==, VP_ANNOTATION_SPEC_EXTRA);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VpJson) json = parse (cases[i].text);
      g_autoptr (GError) error = NULL;
      Grpc__Spec *spec = vp_guest_spec_new (json, &error);
      const char *extra = NULL;

      g_assert_no_error (error);
      for (size_t j = 0; j < spec->n_annotations; j++)
        {
          if (g_str_equal (spec->annotations[j]->key, VP_OCI_EXTRA))
            extra = spec->annotations[j]->value;
        }
      g_assert_cmpstr (extra, ==, cases[i].extra);
      grpc__spec__free_unpacked (spec, NULL);
    }
}

static void
test_extra_too_long (void)
{
  g_autofree char *word = g_strnfill (300 << 10, 'x');
  g_autofree char *text = g_strdup_printf ("{\"unknown\":\"%s\"}", word);
  g_autoptr (VpJson) json = parse (text);
  g_autoptr (GError) error = NULL;

  g_assert_null (vp_guest_spec_new (json, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
}

static void
test_refused (void)
{
  static const struct
  {
    const char *text, *message;
  } cases[] = {
    { "[]", "file: (top): must be an object, is an array" },
    { "{\"hostname\":1}", "file: hostname: must be a string, is an integer" },
    { "{\"mounts\":[{},{\"options\":[\"a\",{}]}]}",
      "file: mounts[1].options[1]: must be a string, is an object" },
    { "{\"mounts\":{}}", "file: mounts: must be an array, is an object" },
    { "{\"mounts\":[{},7]}", "file: mounts[1]: must be an object, is an integer" },
    { "{\"annotations\":[]}", "file: annotations: must be an object, is an array" },
    { "{\"annotations\":{\"a\":\"x\",\"b\":2}}", "file: annotations.b: must be a string, is an integer" },
    { "{\"root\":{\"readonly\":\"no\"}}", "file: root.readonly: must be true or false, is a string" },
    { "{\"process\":{\"user\":{\"uid\":4294967296}}}", "file: process.user.uid: does not fit 32 bits" },
    { "{\"process\":{\"user\":{\"uid\":-1}}}", "file: process.user.uid: must not be negative" },
    { "{\"process\":{\"user\":{\"uid\":1.5}}}", "file: process.user.uid: must be an integer, is a number" },
    { "{\"process\":{\"user\":{\"additionalGids\":[1,\"2\"]}}}",
      "file: process.user.additionalGids[1]: must be an integer, is a string" },
    { "{\"process\":{\"oomScoreAdj\":9223372036854775808}}",
      "file: process.oomScoreAdj: must be an integer of 64 bits with sign, is an integer" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VpJson) json = parse (cases[i].text);
      g_autoptr (GError) error = NULL;

      g_assert_null (vp_guest_spec_new (json, &error));
      g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
      g_assert_cmpstr (error->message, ==, cases[i].message);
    }
}

static void
test_exec (void)
{
  static const char text[]
      = "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"process\":{\"args\":[\"x\"],"
        "\"env\":[\"A=1\"],\"cwd\":\"/w\",\"selinuxLabel\":\"l\",\"noNewPrivileges\":true}}";
  static const char *const args[] = { "ls", NULL }, *const env[] = { "B=2", NULL };
  g_autoptr (VpSpec) spec = vp_spec_parse (text, strlen (text), "/b", NULL);
  g_autoptr (VpContainerPlan) plan = vp_container_plan_new ("s1", "c1", spec);
  VpSpecExec exec = { .args = args, .env = env, .user = "5:6", .terminal = TRUE };
  g_autoptr (GError) error = NULL;
  Grpc__ExecProcessRequest *message = vp_guest_message_exec_process (plan, "e1", &exec, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (message->container_id, ==, "c1");
  g_assert_cmpstr (message->exec_id, ==, "e1");
  g_assert_true (message->process->terminal);
  g_assert_cmpstr (message->process->env[1], ==, "B=2");
  g_assert_cmpstr (message->process->cwd, ==, "/w");
  g_assert_cmpuint (message->process->user->gid, ==, 6);
  g_assert_cmpstr (message->process->selinuxlabel, ==, "");
  g_assert_true (message->process->nonewprivileges);
  grpc__exec_process_request__free_unpacked (message, NULL);
  exec.user = "root";
  g_assert_null (vp_guest_message_exec_process (plan, "e1", &exec, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/guest-spec/fields", test_fields);
  g_test_add_func ("/guest-spec/extra", test_extra);
  g_test_add_func ("/guest-spec/extra-too-long", test_extra_too_long);
  g_test_add_func ("/guest-spec/refused", test_refused);
  g_test_add_func ("/guest-spec/exec", test_exec);
  return g_test_run ();
}
