/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "vp-names.h"
#include "vp-virt-husk.h"

static char *dir;

/* As libvirt writes it. @ns: of the metadata. */
static void
write_any (const char *file, const char *name, const char *pid, const char *monitor, const char *ns)
{
  g_autofree char *path = g_build_filename (dir, file, NULL);
  g_autofree char *xml = g_strdup_printf (
      "<!--\nWARNING: THIS IS AN AUTO-GENERATED FILE.\n-->\n\n"
      "<domstatus state='paused' reason='starting up' pid='%s'>\n  <job type='none' async='start' flags='0x10'/>\n  %s\n"
      "  <domain type='kvm' id='1'>\n    <name>%s</name>\n    <metadata>\n"
      "      <virtpod:sandbox xmlns:virtpod='%s' version='1'>\n        <virtpod:id>a</virtpod:id>\n"
      "      </virtpod:sandbox>\n    </metadata>\n  </domain>\n</domstatus>\n",
      pid, monitor, name, ns);

  g_assert_true (g_file_set_contents (path, xml, -1, NULL));
}

static void
write_status (const char *file, const char *name, const char *pid, const char *ns)
{
  write_any (file, name, pid, "<monitor path='/run/monitor.sock' type='unix'/>", ns);
}

static gboolean
exists (const char *file)
{
  g_autofree char *path = g_build_filename (dir, file, NULL);

  return g_file_test (path, G_FILE_TEST_IS_SYMLINK) || g_file_test (path, G_FILE_TEST_EXISTS);
}

static void
write_all (void)
{
  g_autofree char *link = g_build_filename (dir, "vp-link.xml", NULL);
  g_autofree char *directory = g_build_filename (dir, "vp-dir.xml", NULL);
  g_autofree char *broken = g_build_filename (dir, "vp-broken.xml", NULL);

  write_status ("vp-a.xml", "vp-a", "0", VP_METADATA_NS);
  write_any ("vp-b.xml", "vp-b", "4711", "", VP_METADATA_NS);
  write_any ("vp-b-other.xml", "vp-b-other", "4711", "", "https://example.org/");
  write_status ("vp-runs.xml", "vp-runs", "4711", VP_METADATA_NS);
  write_status ("vp-odd.xml", "vp-odd", "", VP_METADATA_NS);
  write_status ("other.xml", "other", "0", "https://example.org/");
  write_status ("vp-name.xml", "vp-other-name", "0", VP_METADATA_NS);
  write_status ("vp-link.target", "vp-link", "0", VP_METADATA_NS);
  (void) symlink ("vp-link.target", link);
  (void) g_mkdir (directory, 0700);
  g_assert_true (g_file_set_contents (broken, "<domstatus pid='0'><domain><name>vp-broken", -1, NULL));
}

static const char *const kept[]
    = { "vp-runs.xml", "vp-b-other.xml", "vp-odd.xml", "other.xml", "vp-name.xml", "vp-link.xml", "vp-link.target", "vp-dir.xml", "vp-broken.xml" };

static void
test_one (void)
{
  static const char *const names[]
      = { "vp-runs", "vp-odd", "other", "vp-name", "vp-link", "vp-dir", "vp-broken", "vp-none", "", "../vp-a", "." };
  g_autofree char *nowhere = g_build_filename (dir, "nowhere", NULL);

  write_all ();
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_false (vp_virt_husk_remove (dir, names[i]));
  g_assert_false (vp_virt_husk_remove (nowhere, "vp-a"));
  g_assert_true (vp_virt_husk_remove (dir, "vp-a"));
  g_assert_false (vp_virt_husk_remove (dir, "vp-a"));
  g_assert_false (exists ("vp-a.xml"));
  g_assert_true (exists ("vp-b.xml"));
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    g_assert_true (exists (kept[i]));
}

static void
test_all (void)
{
  g_autofree char *nowhere = g_build_filename (dir, "nowhere", NULL);

  write_all ();
  g_assert_cmpuint (vp_virt_husk_remove_all (nowhere), ==, 0);
  g_assert_cmpuint (vp_virt_husk_remove_all (dir), ==, 2);
  g_assert_false (exists ("vp-a.xml"));
  g_assert_false (exists ("vp-b.xml"));
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    g_assert_true (exists (kept[i]));
  g_assert_cmpuint (vp_virt_husk_remove_all (dir), ==, 0);
}

static void
remove_all (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    {
      g_autofree char *path = g_build_filename (dir, kept[i], NULL);

      (void) g_remove (path);
    }
  (void) g_remove (dir);
}

int
main (int argc, char **argv)
{
  int r;

  g_test_init (&argc, &argv, NULL);
  dir = g_dir_make_tmp ("vp-husk-XXXXXX", NULL);
  g_test_add_func ("/virt-husk/one", test_one);
  g_test_add_func ("/virt-husk/all", test_all);
  r = g_test_run ();
  remove_all ();
  g_free (dir);
  return r;
}
