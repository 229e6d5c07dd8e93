/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* no bus takes longer to answer, or to take some hundred bytes */
#define TIMEOUT_SECONDS 10
#define FIRST_SIZE 4096
#define MESSAGE_MAX 8192 /* of vp_bus_call() */

static int
hex_digit (char c)
{
  const char *digits = "0123456789abcdef", *found;

  if (c >= 'A' && c <= 'F')
    c = (char) (c - 'A' + 'a');
  found = c != '\0' ? strchr (digits, c) : NULL;
  return found != NULL ? (int) (found - digits) : -1;
}

/* The value of @key in the first address of the list, without its %XX. Its length, or 0. */
static size_t
address_value (const char *address, const char *key, char *out, size_t size)
{
  size_t key_len = strlen (key), len = 0;

  for (; *address != '\0' && *address != ';'; address += strcspn (address, ",;"))
    {
      address += *address == ',';
      if (strncmp (address, key, key_len) != 0 || address[key_len] != '=')
        continue;
      for (address += key_len + 1; *address != '\0' && *address != ',' && *address != ';'; address++)
        {
          if (len + 1 >= size)
            return 0;
          out[len] = *address;
          if (*address == '%' && hex_digit (address[1]) >= 0 && hex_digit (address[2]) >= 0)
            {
              out[len] = (char) (hex_digit (address[1]) << 4 | hex_digit (address[2]));
              address += 2;
            }
          len++;
        }
      out[len] = '\0';
      return len;
    }
  return 0;
}

/* Of the first unix: address; @skip: its path without the "/" it begins with. Its length, or 0. */
static socklen_t
parse_address (const char *list, size_t skip, struct sockaddr_un *out)
{
  char path[sizeof out->sun_path + 1];
  size_t len;

  memset (out, 0, sizeof *out);
  out->sun_family = AF_UNIX;
  for (; *list != '\0'; list += strcspn (list, ";"))
    {
      list += *list == ';';
      if (strncmp (list, "unix:", 5) != 0)
        continue;
      if (address_value (list + 5, "path", path, sizeof path) > 1 && *path == '/')
        {
          if (strlen (path + skip) >= sizeof out->sun_path)
            return 0;
          memcpy (out->sun_path, path + skip, strlen (path + skip));
          return sizeof *out;
        }
      len = address_value (list + 5, "abstract", out->sun_path + 1, sizeof out->sun_path - 1);
      if (len > 0)
        return (socklen_t) (offsetof (struct sockaddr_un, sun_path) + 1 + len);
    }
  return 0;
}

static int
send_all (int fd, const void *data, size_t len)
{
  const char *rest = data;

  while (len > 0)
    {
      ssize_t n = send (fd, rest, len, MSG_NOSIGNAL);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return -1;
      rest += n;
      len -= (size_t) n;
    }
  return 0;
}

/* "I am who the socket says": byte by byte, as what follows is not ours to read. */
static int
authenticate (int fd)
{
  char text[64], uid[16], c;
  size_t n = 0;
  int len = snprintf (uid, sizeof uid, "%u", (unsigned) geteuid ());

  text[n++] = '\0';
  n += (size_t) snprintf (text + n, sizeof text - n, "AUTH EXTERNAL ");
  for (int i = 0; i < len; i++)
    n += (size_t) snprintf (text + n, sizeof text - n, "%02x", (unsigned char) uid[i]);
  n += (size_t) snprintf (text + n, sizeof text - n, "\r\n");
  if (send_all (fd, text, n) < 0)
    return -1;

  for (n = 0; n + 1 < sizeof text; n++)
    {
      if (recv (fd, &c, 1, 0) != 1 || c == '\n')
        break;
      text[n] = c;
    }
  if (n < 2 || memcmp (text, "OK", 2) != 0)
    {
      errno = EACCES;
      return -1;
    }
  return send_all (fd, "BEGIN\r\n", 7);
}

void
vp_bus_init (VpBus *self, size_t max)
{
  *self = (VpBus) { .fd = -1, .max = max };
}

int
vp_bus_open (VpBus *self, const char *address, int relative)
{
  static const VpBusCall hello
      = { "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", "", 0 };
  const struct timeval timeout = { .tv_sec = TIMEOUT_SECONDS };
  struct sockaddr_un name;
  socklen_t len = parse_address (address, relative ? 1 : 0, &name);
  int error = 0;

  self->len = self->used = 0;
  if (len == 0)
    return -EAFNOSUPPORT;
  self->fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (self->fd < 0)
    return -errno;
  if (setsockopt (self->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) < 0
      || setsockopt (self->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) < 0
      || connect (self->fd, (struct sockaddr *) &name, len) < 0 || authenticate (self->fd) < 0)
    error = -errno;
  else if (vp_bus_call (self, &hello) == 0)
    error = -EPIPE;
  if (error != 0)
    vp_bus_close (self);
  return error;
}

void
vp_bus_close (VpBus *self)
{
  if (self->fd >= 0)
    (void) close (self->fd);
  self->fd = -1;
  free (self->data);
  self->data = NULL;
  self->size = self->len = self->used = 0;
}

uint32_t
vp_bus_send (VpBus *self, uint8_t *message, size_t len)
{
  if (self->fd < 0)
    return 0;
  self->serial = self->serial == UINT32_MAX ? 1 : self->serial + 1;
  vp_bus_message_set_serial (message, self->serial);
  return send_all (self->fd, message, len) == 0 ? self->serial : 0;
}

uint32_t
vp_bus_call (VpBus *self, const VpBusCall *call, ...)
{
  uint8_t data[MESSAGE_MAX];
  va_list arguments;
  size_t len;

  va_start (arguments, call);
  len = vp_bus_message_pack (data, sizeof data, call, arguments);
  va_end (arguments);
  return len > 0 && len <= sizeof data ? vp_bus_send (self, data, len) : 0;
}

static void
drop_used (VpBus *self)
{
  if (self->used == 0)
    return;
  memmove (self->data, self->data + self->used, self->len - self->used);
  self->len -= self->used;
  self->used = 0;
}

/* Room for the rest of the message that has begun, or for something at all. A
 * message that is too long is not waited for: vp_bus_next() says so. */
static int
make_room (VpBus *self)
{
  long length = self->len > 0 ? vp_bus_message_length (self->data, self->len, self->max) : 0;
  size_t size = length > FIRST_SIZE ? (size_t) length : FIRST_SIZE;
  uint8_t *data;

  if (self->size >= size && (self->size <= 16 * FIRST_SIZE || self->len > 0))
    return self->size > self->len ? 0 : -1;
  data = realloc (self->data, size > self->len ? size : self->len + 1);
  if (data == NULL)
    return -1;
  self->data = data;
  self->size = size > self->len ? size : self->len + 1;
  return 0;
}

int
vp_bus_read (VpBus *self)
{
  ssize_t n;

  drop_used (self);
  if (make_room (self) < 0)
    return -1;
  n = recv (self->fd, self->data + self->len, self->size - self->len, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return 0;
  if (n <= 0)
    return -1;
  self->len += (size_t) n;
  return 0;
}

int
vp_bus_next (VpBus *self, VpBusMessage *message)
{
  long len;

  drop_used (self);
  len = vp_bus_message_length (self->data, self->len, self->max);
  if (len <= 0 || (size_t) len > self->len)
    return len < 0 ? -1 : 0;
  self->used = (size_t) len;
  return vp_bus_message_parse (self->data, (size_t) len, message) < 0 ? -1 : 1;
}
