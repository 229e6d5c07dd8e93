/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Headers of tar archives. Written: ustar, with a pax header in front for what does not
 * fit. Read: ustar, pax, GNU's long names and numbers, and the format of old. */

#define AGENT_TAR_BLOCK 512
/* of names and of what they are linked to, with the NUL */
#define AGENT_TAR_PATH_MAX 4096
/* of one header that extends the next one */
#define AGENT_TAR_EXTENSION_MAX (1u << 20)

typedef enum
{
  AGENT_TAR_FILE = '0',
  AGENT_TAR_HARD_LINK = '1',
  AGENT_TAR_SYMLINK = '2',
  AGENT_TAR_CHARACTER = '3',
  AGENT_TAR_BLOCK_DEVICE = '4',
  AGENT_TAR_DIRECTORY = '5',
  AGENT_TAR_FIFO = '6',
} AgentTarType;

typedef struct
{
  AgentTarType type;
  char name[AGENT_TAR_PATH_MAX];
  char link[AGENT_TAR_PATH_MAX]; /* of the two kinds of links */
  uint32_t mode;                 /* 07777 */
  uint32_t uid, gid;
  uint64_t size; /* of what follows; 0 but for files */
  int64_t mtime;
  uint32_t mtime_nsec;
  uint32_t major, minor; /* of devices */
} AgentTarEntry;

/* The blocks in front of @e's content; malloc'd. NULL with errno ENAMETOOLONG. */
uint8_t *agent_tar_pack (const AgentTarEntry *e, size_t *ret_len);

/* What a pax or GNU header said about the entry behind it. */
typedef struct
{
  char *name, *link; /* NULL: not given */
  int has_size, has_uid, has_gid, has_mtime;
  uint64_t size;
  uint32_t uid, gid;
  int64_t mtime;
  uint32_t mtime_nsec;
} AgentTarExtra;

void agent_tar_extra_clear (AgentTarExtra *x);
/* Adds the records of a pax header's content; 0, or -1 and what is wrong with it. */
int agent_tar_extra_add (AgentTarExtra *x, const char *data, size_t len, const char **ret_error);

/* 1 if @block is all zeros, which is the end */
int agent_tar_is_end (const uint8_t block[AGENT_TAR_BLOCK]);
/* The type and size of the header @block; 0, or -1 and what is wrong with it. */
int agent_tar_peek (const uint8_t block[AGENT_TAR_BLOCK], char *ret_type, uint64_t *ret_size,
                    const char **ret_error);
/* The entry of a header (of a type that is one of AgentTarType), with @global and then
 * @local (which may be NULL) in place of what it says; 0, or -1 and what is wrong. */
int agent_tar_unpack (const uint8_t block[AGENT_TAR_BLOCK], const AgentTarExtra *global,
                      const AgentTarExtra *local, AgentTarEntry *ret, const char **ret_error);
