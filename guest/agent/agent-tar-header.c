/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-tar-header.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-util.h"

#define MAX_OCTAL_7 07777777u
#define MAX_OCTAL_11 077777777777ull
#define NSEC_PER_SEC 1000000000u
/* a record of pax without its value: the length, a key and three more characters */
#define RECORD_OVERHEAD 48

typedef struct
{
  char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
  char magic[6], version[2], uname[32], gname[32], major[8], minor[8], prefix[155], unused[12];
} Header;

_Static_assert(sizeof (Header) == AGENT_TAR_BLOCK, "a header is one block");

static unsigned
add_bytes (const uint8_t *block, int as_signed)
{
  size_t from = offsetof (Header, checksum), to = from + sizeof ((Header *)0)->checksum;
  unsigned sum = 0;

  for (size_t i = 0; i < AGENT_TAR_BLOCK; i++)
    sum += i >= from && i < to ? ' ' : as_signed ? (unsigned)(int8_t)block[i] : block[i];
  return sum;
}

/* ---- writing ----------------------------------------------------------------------- */

static void
put_octal (char *field, size_t size, uint64_t value)
{
  snprintf (field, size, "%0*llo", (int)size - 1, (unsigned long long)value);
}

static int
is_utf8 (const char *s)
{
  const uint8_t *p = (const uint8_t *)s;

  while (*p != 0)
    {
      unsigned n = *p < 0x80                 ? 0
                   : *p >= 0xc2 && *p < 0xe0 ? 1
                   : *p >= 0xe0 && *p < 0xf0 ? 2
                   : *p >= 0xf0 && *p < 0xf5 ? 3
                                             : 4;

      /* what is too long for its value, or no character */
      if (n == 4 || (*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] >= 0xa0) || (*p == 0xf0 && p[1] < 0x90)
          || (*p == 0xf4 && p[1] >= 0x90))
        return 0;
      for (p++; n > 0; n--, p++)
        if ((*p & 0xc0) != 0x80)
          return 0;
    }
  return 1;
}

/* "LEN KEY=VALUE\n" at @to, where LEN counts itself too; how many bytes */
static size_t
put_record (char *to, const char *key, const char *value)
{
  size_t rest = strlen (key) + strlen (value) + 3, len = rest + 1;

  while (len != rest + (size_t)snprintf (NULL, 0, "%zu", len))
    len = rest + (size_t)snprintf (NULL, 0, "%zu", len);
  return (size_t)sprintf (to, "%zu %s=%s\n", len, key, value);
}

static void
format_time (char *to, size_t size, int64_t sec, uint32_t nsec)
{
  /* a fraction counts away from zero in the text, upwards in the number */
  int borrow = sec < 0 && nsec > 0;
  uint64_t whole = sec < 0 ? -(uint64_t)sec - (uint64_t)borrow : (uint64_t)sec;

  snprintf (to, size, "%s%llu.%09u", sec < 0 ? "-" : "", (unsigned long long)whole,
            borrow ? NSEC_PER_SEC - nsec : nsec);
}

/* what the header has no room for, as records; "" if it has */
static size_t
put_records (char *to, const AgentTarEntry *e)
{
  int long_name = strlen (e->name) > sizeof ((Header *)0)->name;
  int long_link = strlen (e->link) > sizeof ((Header *)0)->link;
  char number[64];
  size_t n = 0;

  if ((long_name && !is_utf8 (e->name)) || (long_link && !is_utf8 (e->link)))
    n += put_record (to + n, "hdrcharset", "BINARY");
  if (long_name)
    n += put_record (to + n, "path", e->name);
  if (long_link)
    n += put_record (to + n, "linkpath", e->link);
  snprintf (number, sizeof number, "%llu", (unsigned long long)e->size);
  if (e->size > MAX_OCTAL_11)
    n += put_record (to + n, "size", number);
  snprintf (number, sizeof number, "%u", e->uid);
  if (e->uid > MAX_OCTAL_7)
    n += put_record (to + n, "uid", number);
  snprintf (number, sizeof number, "%u", e->gid);
  if (e->gid > MAX_OCTAL_7)
    n += put_record (to + n, "gid", number);
  format_time (number, sizeof number, e->mtime, e->mtime_nsec);
  if (e->mtime < 0 || (uint64_t)e->mtime > MAX_OCTAL_11 || e->mtime_nsec > 0)
    n += put_record (to + n, "mtime", number);
  return n;
}

