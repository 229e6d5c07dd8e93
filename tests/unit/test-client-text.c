/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the command does to bytes: a guest's made fit for a terminal, keys that
 * detach, JSON and tables. */
#include <glib.h>
#include <string.h>

#include "vp-detach.h"
#include "vp-json-text.h"
#include "vp-output.h"
#include "vp-plain.h"

/* Every way to cut @in into two pieces gives the same. */
static void
assert_plain (const char *in, gsize len, const char *expected)
{
  for (gsize cut = 0; cut <= len; cut++)
    {
      VpPlain filter = { 0 };
      g_autoptr (GString) out = g_string_new (NULL);

      vp_plain_feed (&filter, (const guint8 *) in, cut, out);
      vp_plain_feed (&filter, (const guint8 *) in + cut, len - cut, out);
      g_assert_cmpstr (out->str, ==, expected);
    }
}
#define PLAIN(in, expected) assert_plain (in, sizeof (in) - 1, expected)

static void
test_plain (void)
{
  PLAIN ("boot\r\n\tdone\n", "boot\n\tdone\n");
  PLAIN ("\x1b[1;31mred\x1b[0m \x1b[2J\x1b[10;20Hx", "red x");
  PLAIN ("a\x1b]0;title\x07z", "az");
  PLAIN ("a\x1b]0;title\x1b\\z", "az");
  PLAIN ("\x1bP1$q\x1b\\z\x1b(Bz\x1b" "cz", "zzz");
  PLAIN ("a\x1b[3\x18z", "az");
  /* a string that is never closed does not swallow the rest for ever */
  PLAIN ("\x1b]52;c;AAAA\nnext", "next");
  PLAIN ("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7");
  PLAIN ("\xff\xfe|\xc3|\xe2\x82|\x80", "??|?|?|?");
  /* one control character, written in two bytes, and one that is hidden by a long form */
  PLAIN ("\xc2\x9b" "31m|\xe0\x80\x9b|\xc0\x9b", "?31m|?|?");
  PLAIN ("right\xe2\x80\xaeleft", "right?left");
  PLAIN ("\x07\x08\x0b\x7f\0z", "?????z");
}

/* ---- keys -------------------------------------------------------------------------- */

static void
assert_keys (const char *keys, const char *typed, const char *sent, gboolean ends)
{
  for (gsize cut = 0; cut <= strlen (typed); cut++)
    {
      g_autoptr (VpDetach) detach = vp_detach_new (keys);
      g_autoptr (GByteArray) out = g_byte_array_new ();
      gboolean ended = vp_detach_feed (detach, (const guint8 *) typed, cut, out);

      if (!ended)
        ended = vp_detach_feed (detach, (const guint8 *) typed + cut, strlen (typed) - cut, out);
      g_assert_cmpint (ended, ==, ends);
      g_assert_cmpmem (out->data, out->len, sent, strlen (sent));
    }
}

static void
test_detach (void)
{
  static const char *const bad[] = { "ctrl-", "ctrl-1", "ctrl-pp", "ab", ",", "a,", " ", "\xc3\xa9" };

  assert_keys (VP_DETACH_DEFAULT, "ls\r", "ls\r", FALSE);
  assert_keys (VP_DETACH_DEFAULT, "ls\x10\x11rest", "ls", TRUE);
  assert_keys (VP_DETACH_DEFAULT, "\x10x\x10", "\x10x", FALSE);
  assert_keys (VP_DETACH_DEFAULT, "\x10\x10\x10\x11", "\x10\x10", TRUE);
  assert_keys ("a,a,b", "aaab", "a", TRUE);
  assert_keys ("a,b,a,c", "ababac", "ab", TRUE);
  assert_keys ("a,b,a,b,c", "abababx", "abababx", FALSE);
  assert_keys ("ctrl-],ctrl-[,ctrl-@", "\x1d\x1b", "", FALSE);
  assert_keys ("~", "x~", "x", TRUE);
  assert_keys ("", "a\x10\x11", "a\x10\x11", FALSE);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_null (vp_detach_new (bad[i]));
}

/* ---- values -------------------------------------------------------------------------- */

static void
assert_json (const char *value, const char *line)
{
  g_autofree char *got = vp_json_line (g_variant_new_parsed (value));

  g_assert_cmpstr (got, ==, line);
}

static void
test_json (void)
{
  g_autofree char *pretty = NULL;
  g_autofree char *time = vp_json_time (1767323045678901);

  assert_json ("uint64 18446744073709551615", "18446744073709551615");
  assert_json ("int64 -9223372036854775808", "-9223372036854775808");
  assert_json ("{'a': <uint32 1>, 'b': <[true, false]>}", "{\"a\":1,\"b\":[true,false]}");
  assert_json ("[('plan', uint64 5)]", "[[\"plan\",5]]");
  assert_json ("'quote \" back \\\\ line \\n \\u0007'", "\"quote \\\" back \\\\ line \\n \\u0007\"");
  assert_json ("<<'x'>>", "\"x\"");
  assert_json ("[byte 1, 255]", "[1,255]");
  assert_json ("1.5", "1.5");
  assert_json ("@a{sv} {}", "{}");
  assert_json ("@aa{sv} []", "[]");
  assert_json ("{objectpath '/a': 1}", "{\"/a\":1}");
  assert_json ("{uint32 7: 1}", "{\"7\":1}");
  pretty = vp_json_text (g_variant_new_parsed ("{'a': <{'b': 1}>, 'c': <@ai []>}"));
  g_assert_cmpstr (pretty, ==, "{\n  \"a\": {\n    \"b\": 1\n  },\n  \"c\": []\n}");
  g_assert_cmpstr (time, ==, "2026-01-02T03:04:05.678901Z");
  g_assert_null (vp_json_parse ("{"));
  assert_json ("<'again'>", "\"again\"");
}

static void
test_bytes (void)
{
  static const struct
  {
    guint64 bytes;
    const char *text;
  } cases[] = {
    { 0, "0 B" },
    { 1023, "1023 B" },
    { 1024, "1.0 KiB" },
    { 1536, "1.5 KiB" },
    { 300 << 20, "300 MiB" },
    { G_MAXUINT64, "16384 PiB" },
  };
  g_autofree char *plain = vp_output_plain ("a\tb\x1b[2J\xc2\x85\xff z");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = vp_output_bytes (cases[i].bytes);

      g_assert_cmpstr (text, ==, cases[i].text);
    }
  g_assert_cmpstr (plain, ==, "a?b?[2J?\xef\xbf\xbd z");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/client-text/plain", test_plain);
  g_test_add_func ("/client-text/detach", test_detach);
  g_test_add_func ("/client-text/json", test_json);
  g_test_add_func ("/client-text/bytes", test_bytes);
  return g_test_run ();
}
