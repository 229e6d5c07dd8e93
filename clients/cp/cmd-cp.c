/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod cp: files between the host and a container, as tar streams. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vp-command.h"
#include "vp-error.h"
#include "vp-fd.h"
#include "vp-progress.h"
#include "vp-tar-read.h"
#include "vp-tar-write.h"

static gboolean opt_archive;
static gboolean opt_follow;
static gboolean opt_no_overwrite;

static const GOptionEntry options[] = {
  { "archive", 'a', 0, G_OPTION_ARG_NONE, &opt_archive, N_("Keep numeric owners and groups"), NULL },
  { "follow-link", 'L', 0, G_OPTION_ARG_NONE, &opt_follow, N_("Copy what SOURCE leads to when it is a symbolic link"),
    NULL },
  { "no-overwrite", 'n', 0, G_OPTION_ARG_NONE, &opt_no_overwrite, N_("Fail when a file is there already"), NULL },
  { NULL },
};

/* One side of a copy. */
typedef struct
{
  char *container; /* NULL: the host's */
  char *path;      /* without "/" and "/." at its end; "/" stays */
  gboolean contents;  /* it ended in "/.": what is in the directory */
  gboolean directory; /* it ended in "/" or "/." */
  gboolean stream;    /* "-" */
} Place;

static void
place_clear (Place *self)
{
  g_free (self->container);
  g_free (self->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, place_clear)

/* CONTAINER:PATH; a host path with a colon in its first element needs "./". */
static void
place_parse (Place *self, const char *text)
{
  const char *colon = strpbrk (text, ":/");
  gsize len;

  if (colon != NULL && *colon == ':' && colon > text && *text != '.')
    {
      self->container = g_strndup (text, (gsize) (colon - text));
      self->path = g_strconcat (colon[1] == '/' ? "" : "/", colon + 1, NULL);
    }
  else
    self->path = g_strdup (text);
  self->stream = self->container == NULL && g_str_equal (text, "-");
  for (len = strlen (self->path); len > 1; len = strlen (self->path))
    {
      if (self->path[len - 1] == '/')
        self->directory = TRUE;
      else if (g_str_has_suffix (self->path, "/.") || g_str_equal (self->path, "/."))
        self->contents = self->directory = TRUE;
      else
        break;
      self->path[len - 1] = '\0';
    }
  if (self->container != NULL)
    {
      g_autofree char *given = g_steal_pointer (&self->path);

      self->path = g_canonicalize_filename (given, "/");
    }
  if (g_str_equal (self->path, "/"))
    self->contents = self->directory = TRUE;
  if (g_str_equal (self->path, "."))
    self->contents = self->directory = TRUE;
}

/* "x" of "/tmp/x" and of "../x/y/..". */
static char *
base_name (const Place *place)
{
  g_autofree char *whole = g_canonicalize_filename (place->path, place->container != NULL ? "/" : NULL);

  return g_path_get_basename (whole);
}

/* ---- progress ------------------------------------------------------------------ */

static void
on_progress (guint64 bytes, gpointer user_data)
{
  vp_progress_count (user_data, bytes);
}

static void
tell_skipped (const VpCommand *command, guint64 skipped)
{
  if (skipped > 0)
    g_printerr (_("virtpod: %s: %" G_GUINT64_FORMAT " special files were left out\n"), command->name, skipped);
}

/* ---- out of a container -------------------------------------------------------- */

static int
open_copy_out (VpDBusContainer1 *container, const char *path, gboolean follow, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_autoptr (GVariant) handle = NULL;
  g_autoptr (GUnixFDList) fds = NULL;

  if (follow)
    g_variant_builder_add (&builder, "{sv}", "dereference", g_variant_new_boolean (TRUE));
  if (!vp_dbus_container1_call_copy_out_sync (container, path, g_variant_builder_end (&builder), NULL, &handle, &fds,
                                              NULL, error))
    return -1;
  return vp_client_take_fd (fds, handle, error);
}

/* The directory on the host that things go into, and @ret_as, what the source is
 * called there (NULL: nothing, only what is in it). */
static int
open_host_place (const Place *from, const Place *to, char **ret_as, GError **error)
{
  int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  g_autofree char *parent = NULL;
  int fd = open (to->path, flags);

  if (fd >= 0)
    {
      *ret_as = from->contents ? NULL : base_name (from);
      return fd;
    }
  if (errno != ENOENT && errno != ENOTDIR)
    {
      vp_error_set_errno (error, errno, "\"%s\"", to->path);
      return -1;
    }
  if (to->directory || g_str_equal (from->path, "/"))
    {
      vp_error_set_errno (error, errno, "\"%s\"", to->path);
      return -1;
    }
  *ret_as = base_name (to);
  parent = g_path_get_dirname (to->path);
  fd = open (parent, flags);
  if (fd < 0)
    vp_error_set_errno (error, errno, "\"%s\"", parent);
  return fd;
}

static gboolean
copy_out (const VpCommand *command, VpDBusContainer1 *container, const Place *from, const Place *to, GError **error)
{
  g_autoptr (VpProgress) progress = vp_progress_new_counter (_("copying"));
  g_autofree char *top = base_name (from);
  g_autofree char *as = NULL;
  VP_AUTO_FD dir = -1;
  VP_AUTO_FD tar = -1;
  guint64 skipped = 0;
  VpTarRead how = { .no_overwrite = opt_no_overwrite, .keep_owner = opt_archive, .progress = on_progress,
                    .user_data = progress };

  if (!to->stream)
    dir = open_host_place (from, to, &as, error);
  if (!to->stream && dir < 0)
    return FALSE;
  tar = open_copy_out (container, from->path, opt_follow || from->directory, error);
  if (tar < 0)
    return FALSE;
  if (to->stream)
    return vp_tar_pass (tar, STDOUT_FILENO, on_progress, progress, error);
  how.top = g_str_equal (from->path, "/") ? NULL : top;
  how.as = as;
  if (!vp_tar_extract (tar, dir, &how, &skipped, error))
    return FALSE;
  tell_skipped (command, skipped);
  return TRUE;
}

/* ---- into a container ---------------------------------------------------------- */

typedef enum { ABSENT, FILE_THERE, DIRECTORY_THERE, UNKNOWN } There;

/* What the container has at @path: the first header of a copy tells. */
static There
look_in_container (VpDBusContainer1 *container, const char *path, GError **error)
{
  g_autoptr (GError) problem = NULL;
  VP_AUTO_FD tar = open_copy_out (container, path, TRUE, &problem);
  mode_t type = tar < 0 ? 0 : vp_tar_peek (tar, &problem);

  if (type != 0)
    return type == S_IFDIR ? DIRECTORY_THERE : FILE_THERE;
  if (vp_error_is (problem, VP_ERROR_NOT_FOUND))
    return ABSENT;
  g_propagate_error (error, g_steal_pointer (&problem));
  return UNKNOWN;
}

/* The directory in the container that things go into, and @ret_as as above. */
static char *
find_container_place (VpDBusContainer1 *container, const Place *from, const Place *to, char **ret_as, GError **error)
{
  There there = look_in_container (container, to->path, error);

  if (there == UNKNOWN)
    return NULL;
  if (there == DIRECTORY_THERE)
    {
      *ret_as = from->contents ? NULL : base_name (from);
      return g_strdup (to->path);
    }
  if (to->directory)
    {
      vp_error_set_errno (error, there == ABSENT ? ENOENT : ENOTDIR, "\"%s\"", to->path);
      return NULL;
    }
  *ret_as = base_name (to);
  return g_path_get_dirname (to->path);
}

/* Sends the stream that @from is, or one made of it. The daemon's answer says how
 * it went, but for what went wrong on our side. */
static gboolean
send_tar (const VpCommand *command, VpDBusContainer1 *container, const char *directory, const Place *from,
          const char *as, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_autoptr (VpProgress) progress = vp_progress_new_counter (_("copying"));
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) ours = NULL;
  g_autoptr (GError) theirs = NULL;
  const VpTarWrite how
      = { .as = as, .follow = opt_follow, .keep_owner = opt_archive, .progress = on_progress, .user_data = progress };
  VP_AUTO_FD reader = -1;
  VP_AUTO_FD writer = -1;
  guint64 skipped = 0;
  int ends[2], index;

  if (pipe2 (ends, O_CLOEXEC) < 0)
    return vp_error_set_errno (error, errno, "pipe");
  reader = ends[0];
  writer = ends[1];
  index = g_unix_fd_list_append (fds, from->stream ? STDIN_FILENO : reader, error);
  if (index < 0)
    return FALSE;
  if (opt_no_overwrite)
    g_variant_builder_add (&builder, "{sv}", "no-overwrite", g_variant_new_boolean (TRUE));
  vp_dbus_container1_call_copy_in (container, g_variant_new_handle (index), directory,
                                   g_variant_builder_end (&builder), fds, NULL, vp_client_ready, &result);
  /* the call has left when the connection's thread has sent it; our copies would keep the pipe open */
  (void) g_dbus_connection_flush_sync (g_dbus_proxy_get_connection (G_DBUS_PROXY (container)), NULL, NULL);
  g_clear_object (&fds);
  vp_fd_clear (&reader);
  if (!from->stream)
    (void) vp_tar_create (writer, from->path, &how, &skipped, &ours);
  vp_fd_clear (&writer);

  if (vp_dbus_container1_call_copy_in_finish (container, NULL, vp_client_await (&result), &theirs) && ours == NULL)
    {
      tell_skipped (command, skipped);
      return TRUE;
    }
  if (ours == NULL || (theirs != NULL && vp_error_is (ours, VP_ERROR_CANCELLED)))
    g_propagate_error (error, g_steal_pointer (&theirs));
  else
    g_propagate_error (error, g_steal_pointer (&ours));
  return FALSE;
}

