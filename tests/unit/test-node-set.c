/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-node-set.h"

static void
test_text (void)
{
  static const struct
  {
    const char *text, *again; /* @again NULL: no set */
    guint count;
  } cases[] = {
    { "0", "0", 1 },       { "0-3", "0-3", 4 },     { "3,1,0", "0-1,3", 3 }, { "0-1,1-2", "0-2", 3 },
    { "1023", "1023", 1 }, { "0-1023", "0-1023", 1024 }, { "63-64", "63-64", 2 },
    { "1024", NULL, 0 },   { "", NULL, 0 },         { ",", NULL, 0 },        { "0,", NULL, 0 },
    { "1-0", NULL, 0 },    { "-1", NULL, 0 },       { "0-", NULL, 0 },       { " 0", NULL, 0 },
    { "0 1", NULL, 0 },    { "x", NULL, 0 },        { "0x1", NULL, 0 },      { "18446744073709551616", NULL, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      VpNodeSet set = { 0 };
      gboolean parsed = vp_node_set_parse (cases[i].text, &set);
      g_autofree char *text = vp_node_set_to_text (&set);

      g_assert_cmpint (parsed, ==, cases[i].again != NULL);
      g_assert_cmpstr (text, ==, parsed ? cases[i].again : "");
      g_assert_cmpuint (vp_node_set_count (&set), ==, cases[i].count);
    }
}

static void
test_among (void)
{
  VpNodeSet set = { 0 }, among = { 0 };

  g_assert_cmpint (vp_node_set_find_missing (&set, &among), ==, -1);
  vp_node_set_add (&set, 64);
  g_assert_cmpint (vp_node_set_find_missing (&set, &among), ==, 64);
  g_assert_true (vp_node_set_contains (&set, 64));
  g_assert_false (vp_node_set_contains (&set, 0));
  g_assert_false (vp_node_set_contains (&set, G_MAXUINT));
  vp_node_set_add (&among, 64);
  vp_node_set_add (&among, 1024); /* more than there are: nothing happens */
  g_assert_cmpint (vp_node_set_find_missing (&set, &among), ==, -1);
  g_assert_cmpuint (vp_node_set_count (&among), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/node-set/text", test_text);
  g_test_add_func ("/node-set/among", test_among);
  return g_test_run ();
}
