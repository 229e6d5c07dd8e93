/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-spec-update.h"

#include <string.h>

#include "vp-error.h"
#include "vp-guest-messages.h"
#include "vp-json-writer.h"

static char *
to_text (VpJson *json)
{
  g_autoptr (VpJsonWriter) writer = vp_json_writer_new (FALSE);

  vp_json_writer_add_copy (writer, NULL, json);
  return vp_json_writer_steal_text (writer, NULL);
}

static VpJson *
parse_resources (const char *text, gsize len, GError **error)
{
  return vp_spec_parse_resources (text, len, NULL, error);
}

/* What becomes of a text: the document for the guest, or "Error: message". */
static char *
outcome (VpJson *(*parse) (const char *, gsize, GError **), const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VpJson) json = parse (text, strlen (text), &error);

  g_assert_true ((json == NULL) == (error != NULL));
  if (json != NULL)
    return to_text (json);
  return g_strdup_printf ("%s: %s", error->code == VP_ERROR_NOT_SUPPORTED ? "NotSupported" : "InvalidArgument",
                          error->message);
}

typedef struct
{
  const char *text;
  const char *wanted; /* the whole of it, or with ... at the end the beginning */
} Case;

static void
check_cases (VpJson *(*parse) (const char *, gsize, GError **), const Case *cases, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      g_autofree char *got = outcome (parse, cases[i].text);
      gsize len = strlen (cases[i].wanted);

      if (g_str_has_suffix (cases[i].wanted, "..."))
        got[MIN (len - 3, strlen (got))] = '\0';
      else
        len += 3;
      if (strncmp (got, cases[i].wanted, len - 3) != 0 || strlen (got) != len - 3)
        g_error ("%s gives %s", cases[i].text, got);
    }
}

static void
test_resources (void)
{
  static const Case cases[] = {
    { "{}", "{}" },
    { "{\"memory\":{\"limit\":5,\"useHierarchy\":true}}", "{\"memory\":{\"limit\":5}}" },
    { "{\"cpu\":{\"quota\":-1,\"cpus\":\"0-3\",\"mems\":\"0\"}}", "{\"cpu\":{\"quota\":-1}}" },
    { "{\"cpu\":{\"cpus\":\"0-3\"},\"pids\":null}", "{\"cpu\":{}}" },
    { "{\"pids\":{\"limit\":7}}", "{\"pids\":{\"limit\":7}}" },
    { "{\"blockIO\":{\"weight\":10}}", "{}" },
    { "{\"devices\":[]}", "{\"devices\":[]}" },
    { "{\"unified\":{}}", "{}" },
    { "{\"new\":1}", "{\"new\":1}" },
    { "", "InvalidArgument: resources: ..." },
    { "7", "InvalidArgument: resources: (top): must be an object, is an integer" },
    { "{\"memory\":[]}", "InvalidArgument: resources: memory: ..." },
    { "{\"cpu\":{\"shares\":-1}}", "InvalidArgument: resources: cpu.shares: ..." },
    { "{\"cpu\":{\"burst\":5}}", "NotSupported: resources: cpu.burst: ..." },
    { "{\"devices\":[{\"allow\":true}]}", "NotSupported: resources: devices: ..." },
    { "{\"network\":{\"classID\":1}}", "NotSupported: resources: network.classID: ..." },
  };

  check_cases (parse_resources, cases, G_N_ELEMENTS (cases));
}

/* Who changes a limit may say again which devices there are, but no others. */
static void
test_same_devices (void)
{
  static const char document[]
      = "{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"a\"],\"cwd\":\"/\"},\"root\":{\"path\":\"r\"},"
        "\"linux\":{\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}}}";
  static const char same[] = "{\"devices\":[ {\"allow\":false, \"access\":\"rwm\"} ],\"pids\":{\"limit\":7}}";
  static const char other[] = "{\"devices\":[{\"allow\":true,\"access\":\"rwm\"}],\"pids\":{\"limit\":7}}";
  g_autoptr (GError) error = NULL;
  g_autoptr (VpSpec) spec = vp_spec_parse (document, strlen (document), "/b", &error);
  g_autoptr (VpJson) json = NULL, refused = NULL;
  g_autofree char *text = NULL;

  g_assert_no_error (error);
  json = vp_spec_parse_resources (same, strlen (same), spec, &error);
  g_assert_no_error (error);
  text = to_text (json);
  g_assert_cmpstr (text, ==, "{\"pids\":{\"limit\":7}}");
  refused = vp_spec_parse_resources (other, strlen (other), spec, &error);
  g_assert_null (refused);
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED);
}

