/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The corpus of a target as a test: no input of it may crash. Without a corpus it fails:
 * it is part of the source. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

int
main (void)
{
  const char *top = g_getenv ("top_srcdir");
  g_autofree char *path = g_build_filename (top != NULL ? top : ".", "tests", "fuzz", FUZZ_CORPUS, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  unsigned n = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *file = g_build_filename (path, name, NULL);
      g_autofree char *data = NULL;
      gsize len = 0;
      gboolean read = g_file_get_contents (file, &data, &len, NULL);

      if (read)
        LLVMFuzzerTestOneInput ((const uint8_t *)data, len);
      printf ("%s %u - %s\n", read ? "ok" : "not ok", ++n, name);
    }
  if (n == 0)
    printf ("not ok %u - %s: no inputs\n", ++n, path);
  printf ("1..%u\n", n);
  return 0;
}
