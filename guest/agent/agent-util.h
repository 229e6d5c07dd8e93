/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Small things that libc does not have. Allocation: what the agent allocates by
 * itself is small, so running out of memory ends the agent (and with it the VM);
 * what a request makes it allocate is bounded by the size of a frame. */

void *agent_alloc (size_t size); /* zeroed */
void *agent_alloc_dirty (size_t size); /* not zeroed */
#define agent_new(type) ((type *) agent_alloc (sizeof (type)))
/* a message of its own, as unpacking would make it */
#define agent_new_message(Type, init)                                                                        \
  ({                                                                                                         \
    Type *message_ = agent_new (Type);                                                                       \
    init (message_);                                                                                         \
    message_;                                                                                                \
  })
char *agent_strdup (const char *s); /* NULL gives NULL */
char *agent_strndup (const char *s, size_t max);
char *agent_printf (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
/* closes *fd unless it is -1, and makes it -1; keeps errno */
void agent_close (int *fd);

/* ^[A-Za-z0-9][A-Za-z0-9_.+-]{0,127}$: can be a file name and part of a log line */
int agent_id_is_valid (const char *id);
/* absolute, no "." or ".." element */
int agent_path_is_clean (const char *path);

/* Doubly linked, circular, the head is an element without content. */
typedef struct AgentList
{
  struct AgentList *prev, *next;
} AgentList;
#define AGENT_LIST_INIT(l)                                                                                   \
  {                                                                                                          \
    &(l), &(l)                                                                                               \
  }
void agent_list_init (AgentList *l);
void agent_list_append (AgentList *head, AgentList *l);
/* also when @l is in no list; it is then initialised */
void agent_list_remove (AgentList *l);
int agent_list_is_empty (const AgentList *head);
#define agent_container_of(ptr, type, member) ((type *) ((char *) (ptr) -offsetof (type, member)))
#define agent_list_foreach(it, head) for (AgentList *it = (head)->next; it != (head); it = it->next)
#define agent_list_foreach_safe(it, head)                                                                    \
  for (AgentList *it = (head)->next, *it##_next = it->next; it != (head);                                    \
       it = it##_next, it##_next = it->next)

/* The number that *p begins with, after blanks; moves *p behind it. 0 or -EINVAL. (The
 * scanf family is 150 KiB of the program.) */
int agent_scan_uint (const char **p, uint64_t *ret);

/* Whole small file, NUL-terminated, cut to @size - 1 bytes; the length or -errno. */
ssize_t agent_read_file (const char *path, char *buf, size_t size);
/* The file's number; -errno, or @max_value for the word "max" */
int agent_read_uint (const char *path, uint64_t max_value, uint64_t *ret);
/* 0 or -errno; with O_CREAT|O_TRUNC when @create */
int agent_write_file (const char *path, const void *data, size_t len, int create);
/* the directory and those above it, as 0755; 0 or -errno */
int agent_mkdir_p (const char *path);
/* unmounts everything at and below @path (deepest first), then removes the tree
 * without leaving its file system; 0 or -errno */
int agent_unmount_below (const char *path);
int agent_remove_tree (const char *path);