static void
test_process (void)
{
  static const Case cases[] = {
    { "{\"args\":[\"a\"],\"cwd\":\"/\"}", "{\"args\":[\"a\"],\"cwd\":\"/\"}" },
    { "{\"args\":[\"a\",\"\"],\"cwd\":\"/\",\"selinuxLabel\":\"x\",\"apparmorProfile\":\"y\",\"terminal\":true}",
      "{\"args\":[\"a\",\"\"],\"cwd\":\"/\",\"terminal\":true}" },
    { "{\"args\":[\"a\"],\"cwd\":\"/\",\"user\":{\"uid\":1,\"gid\":2}}",
      "{\"args\":[\"a\"],\"cwd\":\"/\",\"user\":{\"uid\":1,\"gid\":2}}" },
    { "{}", "InvalidArgument: process: args: is missing" },
    { "{\"args\":[],\"cwd\":\"/\"}", "InvalidArgument: process: args: is empty" },
    { "{\"args\":[\"\"],\"cwd\":\"/\"}", "InvalidArgument: process: args: is empty" },
    { "{\"args\":[7],\"cwd\":\"/\"}", "InvalidArgument: process: args[0]: ..." },
    { "{\"args\":[\"a\"]}", "InvalidArgument: process: cwd: is missing" },
    { "{\"args\":[\"a\"],\"cwd\":\"\"}", "InvalidArgument: process: cwd: must be an absolute path" },
    { "{\"args\":[\"a\"],\"cwd\":\"/\",\"rlimits\":[{\"type\":\"RLIMIT_X\",\"hard\":1,\"soft\":2}]}",
      "InvalidArgument: process: rlimits..." },
  };

  check_cases (vp_spec_parse_exec, cases, G_N_ELEMENTS (cases));
}

static void
test_too_long (void)
{
  g_autofree char *text = g_strnfill (VP_SPEC_RESOURCES_MAX - 1, ' ');
  g_autofree char *fits = g_strconcat (text + 1, "{}", NULL);
  g_autofree char *over = g_strconcat (text, "{}", NULL);
  g_autofree char *good = outcome (parse_resources, fits);
  g_autofree char *bad = outcome (parse_resources, over);

  g_assert_cmpstr (good, ==, "{}");
  g_assert_cmpstr (bad, ==, "InvalidArgument: resources: (top): has 65537 bytes, 65536 are allowed");
}

/* What the message of the protocol carries of it, and what it cannot. */
static void
test_message (void)
{
  static const char text[] = "{\"memory\":{\"limit\":64,\"swap\":-1},\"cpu\":{\"shares\":9},\"pids\":{\"limit\":3}}";
  g_autoptr (VpJson) json = parse_resources (text, strlen (text), NULL);
  Grpc__UpdateContainerRequest *request = vp_guest_message_update_container ("c", json, NULL);

  g_assert_cmpstr (request->container_id, ==, "c");
  g_assert_cmpint (request->resources->memory->limit, ==, 64);
  g_assert_cmpint (request->resources->memory->swap, ==, -1);
  g_assert_cmpuint (request->resources->cpu->shares, ==, 9);
  g_assert_cmpint (request->resources->pids->limit, ==, 3);
  g_assert_null (request->resources->blockio);
  grpc__update_container_request__free_unpacked (request, NULL);
}

static void
test_message_refuses (void)
{
  static const Case cases[] = {
    { "{\"unified\":{\"memory.high\":\"1\"}}", "resources: unified: " },
    { "{\"cpu\":{\"idle\":1}}", "resources: cpu.idle: " },
    { "{\"memory\":{\"checkBeforeUpdate\":true}}", "resources: memory.checkBeforeUpdate: " },
    { "{\"new\":{\"a\":1}}", "resources: new: " },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VpJson) json = parse_resources (cases[i].text, strlen (cases[i].text), NULL);
      g_autoptr (GError) error = NULL;

      g_assert_null (vp_guest_message_update_container ("c", json, &error));
      g_assert_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED);
      g_assert_true (g_str_has_prefix (error->message, cases[i].wanted));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/spec-update/resources", test_resources);
  g_test_add_func ("/spec-update/same-devices", test_same_devices);
  g_test_add_func ("/spec-update/process", test_process);
  g_test_add_func ("/spec-update/too-long", test_too_long);
  g_test_add_func ("/spec-update/message", test_message);
  g_test_add_func ("/spec-update/message-refuses", test_message_refuses);
  return g_test_run ();
}
