/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "vp-error.h"
#include "vp-json-writer.h"
#include "vp-json.h"
#include "vp-names.h"

static VpJson *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  VpJson *json = vp_json_parse (text, strlen (text), "file", &error);

  g_assert_no_error (error);
  return json;
}

static void
assert_refused (const char *text, gsize len, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VpJson) json = vp_json_parse (text, len, "file", &error);

  if (json != NULL)
    g_test_message ("accepted: %.60s", text);
  g_assert_null (json);
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
  if (strstr (error->message, words) == NULL)
    g_test_message ("%s lacks \"%s\"", error->message, words);
  g_assert_nonnull (strstr (error->message, words));
  g_assert_true (g_str_has_prefix (error->message, "file: "));
  g_assert_null (strchr (error->message, '\n'));
}

static void
test_refused (void)
{
  static const struct
  {
    const char *text, *words;
  } cases[] = {
    { "", "a value expected" },
    { " \n", "line 2" },
    { "{", "expected" },
    { "[", "a value expected" },
    { "[1,]", "[1]: line 1, column 4: a value expected" },
    { "[1 2]", "',' or ']' expected" },
    { "{\"a\":1,}", "'\"' expected" },
    { "{\"a\" 1}", "a: line 1, column 6: ':' expected" },
    { "{a:1}", "'\"' expected" },
    { "{\"a\":1 \"b\":2}", "',' or '}' expected" },
    { "{} {}", "text after the document" },
    { "nul", "a value expected" },
    { "True", "a value expected" },
    { "NaN", "a value expected" },
    { "Infinity", "a value expected" },
    { "'a'", "a value expected" },
    { "// comment\n1", "a value expected" },
    { "\"a", "ends within a string" },
    { "\"\\", "ends within a string" },
    { "\"\\x\"", "unknown escape" },
    { "\"\\u12\"", "ends within an escape" },
    { "\"\\u12g4\"", "hexadecimal" },
    { "\"\\u0000\"", "\\u0000" },
    { "{\"\\u0000\":1}", "\\u0000" },
    { "\"\\ud800\"", "unpaired surrogate" },
    { "\"\\ud800\\u0041\"", "unpaired surrogate" },
    { "\"\\udc00\"", "unpaired surrogate" },
    { "\"\x01\"", "control character" },
    { "\"\n\"", "control character" },
    { "\"\xff\"", "invalid UTF-8" },
    { "\"\xc0\xaf\"", "invalid UTF-8" },
    { "\xef\xbb\xbf{}", "a value expected" },
    { "01", "leading zero" },
    { "-", "a value expected" },
    { "+1", "a value expected" },
    { ".5", "a value expected" },
    { "1.", "digit expected" },
    { "1e", "exponent" },
    { "1e400", "too large" },
    { "0x10", "text after" },
    { "18446744073709551616", "64 bits" },
    { "-9223372036854775809", "64 bits" },
    { "99999999999999999999999999", "64 bits" },
    { "{\"a\":{\"b\":1,\"b\":2}}", "a.b: line 1, column 16: member name is there twice" },
    { "{\"ab\":1,\"a\\u0062\":2}", "ab: " },
    { "{\"o\":{\"x y\":[0,{\"z\":tru}]}}", "o[\"x y\"][1].z: " },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_refused (cases[i].text, strlen (cases[i].text), cases[i].words);
  assert_refused ("\"a\0b\"", 5, "NUL byte");
}

static char *
nested (guint depth, const char *opening, const char *closing)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < depth; i++)
    g_string_append (text, opening);
  g_string_append_c (text, '1');
  for (guint i = 0; i < depth; i++)
    g_string_append (text, closing);
  return g_string_free (text, FALSE);
}

