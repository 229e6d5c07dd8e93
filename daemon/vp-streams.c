/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-streams.h"

#include <errno.h>
#include <sys/stat.h>

#include "vp-error.h"
#include "vp-fd.h"

static const char *const names[VP_N_STREAMS] = { "stdin", "stdout", "stderr" };

const char *
vp_stream_name (VpStream stream)
{
  return names[stream];
}

VpStreams *
vp_streams_new (void)
{
  VpStreams *self = g_new0 (VpStreams, 1);

  for (int i = 0; i < VP_N_STREAMS; i++)
    self->fds[i] = -1;
  return self;
}

void
vp_streams_free (VpStreams *self)
{
  if (self == NULL)
    return;
  for (int i = 0; i < VP_N_STREAMS; i++)
    {
      vp_fd_clear (&self->fds[i]);
      g_free (self->paths[i]);
    }
  g_free (self);
}

void
vp_streams_take_fd (VpStreams *self, VpStream stream, int fd)
{
  vp_fd_clear (&self->fds[stream]);
  self->fds[stream] = fd;
}

int
vp_streams_steal_fd (VpStreams *self, VpStream stream)
{
  return vp_fd_steal (&self->fds[stream]);
}

gboolean
vp_streams_set_path (VpStreams *self, VpStream stream, const char *path, GError **error)
{
  struct stat st;

  if (!g_path_is_absolute (path))
    {
      g_autofree char *shown = g_strescape (path, NULL);
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s-path \"%s\": must be absolute", names[stream], shown);
      return FALSE;
    }
  if (stat (path, &st) < 0)
    return vp_error_set_errno (error, errno, "%s-path \"%s\"", names[stream], path);
  if (S_ISDIR (st.st_mode))
    return vp_error_set_errno (error, EISDIR, "%s-path \"%s\"", names[stream], path);
  g_free (self->paths[stream]);
  self->paths[stream] = g_strdup (path);
  return TRUE;
}

gboolean
vp_streams_is_set (VpStreams *self, VpStream stream)
{
  return self->fds[stream] >= 0 || self->paths[stream] != NULL;
}
