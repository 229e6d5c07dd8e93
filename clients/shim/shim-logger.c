/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim-logger.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim-loop.h"
#include "shim-uri.h"
#include "shim-util.h"

#define SCHEME "binary://"
#define START_MS 10000 /* for a program to be ready */
#define END_MS 10000   /* from the end of the output until it is asked to end */
#define KILL_MS 2000   /* and then until it is killed: together what runc's shim has */
#define FIRST_FD 3     /* of the program's three */
#define N_FDS 3

typedef struct
{
  char *path;
  int writer;       /* ours; -1: closed */
  int reader;       /* when nobody else reads: to throw away; -1: not */
  ShimWatch *watch; /* of the reader */
} Stream;

struct ShimLogger
{
  ShimLogger *next;
  Stream streams[2]; /* stdout, stderr */
  pid_t pid;         /* 0: has ended, and was waited for */
  int process;       /* pidfd */
  int ready;         /* the other end of its third file descriptor; -1: it is ready */
  ShimWatch *process_watch, *ready_watch;
  ShimTimer *timer;
  int asked; /* to end */
  int ending;
  ShimLoggerFunc func; /* for ready, or for the end */
  void *data;
};

static const char *containerd_namespace = "";
static ShimLogger *loggers;

void
shim_logger_init (const char *namespace_)
{
  containerd_namespace = namespace_;
}

int
shim_logger_is_meant (const char *name)
{
  return strncmp (name, SCHEME, strlen (SCHEME)) == 0;
}

static void
close_fd (int *fd)
{
  if (*fd >= 0)
    (void) close (*fd);
  *fd = -1;
}

/* ---- the end --------------------------------------------------------------------- */

static void
remove_fifo (Stream *self)
{
  if (self->path != NULL)
    (void) unlink (self->path);
  free (self->path);
  self->path = NULL;
}

static void
free_logger (ShimLogger *self)
{
  ShimLogger **place = &loggers;

  while (*place != NULL && *place != self)
    place = &(*place)->next;
  if (*place != NULL)
    *place = self->next;
  shim_timer_end (self->timer);
  shim_watch_end (self->process_watch);
  shim_watch_end (self->ready_watch);
  for (size_t i = 0; i < sizeof self->streams / sizeof *self->streams; i++)
    {
      Stream *stream = &self->streams[i];

      shim_watch_end (stream->watch);
      close_fd (&stream->reader);
      close_fd (&stream->writer);
      remove_fifo (stream);
    }
  close_fd (&self->process);
  close_fd (&self->ready);
  free (self);
}

static void
ended (ShimLogger *self)
{
  ShimLoggerFunc func = self->func;
  void *data = self->data;

  free_logger (self);
  if (func != NULL)
    func (NULL, data);
}

static void
on_overdue (void *data)
{
  ShimLogger *self = data;

  self->timer = NULL;
  (void) kill (self->pid, self->asked ? SIGKILL : SIGTERM);
  if (!self->asked)
    self->timer = shim_timer_new (KILL_MS, on_overdue, self);
  self->asked = 1;
}

void
shim_logger_close (ShimLogger *self)
{
  for (size_t i = 0; i < sizeof self->streams / sizeof *self->streams; i++)
    close_fd (&self->streams[i].writer);
}

void
shim_logger_end (ShimLogger *self, ShimLoggerFunc func, void *data)
{
  shim_logger_close (self);
  /* the next of this name makes its own */
  remove_fifo (&self->streams[0]);
  remove_fifo (&self->streams[1]);
  shim_watch_end (self->ready_watch);
  self->ready_watch = NULL;
  close_fd (&self->ready);
  shim_timer_end (self->timer);
  self->timer = NULL;
  self->func = func;
  self->data = data;
  self->ending = 1;
  if (self->pid == 0)
    ended (self);
  else
    self->timer = shim_timer_new (END_MS, on_overdue, self);
}

