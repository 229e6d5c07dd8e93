/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent-tar-reader.h"
#include "fuzz.h"

/* An archive as the agent's worker reads it: each entry is read to the end or passed
 * over, as its name says, and what was understood must be the same after it was packed
 * and read anew. */

static int archive = -1, copy = -1;

static void
put (int fd, const void *data, size_t len)
{
  assert (ftruncate (fd, 0) == 0 && pwrite (fd, data, len, 0) == (ssize_t)len);
  assert (lseek (fd, 0, SEEK_SET) == 0);
}

static void
turn_around (AgentTarEntry *e)
{
  static AgentTarEntry again;
  AgentTarReader reader;
  size_t len;
  uint8_t *blocks;
  /* a name that ends with a slash is that of a directory, for files too */
  int is_odd = e->type == AGENT_TAR_FILE && e->name[strlen (e->name) - 1] == '/';

  if (is_odd || e->mtime == INT64_MIN)
    return;
  if (e->type != AGENT_TAR_SYMLINK && e->type != AGENT_TAR_HARD_LINK)
    e->link[0] = '\0';
  blocks = agent_tar_pack (e, &len);
  assert (blocks != NULL && len % AGENT_TAR_BLOCK == 0);
  put (copy, blocks, len);
  free (blocks);
  agent_tar_reader_init (&reader, copy);
  assert (agent_tar_reader_next (&reader, &again) == 1);
  assert (strcmp (e->name, again.name) == 0 && strcmp (e->link, again.link) == 0);
  assert (e->type == again.type && e->mode == again.mode && e->uid == again.uid && e->gid == again.gid);
  assert (e->size == again.size && e->mtime == again.mtime && e->mtime_nsec == again.mtime_nsec);
  agent_tar_reader_clear (&reader);
}

/* or the checksum would be all that is ever tried: @data with that of each block right
 * that may be a header */
static uint8_t *
with_checksums (const uint8_t *data, size_t size)
{
  uint8_t *fixed = g_memdup2 (data, size);

  for (size_t at = 0; at + AGENT_TAR_BLOCK <= size; at += AGENT_TAR_BLOCK)
    {
      unsigned sum = 0;

      if (memcmp (fixed + at + 257, "ustar", 5) != 0)
        continue;
      memset (fixed + at + 148, ' ', 8);
      for (size_t i = 0; i < AGENT_TAR_BLOCK; i++)
        sum += fixed[at + i];
      g_snprintf ((char *)fixed + at + 148, 8, "%06o", sum);
    }
  return fixed;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree uint8_t *fixed = with_checksums (data, size);
  static AgentTarEntry entry;
  AgentTarReader reader;
  const uint8_t *content;
  int more;

  if (archive < 0)
    {
      archive = memfd_create ("archive", 0);
      copy = memfd_create ("copy", 0);
    }
  put (archive, fixed, size);
  agent_tar_reader_init (&reader, archive);
  while ((more = agent_tar_reader_next (&reader, &entry)) > 0)
    {
      ssize_t n = 1, total = 0;

      assert (entry.name[0] != '\0' && memchr (entry.name, '\0', sizeof entry.name) != NULL);
      assert (memchr (entry.link, '\0', sizeof entry.link) != NULL && entry.mode <= 07777);
      assert (entry.mtime_nsec < 1000000000);
      if (entry.name[0] % 2 == 0)
        while ((n = agent_tar_reader_read (&reader, &content)) > 0)
          total += n;
      assert (n != 0 || (uint64_t)total == entry.size);
      if (n < 0)
        break;
      turn_around (&entry);
    }
  assert (more >= 0 || reader.error != NULL);
  agent_tar_reader_drain (&reader);
  agent_tar_reader_clear (&reader);
  return 0;
}
