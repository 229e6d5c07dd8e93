/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-tar-reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent-util.h"

#define CUT_SHORT "is cut short"

void
agent_tar_reader_init (AgentTarReader *r, int fd)
{
  *r = (AgentTarReader){ .fd = fd, .buffer = agent_alloc (AGENT_TAR_BUFFER) };
}

void
agent_tar_reader_clear (AgentTarReader *r)
{
  agent_tar_extra_clear (&r->global);
  agent_tar_extra_clear (&r->local);
  free (r->buffer);
  r->buffer = NULL;
}

/* At least one byte in the buffer; 1, 0 at the end of the stream, -1 */
static int
fill (AgentTarReader *r)
{
  ssize_t n;

  if (r->at < r->have)
    return 1;
  do
    n = read (r->fd, r->buffer, AGENT_TAR_BUFFER);
  while (n < 0 && errno == EINTR);
  r->at = 0;
  r->have = n > 0 ? (size_t)n : 0;
  if (n < 0)
    r->error = "cannot be read";
  return n < 0 ? -1 : n > 0;
}

/* Exactly @len bytes: 1; 0 if the stream ends in front of them; -1 if in the middle */
static int
take (AgentTarReader *r, void *to, size_t len)
{
  uint8_t *p = to;
  size_t done = 0;

  while (done < len)
    {
      size_t n;
      int rc = fill (r);

      if (rc == 0 && done > 0)
        {
          r->error = CUT_SHORT;
          rc = -1;
        }
      if (rc <= 0)
        return rc;
      n = r->have - r->at < len - done ? r->have - r->at : len - done;
      if (p != NULL)
        memcpy (p + done, r->buffer + r->at, n);
      r->at += n;
      done += n;
    }
  return 1;
}

static int
skip (AgentTarReader *r, uint64_t len)
{
  while (len > 0)
    {
      size_t n = len < AGENT_TAR_BUFFER ? (size_t)len : AGENT_TAR_BUFFER;
      int rc = take (r, NULL, n);

      if (rc == 0)
        r->error = CUT_SHORT;
      if (rc <= 0)
        return -1;
      len -= n;
    }
  return 0;
}

static uint64_t
padding_of (uint64_t size)
{
  return (AGENT_TAR_BLOCK - size % AGENT_TAR_BLOCK) % AGENT_TAR_BLOCK;
}

/* The content of a header that extends the next; malloc'd and with a NUL behind it, or
 * NULL and r->error */
static char *
take_extension (AgentTarReader *r, uint64_t size)
{
  char *data;

  if (size > AGENT_TAR_EXTENSION_MAX)
    {
      r->error = "has an extended header that is too long";
      return NULL;
    }
  data = agent_alloc ((size_t)size + 1);
  if ((size > 0 && take (r, data, (size_t)size) <= 0) || skip (r, padding_of (size)) < 0)
    {
      r->error = CUT_SHORT;
      free (data);
      return NULL;
    }
  return data;
}

/* GNU's way to give a long name */
static int
set_long_name (AgentTarReader *r, char **field, const char *data)
{
  if (strlen (data) >= AGENT_TAR_PATH_MAX)
    {
      r->error = "has a name that is too long";
      return -1;
    }
  free (*field);
  *field = agent_strdup (data);
  return 0;
}

static int
extend (AgentTarReader *r, char type, uint64_t size)
{
  char *data = take_extension (r, size);
  int rc;

  if (data == NULL)
    return -1;
  if (type == 'x' || type == 'g')
    rc = agent_tar_extra_add (type == 'x' ? &r->local : &r->global, data, (size_t)size, &r->error);
  else
    rc = set_long_name (r, type == 'L' ? &r->local.name : &r->local.link, data);
  free (data);
  return rc;
}

/* The next header that is an entry's own: 1, 0 at the end, -1 */
static int
next_header (AgentTarReader *r, uint8_t block[AGENT_TAR_BLOCK])
{
  uint64_t size;
  char type;
  int rc;

  for (;;)
    {
      rc = take (r, block, AGENT_TAR_BLOCK);
      /* an archive has an end of its own, by which one that is whole is known */
      if (rc == 0)
        r->error = CUT_SHORT;
      if (rc <= 0)
        return -1;
      if (agent_tar_is_end (block))
        return 0;
      if (agent_tar_peek (block, &type, &size, &r->error) < 0)
        return -1;
      if (type == '\0' || (type >= '0' && type <= '7'))
        return 1;
      if (type == 'x' || type == 'g' || type == 'L' || type == 'K')
        rc = extend (r, type, size);
      else if (type == 'V')
        /* the name of the archive */
        rc = skip (r, size) < 0 ? -1 : skip (r, padding_of (size));
      else
        {
          r->error = type == 'S' ? "has a sparse file, which is not supported"
                                 : "has an entry of a kind that is not supported";
          rc = -1;
        }
      if (rc < 0)
        return -1;
    }
}

int
agent_tar_reader_next (AgentTarReader *r, AgentTarEntry *ret)
{
  uint8_t block[AGENT_TAR_BLOCK];
  int rc;

  if (skip (r, r->left) < 0 || skip (r, r->padding) < 0)
    return -1;
  r->left = r->padding = 0;
  agent_tar_extra_clear (&r->local);
  rc = next_header (r, block);
  if (rc <= 0)
    return rc;
  if (agent_tar_unpack (block, &r->global, &r->local, ret, &r->error) < 0)
    return -1;
  r->left = ret->size;
  r->padding = padding_of (ret->size);
  return 1;
}

ssize_t
agent_tar_reader_read (AgentTarReader *r, const uint8_t **ret)
{
  size_t n;
  int rc;

  if (r->left == 0)
    return 0;
  rc = fill (r);
  if (rc == 0)
    r->error = CUT_SHORT;
  if (rc <= 0)
    return -1;
  n = r->have - r->at < r->left ? r->have - r->at : (size_t)r->left;
  *ret = r->buffer + r->at;
  r->at += n;
  r->left -= n;
  return (ssize_t)n;
}

void
agent_tar_reader_drain (AgentTarReader *r)
{
  do
    r->at = r->have;
  while (fill (r) > 0);
}
