/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "vp-error.h"
#include "vp-record.h"

/* Versions 1 and 2 as they are on disk. A change here is a change of format: give
 * it a new version and keep reading these. */
static const char version_1[] = "{\n"
                                "  \"version\": 1,\n"
                                "  \"id\": \"s1\",\n"
                                "  \"handler\": \"default\",\n"
                                "  \"bundle\": \"/b \\\"x\\\"\",\n"
                                "  \"domain-name\": \"vp-s1-12345678\",\n"
                                "  \"domain-uuid\": \"6b9a2c6e-7a0f-4d55-9d4b-0a6f0c1d2e3f\",\n"
                                "  \"state\": \"ready\",\n"
                                "  \"created-at\": 1700000000000000,\n"
                                "  \"containers\": [\n"
                                "    {\n"
                                "      \"id\": \"c1\",\n"
                                "      \"bundle\": \"/b\",\n"
                                "      \"state\": \"running\",\n"
                                "      \"created-at\": 18446744073709551615\n"
                                "    }\n"
                                "  ],\n"
                                "  \"resources\": [\n"
                                "    {\n"
                                "      \"kind\": \"domain\",\n"
                                "      \"path\": \"vp-s1-12345678\"\n"
                                "    }\n"
                                "  ]\n"
                                "}\n";

static const char version_2[] = "{\n"
                                "  \"version\": 2,\n"
                                "  \"id\": \"s1\",\n"
                                "  \"handler\": \"default\",\n"
                                "  \"bundle\": \"/b\",\n"
                                "  \"domain-name\": \"vp-s1-12345678\",\n"
                                "  \"domain-uuid\": \"6b9a2c6e-7a0f-4d55-9d4b-0a6f0c1d2e3f\",\n"
                                "  \"state\": \"stopping\",\n"
                                "  \"exit-reason\": \"stopped\",\n"
                                "  \"exit-status\": 3,\n"
                                "  \"created-at\": 1,\n"
                                "  \"started-at\": 2,\n"
                                "  \"exited-at\": 3,\n"
                                "  \"owner\": 1000,\n"
                                "  \"machine\": {\n"
                                "    \"transport\": \"serial\",\n"
                                "    \"agent-path\": \"/d/agent.sock\",\n"
                                "    \"console-path\": \"/d/console.sock\",\n"
                                "    \"console-log\": \"/d/console.log\",\n"
                                "    \"console-max-bytes\": 8192,\n"
                                "    \"accelerator\": \"tcg\",\n"
                                "    \"vcpus\": 2,\n"
                                "    \"memory-bytes\": 268435456,\n"
                                "    \"domain-xml\": \"<domain/>\"\n"
                                "  },\n"
                                "  \"labels\": {\n"
                                "    \"a\": \"1\",\n"
                                "    \"b\": \"\"\n"
                                "  },\n"
                                "  \"containers\": [\n"
                                "    {\n"
                                "      \"id\": \"s1\",\n"
                                "      \"bundle\": \"/b\",\n"
                                "      \"state\": \"running\",\n"
                                "      \"created-at\": 4,\n"
                                "      \"started-at\": 5,\n"
                                "      \"hooked\": true,\n"
                                "      \"foreign-paths\": true,\n"
                                "      \"oom-killed\": true,\n"
                                "      \"processes\": [\n"
                                "        {\n"
                                "          \"exec-id\": \"\",\n"
                                "          \"state\": \"running\",\n"
                                "          \"terminal\": true,\n"
                                "          \"standin-pid\": 4711,\n"
                                "          \"standin-start\": 18446744073709551615,\n"
                                "          \"stdin\": \"/fifo\",\n"
                                "          \"stdout\": \"fd\"\n"
                                "        },\n"
                                "        {\n"
                                "          \"exec-id\": \"e1\",\n"
                                "          \"state\": \"stopped\",\n"
                                "          \"exit-status\": 137,\n"
                                "          \"exited-at\": 6\n"
                                "        }\n"
                                "      ]\n"
                                "    }\n"
                                "  ],\n"
                                "  \"resources\": [\n"
                                "    {\n"
                                "      \"kind\": \"share\",\n"
                                "      \"path\": \"/d/shared\"\n"
                                "    }\n"
                                "  ]\n"
                                "}\n";

/* What version 1 did not say is empty, and it is written as version 2. */
static void
test_upgrade (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VpRecord) record = vp_record_parse (version_1, strlen (version_1), "record.json", &error);
  g_autoptr (VpRecord) again = NULL;
  g_autofree char *text = NULL;
  VpRecordContainer *container;
  gsize len;

  g_assert_no_error (error);
  g_assert_cmpstr (record->bundle, ==, "/b \"x\"");
  g_assert_cmpuint (record->containers->len, ==, 1);
  container = record->containers->pdata[0];
  g_assert_cmpuint (container->created_at, ==, G_MAXUINT64);
  g_assert_cmpuint (container->processes->len, ==, 0);
  g_assert_cmpstr (((VpRecordResource *)record->resources->pdata[0])->kind, ==, "domain");
  g_assert_null (record->machine.transport);
  g_assert_null (record->exit_reason);
  g_assert_cmpuint (record->owner, ==, G_MAXUINT);
  text = vp_record_to_json (record, &len);
  again = vp_record_parse (text, len, "record.json", &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (text, "\"version\": 2"));
  g_assert_cmpstr (again->bundle, ==, record->bundle);
}

