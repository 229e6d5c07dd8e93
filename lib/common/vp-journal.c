/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "vp-fd.h"

/* Room for large entries in one datagram; what is larger takes the other way. */
#define SEND_BUFFER (8 << 20)

gboolean
vp_journal_is_stream (int fd)
{
  const char *stream = g_getenv ("JOURNAL_STREAM");
  guint64 device, inode;
  struct stat st;
  char *end;

  if (stream == NULL || fstat (fd, &st) < 0)
    return FALSE;
  device = g_ascii_strtoull (stream, &end, 10);
  if (end == stream || *end != ':')
    return FALSE;
  stream = end + 1;
  inode = g_ascii_strtoull (stream, &end, 10);
  return end != stream && *end == '\0' && device == (guint64) st.st_dev && inode == (guint64) st.st_ino;
}

int
vp_journal_open (void)
{
  int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int size = SEND_BUFFER;

  if (fd >= 0)
    (void) setsockopt (fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  return fd;
}

/* "KEY=value\n"; a value with a newline in it goes as "KEY\n", its length and its bytes. */
static void
append_field (GByteArray *entry, const GLogField *field)
{
  gsize length = field->length < 0 ? strlen (field->value) : (gsize) field->length;

  g_byte_array_append (entry, (const guint8 *) field->key, (guint) strlen (field->key));
  if (length > 0 && memchr (field->value, '\n', length) != NULL)
    {
      guint64 size = GUINT64_TO_LE ((guint64) length);

      g_byte_array_append (entry, (const guint8 *) "\n", 1);
      g_byte_array_append (entry, (const guint8 *) &size, sizeof size);
    }
  else
    g_byte_array_append (entry, (const guint8 *) "=", 1);
  if (length > 0)
    g_byte_array_append (entry, field->value, (guint) length);
  g_byte_array_append (entry, (const guint8 *) "\n", 1);
}

static gboolean
write_all (int fd, const guint8 *data, gsize len)
{
  while (len > 0)
    {
      ssize_t n = write (fd, data, len);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      data += n;
      len -= (gsize) n;
    }
  return TRUE;
}

/* The journal only reads a memfd that nobody can change any more. */
static gboolean
send_memfd (int fd, struct sockaddr_un *address, const GByteArray *entry)
{
  VP_AUTO_FD memfd = memfd_create ("virtpod-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  union
  {
    struct cmsghdr header;
    char space[CMSG_SPACE (sizeof (int))];
  } control = { 0 };
  struct msghdr message = {
    .msg_name = address,
    .msg_namelen = sizeof *address,
    .msg_control = &control,
    .msg_controllen = sizeof control,
  };
  struct cmsghdr *header;

  if (memfd < 0 || !write_all (memfd, entry->data, entry->len)
      || fcntl (memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
    return FALSE;
  header = CMSG_FIRSTHDR (&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN (sizeof (int));
  memcpy (CMSG_DATA (header), &memfd, sizeof (int));
  return sendmsg (fd, &message, MSG_NOSIGNAL) >= 0;
}

gboolean
vp_journal_send (int fd, const char *path, const GLogField *fields, gsize n_fields)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  g_autoptr (GByteArray) entry = NULL;
  ssize_t n;

  if (fd < 0 || g_strlcpy (address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
    return FALSE;
  entry = g_byte_array_new ();
  for (gsize i = 0; i < n_fields; i++)
    append_field (entry, &fields[i]);
  do
    n = sendto (fd, entry->data, entry->len, MSG_NOSIGNAL, (struct sockaddr *) &address, sizeof address);
  while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EMSGSIZE || errno == ENOBUFS))
    return send_memfd (fd, &address, entry);
  return n >= 0;
}