static void
put_header (uint8_t *block, const AgentTarEntry *e, char type, uint64_t size)
{
  Header *h = (Header *)block;
  int is_device = type == AGENT_TAR_CHARACTER || type == AGENT_TAR_BLOCK_DEVICE;

  memset (h, 0, sizeof *h);
  memcpy (h->name, e->name, strnlen (e->name, sizeof h->name));
  memcpy (h->link, e->link, strnlen (e->link, sizeof h->link));
  put_octal (h->mode, sizeof h->mode, e->mode & 07777);
  put_octal (h->uid, sizeof h->uid, e->uid <= MAX_OCTAL_7 ? e->uid : 0);
  put_octal (h->gid, sizeof h->gid, e->gid <= MAX_OCTAL_7 ? e->gid : 0);
  put_octal (h->size, sizeof h->size, size <= MAX_OCTAL_11 ? size : 0);
  put_octal (h->mtime, sizeof h->mtime,
             e->mtime >= 0 && (uint64_t)e->mtime <= MAX_OCTAL_11 ? (uint64_t)e->mtime : 0);
  h->type = type;
  memcpy (h->magic, "ustar", sizeof h->magic);
  memcpy (h->version, "00", sizeof h->version);
  put_octal (h->major, sizeof h->major, is_device ? e->major & MAX_OCTAL_7 : 0);
  put_octal (h->minor, sizeof h->minor, is_device ? e->minor & MAX_OCTAL_7 : 0);
  snprintf (h->checksum, sizeof h->checksum, "%06o", add_bytes (block, 0));
  h->checksum[sizeof h->checksum - 1] = ' ';
}

uint8_t *
agent_tar_pack (const AgentTarEntry *e, size_t *ret_len)
{
  size_t room = strlen (e->name) + strlen (e->link) + 8 * (RECORD_OVERHEAD + 64);
  size_t n, rounded;
  uint8_t *blocks;
  char *records;

  if (memchr (e->name, '\0', sizeof e->name) == NULL || memchr (e->link, '\0', sizeof e->link) == NULL)
    {
      errno = ENAMETOOLONG;
      return NULL;
    }
  records = agent_alloc (room);
  n = put_records (records, e);
  rounded = n == 0 ? 0 : AGENT_TAR_BLOCK + (n + AGENT_TAR_BLOCK - 1) / AGENT_TAR_BLOCK * AGENT_TAR_BLOCK;
  blocks = agent_alloc (rounded + AGENT_TAR_BLOCK);
  if (n > 0)
    {
      AgentTarEntry *pax = agent_new (AgentTarEntry);

      strcpy (pax->name, "PaxHeaders/entry");
      pax->mode = 0644;
      put_header (blocks, pax, 'x', n);
      free (pax);
      memcpy (blocks + AGENT_TAR_BLOCK, records, n);
    }
  put_header (blocks + rounded, e, (char)e->type, e->size);
  free (records);
  *ret_len = rounded + AGENT_TAR_BLOCK;
  return blocks;
}

/* ---- reading ----------------------------------------------------------------------- */

/* Octal with blanks around it, or, with the top bit of the first byte, binary: two's
 * complement. 0 or -1. */
static int
get_number (const char *field, size_t size, int64_t *ret)
{
  const uint8_t *p = (const uint8_t *)field;
  uint64_t value = 0;
  size_t i = 0;

  if ((p[0] & 0x80) != 0)
    {
      int negative = (p[0] & 0x40) != 0;

      value = negative ? UINT64_MAX : 0;
      for (; i < size; i++)
        {
          uint8_t byte = i > 0 ? p[i] : negative ? p[0] : p[0] & 0x7f;

          /* what is pushed out at the top may be nothing but sign */
          if (value >> 55 != (negative ? UINT64_MAX >> 55 : 0))
            return -1;
          value = value << 8 | byte;
        }
      *ret = (int64_t)value;
      return (*ret < 0) == negative ? 0 : -1;
    }
  while (i < size && p[i] == ' ')
    i++;
  for (; i < size && p[i] >= '0' && p[i] <= '7'; i++)
    value = value << 3 | (uint64_t)(p[i] - '0');
  for (; i < size; i++)
    if (p[i] != ' ' && p[i] != '\0')
      return -1;
  *ret = (int64_t)value;
  return 0;
}

int
agent_tar_is_end (const uint8_t block[AGENT_TAR_BLOCK])
{
  for (size_t i = 0; i < AGENT_TAR_BLOCK; i++)
    if (block[i] != 0)
      return 0;
  return 1;
}

