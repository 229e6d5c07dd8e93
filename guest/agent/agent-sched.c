/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-sched.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* the kernel's, which libc has no header for */
typedef struct
{
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
} SchedAttr;

typedef struct
{
  const char *name;
  uint32_t value;
} Word;

static const Word policies[] = {
  { "SCHED_OTHER", 0 }, { "SCHED_FIFO", 1 }, { "SCHED_RR", 2 },       { "SCHED_BATCH", 3 },
  { "SCHED_ISO", 4 },   { "SCHED_IDLE", 5 }, { "SCHED_DEADLINE", 6 }, { NULL, 0 },
};

static const Word flags[] = {
  { "SCHED_FLAG_RESET_ON_FORK", 0x01 },  { "SCHED_FLAG_RECLAIM", 0x02 },
  { "SCHED_FLAG_DL_OVERRUN", 0x04 },     { "SCHED_FLAG_KEEP_POLICY", 0x08 },
  { "SCHED_FLAG_KEEP_PARAMS", 0x10 },    { "SCHED_FLAG_UTIL_CLAMP_MIN", 0x20 },
  { "SCHED_FLAG_UTIL_CLAMP_MAX", 0x40 }, { NULL, 0 },
};

static const Word classes[] = {
  { "IOPRIO_CLASS_RT", 1 },
  { "IOPRIO_CLASS_BE", 2 },
  { "IOPRIO_CLASS_IDLE", 3 },
  { NULL, 0 },
};

/* 0 and *ret, or -EINVAL */
static int
look_up (VpJsonPiece json, const Word *words, uint32_t *ret)
{
  for (; words->name != NULL; words++)
    {
      if (vp_json_scan_is_string (json, words->name))
        {
          *ret = words->value;
          return 0;
        }
    }
  return -EINVAL;
}

static int64_t
number_or_zero (VpJsonPiece object, const char *name)
{
  int64_t number = 0;

  vp_json_scan_get_int (vp_json_scan_member (object, name), &number);
  return number;
}

static int
set_scheduler (pid_t pid, VpJsonPiece json)
{
  SchedAttr attr = { .size = sizeof attr };
  VpJsonPiece list = vp_json_scan_member (json, "flags"), item;
  size_t at = 0;

  if (look_up (vp_json_scan_member (json, "policy"), policies, &attr.policy) < 0)
    return -EINVAL;
  while ((item = vp_json_scan_next (list, &at)).text != NULL)
    {
      uint32_t flag;

      if (look_up (item, flags, &flag) < 0)
        return -EINVAL;
      attr.flags |= flag;
    }
  attr.nice = (int32_t)number_or_zero (json, "nice");
  attr.priority = (uint32_t)number_or_zero (json, "priority");
  attr.runtime = (uint64_t)number_or_zero (json, "runtime");
  attr.deadline = (uint64_t)number_or_zero (json, "deadline");
  attr.period = (uint64_t)number_or_zero (json, "period");
  return syscall (SYS_sched_setattr, pid, &attr, 0) < 0 ? -errno : 0;
}

static int
set_io_priority (pid_t pid, VpJsonPiece json)
{
  const int of_process = 1, class_shift = 13;
  uint32_t class;
  int64_t priority = number_or_zero (json, "priority");

  if (look_up (vp_json_scan_member (json, "class"), classes, &class) < 0 || priority < 0 || priority > 7)
    return -EINVAL;
  return syscall (SYS_ioprio_set, of_process, pid, (int)(class << class_shift) | (int)priority) < 0 ? -errno
                                                                                                    : 0;
}

int
agent_sched_apply (pid_t pid, VpJsonPiece process, const char **ret_what)
{
  VpJsonPiece scheduler = vp_json_scan_member (process, "scheduler");
  VpJsonPiece io_priority = vp_json_scan_member (process, "ioPriority");
  int rc = 0;

  if (scheduler.text != NULL)
    {
      *ret_what = "scheduler";
      rc = set_scheduler (pid, scheduler);
    }
  if (rc == 0 && io_priority.text != NULL)
    {
      *ret_what = "ioPriority";
      rc = set_io_priority (pid, io_priority);
    }
  return rc;
}