static void
test_bounds (void)
{
  g_autofree char *deep = nested (VP_JSON_MAX_DEPTH, "[", "]");
  g_autofree char *deeper = nested (VP_JSON_MAX_DEPTH + 1, "[", "]");
  g_autofree char *deeper_objects = nested (VP_JSON_MAX_DEPTH + 1, "{\"a\":", "}");
  g_autofree char *deepest = nested (1000000, "[", "]");
  g_autoptr (VpJson) json = parse (deep);
  g_autofree char *large = g_strnfill (VP_JSON_MAX_BYTES + 1, ' ');
  g_autoptr (GString) many = g_string_new ("[0");

  g_assert_cmpint (vp_json_get_type (json), ==, VP_JSON_ARRAY);
  assert_refused (deeper, strlen (deeper), "nested more than 64 deep");
  assert_refused (deeper_objects, strlen (deeper_objects), "nested more than 64 deep");
  assert_refused (deepest, strlen (deepest), "nested more than 64 deep");
  assert_refused (large, VP_JSON_MAX_BYTES + 1, "has more than 4194304 bytes");
  assert_refused (large, VP_JSON_MAX_BYTES, "a value expected");
  for (guint i = 0; i < VP_JSON_MAX_VALUES; i++)
    g_string_append (many, ",0");
  g_string_append_c (many, ']');
  assert_refused (many->str, many->len, "more than 262144 values");
}

static void
test_values (void)
{
  g_autoptr (VpJson) json = parse (
      "{\"s\":\"a\\u00e9\\ud83d\\ude00\\n\",\"max\":18446744073709551615,\"mid\":9223372036854775808,"
      "\"int\":9223372036854775807,\"min\":-9223372036854775808,\"zero\":-0,\"d\":1.5e2,\"t\":true,"
      "\"n\":null,\"a\":[\"x\",{\"y\":2}],\"e\":{},\"\":7}");
  VpJson *inner = vp_json_lookup (vp_json_get_item (vp_json_lookup (json, "a"), 1), "y");
  g_autofree char *path = vp_json_dup_path (inner);
  g_autofree char *top = vp_json_dup_path (json);
  guint64 u;
  gint64 i;

  g_assert_cmpstr (vp_json_get_string (vp_json_lookup (json, "s")), ==, "a\303\251\360\237\230\200\n");
  g_assert_true (vp_json_get_uint64 (vp_json_lookup (json, "max"), &u));
  g_assert_cmpuint (u, ==, G_MAXUINT64);
  g_assert_false (vp_json_get_int64 (vp_json_lookup (json, "max"), &i));
  g_assert_true (vp_json_get_uint64 (vp_json_lookup (json, "mid"), &u));
  g_assert_cmpuint (u, ==, (guint64)G_MAXINT64 + 1);
  g_assert_true (vp_json_get_int64 (vp_json_lookup (json, "int"), &i));
  g_assert_cmpint (i, ==, G_MAXINT64);
  g_assert_true (vp_json_get_int64 (vp_json_lookup (json, "min"), &i));
  g_assert_cmpint (i, ==, G_MININT64);
  g_assert_false (vp_json_get_uint64 (vp_json_lookup (json, "min"), &u));
  g_assert_true (vp_json_get_uint64 (vp_json_lookup (json, "zero"), &u));
  g_assert_cmpfloat (vp_json_get_double (vp_json_lookup (json, "d")), ==, 150.0);
  g_assert_cmpint (vp_json_get_type (vp_json_lookup (json, "d")), ==, VP_JSON_DOUBLE);
  g_assert_true (vp_json_get_bool (vp_json_lookup (json, "t")));
  g_assert_cmpint (vp_json_get_type (vp_json_lookup (json, "n")), ==, VP_JSON_NULL);
  g_assert_nonnull (vp_json_lookup (json, ""));
  g_assert_cmpstr (path, ==, "a[1].y");
  g_assert_cmpstr (top, ==, "(top)");
  g_assert_null (vp_json_lookup (json, "none"));
  g_assert_null (vp_json_get_item (json, 99));
}

