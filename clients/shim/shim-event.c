/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim-event.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim-loop.h"
#include "shim-util.h"
#include "vp-ttrpc-client.h"
#include "vp-ttrpc.h"

#define SERVICE "containerd.services.events.ttrpc.v1.Events"
#define MAX_QUEUED 2048
#define MAX_TRIES 5
#define RETRY_MS 1000
#define TIMEOUT_MS 5000

typedef struct Event Event;
struct Event
{
  Event *next;
  int tries;
  uint64_t time; /* microseconds */
  char *topic, *type_url;
  size_t len;
  uint8_t data[];
};

static const char *ttrpc_path, *publish_program, *grpc_address, *event_namespace;
static Event *first, **last = &first; /* the first is the one under way */
static unsigned n_queued;
static void (*when_sent) (void);

static int connection = -1;
static VpTtrpcClient client;
static ShimWatch *watch;  /* of the connection, or of the program */
static ShimTimer *timer;  /* until the next try, or of one that takes too long */
static int program = -1;  /* pidfd */
static pid_t program_pid;
static int under_way;

static void send_first (void);

void
shim_event_init (const char *ttrpc, const char *publish, const char *address, const char *namespace_)
{
  ttrpc_path = ttrpc != NULL && *ttrpc != '\0' ? ttrpc : NULL;
  publish_program = publish != NULL && *publish != '\0' && address != NULL && *address != '\0' ? publish : NULL;
  grpc_address = address;
  event_namespace = namespace_;
  vp_ttrpc_client_init (&client);
}

/* ---- one event ------------------------------------------------------------------- */

static void
close_way (void)
{
  shim_watch_end (watch);
  watch = NULL;
  shim_timer_end (timer);
  timer = NULL;
  if (connection >= 0)
    (void) close (connection);
  connection = -1;
  vp_ttrpc_client_clear (&client);
  vp_ttrpc_client_init (&client);
  if (program >= 0)
    {
      (void) kill (program_pid, SIGKILL);
      (void) waitpid (program_pid, NULL, 0);
      (void) close (program);
    }
  program = -1;
  under_way = 0;
}

static void
done (void)
{
  Event *event = first;
  void (*func) (void) = when_sent;

  shim_timer_end (timer);
  timer = NULL;
  under_way = 0;
  first = event->next;
  if (first == NULL)
    last = &first;
  n_queued--;
  free (event->topic);
  free (event->type_url);
  free (event);
  if (first != NULL)
    send_first ();
  else if (func != NULL)
    func ();
}

static void
on_retry (void *unused)
{
  (void) unused;
  timer = NULL;
  send_first ();
}

static void
failed (const char *why)
{
  close_way ();
  if (++first->tries < MAX_TRIES)
    {
      timer = shim_timer_new (RETRY_MS, on_retry, NULL);
      return;
    }
  shim_log ("event %s is lost: %s", first->topic, why);
  done ();
}

static void
on_timeout (void *unused)
{
  (void) unused;
  timer = NULL;
  failed ("containerd does not answer");
}

/* ---- by ttrpc -------------------------------------------------------------------- */

static void
on_response (void)
{
  char *text = NULL;
  uint8_t *payload = NULL;
  size_t len;
  int code;

  if (!under_way)
    {
      close_way (); /* to what? */
      return;
    }
  if (vp_ttrpc_parse_response (client.reader.payload, client.reader.header.length, &code, &text, &payload, &len) < 0)
    {
      failed ("what containerd answers is no response");
      return;
    }
  free (payload);
  /* it got it; that it does not like it will not change */
  if (code != VP_GRPC_OK)
    shim_log ("event %s: %s", first->topic, text);
  free (text);
  done ();
}

static void
on_ready (uint32_t events, void *unused)
{
  uint8_t data[4096];
  size_t at = 0, taken;
  ssize_t n = recv (connection, data, sizeof data, MSG_DONTWAIT);
  int got;

  (void) events;
  (void) unused;
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  while (n > 0 && connection >= 0)
    {
      got = vp_ttrpc_client_feed (&client, data + at, (size_t) n - at, &taken);
      at += taken;
      if (got == VP_TTRPC_CLIENT_RESPONSE)
        on_response ();
      else if (got < 0)
        n = -1;
      else
        return;
    }
  if (connection < 0)
    return;
  if (under_way)
    failed ("containerd hung up");
  else
    close_way ();
}

