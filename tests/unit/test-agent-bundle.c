/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "agent-bundle.h"
#include "agent-json.h"
#include "agent-sched.h"
#include "vp-oci-names.h"

static void
test_merge (void)
{
  static const struct
  {
    const char *base, *patch, *merged;
  } cases[] = {
    { "{}", "{}", "{}" },
    { "{}", "{\"a\":1}", "{\"a\":1}" },
    { "{\"a\":1}", "{}", "{\"a\":1}" },
    { "{\"a\":1,\"b\":2}", "{\"b\":[],\"c\":\"}\"}", "{\"a\":1,\"b\":[],\"c\":\"}\"}" },
    { " { \"a\" : { \"x\" : 1 , \"y\" : \"\\\"\" } } ", "{\"a\":{\"x\":{\"z\":null},\"w\":-1.5e+3}}",
      "{\"a\":{\"x\":{\"z\":null},\"y\":\"\\\"\",\"w\":-1.5e+3}}" },
    { "{\"a\":[{\"x\":1},{\"x\":2},3]}", "{\"a\":{\"1\":{\"y\":true},\"2\":false}}",
      "{\"a\":[{\"x\":1},{\"x\":2,\"y\":true},false]}" },
    { "{\"a\":[]}", "{\"a\":{}}", "{\"a\":[]}" },
    { "{\"a\":[1]}", "{\"a\":[2,3]}", "{\"a\":[2,3]}" },
    { "{\"a\":1}", "{\"a\":{\"b\":\"\\u00e9\"}}", "{\"a\":{\"b\":\"\\u00e9\"}}" },
    { "1", "2", "2" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      char *merged = NULL;
      size_t len;

      g_assert_cmpint (agent_json_merge (cases[i].base, strlen (cases[i].base), cases[i].patch,
                                         strlen (cases[i].patch), &merged, &len),
                       ==, 0);
      g_assert_cmpstr (merged, ==, cases[i].merged);
      g_assert_cmpuint (len, ==, strlen (merged));
      free (merged);
    }
}

static void
test_not_json (void)
{
  static const char *const wrong[]
      = { "",        " ",         "{",      "}",    "{\"a\"}",    "{\"a\":}", "{\"a\":1,}", "{,}",   "[1,]",
          "[1 2]",   "{a:1}",     "01",     "1.",   "-",          "1e",       "tru",        "nulll", "\"",
          "\"\\x\"", "\"\\u12\"", "\"\n\"", "{}{}", "{\"a\":1}x", "'a'",      "[\"a\":1]",  "\"\\",  "+1" };
  g_autofree char *open = g_strnfill (100, '['), *close = g_strnfill (100, ']');
  g_autofree char *deep = g_strconcat (open, close, NULL);
  VpJsonPiece json;

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      /* exactly as long as it is, so that a sanitizer sees who reads further */
      g_autofree char *copy = g_memdup2 (wrong[i], strlen (wrong[i]) + (wrong[i][0] == '\0'));
      char *merged;
      size_t len;

      g_assert_cmpint (vp_json_scan_parse (copy, strlen (wrong[i]), &json), ==, -EINVAL);
      g_assert_cmpint (agent_json_merge ("{}", 2, copy, strlen (wrong[i]), &merged, &len), ==, -EINVAL);
    }
  g_assert_cmpint (vp_json_scan_parse (deep, strlen (deep), &json), ==, -EINVAL);
  g_assert_cmpint (vp_json_scan_parse ("a\0b", 3, &json), ==, -EINVAL);
}

static void
test_no_such_element (void)
{
  static const char *const wrong[] = { "{\"a\":{\"1\":2}}", "{\"a\":{\"00\":2}}", "{\"a\":{\"x\":2}}" };
  char *merged;
  size_t len;

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_cmpint (agent_json_merge ("{\"a\":[1]}", 9, wrong[i], strlen (wrong[i]), &merged, &len), ==,
                     -EINVAL);
}

/* Any piece of a document is refused or is one: nothing is read past its end. */
static void
test_pieces (void)
{
  static const char text[] = "{\"a\":[1,-2.5e3,{\"b\":\"\\u00e9\\n\"}],\"c\":true,\"d\":null}";
  VpJsonPiece json;

  for (gsize len = 0; len < sizeof text - 1; len++)
    {
      g_autofree char *piece = g_memdup2 (text, len + 1);

      g_assert_cmpint (vp_json_scan_parse (piece, len, &json), ==, -EINVAL);
    }
  g_assert_cmpint (vp_json_scan_parse (text, sizeof text - 1, &json), ==, 0);
}

static void
test_reading (void)
{
  static const char text[] = "{\"s\":\"word\",\"n\":-12,\"big\":99999999999999999999,\"l\":[1,[2],\"3\"]}";
  VpJsonPiece json, list;
  int64_t number = 0;
  size_t at = 0;

  g_assert_cmpint (vp_json_scan_parse (text, strlen (text), &json), ==, 0);
  g_assert_true (vp_json_scan_is_string (vp_json_scan_member (json, "s"), "word"));
  g_assert_false (vp_json_scan_is_string (vp_json_scan_member (json, "s"), "wor"));
  g_assert_false (vp_json_scan_is_string (vp_json_scan_member (json, "n"), "-12"));
  g_assert_null (vp_json_scan_member (json, "none").text);
  g_assert_null (vp_json_scan_member (vp_json_scan_member (json, "s"), "s").text);
  g_assert_true (vp_json_scan_get_int (vp_json_scan_member (json, "n"), &number));
  g_assert_cmpint (number, ==, -12);
  g_assert_false (vp_json_scan_get_int (vp_json_scan_member (json, "big"), &number));
  g_assert_false (vp_json_scan_get_int (vp_json_scan_member (json, "s"), &number));
  list = vp_json_scan_member (json, "l");
  g_assert_cmpuint (vp_json_scan_next (list, &at).len, ==, 1);
  g_assert_cmpuint (vp_json_scan_next (list, &at).len, ==, 3);
  g_assert_true (vp_json_scan_is_string (vp_json_scan_next (list, &at), "3"));
  g_assert_null (vp_json_scan_next (list, &at).text);
}