int
agent_tar_peek (const uint8_t block[AGENT_TAR_BLOCK], char *ret_type, uint64_t *ret_size,
                const char **ret_error)
{
  const Header *h = (const Header *)block;
  int64_t checksum, size;

  if (get_number (h->checksum, sizeof h->checksum, &checksum) < 0
      || ((uint32_t)checksum != add_bytes (block, 0) && (uint32_t)checksum != add_bytes (block, 1)))
    {
      *ret_error = "is no tar archive, or damaged: the checksum of a header is wrong";
      return -1;
    }
  if (get_number (h->size, sizeof h->size, &size) < 0 || size < 0)
    {
      *ret_error = "has a header with a size that is no number";
      return -1;
    }
  *ret_type = h->type;
  *ret_size = (uint64_t)size;
  return 0;
}

void
agent_tar_extra_clear (AgentTarExtra *x)
{
  free (x->name);
  free (x->link);
  *x = (AgentTarExtra){ .name = NULL };
}

/* decimal digits and nothing else; 0 or -1 */
static int
get_decimal (const char *text, size_t len, uint64_t max, uint64_t *ret)
{
  uint64_t value = 0;

  if (len == 0)
    return -1;
  for (size_t i = 0; i < len; i++)
    {
      unsigned digit = (unsigned)(text[i] - '0');

      if (digit > 9 || value > (max - digit) / 10)
        return -1;
      value = value * 10 + digit;
    }
  *ret = value;
  return 0;
}

/* "-1.5", of which nanoseconds are kept */
static int
get_time (const char *text, size_t len, int64_t *ret_sec, uint32_t *ret_nsec)
{
  int negative = len > 0 && text[0] == '-';
  const char *point;
  uint64_t whole, fraction = 0;

  text += negative;
  len -= (size_t)negative;
  point = memchr (text, '.', len);
  if (get_decimal (text, point != NULL ? (size_t)(point - text) : len, INT64_MAX, &whole) < 0)
    return -1;
  if (point != NULL)
    {
      size_t digits = len - (size_t)(point + 1 - text);

      for (size_t i = 0; i < digits; i++)
        if (point[1 + i] < '0' || point[1 + i] > '9')
          return -1;
      for (size_t i = 0; i < 9; i++)
        fraction = fraction * 10 + (i < digits ? (uint64_t)(point[1 + i] - '0') : 0);
    }
  if (negative && fraction > 0)
    {
      *ret_sec = -(int64_t)whole - 1;
      *ret_nsec = (uint32_t)(NSEC_PER_SEC - fraction);
    }
  else
    {
      *ret_sec = negative ? -(int64_t)whole : (int64_t)whole;
      *ret_nsec = (uint32_t)fraction;
    }
  return 0;
}

static int
is_key (const char *key, size_t len, const char *wanted)
{
  return strlen (wanted) == len && memcmp (key, wanted, len) == 0;
}

static int
add_string (char **field, const char *value, size_t len, const char **ret_error)
{
  if (memchr (value, '\0', len) != NULL || len >= AGENT_TAR_PATH_MAX)
    {
      *ret_error = "has a name that is too long or contains NUL";
      return -1;
    }
  free (*field);
  /* nothing at all takes back what a global header said */
  *field = len > 0 ? agent_strndup (value, len) : NULL;
  return 0;
}

static int
add_record (AgentTarExtra *x, const char *key, size_t key_len, const char *value, size_t len,
            const char **ret_error)
{
  uint64_t number = 0;
  int rc = 0;

  if (is_key (key, key_len, "path"))
    return add_string (&x->name, value, len, ret_error);
  if (is_key (key, key_len, "linkpath"))
    return add_string (&x->link, value, len, ret_error);
  if (key_len > 11 && memcmp (key, "GNU.sparse.", 11) == 0)
    {
      *ret_error = "has a sparse file, which is not supported";
      return -1;
    }
  if (is_key (key, key_len, "size"))
    {
      rc = get_decimal (value, len, INT64_MAX, &x->size);
      x->has_size = 1;
    }
  else if (is_key (key, key_len, "uid"))
    {
      rc = get_decimal (value, len, UINT32_MAX - 1, &number);
      x->uid = (uint32_t)number;
      x->has_uid = 1;
    }
  else if (is_key (key, key_len, "gid"))
    {
      rc = get_decimal (value, len, UINT32_MAX - 1, &number);
      x->gid = (uint32_t)number;
      x->has_gid = 1;
    }
  else if (is_key (key, key_len, "mtime"))
    {
      rc = get_time (value, len, &x->mtime, &x->mtime_nsec);
      x->has_mtime = 1;
    }
  if (rc < 0)
    *ret_error = "has a pax header with a value that is no number";
  return rc;
}

