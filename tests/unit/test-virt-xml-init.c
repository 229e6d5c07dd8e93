/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two threads that are the first to validate something. Each try is a process of its
 * own, as libxml2 is new only once; without the call some of them fail. */
#include <libxml/relaxng.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vp-virt-xml.h"

#define N_THREADS 4
#define N_TRIES 200

static const char schema[] = "<element name='a' xmlns='http://relaxng.org/ns/structure/1.0' "
                             "datatypeLibrary='http://www.w3.org/2001/XMLSchema-datatypes'>"
                             "<data type='unsignedInt'/></element>";
static pthread_barrier_t barrier;

static void G_GNUC_PRINTF (2, 3)
be_quiet (void *context, const char *message, ...)
{
}

/* NULL when the schema was understood. */
static void *
parse (void *data)
{
  xmlRelaxNGParserCtxtPtr parser;
  xmlRelaxNGPtr parsed;

  pthread_barrier_wait (&barrier);
  parser = xmlRelaxNGNewMemParserCtxt (schema, sizeof schema - 1);
  xmlRelaxNGSetParserErrors (parser, be_quiet, be_quiet, NULL);
  parsed = xmlRelaxNGParse (parser);
  xmlRelaxNGFree (parsed);
  xmlRelaxNGFreeParserCtxt (parser);
  return parsed == NULL ? data : NULL;
}

/* How many of the threads failed. */
static int
try (void)
{
  pthread_t threads[N_THREADS];
  int n = 0;

  vp_virt_xml_init ();
  vp_virt_xml_init ();
  if (pthread_barrier_init (&barrier, NULL, N_THREADS) != 0)
    return 100;
  for (int i = 0; i < N_THREADS; i++)
    if (pthread_create (&threads[i], NULL, parse, &barrier) != 0)
      return 101; /* the process ends, and those that wait with it */
  for (int i = 0; i < N_THREADS; i++)
    {
      void *result = NULL;

      pthread_join (threads[i], &result);
      n += result != NULL ? 1 : 0;
    }
  return n;
}

static void
test_threads (void)
{
  for (int i = 0; i < N_TRIES; i++)
    {
      int status;
      pid_t pid = fork ();

      g_assert_cmpint (pid, >=, 0);
      if (pid == 0)
        _exit (try ());
      g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
      g_assert_true (WIFEXITED (status));
      g_assert_cmpint (WEXITSTATUS (status), ==, 0);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/virt-xml-init/threads", test_threads);
  return g_test_run ();
}
