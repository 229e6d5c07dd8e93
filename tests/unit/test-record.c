/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "vp-error.h"
#include "vp-record.h"

/* Version 1 as it is on disk. A change here is a change of format: give it a
 * new version and keep reading this. */
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

static void
test_round_trip (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VpRecord) record = vp_record_parse (version_1, strlen (version_1), "record.json", &error);
  g_autofree char *text = NULL;
  gsize len;

  g_assert_no_error (error);
  g_assert_cmpstr (record->bundle, ==, "/b \"x\"");
  g_assert_cmpuint (record->containers->len, ==, 1);
  g_assert_cmpuint (((VpRecordContainer *)record->containers->pdata[0])->created_at, ==, G_MAXUINT64);
  g_assert_cmpstr (((VpRecordResource *)record->resources->pdata[0])->kind, ==, "domain");
  text = vp_record_to_json (record, &len);
  g_assert_cmpstr (text, ==, version_1);
  g_assert_cmpuint (len, ==, strlen (version_1));
}

static void
test_new (void)
{
  g_autoptr (VpRecord) record = vp_record_new ();
  g_autoptr (VpRecord) copy = NULL;
  g_autofree char *text = NULL;

  record->id = g_strdup ("s1");
  vp_record_add_container (record, "c1", "/b", "created", 5);
  vp_record_add_container (record, "c2", "/b2", "created", 6);
  vp_record_add_resource (record, "mount", "/m");
  text = vp_record_to_json (record, NULL);
  copy = vp_record_parse (text, strlen (text), "record.json", NULL);
  g_assert_cmpuint (copy->containers->len, ==, 2);
  g_assert_cmpstr (copy->handler, ==, "");
}

static void
test_refused (void)
{
  static const struct
  {
    const char *from, *to, *words;
    VpError code;
  } cases[] = {
    { "\"version\": 1", "\"version\": 2", "record.json: version: 2 was written by a newer",
      VP_ERROR_NOT_SUPPORTED },
    { "\"version\": 1", "\"version\": 0", "version: must be at least 1", VP_ERROR_INVALID_ARGUMENT },
    { "\"version\": 1", "\"version\": \"1\"", "version: must be an integer", VP_ERROR_INVALID_ARGUMENT },
    { "\"version\": 1", "\"versio\": 1", "version: is missing", VP_ERROR_INVALID_ARGUMENT },
    { "\"handler\"", "\"colour\"", "colour: is not known", VP_ERROR_INVALID_ARGUMENT },
    { "\"path\"", "\"paths\"", "resources[0].paths: is not known", VP_ERROR_INVALID_ARGUMENT },
    { "\"running\"", "null", "containers[0].state: is missing", VP_ERROR_INVALID_ARGUMENT },
    { "1700000000000000", "-1", "created-at: must be from 0", VP_ERROR_INVALID_ARGUMENT },
    { "\"s1\"", "\"s1", "record.json: ", VP_ERROR_INVALID_ARGUMENT },
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
  /* half of a file is no record, wherever it ends */
  for (gsize n = 0; n < strlen (version_1) - 2; n++)
    g_assert_null (vp_record_parse (version_1, n, "record.json", NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/record/round-trip", test_round_trip);
  g_test_add_func ("/record/new", test_new);
  g_test_add_func ("/record/refused", test_refused);
  return g_test_run ();
}
