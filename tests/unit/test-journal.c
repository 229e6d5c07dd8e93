/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The journal's protocol against a socket of our own, and what the log makes of it. */
#include <glib.h>
#include <glib/gstdio.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vp-event.h"
#include "vp-fd.h"
#include "vp-journal.h"
#include "vp-log-private.h"
#include "vp-log.h"
#include "vp-names.h"

static char *directory;
static char *path;
static int server = -1;

static void
listen_at_path (void)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  struct timeval patience = { .tv_sec = 10 };

  directory = g_dir_make_tmp ("vp-journal-XXXXXX", NULL);
  path = g_build_filename (directory, "socket", NULL);
  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  server = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (server, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (setsockopt (server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), ==, 0);
}

/* The next entry, wherever its bytes are; @ret_memfd: whether they came in one. */
static GBytes *
receive (gboolean *ret_memfd)
{
  static char data[1 << 20];
  union
  {
    struct cmsghdr header;
    char space[CMSG_SPACE (sizeof (int))];
  } control;
  struct iovec iov = { data, sizeof data };
  struct msghdr message
      = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
  ssize_t n = recvmsg (server, &message, MSG_CMSG_CLOEXEC);
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);
  VP_AUTO_FD fd = -1;
  struct stat st;
  void *map;

  g_assert_cmpint (n, >=, 0);
  *ret_memfd = header != NULL;
  if (header == NULL)
    return g_bytes_new (data, (gsize) n);
  g_assert_cmpint (n, ==, 0);
  memcpy (&fd, CMSG_DATA (header), sizeof fd);
  g_assert_cmpint (fcntl (fd, F_GET_SEALS), ==, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
  g_assert_cmpint (fstat (fd, &st), ==, 0);
  map = mmap (NULL, (gsize) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  g_assert_true (map != MAP_FAILED);
  return g_bytes_new (map, (gsize) st.st_size);
}

/* The reader of journald, more or less: key -> value, each once. */
static GHashTable *
parse (GBytes *bytes)
{
  GHashTable *fields = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  gsize len;
  const char *p = g_bytes_get_data (bytes, &len);
  const char *end = p + len;

  while (p < end)
    {
      const char *key_end = p;
      char *key;
      guint64 size;

      while (key_end < end && *key_end != '=' && *key_end != '\n')
        key_end++;
      g_assert_true (key_end < end);
      key = g_strndup (p, (gsize) (key_end - p));
      g_assert_false (g_hash_table_contains (fields, key));
      p = key_end + 1;
      if (*key_end == '\n')
        {
          memcpy (&size, p, sizeof size);
          p += sizeof size;
          size = GUINT64_FROM_LE (size);
        }
      else
        size = (guint64) ((const char *) memchr (p, '\n', (gsize) (end - p)) - p);
      g_hash_table_insert (fields, key, g_strndup (p, size));
      p += size;
      g_assert_cmpint (*p, ==, '\n');
      p++;
    }
  return fields;
}

static GHashTable *
receive_fields (void)
{
  gboolean memfd = FALSE;
  g_autoptr (GBytes) bytes = receive (&memfd);

  g_assert_false (memfd);
  return parse (bytes);
}

#define assert_field(fields, key, value) g_assert_cmpstr (g_hash_table_lookup (fields, key), ==, value)

static void
test_bytes (void)
{
  static const char expected[] = "MESSAGE=one line\nEMPTY=\nLINES\n\x03\0\0\0\0\0\0\0a\nb\nCUT=ab\n";
  const GLogField fields[] = {
    { "MESSAGE", "one line", -1 },
    { "EMPTY", "", -1 },
    { "LINES", "a\nb", -1 },
    { "CUT", "abc", 2 },
  };
  VP_AUTO_FD fd = vp_journal_open ();
  g_autoptr (GBytes) bytes = NULL;
  gboolean memfd = TRUE;
  gsize len;

  g_assert_true (vp_journal_send (fd, path, fields, G_N_ELEMENTS (fields)));
  bytes = receive (&memfd);
  g_assert_false (memfd);
  g_assert_cmpmem (g_bytes_get_data (bytes, &len), g_bytes_get_size (bytes), expected, sizeof expected - 1);
}

static void
test_large (void)
{
  /* larger than any datagram may be */
  g_autofree char *text = g_strnfill (9 << 20, 'x');
  const GLogField fields[] = { { "MESSAGE", text, -1 }, { "LAST", "field", -1 } };
  VP_AUTO_FD fd = vp_journal_open ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GHashTable) got = NULL;
  gboolean memfd = FALSE;

  g_assert_true (vp_journal_send (fd, path, fields, G_N_ELEMENTS (fields)));
  bytes = receive (&memfd);
  g_assert_true (memfd);
  got = parse (bytes);
  g_assert_cmpuint (strlen (g_hash_table_lookup (got, "MESSAGE")), ==, 9 << 20);
  assert_field (got, "LAST", "field");
}

static void
test_nobody (void)
{
  const GLogField fields[] = { { "MESSAGE", "x", -1 } };
  g_autofree char *nowhere = g_build_filename (directory, "nothing", NULL);
  g_autofree char *too_long = g_strnfill (200, 'p');
  VP_AUTO_FD fd = vp_journal_open ();

  g_assert_false (vp_journal_send (fd, nowhere, fields, 1));
  g_assert_false (vp_journal_send (fd, too_long, fields, 1));
  g_assert_false (vp_journal_send (-1, path, fields, 1));
}

