/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-metrics.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.pb-c.h"

#define MAX_WORDS 24
#define MAX_LINE 512

/* Text that grows up to its limit; lines that do not fit are left out. */
typedef struct
{
  char *data;
  size_t len, size;
} Text;

static void __attribute__ ((format (printf, 2, 3))) add (Text *text, const char *format, ...)
{
  char line[MAX_LINE];
  va_list args;
  int n;

  va_start (args, format);
  n = vsnprintf (line, sizeof line, format, args);
  va_end (args);
  if (n < 0 || (size_t)n >= sizeof line || text->len + (size_t)n >= AGENT_METRICS_MAX)
    return;
  if (text->len + (size_t)n >= text->size)
    {
      char *data = agent_alloc (text->size * 2 + sizeof line);

      memcpy (data, text->data, text->len);
      free (text->data);
      text->data = data;
      text->size = text->size * 2 + sizeof line;
    }
  memcpy (text->data + text->len, line, (size_t)n + 1);
  text->len += (size_t)n;
}

static void
describe (Text *text, const char *name, const char *type, const char *help)
{
  add (text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A word that can be the value of a label as it is; what cannot is not of the kernel's making */
static int
is_plain (const char *word)
{
  return word[0] != '\0' && strcspn (word, "\"\\\n") == strlen (word);
}

static int
is_number (const char *word)
{
  return word[0] != '\0' && strspn (word, "0123456789.") == strlen (word);
}

/* @line in words; blanks and colons are between them. How many. */
static size_t
split (char *line, char *words[MAX_WORDS])
{
  char *save = NULL;
  size_t n = 0;

  for (char *w = strtok_r (line, " \t\n:", &save); w != NULL && n < MAX_WORDS;
       w = strtok_r (NULL, " \t\n:", &save))
    words[n++] = w;
  return n;
}

typedef void (*LineFunc) (Text *text, char **words, size_t n);

static void
each_line (Text *text, const char *proc, const char *name, LineFunc func)
{
  char *path = agent_printf ("%s/%s", proc, name);
  FILE *f = fopen (path, "re");
  char line[MAX_LINE * 2], *words[MAX_WORDS];

  while (f != NULL && fgets (line, sizeof line, f) != NULL)
    {
      size_t n = split (line, words);

      if (n >= 2 && is_plain (words[0]))
        func (text, words, n);
    }
  if (f != NULL)
    fclose (f);
  free (path);
}

/* One metric for each of @items, which are the words from @words on; "" is passed over. */
static void
add_items (Text *text, const char *name, const char *label, const char *of, const char *const *items,
           char **words, size_t n)
{
  for (size_t i = 0; items[i] != NULL && i < n; i++)
    if (items[i][0] != '\0' && is_number (words[i]))
      add (text, "%s{%s=\"%s\",item=\"%s\"} %s\n", name, label, of, items[i], words[i]);
}

static void
add_load (Text *text, char **words, size_t n)
{
  static const char *const names[] = { "load1", "load5", "load15" };
  char *all;

  for (size_t i = 0; i < 3 && i < n; i++)
    if (is_number (words[i]))
      add (text, "kata_guest_load{item=\"%s\"} %s\n", names[i], words[i]);
  if (n < 4 || (all = strchr (words[3], '/')) == NULL)
    return;
  *all++ = '\0';
  if (!is_number (words[3]) || !is_number (all))
    return;
  describe (text, "kata_guest_tasks", "gauge", "Tasks of the guest.");
  add (text, "kata_guest_tasks{item=\"cur\"} %s\nkata_guest_tasks{item=\"max\"} %s\n", words[3], all);
}

static void
add_memory (Text *text, char **words, size_t n)
{
  unsigned long long factor = n > 2 && strcmp (words[2], "kB") == 0 ? 1024 : 1;

  if (is_number (words[1]))
    add (text, "kata_guest_meminfo{item=\"%s\"} %llu\n", words[0], strtoull (words[1], NULL, 10) * factor);
}

static void
add_cpu (Text *text, char **words, size_t n)
{
  static const char *const items[] = { "user",    "nice",  "system", "idle",       "iowait", "irq",
                                       "softirq", "steal", "guest",  "guest_nice", NULL };
  const char *cpu = words[0] + 3;

  if (strncmp (words[0], "cpu", 3) == 0)
    add_items (text, "kata_guest_cpu_time", "cpu", cpu[0] != '\0' ? cpu : "total", items, words + 1, n - 1);
}

static void
add_vm (Text *text, char **words, size_t n)
{
  if (is_number (words[1]))
    add (text, "kata_guest_vm_stat{item=\"%s\"} %s\n", words[0], words[1]);
}

static void
add_disk (Text *text, char **words, size_t n)
{
  static const char *const items[] = { "reads",
                                       "reads_merged",
                                       "sectors_read",
                                       "time_reading",
                                       "writes",
                                       "writes_merged",
                                       "sectors_written",
                                       "time_writing",
                                       "in_progress",
                                       "time_in_progress",
                                       "weighted_time_in_progress",
                                       NULL };

  if (n > 3 && is_plain (words[2]))
    add_items (text, "kata_guest_diskstat", "disk", words[2], items, words + 3, n - 3);
}

static void
add_interface (Text *text, char **words, size_t n)
{
  static const char *const items[]
      = { "recv_bytes",      "recv_packets",   "recv_errs",    "recv_drop",       "recv_fifo", "recv_frame",
          "recv_compressed", "recv_multicast", "sent_bytes",   "sent_packets",    "sent_errs", "sent_drop",
          "sent_fifo",       "sent_colls",     "sent_carrier", "sent_compressed", NULL };

  /* two lines of headings are not 17 words */
  if (n == 17)
    add_items (text, "kata_guest_netdev_stat", "interface", words[0], items, words + 1, n - 1);
}

static void
add_agent_status (Text *text, char **words, size_t n)
{
  /* of smaps_rollup: VmRSS is what each processor has told so far, and late */
  if (strcmp (words[0], "Rss") == 0 && is_number (words[1]))
    {
      describe (text, "kata_agent_total_rss", "gauge", "Resident memory of the agent, bytes.");
      add (text, "kata_agent_total_rss %llu\n", strtoull (words[1], NULL, 10) * 1024);
    }
  else if (strcmp (words[0], "VmSize") == 0 && is_number (words[1]))
    {
      describe (text, "kata_agent_total_vm", "gauge", "Virtual memory of the agent, bytes.");
      add (text, "kata_agent_total_vm %llu\n", strtoull (words[1], NULL, 10) * 1024);
    }
}

char *
agent_metrics_text (const char *proc)
{
  static const struct
  {
    const char *name, *type, *help, *file;
    LineFunc func;
  } metrics[] = {
    { "kata_guest_load", "gauge", "Average number of tasks that could run.", "loadavg", add_load },
    { "kata_guest_meminfo", "gauge", "/proc/meminfo of the guest, bytes.", "meminfo", add_memory },
    { "kata_guest_cpu_time", "counter", "/proc/stat of the guest, ticks of 10 ms.", "stat", add_cpu },
    { "kata_guest_vm_stat", "gauge", "/proc/vmstat of the guest.", "vmstat", add_vm },
    { "kata_guest_diskstat", "counter", "/proc/diskstats of the guest.", "diskstats", add_disk },
    { "kata_guest_netdev_stat", "counter", "/proc/net/dev of the guest.", "net/dev", add_interface },
    { NULL, NULL, NULL, "self/status", add_agent_status },
    { NULL, NULL, NULL, "self/smaps_rollup", add_agent_status },
  };
  Text text = { agent_alloc (MAX_LINE), 0, MAX_LINE };

  for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++)
    {
      if (metrics[i].name != NULL)
        describe (&text, metrics[i].name, metrics[i].type, metrics[i].help);
      each_line (&text, proc, metrics[i].file, metrics[i].func);
    }
  return text.data;
}

void
agent_handle_get_metrics (Agent *agent, AgentCall *call)
{
  Grpc__Metrics response = GRPC__METRICS__INIT;

  response.metrics = agent_metrics_text ("/proc");
  agent_call_reply (call, &response.base);
  free (response.metrics);
}