static void
test_round_trip (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VpRecord) record = vp_record_parse (version_2, strlen (version_2), "record.json", &error);
  g_autofree char *text = NULL;
  VpRecordContainer *container;
  gsize len;

  g_assert_no_error (error);
  container = record->containers->pdata[0];
  g_assert_cmpstr (((VpRecordProcess *)container->processes->pdata[0])->streams[1], ==, VP_RECORD_STREAM_FD);
  g_assert_cmpstr (((VpRecordLabel *)record->labels->pdata[1])->name, ==, "b");
  text = vp_record_to_json (record, &len);
  g_assert_cmpstr (text, ==, version_2);
  g_assert_cmpuint (len, ==, strlen (version_2));
}

static void
test_new (void)
{
  g_autoptr (VpRecord) record = vp_record_new ();
  g_autoptr (VpRecord) copy = NULL;
  g_autofree char *text = NULL;

  record->id = g_strdup ("s1");
  record->network = g_strdup ("user");
  vp_record_add_container (record, "c1", "/b", "created", 5);
  vp_record_add_container (record, "c2", "/b2", "created", 6);
  vp_record_add_resource (record, "mount", "/m");
  text = vp_record_to_json (record, NULL);
  copy = vp_record_parse (text, strlen (text), "record.json", NULL);
  g_assert_cmpuint (copy->containers->len, ==, 2);
  g_assert_cmpstr (copy->handler, ==, "");
  g_assert_cmpstr (copy->network, ==, "user");
}

static void
test_refused (void)
{
  static const struct
  {
    const char *from, *to, *words;
    VpError code;
  } cases[] = {
    { "\"version\": 1", "\"version\": 3", "record.json: version: 3 was written by a newer",
      VP_ERROR_NOT_SUPPORTED },
    { "\"version\": 1", "\"version\": 0", "version: must be at least 1", VP_ERROR_INVALID_ARGUMENT },
    { "\"version\": 1", "\"version\": \"1\"", "version: must be an integer", VP_ERROR_INVALID_ARGUMENT },
    { "\"version\": 1", "\"versio\": 1", "version: is missing", VP_ERROR_INVALID_ARGUMENT },
    { "\"handler\"", "\"colour\"", "colour: is not known", VP_ERROR_INVALID_ARGUMENT },
    { "\"path\"", "\"paths\"", "resources[0].paths: is not known", VP_ERROR_INVALID_ARGUMENT },
    { "\"running\"", "null", "containers[0].state: is missing", VP_ERROR_INVALID_ARGUMENT },
    { "1700000000000000", "-1", "created-at: must be from 0", VP_ERROR_INVALID_ARGUMENT },
    { "\"s1\"", "\"s1", "record.json: ", VP_ERROR_INVALID_ARGUMENT },
    { "\"resources\"", "\"labels\": {},\n  \"resources\"", "labels: is not known", VP_ERROR_INVALID_ARGUMENT },
  };
  static const struct
  {
    const char *from, *to, *words;
  } cases_2[] = {
    { "\"/fifo\"", "\"fifo\"", "containers[0].processes[0].stdin: must be an absolute path" },
    { "\"transport\"", "\"transports\"", "machine.transports: is not known" },
    { "\"b\": \"\"", "\"b\": 1", "labels.b: must be a string" },
    { "\"exit-status\": 137", "\"exit-status\": -1", "processes[1].exit-status: must be" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) text = g_string_new (version_1);
      g_autoptr (GError) error = NULL;

      g_assert_cmpuint (g_string_replace (text, cases[i].from, cases[i].to, 1), ==, 1);
      g_assert_null (vp_record_parse (text->str, text->len, "record.json", &error));
      g_assert_error (error, VP_ERROR, (gint)cases[i].code);
      g_assert_nonnull (strstr (error->message, cases[i].words));
    }
  for (guint i = 0; i < G_N_ELEMENTS (cases_2); i++)
    {
      g_autoptr (GString) text = g_string_new (version_2);
      g_autoptr (GError) error = NULL;

      g_assert_cmpuint (g_string_replace (text, cases_2[i].from, cases_2[i].to, 1), ==, 1);
      g_assert_null (vp_record_parse (text->str, text->len, "record.json", &error));
      g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
      g_assert_nonnull (strstr (error->message, cases_2[i].words));
    }
  /* half of a file is no record, wherever it ends */
  for (gsize n = 0; n < strlen (version_1) - 2; n++)
    g_assert_null (vp_record_parse (version_1, n, "record.json", NULL));
  for (gsize n = 0; n < strlen (version_2) - 2; n++)
    g_assert_null (vp_record_parse (version_2, n, "record.json", NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/record/round-trip", test_round_trip);
  g_test_add_func ("/record/upgrade", test_upgrade);
  g_test_add_func ("/record/new", test_new);
  g_test_add_func ("/record/refused", test_refused);
  return g_test_run ();
}
