/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "tar-fixture.h"
#include "vp-agent-names.h"

/* packs @e and takes it apart again */
static void
turn_around (AgentTarEntry *e)
{
  AgentTarExtra none = { .name = NULL }, extra = { .name = NULL };
  const char *error = NULL;
  guint64 size;
  gsize len;
  guint8 *blocks = agent_tar_pack (e, &len);
  char type;

  g_assert_nonnull (blocks);
  g_assert_cmpuint (len % AGENT_TAR_BLOCK, ==, 0);
  if (len > AGENT_TAR_BLOCK)
    {
      g_assert_cmpint (agent_tar_peek (blocks, &type, &size, &error), ==, 0);
      g_assert_cmpint (type, ==, 'x');
      g_assert_cmpint (agent_tar_extra_add (&extra, (char *)blocks + AGENT_TAR_BLOCK, size, &error), ==, 0);
    }
  memset (e, 0xee, sizeof *e);
  g_assert_cmpint (agent_tar_unpack (blocks + len - AGENT_TAR_BLOCK, &none, &extra, e, &error), ==, 0);
  agent_tar_extra_clear (&extra);
  free (blocks);
}

static void
test_header (void)
{
  static const struct
  {
    gint64 sec;
    guint32 nsec;
  } times[] = { { 0, 0 },  { 0, 1 },          { 077777777777, 0 }, { 077777777777 + 1ll, 0 },
                { -1, 0 }, { -1, 500000000 }, { -100, 999999999 }, { 1700000000, 123456789 } };
  AgentTarEntry e;

  for (gsize i = 0; i < G_N_ELEMENTS (times); i++)
    {
      e = tar_entry (AGENT_TAR_FILE, "f");
      e.mtime = times[i].sec;
      e.mtime_nsec = times[i].nsec;
      turn_around (&e);
      g_assert_cmpint (e.mtime, ==, times[i].sec);
      g_assert_cmpuint (e.mtime_nsec, ==, times[i].nsec);
    }
  for (gsize len = 95; len < 110; len++)
    {
      g_autofree char *name = g_strnfill (len, 'a');

      e = tar_entry (AGENT_TAR_SYMLINK, name);
      g_strlcpy (e.link, name + 1, sizeof e.link);
      turn_around (&e);
      g_assert_cmpstr (e.name, ==, name);
      g_assert_cmpstr (e.link, ==, name + 1);
    }
  e = tar_entry (AGENT_TAR_FILE, "f");
  e.size = 9ull << 30;
  e.uid = G_MAXUINT32 - 1;
  e.gid = 2097152;
  turn_around (&e);
  g_assert_cmpuint (e.size, ==, 9ull << 30);
  g_assert_cmpuint (e.uid, ==, G_MAXUINT32 - 1);
  g_assert_cmpuint (e.gid, ==, 2097152);
  e = tar_entry (AGENT_TAR_CHARACTER, "null");
  e.major = 1;
  e.minor = 3;
  turn_around (&e);
  g_assert_cmpuint (e.major, ==, 1);
  g_assert_cmpuint (e.minor, ==, 3);
}

static void
test_pax_records (void)
{
  static const struct
  {
    const char *text;
    gboolean good;
  } cases[] = {
    { "", TRUE },
    { "10 path=a\n", TRUE },
    { "9 path=a\n", TRUE },
    { "8 path=a\n", FALSE },
    { "11 path=a\n", FALSE },
    { "010 path=a\n", FALSE },
    { " 10 path=a\n", FALSE },
    { "10 path=a\n1", FALSE },
    { "99999999999999999999 path=a\n", FALSE },
    { "6 path\n", FALSE },
    { "8 path\n=", FALSE },
    { "11 size=-1\n", FALSE },
    { "29 size=99999999999999999999\n", FALSE },
    { "18 uid=4294967295\n", FALSE },
    { "18 uid=4294967294\n", TRUE },
    { "14 mtime=1.5x\n", FALSE },
    { "13 mtime=-.5\n", FALSE },
    { "14 mtime=-0.5\n", TRUE },
    { "20 unknown=anything\n", TRUE },
    { "22 GNU.sparse.major=1\n", FALSE },
  };
  const char *error;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      AgentTarExtra x = { .name = NULL };
      gboolean good = agent_tar_extra_add (&x, cases[i].text, strlen (cases[i].text), &error) == 0;

      if (good != cases[i].good)
        g_error ("\"%s\": %d", cases[i].text, good);
      agent_tar_extra_clear (&x);
    }
}

static void
test_numbers (void)
{
  static const char *const bad[] = { "1234567z", "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "-1" };
  AgentTarEntry e = tar_entry (AGENT_TAR_FILE, "f");
  const char *error;
  guint64 size;
  gsize len;
  char type;

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      guint8 *block = agent_tar_pack (&e, &len);
      unsigned sum = 0;

      memcpy (block + 124, bad[i], MIN (strlen (bad[i]) + 1, 12));
      memset (block + 148, ' ', 8);
      for (gsize k = 0; k < AGENT_TAR_BLOCK; k++)
        sum += block[k];
      g_snprintf ((char *)block + 148, 8, "%06o", sum);
      g_assert_cmpint (agent_tar_peek (block, &type, &size, &error), ==, -1);
      g_assert_nonnull (strstr (error, "size"));
      free (block);
    }
}

static void
test_arguments (void)
{
  static const char *const good[][4] = {
    { VP_TAR_CREATE, "/" },
    { VP_TAR_CREATE, "/x", VP_TAR_DEREFERENCE, VP_TAR_ONE_FILE_SYSTEM },
    { VP_TAR_EXTRACT, "/x", VP_TAR_NO_OVERWRITE },
  };
  static const char *const bad[][4] = {
    { NULL },
    { "list", "/" },
    { VP_TAR_CREATE },
    { VP_TAR_CREATE, "x" },
    { VP_TAR_CREATE, "/", VP_TAR_NO_OVERWRITE },
    { VP_TAR_EXTRACT, "/", VP_TAR_DEREFERENCE },
    { VP_TAR_EXTRACT, "/", "--anything" },
  };
  const char *error;

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      const char *args[5] = { good[i][0], good[i][1], good[i][2], good[i][3], NULL };

      g_assert_cmpint (agent_tar_check (args, &error), ==, 0);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      const char *args[5] = { bad[i][0], bad[i][1], bad[i][2], bad[i][3], NULL };

      g_assert_cmpint (agent_tar_check (args, &error), ==, -1);
      g_assert_true (g_str_has_prefix (error, "args["));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agent/tar/header", test_header);
  g_test_add_func ("/agent/tar/records", test_pax_records);
  g_test_add_func ("/agent/tar/numbers", test_numbers);
  g_test_add_func ("/agent/tar/arguments", test_arguments);
  return g_test_run ();
}
