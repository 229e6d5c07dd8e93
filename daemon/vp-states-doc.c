/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Build tool, not installed: prints a page with the tables of vp-states.c
 * between its marks, "<!-- states: sandbox -->" and "<!-- end -->". */
#include "vp-states.h"

#include <string.h>

#define END "<!-- end -->"

static const char *const marks[VP_N_NOUNS] = {
  [VP_NOUN_SANDBOX] = "<!-- states: sandbox -->\n",
  [VP_NOUN_CONTAINER] = "<!-- states: container -->\n",
  [VP_NOUN_PROCESS] = "<!-- states: process -->\n",
};

int
main (int argc, char **argv)
{
  g_autofree char *page = NULL;
  g_autoptr (GError) error = NULL;
  const char *at;

  if (argc != 2)
    {
      g_printerr ("usage: vp-states-doc PAGE\n");
      return 2;
    }
  if (!g_file_get_contents (argv[1], &page, NULL, &error))
    {
      g_printerr ("vp-states-doc: %s\n", error->message);
      return 1;
    }
  at = page;
  for (int i = 0; i < VP_N_NOUNS; i++)
    {
      const char *begin = strstr (at, marks[i]);
      const char *end = begin == NULL ? NULL : strstr (begin, END);
      g_autofree char *table = vp_states_to_markdown ((VpNoun) i);

      if (end == NULL)
        {
          g_printerr ("vp-states-doc: %s: no %s", argv[1], marks[i]);
          return 1;
        }
      begin += strlen (marks[i]);
      g_print ("%.*s%s", (int) (begin - at), at, table);
      at = end;
    }
  g_print ("%s", at);
  return 0;
}