static void
test_stream (void)
{
  VP_AUTO_FD null = open ("/dev/null", O_RDWR | O_CLOEXEC);
  g_autofree char *right = NULL, *wrong = NULL;
  struct stat st;

  g_assert_cmpint (fstat (null, &st), ==, 0);
  right = g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64) st.st_dev, (guint64) st.st_ino);
  wrong = g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64) st.st_dev,
                           (guint64) st.st_ino + 1);
  g_unsetenv ("JOURNAL_STREAM");
  g_assert_false (vp_journal_is_stream (null));
  g_setenv ("JOURNAL_STREAM", right, TRUE);
  g_assert_true (vp_journal_is_stream (null));
  g_assert_false (vp_journal_is_stream (-1));
  g_setenv ("JOURNAL_STREAM", wrong, TRUE);
  g_assert_false (vp_journal_is_stream (null));
  for (const char *const *bad = (const char *const[]){ "", ":", "1", "1:", ":1", "x:y", "1:2z", NULL }; *bad; bad++)
    {
      g_setenv ("JOURNAL_STREAM", *bad, TRUE);
      g_assert_false (vp_journal_is_stream (null));
    }
  g_unsetenv ("JOURNAL_STREAM");
}

static void
test_log (void)
{
  g_autoptr (GHashTable) line = NULL, event = NULL, foreign = NULL;

  vp_warning ("pod-1", "web", "two\nlines and \033[1m an escape");
  line = receive_fields ();
  assert_field (line, "PRIORITY", "4");
  assert_field (line, "SYSLOG_IDENTIFIER", "virtpodd");
  assert_field (line, VP_FIELD_SANDBOX, "pod-1");
  assert_field (line, VP_FIELD_CONTAINER, "web");
  assert_field (line, "MESSAGE_ID", NULL);
  g_assert_null (strpbrk (g_hash_table_lookup (line, "MESSAGE"), "\n\033"));

  vp_info ("pod-1", NULL, "below the threshold");
  vp_event (VP_EVENT_CONTAINER_EXITED, "pod-1", "web", "ended with status %d", 3);
  event = receive_fields ();
  assert_field (event, "MESSAGE", "ended with status 3");
  assert_field (event, "MESSAGE_ID", vp_event_get_message_id (VP_EVENT_CONTAINER_EXITED));
  assert_field (event, "PRIORITY", "5");

  g_log_structured ("other", G_LOG_LEVEL_WARNING, "MESSAGE", "%s", "from a library");
  foreign = receive_fields ();
  assert_field (foreign, "MESSAGE", "from a library");
  assert_field (foreign, "PRIORITY", "4");
}

/* When the journal goes away the lines are still there for whoever reads standard error. */
static void
test_fallback (void)
{
  g_autofree char *file = g_build_filename (directory, "stderr", NULL);
  g_autofree char *text = NULL;
  int kept = dup (STDERR_FILENO);
  VP_AUTO_FD out = open (file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (dup2 (out, STDERR_FILENO), ==, STDERR_FILENO);
  vp_event (VP_EVENT_SANDBOX_LOST, "pod-1", NULL, "gone");
  fflush (stderr);
  g_assert_cmpint (dup2 (kept, STDERR_FILENO), ==, STDERR_FILENO);
  close (kept);
  g_assert_true (g_file_get_contents (file, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "virtpodd warning: [pod-1] gone\n");
  g_unlink (file);
}

/* ---- the catalog ---- */

static char *
read_source (const char *name)
{
  const char *top = g_getenv ("top_srcdir");
  g_autofree char *file = g_build_filename (top != NULL ? top : ".", name, NULL);
  char *text = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (file, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

static void
test_catalog (void)
{
  g_autofree char *catalog = read_source ("data/virtpod.catalog");
  g_auto (GStrv) entries = g_strsplit (catalog, "\n-- ", -1);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  g_assert_cmpuint (g_strv_length (entries), ==, VP_N_EVENTS + 1);
  for (int i = 0; i < VP_N_EVENTS; i++)
    {
      const char *id = vp_event_get_message_id ((VpEvent) i);
      const char *entry = NULL;

      g_assert_cmpuint (strlen (id), ==, 32);
      g_assert_cmpuint (strspn (id, "0123456789abcdef"), ==, 32);
      g_assert_true (g_hash_table_add (seen, (gpointer) id));
      g_assert_nonnull (vp_event_get_name ((VpEvent) i));
      for (char **e = entries; *e != NULL; e++)
        if (g_str_has_prefix (*e, id))
          entry = *e;
      if (entry == NULL)
        g_error ("data/virtpod.catalog: no entry for %s %s", vp_event_get_name ((VpEvent) i), id);
      /* headers, an empty line, an explanation */
      g_assert_nonnull (strstr (entry, "\nSubject: "));
      g_assert_nonnull (strstr (entry, "\nDefined-By: virtpod\n"));
      g_assert_nonnull (strstr (entry, "\n\n"));
    }
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  listen_at_path ();
  vp_log_init ();
  vp_log_set_journal (path);
  g_test_add_func ("/journal/bytes", test_bytes);
  g_test_add_func ("/journal/large", test_large);
  g_test_add_func ("/journal/nobody", test_nobody);
  g_test_add_func ("/journal/stream", test_stream);
  g_test_add_func ("/journal/log", test_log);
  g_test_add_func ("/journal/fallback", test_fallback);
  g_test_add_func ("/journal/catalog", test_catalog);
  status = g_test_run ();
  close (server);
  g_unlink (path);
  g_rmdir (directory);
  g_free (path);
  g_free (directory);
  return status;
}