static int
forward (const Event *event)
{
  Google__Protobuf__Timestamp timestamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
  Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
  Event__Envelope envelope = EVENT__ENVELOPE__INIT;
  Event__ForwardRequest request = EVENT__FORWARD_REQUEST__INIT;
  size_t len;
  uint8_t *frame;
  ssize_t n;

  timestamp.seconds = (int64_t) (event->time / 1000000);
  timestamp.nanos = (int32_t) (event->time % 1000000) * 1000;
  any.type_url = event->type_url;
  any.value.data = (uint8_t *) event->data;
  any.value.len = event->len;
  envelope.timestamp = &timestamp;
  envelope.namespace_ = (char *) event_namespace;
  envelope.topic = event->topic;
  envelope.event = &any;
  request.envelope = &envelope;
  frame = vp_ttrpc_pack_request (vp_ttrpc_client_next_stream (&client), SERVICE, "Forward", &request.base,
                                 (int64_t) TIMEOUT_MS * 1000000, &len);
  if (frame == NULL)
    return -1;
  /* one at a time: what containerd reads of it fits in a socket's buffer */
  n = send (connection, frame, len, MSG_NOSIGNAL | MSG_DONTWAIT);
  free (frame);
  return n == (ssize_t) len ? 0 : -1;
}

static void
send_by_ttrpc (void)
{
  if (connection < 0 && shim_connect (ttrpc_path, &connection) < 0)
    {
      failed ("containerd cannot be reached");
      return;
    }
  if (watch == NULL)
    watch = shim_watch_new (connection, EPOLLIN, on_ready, NULL);
  timer = shim_timer_new (TIMEOUT_MS, on_timeout, NULL);
  under_way = 1;
  if (forward (first) < 0)
    failed ("it cannot be sent");
}

/* ---- by containerd's program ----------------------------------------------------- */

static void
on_program_ended (uint32_t events, void *unused)
{
  int status = 0;

  (void) events;
  (void) unused;
  (void) waitpid (program_pid, &status, 0);
  shim_watch_end (watch);
  watch = NULL;
  (void) close (program);
  program = -1;
  if (status == 0)
    done ();
  else
    failed ("containerd publish failed");
}

/* Its stdin is a file in memory: it reads at its own pace. */
static int
event_file (const Event *event)
{
  Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
  int fd = (int) syscall (SYS_memfd_create, "event", 1u /* MFD_CLOEXEC */);
  uint8_t *packed;
  size_t len;

  any.type_url = event->type_url;
  any.value.data = (uint8_t *) event->data;
  any.value.len = event->len;
  packed = shim_alloc (google__protobuf__any__get_packed_size (&any) + 1);
  len = google__protobuf__any__pack (&any, packed);
  if (fd >= 0 && (write (fd, packed, len) != (ssize_t) len || lseek (fd, 0, SEEK_SET) < 0))
    {
      (void) close (fd);
      fd = -1;
    }
  free (packed);
  return fd;
}

static void
send_by_program (void)
{
  int input = event_file (first);
  int nothing = open ("/dev/null", O_RDWR | O_CLOEXEC);

  program_pid = input >= 0 && nothing >= 0 ? fork () : -1;
  if (program_pid == 0)
    {
      (void) signal (SIGPIPE, SIG_DFL);
      if (dup2 (input, STDIN_FILENO) >= 0 && dup2 (nothing, STDOUT_FILENO) >= 0 && dup2 (nothing, STDERR_FILENO) >= 0)
        execl (publish_program, publish_program, "--address", grpc_address, "publish", "--topic", first->topic,
               "--namespace", event_namespace, (char *) NULL);
      _exit (127);
    }
  if (input >= 0)
    (void) close (input);
  if (nothing >= 0)
    (void) close (nothing);
  program = program_pid > 0 ? (int) syscall (SYS_pidfd_open, program_pid, 0u) : -1;
  if (program < 0)
    {
      failed ("containerd's program cannot be run");
      return;
    }
  watch = shim_watch_new (program, EPOLLIN, on_program_ended, NULL);
  timer = shim_timer_new (TIMEOUT_MS, on_timeout, NULL);
  under_way = 1;
}

/* ---- all of them ----------------------------------------------------------------- */

static void
send_first (void)
{
  if (ttrpc_path != NULL)
    send_by_ttrpc ();
  else
    send_by_program ();
}

void
shim_event_send (const char *topic, const char *name, const void *message)
{
  size_t len = protobuf_c_message_get_packed_size (message);
  Event *event;

  if (ttrpc_path == NULL && publish_program == NULL)
    return;
  if (n_queued >= MAX_QUEUED)
    {
      shim_log ("event %s is lost: %d are waiting", topic, MAX_QUEUED);
      return;
    }
  event = shim_alloc (sizeof *event + len);
  event->time = shim_time ();
  event->topic = shim_strdup (topic);
  event->type_url = shim_printf ("containerd.events.%s", name);
  event->len = protobuf_c_message_pack (message, event->data);
  *last = event;
  last = &event->next;
  n_queued++;
  if (first == event && timer == NULL)
    send_first ();
}

void
shim_event_when_sent (void (*func) (void))
{
  if (first == NULL)
    func ();
  else
    when_sent = func;
}
