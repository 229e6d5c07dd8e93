/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-id.h"

#include <string.h>
#include <sys/random.h>

#include "vp-error.h"
#include "vp-names.h"

#define DOMAIN_ID_CHARS 24
#define DOMAIN_HASH_CHARS 8

static gboolean
is_id_char (char c)
{
  return g_ascii_isalnum (c) || strchr ("_.+-", c) != NULL;
}

gboolean
vp_id_check (const char *id, const char *what, GError **error)
{
  gsize len = strlen (id);

  if (len == 0)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: is empty", what);
      return FALSE;
    }
  if (len > VP_ID_MAX)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: has %zu characters, at most %d are allowed",
                   what, len, VP_ID_MAX);
      return FALSE;
    }
  if (!g_ascii_isalnum (id[0]))
    {
      g_autofree char *shown = g_strescape (id, NULL);
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s \"%s\": must start with a letter or a digit",
                   what, shown);
      return FALSE;
    }
  for (gsize i = 0; i < len; i++)
    if (!is_id_char (id[i]))
      {
        g_autofree char *shown = g_strescape (id, NULL);
        g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
                     "%s \"%s\": only letters, digits and _ . + - are allowed", what, shown);
        return FALSE;
      }
  return TRUE;
}

char *
vp_id_to_path_element (const char *id)
{
  GString *out = g_string_new (NULL);

  if (*id == '\0')
    g_string_append_c (out, '_');
  for (const char *p = id; *p != '\0'; p++)
    {
      gboolean plain = g_ascii_isalpha (*p) || (g_ascii_isdigit (*p) && p != id);

      if (plain)
        g_string_append_c (out, *p);
      else
        g_string_append_printf (out, "_%02x", (guchar) *p);
    }
  return g_string_free (out, FALSE);
}

char *
vp_id_to_domain_name (const char *sandbox_id)
{
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, sandbox_id, -1);

  return g_strdup_printf ("%s%.*s-%.*s", VP_DOMAIN_PREFIX, DOMAIN_ID_CHARS, sandbox_id, DOMAIN_HASH_CHARS, hash);
}

char *
vp_id_random_hex (gsize n_bytes)
{
  g_autofree guint8 *bytes = g_malloc (n_bytes);
  GString *out = g_string_sized_new (n_bytes * 2);

  for (gsize have = 0; have < n_bytes;)
    {
      ssize_t n = getrandom (bytes + have, n_bytes - have, 0);
      if (n > 0)
        have += (gsize) n;
    }
  for (gsize i = 0; i < n_bytes; i++)
    g_string_append_printf (out, "%02x", bytes[i]);
  return g_string_free (out, FALSE);
}
