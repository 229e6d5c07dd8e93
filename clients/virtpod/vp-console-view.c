/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-console-view.h"

#include <errno.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-fd.h"
#include "vp-plain.h"

#define CHUNK 16384

static gboolean
write_all (const char *data, gsize len, GError **error)
{
  while (len > 0)
    {
      ssize_t n = write (STDOUT_FILENO, data, len);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return vp_error_set_errno (error, errno, "standard output");
      data += n;
      len -= (gsize) n;
    }
  return TRUE;
}

static gboolean
copy (int fd, gboolean plain, GError **error)
{
  VpPlain filter = { 0 };
  guint8 data[CHUNK];

  for (;;)
    {
      g_autoptr (GString) text = NULL;
      ssize_t n = read (fd, data, sizeof data);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        {
          GPollFD wait = { .fd = fd, .events = G_IO_IN };

          (void) g_poll (&wait, 1, -1);
          continue;
        }
      if (n < 0)
        return vp_error_set_errno (error, errno, "console");
      if (n == 0)
        return TRUE;
      text = g_string_new (NULL);
      if (plain)
        vp_plain_feed (&filter, data, (gsize) n, text);
      else
        g_string_append_len (text, (const char *) data, n);
      if (!write_all (text->str, text->len, error))
        return FALSE;
    }
}

gboolean
vp_console_view (VpDBusSandbox1 *sandbox, gboolean follow, guint64 tail_bytes, gboolean raw, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GVariant) handle = NULL;
  VP_AUTO_FD fd = -1;

  if (follow)
    g_variant_builder_add (&builder, "{sv}", "follow", g_variant_new_boolean (TRUE));
  if (tail_bytes != G_MAXUINT64)
    g_variant_builder_add (&builder, "{sv}", "tail-bytes", g_variant_new_uint64 (tail_bytes));
  if (!vp_dbus_sandbox1_call_open_console_sync (sandbox, g_variant_builder_end (&builder), NULL, &handle, &fds, NULL,
                                                error))
    return FALSE;
  fd = vp_client_take_fd (fds, handle, error);
  return fd >= 0 && copy (fd, !raw && isatty (STDOUT_FILENO), error);
}
