/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "agent-tar-header.h"
#include "agent-tar.h"

typedef struct
{
  char *dir;     /* of everything; contains "source" and "target" */
  int root;      /* what stands for / */
  int archive;   /* a memfd */
  int error;     /* a memfd */
  char *message; /* what was written to it by the last call */
} TarFixture;

/* A directory that stands for / with "source" and "target" in it, and an archive;
 * @data is not looked at. */
void tar_set_up (TarFixture *f, gconstpointer data);
void tar_tear_down (TarFixture *f, gconstpointer data);

/* The agent's two verbs on the archive, from its beginning; the status. */
int tar_create (TarFixture *f, const char *path, AgentTarFlags flags);
int tar_extract (TarFixture *f, const char *path, AgentTarFlags flags);

/* Runs a command of the shell in the directory, with the archive as its 9; its output. */
char *tar_shell (TarFixture *f, const char *command);

/* What is below a directory: names, types, owners, times, contents. @fractions: of seconds too. */
char *tar_list (TarFixture *f, const char *dir, gboolean fractions);

/* A file of random bytes. */
void tar_put (TarFixture *f, const char *path, gsize size);

/* Files of every kind in "source". @long_names: also those that need more than ustar has. */
void tar_fill_source (TarFixture *f, gboolean long_names);

/* An entry with nothing in it. */
AgentTarEntry tar_entry (AgentTarType type, const char *name);
