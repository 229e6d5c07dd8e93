/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "vp-error.h"
#include "vp-names.h"

static void
test_names_are_distinct (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (int code = 0; code < VP_N_ERRORS; code++)
    {
      const char *name = vp_error_dbus_name ((VpError) code);

      g_assert_true (g_str_has_prefix (name, VP_ERROR_PREFIX));
      g_assert_true (g_dbus_is_interface_name (name));
      g_assert_true (g_hash_table_add (seen, (gpointer) name));
    }
}

static void
test_crosses_the_bus (void)
{
  g_autoptr (GError) error = g_error_new (VP_ERROR, VP_ERROR_AGENT_UNAVAILABLE, "agent: gone");
  g_autofree char *name = g_dbus_error_encode_gerror (error);
  g_autoptr (GError) back = g_dbus_error_new_for_dbus_error (name, "agent: gone");

  g_assert_cmpstr (name, ==, "org.virtpod.Error.AgentUnavailable");
  g_assert_true (vp_error_is (back, VP_ERROR_AGENT_UNAVAILABLE));
}

static void
test_adopt (void)
{
  g_autoptr (GError) none = vp_error_adopt (NULL, VP_ERROR_FAILED);
  g_autoptr (GError) io = vp_error_adopt (g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "x"), VP_ERROR_FAILED);
  g_autoptr (GError) other = vp_error_adopt (g_error_new (G_MARKUP_ERROR, 1, "x"), VP_ERROR_CONFIG_ERROR);
  g_autoptr (GError) ours = vp_error_adopt (g_error_new (VP_ERROR, VP_ERROR_BUSY, "x"), VP_ERROR_FAILED);

  g_assert_no_error (none);
  g_assert_error (io, VP_ERROR, VP_ERROR_TIMED_OUT);
  g_assert_error (other, VP_ERROR, VP_ERROR_CONFIG_ERROR);
  g_assert_error (ours, VP_ERROR, VP_ERROR_BUSY);
}

static void
test_errno (void)
{
  static const struct {
    int errsv;
    VpError code;
  } rows[] = {
    { ENOENT, VP_ERROR_NOT_FOUND },
    { EEXIST, VP_ERROR_ALREADY_EXISTS },
    { ENOSPC, VP_ERROR_RESOURCE_EXHAUSTED },
    { EMFILE, VP_ERROR_RESOURCE_EXHAUSTED },
    { EACCES, VP_ERROR_NOT_AUTHORIZED },
    { EIO, VP_ERROR_FAILED },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (vp_error_set_errno (&error, rows[i].errsv, "open \"%s\"", "/x"));
      g_assert_error (error, VP_ERROR, (int) rows[i].code);
      g_assert_true (g_str_has_prefix (error->message, "open \"/x\": "));
    }
}

static void
test_set (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (vp_error_set (&error, VP_ERROR_BUSY, "%s: %d", "thing", 3));
  g_assert_error (error, VP_ERROR, VP_ERROR_BUSY);
  g_assert_cmpstr (error->message, ==, "thing: 3");
  g_assert_false (vp_error_set (NULL, VP_ERROR_BUSY, "nobody wants to know"));
}

static void
test_shown (void)
{
  static const struct {
    const char *text, *shown;
  } rows[] = {
    { "", "" },
    { "plain \"text\" größe", "plain \"text\" größe" },
    { "a\nb\tc\033[2J\177", "a\\x0ab\\x09c\\x1b[2J\\x7f" },
    { "\xc2\x9b" "2J \xe2\x80\xae" "abc", "\\x9b2J \\u202eabc" },
    { "cut \xe2\x82", "cut \\xe2\\x82" },
  };
  g_autofree char *many = g_strnfill (100, 'x');
  g_autofree char *cut = vp_error_shown (many);

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *shown = vp_error_shown (rows[i].text);
      g_autofree char *clean = vp_error_clean (g_strdup (rows[i].text));

      g_assert_cmpstr (shown, ==, rows[i].shown);
      g_assert_cmpstr (clean, ==, rows[i].shown);
    }
  g_assert_cmpuint (strlen (cut), ==, 83);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/error/names", test_names_are_distinct);
  g_test_add_func ("/error/bus", test_crosses_the_bus);
  g_test_add_func ("/error/adopt", test_adopt);
  g_test_add_func ("/error/errno", test_errno);
  g_test_add_func ("/error/set", test_set);
  g_test_add_func ("/error/shown", test_shown);
  return g_test_run ();
}