static void
add_annotation (Grpc__Spec *spec, const char *key, const char *value)
{
  Grpc__Spec__AnnotationsEntry *entry = g_new0 (Grpc__Spec__AnnotationsEntry, 1);

  grpc__spec__annotations_entry__init (entry);
  entry->key = g_strdup (key);
  entry->value = g_strdup (value);
  spec->annotations = g_renew (Grpc__Spec__AnnotationsEntry *, spec->annotations, spec->n_annotations + 1);
  spec->annotations[spec->n_annotations++] = entry;
}

static void
test_take_extra (void)
{
  Grpc__Spec *spec = g_new0 (Grpc__Spec, 1);
  char *extra;

  grpc__spec__init (spec);
  g_assert_null (agent_bundle_take_extra (spec));
  add_annotation (spec, "a", "1");
  add_annotation (spec, VP_OCI_EXTRA, "{\"x\":1}");
  add_annotation (spec, "b", "2");
  extra = agent_bundle_take_extra (spec);
  g_assert_cmpstr (extra, ==, "{\"x\":1}");
  g_assert_cmpuint (spec->n_annotations, ==, 2);
  g_assert_cmpstr (spec->annotations[1]->key, ==, "b");
  g_assert_null (agent_bundle_take_extra (spec));
  free (extra);
  grpc__spec__free_unpacked (spec, NULL);
}

static void
test_process (void)
{
  Grpc__Process process;
  Grpc__User user;
  g_autofree char *json = NULL;
  size_t len;

  grpc__process__init (&process);
  grpc__user__init (&user);
  process.user = &user;
  json = agent_bundle_process_json (&process, "{\"domainname\":\"d\",\"process\":{\"user\":{\"umask\":18}}}",
                                    &len);
  g_assert_cmpstr (json, ==, "{\"user\":{\"uid\":0,\"gid\":0,\"umask\":18}}");
  g_free (json);
  json = agent_bundle_process_json (&process, "{\"linux\":{}}", &len);
  g_assert_cmpstr (json, ==, "{\"user\":{\"uid\":0,\"gid\":0}}");
  g_free (json);
  json = agent_bundle_process_json (&process, NULL, &len);
  g_assert_cmpstr (json, ==, "{\"user\":{\"uid\":0,\"gid\":0}}");
  g_assert_null (agent_bundle_process_json (&process, "{", &len));
}

static void
test_sched_refused (void)
{
  static const char *const wrong[] = { "{\"scheduler\":{}}",
                                       "{\"scheduler\":{\"policy\":\"x\"}}",
                                       "{\"scheduler\":7}",
                                       "{\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"flags\":[\"x\"]}}",
                                       "{\"ioPriority\":{\"class\":1}}",
                                       "{\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":8}}" };
  const char *what = NULL;
  VpJsonPiece json;

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_assert_cmpint (vp_json_scan_parse (wrong[i], strlen (wrong[i]), &json), ==, 0);
      g_assert_cmpint (agent_sched_apply (0, json, &what), ==, -EINVAL);
      g_assert_nonnull (strstr (wrong[i], what));
    }
  g_assert_cmpint (vp_json_scan_parse ("{\"args\":[]}", 11, &json), ==, 0);
  g_assert_cmpint (agent_sched_apply (0, json, &what), ==, 0);
}

/* The guest's runtime looks for 1.0; what is not version 1 at all is for it to refuse. */
static void
test_version (void)
{
  static const char *const cases[][2] = { { "", "1.0.2" }, { "1.0.0-rc5", "1.0.2" }, { "1.1.0+dev", "1.0.2" },
                                          { "1.3.0", "1.0.2" }, { "2.0.0", "2.0.0" }, { "10.0", "10.0" } };
  AgentNamespaces ns = { NULL };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Grpc__Spec *spec = malloc (sizeof *spec);

      grpc__spec__init (spec);
      spec->version = strdup (cases[i][0]);
      agent_bundle_complete (spec, "id", &ns);
      g_assert_cmpstr (spec->version, ==, cases[i][1]);
      grpc__spec__free_unpacked (spec, NULL);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agent-bundle/merge", test_merge);
  g_test_add_func ("/agent-bundle/not-json", test_not_json);
  g_test_add_func ("/agent-bundle/no-such-element", test_no_such_element);
  g_test_add_func ("/agent-bundle/pieces", test_pieces);
  g_test_add_func ("/agent-bundle/reading", test_reading);
  g_test_add_func ("/agent-bundle/take-extra", test_take_extra);
  g_test_add_func ("/agent-bundle/process", test_process);
  g_test_add_func ("/agent-bundle/sched-refused", test_sched_refused);
  g_test_add_func ("/agent-bundle/version", test_version);
  return g_test_run ();
}
