/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Build tool, not installed: prints the table of configuration keys as the
 * commented virtpod.conf, or with --rst as a section for its manual page. */
#include "vp-config.h"

int
main (int argc, char **argv)
{
  gboolean rst = argc == 2 && g_str_equal (argv[1], "--rst");
  g_autofree char *text = NULL;

  if (argc > 1 && !rst)
    {
      g_printerr ("usage: vp-config-doc [--rst]\n");
      return 2;
    }
  text = vp_config_describe (rst ? VP_CONFIG_FORMAT_RST : VP_CONFIG_FORMAT_KEY_FILE);
  g_print ("%s", text);
  return 0;
}
