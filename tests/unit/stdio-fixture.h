/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "fake-agent.h"
#include "vp-agent-client.h"
#include "vp-stdio.h"

/* A process's streams on a scripted agent, for the tests of their ends. */

/* what one of the process's output streams holds */
typedef struct
{
  const guint8 *data;
  gsize len;
  gsize served;
  gboolean eof;    /* after the data */
  GArray *waiting; /* guint32: reads that are not answered yet */
  guint64 offset;  /* of all that it held, as far as it is served */
  guint64 done;    /* what the last read said */
  guint max_waiting;
} StdioSource;

typedef struct
{
  char *dir;
  VpAgentClient *client;
  FakeAgent *agent;
  VpStdio *stdio;
  StdioSource out[2];
  gboolean ours; /* the agent: answers have an offset */
  gsize piece;     /* most bytes per read, 0: what is asked for */
  gsize max_write; /* most bytes per write, 0: all */
  GByteArray *in;
  guint n_closes;
} StdioFixture;

/* For g_test_add (); @data is whether the process has a terminal. */
void stdio_fixture_set_up (StdioFixture *f, gconstpointer data);
void stdio_fixture_tear_down (StdioFixture *f, gconstpointer data);

/* The process writes @data (and ends the stream). */
void stdio_fixture_give (StdioFixture *f, StdioSource *source, const void *data, gsize len, gboolean eof);

/* Bytes that are the same in every run. */
guint8 *stdio_fixture_make_noise (gsize len);

/* Reads from @fd while the main loop runs: to its end, or at least @want bytes. */
GByteArray *stdio_fixture_collect (int fd, gsize want);

void stdio_fixture_expect_drained (StdioFixture *f);

/* A pipe with one end bound to @stream; returns the other one. */
int stdio_fixture_bind_pipe (StdioFixture *f, VpStdioStream stream);

/* A case of the test program "stdio" that is told whether there is a terminal. */
#define STDIO_ADD(name, terminal, func)                                                                      \
  g_test_add ("/stdio/" name, StdioFixture, GINT_TO_POINTER (terminal), stdio_fixture_set_up, func,          \
              stdio_fixture_tear_down)
