/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-plan.h"

#include <string.h>

static void
test_names (void)
{
  static const struct
  {
    const char *cgroups_path, *partition;
  } cases[] = {
    { NULL, NULL },
    { "", NULL },
    /* systemd: SLICE:PREFIX:NAME */
    { "machine.slice:libpod:abc", "/machine" },
    { "kubepods-burstable-pod1_2.slice:cri-containerd:abc", "/kubepods/burstable/pod1_2" },
    { ":docker:abc", "/system" },
    { "user-1000.slice:x:y", "/user/1000" },
    { "a\\x2db-c.slice:x:y", "/a-b/c" },
    { "a\\x2fb.slice:x:y", NULL },
    { "a\\xzz.slice:x:y", "/a\\xzz" },
    { "a\\xff.slice:x:y", NULL },
    { "-.slice:x:y", NULL },
    { ".slice:x:y", NULL },
    { "a--b.slice:x:y", NULL },
    { "-a.slice:x:y", NULL },
    { "machine:libpod:abc", NULL },
    { "/machine.slice:libpod:abc", NULL },
    { "a/b.slice:x:y", NULL },
    { "a.slice:x", NULL },
    { "a.slice:x:y:z", NULL },
    /* a path: only what libvirt does not rename */
    { "/machine/abc", "/machine" },
    { "/machine/a.b/abc", "/machine/a.b" },
    { "/kubepods.slice/kubepods-pod1.slice/abc", "/kubepods.slice/kubepods-pod1.slice" },
    { "//a.b///c/", "/a.b" },
    { "a.b/c", "/a.b" },
    { "./a.b/./c", "/a.b" },
    { "/kubepods/pod1/abc", NULL },
    { "/a.b/machine/abc", NULL },
    { "/abc", NULL },
    { "abc", NULL },
    { "/", NULL },
    { "/a.b/../c.d/e", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *why = NULL;
      g_autofree char *partition = vp_partition_from_cgroups_path (cases[i].cgroups_path, &why);

      g_test_message ("%s", cases[i].cgroups_path != NULL ? cases[i].cgroups_path : "(none)");
      g_assert_cmpstr (partition, ==, cases[i].partition);
      g_assert_true ((why != NULL) == (partition == NULL));
    }
  g_assert_null (vp_partition_from_cgroups_path ("/", NULL));
}

static void
test_cgroups (void)
{
  g_autofree char *long_name = g_strnfill (256, 'a');
  const struct
  {
    const char *cgroups_path, *cgroup;
  } cases[] = {
    { NULL, NULL },
    { "", NULL },
    { "/", NULL },
    { "//./", NULL },
    { "..", NULL },
    { "/..", NULL },
    { "/../../a", NULL },
    { "/docker/../../a", NULL },
    { "/docker/..", NULL },
    { "machine.slice:libpod:abc", NULL },
    { ":docker:abc", NULL },
    { "/docker/abc", "/docker/abc" },
    { "docker/abc", "/docker/abc" },
    { "//libpod_parent/.//libpod-abc/", "/libpod_parent/libpod-abc" },
    { "/kubepods/burstable/pod1/abc", "/kubepods/burstable/pod1/abc" },
    { "/abc", "/abc" },
    { "/...", "/..." },
    { "/a:b:c", "/a:b:c" },
    { "/docker/a\nb", NULL },
    { "/docker/cgroup.procs", NULL },
    { "/docker/memory.max", NULL },
    { "/tasks", NULL },
    { "/taskset", "/taskset" },
    { long_name, NULL },
    { long_name + 1, NULL }, /* as long as a name may be */
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *why = NULL;
      g_autofree char *cgroup = vp_cgroup_from_cgroups_path (cases[i].cgroups_path, &why);

      g_test_message ("%s", cases[i].cgroups_path != NULL ? cases[i].cgroups_path : "(none)");
      if (cases[i].cgroups_path == long_name + 1)
        {
          g_assert_nonnull (cgroup);
          g_assert_cmpuint (strlen (cgroup), ==, 256);
          continue;
        }
      g_assert_cmpstr (cgroup, ==, cases[i].cgroup);
      g_assert_true ((why != NULL) == (cgroup == NULL));
    }
  g_assert_null (vp_cgroup_from_cgroups_path ("/", NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/partition/names", test_names);
  g_test_add_func ("/partition/cgroups", test_cgroups);
  return g_test_run ();
}