static void
test_members (void)
{
  g_autoptr (VpJson) json
      = parse ("{\"s\":\"x\",\"n\":5,\"neg\":-1,\"l\":[\"a\",\"b\"],\"bad\":[\"a\",1],\"null\":null,"
               "\"o\":{\"d\":1.5}}");
  g_auto (GStrv) list = NULL, bad = NULL, none = NULL;
  const char *s = "kept";
  guint64 u = 0;
  gint64 i = 0;
  static const struct
  {
    const char *name, *words;
  } strings[] = {
    { "n", "file: n: must be a string, is an integer" },
    { "o", "file: o: must be a string, is an object" },
    { "missing", "file: missing: is missing" },
    { "null", "file: null: is missing" },
  };

  for (guint c = 0; c < G_N_ELEMENTS (strings); c++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (vp_json_member_string (json, strings[c].name, TRUE, &s, &error));
      g_assert_cmpstr (error->message, ==, strings[c].words);
    }
  g_assert_true (vp_json_member_string (json, "missing", FALSE, &s, NULL));
  g_assert_true (vp_json_member_string (json, "null", FALSE, &s, NULL));
  g_assert_cmpstr (s, ==, "kept");
  g_assert_true (vp_json_member_string (json, "s", TRUE, &s, NULL));
  g_assert_cmpstr (s, ==, "x");
  g_assert_true (vp_json_member_uint (json, "n", TRUE, 5, &u, NULL));
  g_assert_false (vp_json_member_uint (json, "n", TRUE, 4, &u, NULL));
  g_assert_false (vp_json_member_uint (json, "neg", TRUE, 4, &u, NULL));
  g_assert_true (vp_json_member_int (json, "neg", TRUE, -1, 1, &i, NULL));
  g_assert_false (vp_json_member_int (json, "neg", TRUE, 0, 1, &i, NULL));
  g_assert_false (vp_json_member_uint (vp_json_lookup (json, "o"), "d", TRUE, 9, &u, NULL));
  g_assert_true (vp_json_member_strv (json, "l", TRUE, &list, NULL));
  g_assert_cmpstr (list[1], ==, "b");
  g_assert_true (vp_json_member_strv (json, "missing", FALSE, &none, NULL));
  g_assert_null (none[0]);
  {
    g_autoptr (GError) error = NULL;
    g_assert_false (vp_json_member_strv (json, "bad", TRUE, &bad, &error));
    g_assert_cmpstr (error->message, ==, "file: bad[1]: must be a string, is an integer");
    g_assert_null (bad);
  }
}

/* Text of a tree, parsed again, is the same text: nothing is lost on the way. */
static void
test_round_trip (void)
{
  static const char *const texts[] = {
    "{\"a\":[1,-2,18446744073709551615,true,false,null,\"q\\\"\\\\\\n\\t\\u0001\\u00e9\"],\"b\":{},\"c\":[]}",
    "[1.0,1000.0,0.1,-1.5e-30,1e308]",
    "\"x\"",
    "7",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (VpJson) json = parse (texts[i]);
      g_autofree char *once = vp_json_to_text (json, FALSE, NULL);
      g_autofree char *pretty = vp_json_to_text (json, TRUE, NULL);
      g_autoptr (VpJson) again = parse (pretty);
      g_autofree char *twice = vp_json_to_text (again, FALSE, NULL);

      g_assert_cmpstr (once, ==, twice);
    }
}

static void
test_reference (void)
{
  g_autoptr (VpJson) inner = NULL;

  {
    g_autoptr (VpJson) json = parse ("{\"a\":{\"b\":\"c\"}}");
    inner = vp_json_ref (vp_json_lookup (json, "a"));
  }
  g_assert_cmpstr (vp_json_get_string (vp_json_lookup (inner, "b")), ==, "c");
  vp_json_unref (NULL);
}

/* Any one changed byte gives a document or an error, never anything else. */
static void
test_mutations (void)
{
  static const char text[] = "{\"a\":[1,-2.5e3,\"x\\u00e9\\n\"],\"b\":{\"c\":null,\"d\":true}}";

  for (gsize i = 0; i < sizeof text - 1; i++)
    {
      for (int byte = 0; byte < 256; byte++)
        {
          g_autofree char *copy = g_strdup (text);
          g_autoptr (GError) error = NULL;
          g_autoptr (VpJson) json = NULL;

          copy[i] = (char)byte;
          json = vp_json_parse (copy, sizeof text - 1, "file", &error);
          g_assert_true ((json == NULL) == (error != NULL));
        }
    }
  for (gsize i = 0; i < sizeof text - 1; i++)
    {
      g_autofree char *copy = g_memdup2 (text, MAX (i, 1));
      g_assert_null (vp_json_parse (copy, i, "file", NULL));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/refused", test_refused);
  g_test_add_func ("/json/bounds", test_bounds);
  g_test_add_func ("/json/values", test_values);
  g_test_add_func ("/json/members", test_members);
  g_test_add_func ("/json/round-trip", test_round_trip);
  g_test_add_func ("/json/reference", test_reference);
  g_test_add_func ("/json/mutations", test_mutations);
  return g_test_run ();
}
