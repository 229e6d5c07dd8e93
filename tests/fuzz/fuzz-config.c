/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod.conf, and Kata's configuration.toml on the way to it. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "vp-config.h"
#include "vp-error.h"
#include "vp-kata-import.h"

static VpConfig *
load (const char *text, gsize len, GError **error)
{
  int fd = memfd_create ("virtpod.conf", MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  VpConfig *config = NULL;

  g_assert_true (fd >= 0);
  if (write (fd, text, len) == (gssize)len)
    config = vp_config_load (path, error);
  else
    g_set_error (error, VP_ERROR, VP_ERROR_FAILED, "no memory");
  close (fd);
  return config;
}

/* What is shown is a file that loads and shows the same. */
static void
show_and_load (VpConfig *config)
{
  g_autofree char *text = vp_config_show (config, FALSE);
  g_autoptr (GError) error = NULL;
  g_autoptr (VpConfig) again = load (text, strlen (text), &error);
  g_autofree char *text2 = NULL;

  g_assert_no_error (error);
  text2 = vp_config_show (again, FALSE);
  g_assert_cmpstr (text, ==, text2);
}

static void
check_handlers (VpConfig *config)
{
  g_auto (GStrv) names = vp_config_list_handlers (config);

  for (char **name = names; *name != NULL; name++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VpConfig) of_handler = vp_config_for_handler (config, *name, &error);

      g_assert_no_error (error);
      for (guint key = 0; key < VP_N_CONFIG_KEYS; key++)
        g_assert_nonnull (vp_config_get_source (of_handler, key));
    }
}

static void
import (const char *text, gsize len)
{
  GError *error = NULL;
  g_auto (GStrv) notes = NULL;
  g_autofree char *result = vp_kata_import (text, len, "configuration.toml", &notes, &error);
  g_autoptr (VpConfig) config = NULL;

  if (result == NULL)
    {
      fuzz_check_error (&error);
      return;
    }
  config = load (result, strlen (result), &error);
  g_assert_no_error (error);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  GError *error = NULL;
  g_autoptr (VpConfig) config = load ((const char *)data, size, &error);

  import ((const char *)data, size);
  if (config == NULL)
    {
      fuzz_check_error (&error);
      return 0;
    }
  show_and_load (config);
  check_handlers (config);
  return 0;
}
