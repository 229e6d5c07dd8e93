/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tar-fixture.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent-util.h"

void
tar_set_up (TarFixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("vp-agent-XXXXXX", NULL);
  f->root = open (f->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
  f->archive = memfd_create ("archive", MFD_CLOEXEC);
  f->error = memfd_create ("error", MFD_CLOEXEC);
  g_assert_cmpint (mkdirat (f->root, "source", 0755), ==, 0);
  g_assert_cmpint (mkdirat (f->root, "target", 0755), ==, 0);
}

void
tar_tear_down (TarFixture *f, gconstpointer data)
{
  /* directories that are closed to their owner too */
  g_free (tar_shell (f, "find . -type d -exec chmod u+rwx {} +"));
  close (f->root);
  close (f->archive);
  close (f->error);
  g_assert_cmpint (agent_remove_tree (f->dir), ==, 0);
  g_free (f->dir);
  g_free (f->message);
}

static void
keep_message (TarFixture *f)
{
  gsize len = (gsize)lseek (f->error, 0, SEEK_END);

  g_free (f->message);
  f->message = g_malloc0 (len + 1);
  g_assert_cmpint (pread (f->error, f->message, len, 0), ==, (gssize)len);
  g_assert_cmpint (ftruncate (f->error, 0), ==, 0);
  lseek (f->error, 0, SEEK_SET);
}

int
tar_create (TarFixture *f, const char *path, AgentTarFlags flags)
{
  int status;

  g_assert_cmpint (ftruncate (f->archive, 0), ==, 0);
  lseek (f->archive, 0, SEEK_SET);
  status = agent_tar_create (f->root, path, flags, f->archive, f->error);
  keep_message (f);
  return status;
}

int
tar_extract (TarFixture *f, const char *path, AgentTarFlags flags)
{
  mode_t mask = umask (022);
  int status;

  lseek (f->archive, 0, SEEK_SET);
  status = agent_tar_extract (f->root, path, flags, f->archive, f->error);
  umask (mask);
  keep_message (f);
  return status;
}

char *
tar_shell (TarFixture *f, const char *command)
{
  g_autofree char *script = g_strdup_printf ("set -e; cd '%s'; exec 9<>/proc/%d/fd/%d; %s", f->dir,
                                             (int)getpid (), f->archive, command);
  const char *argv[] = { "/bin/sh", "-c", script, NULL };
  g_autoptr (GError) error = NULL;
  char *out;
  int status;

  g_spawn_sync (NULL, (char **)argv, NULL, 0, NULL, NULL, &out, NULL, &status, &error);
  g_assert_no_error (error);
  if (!g_spawn_check_wait_status (status, &error))
    g_error ("%s: %s", command, error->message);
  return out;
}

char *
tar_list (TarFixture *f, const char *dir, gboolean fractions)
{
  g_autofree char *command
      = g_strdup_printf ("cd %s; find . -mindepth 1 -printf '%%P %%y %%m %%U %%G %%n %s [%%l]\\n' | sort; "
                         "find . -type f -print0 | sort -z | xargs -0 sha256sum",
                         dir, fractions ? "%T@" : "%Ts");

  return tar_shell (f, command);
}

void
tar_put (TarFixture *f, const char *path, gsize size)
{
  g_autofree char *name = g_build_filename (f->dir, path, NULL), *parent = g_path_get_dirname (name);
  g_autofree char *data = g_malloc (size + 1);

  for (gsize i = 0; i < size; i++)
    data[i] = (char)g_random_int ();
  g_assert_cmpint (g_mkdir_with_parents (parent, 0755), ==, 0);
  g_assert_true (g_file_set_contents (name, data, (gssize)size, NULL));
}

void
tar_fill_source (TarFixture *f, gboolean long_names)
{
  g_autofree char *name = g_strnfill (200, 'n'), *deep = NULL;
  static const gsize sizes[] = { 0, 1, 511, 512, 513, 65536, 300001 };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *path = g_strdup_printf ("source/sizes/%" G_GSIZE_FORMAT, sizes[i]);

      tar_put (f, path, sizes[i]);
    }
  tar_put (f, "source/with blank\nand more", 5);
  tar_put (f, "source/\xc3\xa9\xff", 5);
  g_free (tar_shell (
      f, "cd source; ln 'with blank\nand more' other; ln other sizes/third; ln -s /nowhere/at/all link;"
         "ln -s sizes dir-link; mkdir empty sticky closed; chmod 1777 sticky; mkfifo pipe;"
         "echo x >closed/file; chmod 555 closed; chmod 710 sizes/1; chmod 750 sizes;"
         "touch -d @0 sizes/511; touch -d @4000000000 sizes/512; touch -d '1985-01-02 03:04:05' empty"));
  if (geteuid () == 0)
    g_free (tar_shell (f, "cd source; chown 1000:2000 sizes/513 sizes; chown -h 3000:4000 link; chown 5:6 empty; "
                      "chmod 4711 sizes/1; chmod 2750 sizes"));
  if (!long_names)
    return;
  g_free (
      tar_shell (f, "cd source; touch -d '1901-01-02 03:04:05.25' sizes/0; touch -d @9000000000.5 sizes/65536"));
  deep = g_strdup_printf ("source/%s/%s/%s", name, name, name);
  tar_put (f, deep, 700);
  g_free (tar_shell (f, "cd source; ln -s $(printf %0300d 0) long-link; ln */*/nnn* long-hard-link"));
  if (geteuid () == 0)
    g_free (tar_shell (f, "cd source; chown 3000000000:2097152 long-hard-link"));
}

AgentTarEntry
tar_entry (AgentTarType type, const char *name)
{
  AgentTarEntry e = { .type = type, .mode = 0644, .mtime = 1 };

  g_strlcpy (e.name, name, sizeof e.name);
  return e;
}
