/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded into a program: how many bytes it has allocated and not yet freed stands in the
 * file VP_COUNT_FILE names, for others to map and read. Resident memory says less: it is in
 * pages, and most of what it does is the allocator's doing (caches of threads, holes). */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* glibc's own, for those who put something in front of them */
void *__libc_malloc (size_t size);
void *__libc_calloc (size_t n, size_t size);
void *__libc_realloc (void *memory, size_t size);
void *__libc_memalign (size_t alignment, size_t size);
void __libc_free (void *memory);

static int64_t local;
static int64_t *count = &local;

static void *
counted (void *memory)
{
  if (memory != NULL)
    __atomic_add_fetch (count, (int64_t) malloc_usable_size (memory), __ATOMIC_RELAXED);
  return memory;
}

void *
malloc (size_t size)
{
  return counted (__libc_malloc (size));
}

void *
calloc (size_t n, size_t size)
{
  return counted (__libc_calloc (n, size));
}

void *
realloc (void *memory, size_t size)
{
  size_t before = malloc_usable_size (memory);
  void *moved = __libc_realloc (memory, size);

  /* freed, or as it was */
  if (moved == NULL && size > 0)
    return NULL;
  __atomic_sub_fetch (count, (int64_t) before, __ATOMIC_RELAXED);
  return counted (moved);
}

void *
memalign (size_t alignment, size_t size)
{
  return counted (__libc_memalign (alignment, size));
}

void *
aligned_alloc (size_t alignment, size_t size)
{
  return memalign (alignment, size);
}

int
posix_memalign (void **ret, size_t alignment, size_t size)
{
  void *memory = memalign (alignment, size);

  if (memory == NULL)
    return ENOMEM;
  *ret = memory;
  return 0;
}

void
free (void *memory)
{
  if (memory != NULL)
    __atomic_sub_fetch (count, (int64_t) malloc_usable_size (memory), __ATOMIC_RELAXED);
  __libc_free (memory);
}

/* A child that was forked counts for itself. */
static void
forked (void)
{
  count = &local;
}

__attribute__ ((constructor)) static void
begin (void)
{
  const char *path = getenv ("VP_COUNT_FILE");
  int fd = path != NULL ? open (path, O_RDWR | O_CLOEXEC) : -1;
  void *shared = MAP_FAILED;

  if (fd >= 0 && ftruncate (fd, sizeof *count) == 0)
    shared = mmap (NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (fd >= 0)
    close (fd);
  if (shared == MAP_FAILED)
    abort ();
  *(int64_t *) shared = local;
  count = shared;
  pthread_atfork (NULL, NULL, forked);
  /* what this program starts is not to be counted */
  unsetenv ("LD_PRELOAD");
  unsetenv ("VP_COUNT_FILE");
}