int
agent_tar_extra_add (AgentTarExtra *x, const char *data, size_t len, const char **ret_error)
{
  size_t at = 0;

  while (at < len)
    {
      const char *record = data + at, *blank = memchr (record, ' ', len - at), *equals;
      uint64_t size;

      *ret_error = "has a malformed pax header";
      if (blank == NULL || get_decimal (record, (size_t)(blank - record), len - at, &size) < 0
          || size <= (size_t)(blank - record) + 1 || record[size - 1] != '\n')
        return -1;
      equals = memchr (blank + 1, '=', (size_t)(record + size - 1 - (blank + 1)));
      if (equals == NULL)
        return -1;
      if (add_record (x, blank + 1, (size_t)(equals - (blank + 1)), equals + 1,
                      (size_t)(record + size - 1 - (equals + 1)), ret_error)
          < 0)
        return -1;
      at += size;
    }
  return 0;
}

static int
get_names (const Header *h, const AgentTarExtra *x, AgentTarEntry *e)
{
  int is_ustar = memcmp (h->magic, "ustar", 6) == 0 && h->prefix[0] != '\0';

  if (x->name != NULL)
    snprintf (e->name, sizeof e->name, "%s", x->name);
  else
    snprintf (e->name, sizeof e->name, "%.*s%s%.*s", is_ustar ? (int)sizeof h->prefix : 0, h->prefix,
              is_ustar ? "/" : "", (int)sizeof h->name, h->name);
  if (x->link != NULL)
    snprintf (e->link, sizeof e->link, "%s", x->link);
  else
    snprintf (e->link, sizeof e->link, "%.*s", (int)sizeof h->link, h->link);
  return e->name[0] != '\0' ? 0 : -1;
}

/* @over in place of what @x says; the names are borrowed */
static void
override (AgentTarExtra *x, const AgentTarExtra *over)
{
  if (over->name != NULL)
    x->name = over->name;
  if (over->link != NULL)
    x->link = over->link;
  if (over->has_size)
    x->size = over->size;
  if (over->has_uid)
    x->uid = over->uid;
  if (over->has_gid)
    x->gid = over->gid;
  if (over->has_mtime)
    {
      x->mtime = over->mtime;
      x->mtime_nsec = over->mtime_nsec;
    }
}

int
agent_tar_unpack (const uint8_t block[AGENT_TAR_BLOCK], const AgentTarExtra *global,
                  const AgentTarExtra *local, AgentTarEntry *ret, const char **ret_error)
{
  const Header *h = (const Header *)block;
  int64_t mode, uid, gid, size, mtime, major = 0, minor = 0;
  AgentTarExtra x = { .name = NULL };
  int is_device = h->type == AGENT_TAR_CHARACTER || h->type == AGENT_TAR_BLOCK_DEVICE;
  size_t len;

  if (get_number (h->mode, sizeof h->mode, &mode) < 0 || get_number (h->uid, sizeof h->uid, &uid) < 0
      || get_number (h->gid, sizeof h->gid, &gid) < 0 || get_number (h->size, sizeof h->size, &size) < 0
      || get_number (h->mtime, sizeof h->mtime, &mtime) < 0
      || (is_device
          && (get_number (h->major, sizeof h->major, &major) < 0
              || get_number (h->minor, sizeof h->minor, &minor) < 0))
      || uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX || size < 0)
    {
      *ret_error = "has a header with a field that is no number, or out of range";
      return -1;
    }
  x.size = (uint64_t)size;
  x.uid = (uint32_t)uid;
  x.gid = (uint32_t)gid;
  x.mtime = mtime;
  override (&x, global);
  if (local != NULL)
    override (&x, local);
  if (get_names (h, &x, ret) < 0)
    {
      *ret_error = "has an entry without a name";
      return -1;
    }
  len = strlen (ret->name);
  ret->type = h->type == '\0' || h->type == '7' ? AGENT_TAR_FILE : (AgentTarType)h->type;
  /* the format of old has no other sign of a directory */
  if (ret->type == AGENT_TAR_FILE && ret->name[len - 1] == '/')
    ret->type = AGENT_TAR_DIRECTORY;
  ret->mode = (uint32_t)mode & 07777;
  ret->uid = x.uid;
  ret->gid = x.gid;
  ret->mtime = x.mtime;
  ret->mtime_nsec = x.mtime_nsec;
  ret->major = (uint32_t)major;
  ret->minor = (uint32_t)minor;
  /* hard links of old have the size of their file, directories perhaps that of their tree */
  ret->size = ret->type == AGENT_TAR_FILE ? x.size : 0;
  return 0;
}
