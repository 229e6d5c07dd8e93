/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "agent-tar-header.h"

#define AGENT_TAR_BUFFER (64u << 10)

/* Entries of an archive one after the other. Memory: the buffer, and what a header that
 * extends another may have. */
typedef struct
{
  int fd; /* borrowed */
  uint8_t *buffer;
  size_t at, have;
  uint64_t left;    /* of the entry's content */
  uint64_t padding; /* behind it */
  AgentTarExtra global, local;
  const char *error; /* "has ..." or "is ..."; a constant */
} AgentTarReader;

void agent_tar_reader_init (AgentTarReader *r, int fd);
void agent_tar_reader_clear (AgentTarReader *r);
/* 1 and the next entry, 0 at the end, or -1 and r->error. What was not read of the entry
 * before is passed over. */
int agent_tar_reader_next (AgentTarReader *r, AgentTarEntry *ret);
/* A part of the entry's content; its size, 0 at the end, or -1 and r->error. Valid until
 * the next call. */
ssize_t agent_tar_reader_read (AgentTarReader *r, const uint8_t **ret);
/* Reads what is left of the stream, so that whoever writes it can do so to the end. */
void agent_tar_reader_drain (AgentTarReader *r);
