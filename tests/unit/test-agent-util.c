/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "agent-bundle.h"
#include "agent-util.h"

static void
test_ids (void)
{
  g_autofree char *longest = g_strnfill (128, 'a'), *too_long = g_strnfill (129, 'a');

  g_assert_true (agent_id_is_valid ("a"));
  g_assert_true (agent_id_is_valid ("9A_b.c+d-e"));
  g_assert_true (agent_id_is_valid (longest));
  g_assert_false (agent_id_is_valid (too_long));
  g_assert_false (agent_id_is_valid (""));
  g_assert_false (agent_id_is_valid (".."));
  g_assert_false (agent_id_is_valid ("-a"));
  g_assert_false (agent_id_is_valid ("a/b"));
  g_assert_false (agent_id_is_valid ("a\n"));
  g_assert_false (agent_id_is_valid ("\xc3\xa9"));
}

static void
test_paths (void)
{
  g_assert_true (agent_path_is_clean ("/"));
  g_assert_true (agent_path_is_clean ("/a/..b/...//c"));
  g_assert_false (agent_path_is_clean (""));
  g_assert_false (agent_path_is_clean ("a"));
  g_assert_false (agent_path_is_clean ("/a/.."));
  g_assert_false (agent_path_is_clean ("/./a"));
  g_assert_false (agent_path_is_clean ("/../a"));
}

static void
test_files (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vp-agent-XXXXXX", NULL);
  g_autofree char *deep = g_build_filename (dir, "a", "b", NULL);
  g_autofree char *file = g_build_filename (deep, "f", NULL);
  g_autofree char *away = g_build_filename (deep, "link", NULL);
  char buf[4];
  guint64 v;

  g_assert_cmpint (agent_mkdir_p (deep), ==, 0);
  g_assert_cmpint (agent_mkdir_p (deep), ==, 0);
  g_assert_cmpint (agent_write_file (file, "12345\n", 6, 0), ==, -ENOENT);
  g_assert_cmpint (agent_write_file (file, "12345\n", 6, 1), ==, 0);
  g_assert_cmpint (agent_read_file (file, buf, sizeof buf), ==, 3);
  g_assert_cmpstr (buf, ==, "123");
  g_assert_cmpint (agent_read_uint (file, 7, &v), ==, 0);
  g_assert_cmpuint (v, ==, 12345);
  g_assert_cmpint (agent_write_file (file, "max\n", 4, 1), ==, 0);
  g_assert_cmpint (agent_read_uint (file, 7, &v), ==, 0);
  g_assert_cmpuint (v, ==, 7);
  g_assert_cmpint (symlink ("/etc/hostname", away), ==, 0);
  g_assert_cmpint (agent_write_file (away, "x", 1, 1), ==, -ELOOP);
  g_assert_cmpint (agent_remove_tree (dir), ==, 0);
  g_assert_false (g_file_test (dir, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test ("/etc/hostname", G_FILE_TEST_EXISTS));
  g_assert_cmpint (agent_remove_tree (dir), ==, 0);
}

static void
test_list (void)
{
  AgentList head = AGENT_LIST_INIT (head), a, b;
  int n = 0;

  agent_list_init (&a);
  agent_list_remove (&a);
  agent_list_append (&head, &a);
  agent_list_append (&head, &b);
  g_assert_true (head.next == &a);
  agent_list_foreach_safe (it, &head)
  {
    agent_list_remove (it);
    n++;
  }
  g_assert_cmpint (n, ==, 2);
  g_assert_true (agent_list_is_empty (&head));
}

static const char *
namespace_path (const Grpc__Linux *l, const char *type)
{
  for (gsize i = 0; i < l->n_namespaces; i++)
    if (strcmp (l->namespaces[i]->type, type) == 0)
      return l->namespaces[i]->path;
  return NULL;
}

/* what arrives is an unpacked message, and must be freeable as one afterwards */
static Grpc__Spec *
unpacked (const Grpc__Spec *spec)
{
  gsize len = grpc__spec__get_packed_size (spec);
  g_autofree guint8 *data = g_malloc (len + 1);

  grpc__spec__pack (spec, data);
  return grpc__spec__unpack (NULL, len, data);
}

static void
test_bundle (void)
{
  Grpc__Spec empty = GRPC__SPEC__INIT;
  Grpc__Process process = GRPC__PROCESS__INIT;
  Grpc__Linux linux_part = GRPC__LINUX__INIT;
  Grpc__LinuxNamespace user = GRPC__LINUX_NAMESPACE__INIT, net = user, *list[] = { &user, &net };
  Grpc__Mount mqueue = GRPC__MOUNT__INIT, *mounts[] = { &mqueue };
  char *options[] = { (char *) "nosuid" };
  AgentNamespaces ns = { .ipc = "/run/ipc", .mqueue = "/run/mqueue", .uts = "/run/uts" };
  Grpc__Spec *spec;

  mqueue.type = mqueue.source = (char *) "mqueue";
  mqueue.options = options;
  mqueue.n_options = 1;
  empty.mounts = mounts;
  empty.n_mounts = 1;
  empty.process = &process;
  spec = unpacked (&empty);
  agent_bundle_complete (spec, "c1", &ns);
  g_assert_cmpstr (spec->version, ==, "1.0.2");
  g_assert_cmpstr (spec->process->cwd, ==, "/");
  g_assert_cmpstr (spec->linux->cgroupspath, ==, "/c1");
  g_assert_cmpuint (spec->linux->n_namespaces, ==, 5);
  g_assert_cmpstr (namespace_path (spec->linux, "pid"), ==, "");
  g_assert_cmpstr (namespace_path (spec->linux, "ipc"), ==, "/run/ipc");
  g_assert_cmpstr (spec->mounts[0]->type, ==, "mqueue");
  grpc__spec__free_unpacked (spec, NULL);

  user.type = (char *) "user";
  net.type = (char *) "network";
  net.path = (char *) "/host/path";
  linux_part.n_namespaces = 2;
  linux_part.namespaces = list;
  linux_part.cgroupspath = (char *) "system.slice:a:b";
  empty.linux = &linux_part;
  spec = unpacked (&empty);
  agent_bundle_complete (spec, "c1", &ns);
  g_assert_cmpstr (spec->linux->cgroupspath, ==, "/c1");
  g_assert_nonnull (namespace_path (spec->linux, "user"));
  g_assert_null (namespace_path (spec->linux, "network"));
  g_assert_cmpstr (spec->mounts[0]->type, ==, "bind");
  g_assert_cmpstr (spec->mounts[0]->source, ==, "/run/mqueue");
  g_assert_cmpuint (spec->mounts[0]->n_options, ==, 2);
  g_assert_cmpstr (spec->mounts[0]->options[0], ==, "nosuid");
  g_assert_cmpstr (spec->mounts[0]->options[1], ==, "bind");
  grpc__spec__free_unpacked (spec, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agent-util/ids", test_ids);
  g_test_add_func ("/agent-util/paths", test_paths);
  g_test_add_func ("/agent-util/files", test_files);
  g_test_add_func ("/agent-util/list", test_list);
  g_test_add_func ("/agent-util/bundle", test_bundle);
  return g_test_run ();
}
