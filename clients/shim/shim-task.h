/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "shim-daemon.h"
#include "shim-server.h"
#include "shim-stream.h"
#include "task.pb-c.h"

/* What containerd has asked the shim to look after: tasks (containers) and their
 * processes, as far as it is told of them without asking the daemon. */

typedef struct ShimTask ShimTask;
typedef struct ShimProcess ShimProcess;

struct ShimProcess
{
  int refs;
  ShimTask *task; /* referenced */
  ShimProcess *next; /* of the task's execs */
  char *exec_id; /* "": the first process */
  char *path; /* of its Process1; NULL: not made yet */
  char *in, *out, *err; /* as containerd named them */
  ShimStreams streams;
  int terminal;
  Task__Status status; /* but for PAUSED, which is the task's */
  int starting; /* the daemon has not answered */
  int deleting; /* it has, and the end of the logger is waited for */
  int removed;
  uint32_t pid;
  uint32_t exit_status;
  uint64_t exited_at; /* microseconds; 0: has not */
  int ended_early; /* before the answer to its start */
  uint32_t columns, rows; /* to be set when it has started; 0: not */
  int close_stdin; /* the same */
  ShimCall **waiters;
  size_t n_waiters;
};

struct ShimTask
{
  int refs;
  ShimTask *next;
  char *id, *bundle;
  char *path; /* of its Container1; NULL: being created */
  int paused;
  int mounted; /* its root file system, by us */
  int removed;
  int shut_down; /* containerd has given it up, while it was being created: nobody will ask again */
  ShimProcess *init;
  ShimProcess *execs;
};

/* A new one in the table. */
ShimTask *shim_task_new (const char *id, const char *bundle);
ShimTask *shim_task_find (const char *id);
int shim_task_is_any (void);
/* Ends what it has: waiting calls fail, mounts go. One that has been removed already stays so. */
void shim_task_remove (ShimTask *self);
/* Their machine is gone, and nobody will ask for them again. */
void shim_task_end_all (void);
char *shim_task_rootfs (const ShimTask *self);

ShimProcess *shim_process_new (ShimTask *task, const char *exec_id);
ShimProcess *shim_process_find (ShimTask *task, const char *exec_id);
ShimProcess *shim_process_ref (ShimProcess *self);
void shim_process_unref (ShimProcess *self);
void shim_process_remove (ShimProcess *self);
/* Takes the names from the request, and makes the streams ready: shim_streams_open(). */
void shim_process_open (ShimProcess *self, const char *in, const char *out, const char *err, ShimLoggerFunc func,
                        void *data);
/* Takes @call: it is answered when the process has ended. */
void shim_process_wait (ShimProcess *self, ShimCall *call);
/* It has ended: says so to those who wait, and to all by an event. */
void shim_process_end (ShimProcess *self, uint32_t exit_status, uint64_t exited_at);
/* Asks the daemon for its end. */
void shim_process_watch (ShimProcess *self);

/* The one a request names; NULL: none, and the call has failed. */
ShimProcess *shim_call_find (ShimCall *call, const char *id, const char *exec_id);
/* With what the daemon said: the code that clients of containerd go by. */
void shim_call_fail_reply (ShimCall *call, const char *what, const ShimReply *reply);

/* @self is to be kept as long as what it is put in; containerd's "never" for 0. */
Google__Protobuf__Timestamp *shim_timestamp (Google__Protobuf__Timestamp *self, uint64_t usec);

/* The handlers, by file */
void shim_rpc_create (ShimCall *call);
void shim_rpc_start (ShimCall *call);
void shim_rpc_delete (ShimCall *call);
void shim_rpc_exec (ShimCall *call);
void shim_rpc_kill (ShimCall *call);
void shim_rpc_pause (ShimCall *call);
void shim_rpc_resume (ShimCall *call);
void shim_rpc_update (ShimCall *call);
void shim_rpc_resize_pty (ShimCall *call);
void shim_rpc_close_io (ShimCall *call);
void shim_rpc_state (ShimCall *call);
void shim_rpc_wait (ShimCall *call);
void shim_rpc_pids (ShimCall *call);
void shim_rpc_connect (ShimCall *call);
void shim_rpc_checkpoint (ShimCall *call);
void shim_rpc_shutdown (ShimCall *call);
void shim_rpc_stats (ShimCall *call);