void
shim_logger_quit (void)
{
  uint64_t end = shim_now () + END_MS;

  for (ShimLogger *self = loggers; self != NULL; self = self->next)
    {
      struct pollfd process = { .fd = self->process, .events = POLLIN };
      uint64_t now = shim_now ();

      shim_logger_close (self);
      if (self->pid > 0 && poll (&process, 1, now < end ? (int) (end - now) : 0) <= 0)
        (void) kill (self->pid, SIGTERM);
    }
}

/* ---- a program that ends too soon ------------------------------------------------ */

static void
on_lost_output (uint32_t events, void *data)
{
  Stream *stream = data;
  char bytes[4096];
  ssize_t n = read (stream->reader, bytes, sizeof bytes);

  (void) events;
  if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
    return;
  shim_watch_end (stream->watch);
  stream->watch = NULL;
  close_fd (&stream->reader);
}

/* Without a reader the pipes would fill, and the process stand still. */
static void
throw_away (ShimLogger *self)
{
  for (size_t i = 0; i < sizeof self->streams / sizeof *self->streams; i++)
    {
      Stream *stream = &self->streams[i];

      stream->reader = open (stream->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
      if (stream->reader >= 0)
        stream->watch = shim_watch_new (stream->reader, EPOLLIN, on_lost_output, stream);
    }
}

static void
on_program_ended (uint32_t events, void *data)
{
  ShimLogger *self = data;
  int status = 0;

  (void) events;
  (void) waitpid (self->pid, &status, 0);
  shim_watch_end (self->process_watch);
  self->process_watch = NULL;
  self->pid = 0;
  if (self->ending)
    {
      ended (self);
      return;
    }
  if (self->streams[0].writer >= 0)
    shim_log ("%s: the logger has ended with status %d: the output is lost from here on", self->streams[0].path,
              WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status));
  throw_away (self);
}

/* ---- the beginning --------------------------------------------------------------- */

static void
tell (ShimLogger *self, const char *why)
{
  ShimLoggerFunc func = self->func;

  shim_watch_end (self->ready_watch);
  self->ready_watch = NULL;
  close_fd (&self->ready);
  shim_timer_end (self->timer);
  self->timer = NULL;
  self->func = NULL;
  func (why, self->data);
}

/* It has closed it, or has ended; a byte is as good. */
static void
on_ready (uint32_t events, void *data)
{
  (void) events;
  tell (data, NULL);
}

static void
on_not_ready (void *data)
{
  ShimLogger *self = data;

  self->timer = NULL;
  tell (self, "the logger does not say that it is ready, by closing file descriptor 5");
}

