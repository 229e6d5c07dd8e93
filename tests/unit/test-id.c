/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "vp-error.h"
#include "vp-id.h"
#include "vp-names.h"

static void
test_check (void)
{
  g_autofree char *longest = g_strnfill (VP_ID_MAX, 'a');
  g_autofree char *too_long = g_strnfill (VP_ID_MAX + 1, 'a');
  const char *good[] = { "a", "7", "web-1", "a.b_c+d-e", longest };
  const char *bad[] = { "", ".", "..", "-a", "_a", "a/b", "../x", "a b", "a\n", "\xc3\xa9", "a\x01", too_long };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_true (vp_id_check (good[i], "sandbox id", &error));
      g_assert_no_error (error);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (vp_id_check (bad[i], "sandbox id", &error));
      g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
      g_assert_true (g_str_has_prefix (error->message, "sandbox id"));
      g_assert_null (strchr (error->message, '\n'));
    }
}

static void
test_path_element (void)
{
  static const struct {
    const char *id, *element;
  } rows[] = {
    { "", "_" }, { "abc", "abc" }, { "1abc", "_31abc" }, { "a1", "a1" }, { "a-b", "a_2db" }, { "a_b.c", "a_5fb_2ec" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *element = vp_id_to_path_element (rows[i].id);
      g_autofree char *path = g_strconcat ("/x/", element, NULL);

      g_assert_cmpstr (element, ==, rows[i].element);
      g_assert_true (g_variant_is_object_path (path));
    }
}

static void
test_domain_name (void)
{
  g_autofree char *a_id = g_strnfill (VP_ID_MAX, 'a');
  g_autofree char *b_id = g_strnfill (VP_ID_MAX - 1, 'a');
  g_autofree char *a = vp_id_to_domain_name (a_id);
  g_autofree char *b = vp_id_to_domain_name (b_id);
  g_autofree char *again = vp_id_to_domain_name (b_id);

  g_assert_cmpuint (strlen (a), <=, 64);
  g_assert_cmpstr (a, !=, b);
  g_assert_cmpstr (b, ==, again);
  g_assert_true (g_str_has_prefix (a, VP_DOMAIN_PREFIX "aaaa"));
}

static void
test_random (void)
{
  g_autofree char *a = vp_id_random_hex (16);
  g_autofree char *b = vp_id_random_hex (16);

  g_assert_cmpuint (strlen (a), ==, 32);
  g_assert_cmpuint (strspn (a, "0123456789abcdef"), ==, 32);
  g_assert_cmpstr (a, !=, b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/id/check", test_check);
  g_test_add_func ("/id/path-element", test_path_element);
  g_test_add_func ("/id/domain-name", test_domain_name);
  g_test_add_func ("/id/random", test_random);
  return g_test_run ();
}