static gboolean
copy_in (const VpCommand *command, VpDBusContainer1 *container, const Place *from, const Place *to, GError **error)
{
  g_autofree char *directory = NULL;
  g_autofree char *as = NULL;
  struct stat st;

  /* a stream has its own names: only a directory will do */
  if (from->stream)
    return send_tar (command, container, to->path, from, NULL, error);
  if ((opt_follow || from->directory ? stat : lstat) (from->path, &st) < 0)
    return vp_error_set_errno (error, errno, "\"%s\"", from->path);
  if (from->directory && !S_ISDIR (st.st_mode))
    return vp_error_set_errno (error, ENOTDIR, "\"%s\"", from->path);
  directory = find_container_place (container, from, to, &as, error);
  return directory != NULL && send_tar (command, container, directory, from, as, error);
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_auto (Place) from = { 0 };
  g_auto (Place) to = { 0 };
  g_autoptr (VpDBusContainer1) container = NULL;
  g_autoptr (GError) error = NULL;
  const char *id;

  place_parse (&from, args[0]);
  place_parse (&to, args[1]);
  if ((from.container == NULL) == (to.container == NULL))
    return vp_command_usage (command, _("one of the two must be CONTAINER:PATH"));
  if (to.stream && isatty (STDOUT_FILENO))
    return vp_command_usage (command, _("a tar stream is not for a terminal"));
  if (from.stream && isatty (STDIN_FILENO))
    return vp_command_usage (command, _("a tar stream does not come from a terminal"));
  if (to.stream && from.contents)
    return vp_command_usage (command, _("SOURCE/. cannot be a stream: its names begin with the directory's"));

  (void) signal (SIGPIPE, SIG_IGN);
  /* names of files are bytes: no locale may find that it cannot write them */
  if (!g_get_charset (NULL))
    (void) setlocale (LC_CTYPE, "C.UTF-8");
  id = from.container != NULL ? from.container : to.container;
  container = vp_client_find_container (client, id, &error);
  if (container == NULL || !(from.container != NULL ? copy_out : copy_in) (command, container, &from, &to, &error))
    return vp_command_fail (command, id, error);
  return 0;
}

const VpCommand vp_cmd_cp = {
  .name = "cp",
  .arguments = N_("SOURCE DESTINATION"),
  .summary = VP_CP_SUMMARY,
  .min_args = 2,
  .max_args = 2,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