/* 0 or -errno. @ret_reader: for the program, which expects it to block. */
static int
open_stream (Stream *self, int *ret_reader)
{
  (void) unlink (self->path); /* of a shim that was killed */
  if (mkfifo (self->path, 0600) < 0)
    return -errno;
  *ret_reader = open (self->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
  if (*ret_reader < 0)
    return -errno;
  self->writer = open (self->path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
  if (self->writer < 0 || fcntl (*ret_reader, F_SETFL, 0) < 0)
    return -errno;
  return 0;
}

/* Runs it with @fds, and with nothing of ours. 0 or -errno. */
static int
spawn (ShimLogger *self, const ShimUri *uri, const char *id, const int fds[N_FDS])
{
  char *environment[] = { shim_printf ("CONTAINER_ID=%s", id), shim_printf ("CONTAINER_NAMESPACE=%s", containerd_namespace),
                          NULL };
  size_t n = 0;
  char **argv;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t ignored;
  int error;

  while (uri->query[n] != NULL)
    n++;
  argv = shim_alloc ((n + 2) * sizeof *argv);
  argv[0] = uri->path;
  memcpy (argv + 1, uri->query, n * sizeof *argv);
  (void) sigfillset (&ignored);
  if (posix_spawn_file_actions_init (&actions) != 0 || posix_spawnattr_init (&attributes) != 0)
    abort ();
  error = posix_spawnattr_setsigdefault (&attributes, &ignored);
  if (error == 0)
    error = posix_spawnattr_setflags (&attributes, POSIX_SPAWN_SETSIGDEF);
  for (int i = 0; i < N_FDS && error == 0; i++)
    error = posix_spawn_file_actions_adddup2 (&actions, fds[i], FIRST_FD + i);
  if (error == 0)
    error = posix_spawn (&self->pid, uri->path, &actions, &attributes, argv, environment);
  (void) posix_spawn_file_actions_destroy (&actions);
  (void) posix_spawnattr_destroy (&attributes);
  free (argv);
  free (environment[0]);
  free (environment[1]);
  if (error != 0)
    self->pid = 0;
  return -error;
}

/* Not among the numbers that the program's will have. */
static void
move_away (int *fd)
{
  int moved = *fd >= 0 ? fcntl (*fd, F_DUPFD_CLOEXEC, FIRST_FD + N_FDS) : -1;

  close_fd (fd);
  *fd = moved;
}

static int
run (ShimLogger *self, const ShimUri *uri, const char *id)
{
  int fds[N_FDS] = { -1, -1, -1 }, ready[2] = { -1, -1 };
  int error = open_stream (&self->streams[0], &fds[0]);

  if (error == 0)
    error = open_stream (&self->streams[1], &fds[1]);
  if (error == 0 && pipe2 (ready, O_CLOEXEC) < 0)
    error = -errno;
  self->ready = ready[0];
  fds[2] = ready[1];
  for (int i = 0; i < N_FDS; i++)
    {
      move_away (&fds[i]);
      if (error == 0 && fds[i] < 0)
        error = -EMFILE;
    }
  if (error == 0)
    error = spawn (self, uri, id, fds);
  for (int i = 0; i < N_FDS; i++)
    close_fd (&fds[i]);
  if (error != 0)
    return error;
  self->process = (int) syscall (SYS_pidfd_open, self->pid, 0u);
  if (self->process < 0)
    {
      error = -errno;
      (void) kill (self->pid, SIGKILL);
      (void) waitpid (self->pid, NULL, 0);
    }
  return error;
}

ShimLogger *
shim_logger_start (const char *text, const char *directory, const char *suffix, const char *id, ShimLoggerFunc func,
                   void *data, const char **ret_why)
{
  ShimLogger *self;
  ShimUri uri;
  int error;

  if (shim_uri_parse (&uri, text + strlen (SCHEME), ret_why) < 0)
    return NULL;
  self = shim_alloc (sizeof *self);
  self->process = self->ready = -1;
  for (size_t i = 0; i < sizeof self->streams / sizeof *self->streams; i++)
    {
      self->streams[i] = (Stream) { .writer = -1, .reader = -1 };
      self->streams[i].path = shim_printf ("%s/%s%s", directory, i == 0 ? "stdout" : "stderr", suffix);
    }
  error = run (self, &uri, id);
  if (error != 0)
    {
      shim_log ("logger %s: %s", uri.path, strerror (-error));
      *ret_why = error == -ENOENT ? "there is no such logger" : "the logger cannot be run";
      free_logger (self);
      self = NULL;
    }
  shim_uri_clear (&uri);
  if (self == NULL)
    return NULL;
  self->func = func;
  self->data = data;
  self->next = loggers;
  loggers = self;
  self->process_watch = shim_watch_new (self->process, EPOLLIN, on_program_ended, self);
  self->ready_watch = shim_watch_new (self->ready, EPOLLIN, on_ready, self);
  self->timer = shim_timer_new (START_MS, on_not_ready, self);
  return self;
}

const char *
shim_logger_get_out (const ShimLogger *self)
{
  return self->streams[0].path;
}

const char *
shim_logger_get_err (const ShimLogger *self)
{
  return self->streams[1].path;
}
