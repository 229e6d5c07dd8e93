/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod update: other limits for a container, as a linux.resources object. */
#include "config.h"

#include <fcntl.h>
#include <glib/gi18n.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "vp-command.h"
#include "vp-error.h"
#include "vp-fd.h"
#include "vp-json-text.h"

#define RESOURCES_MAX 65536
#define DEFAULT_PERIOD 100000

/* The options of runc update, so that scripts need not be changed. */
typedef enum
{
  SIZE,   /* bytes, or with b, k, m, g, t; -1: no limit */
  SIGNED, /* -1: no limit */
  UNSIGNED,
  TEXT,
} Kind;

static const struct
{
  const char *group, *member;
  Kind kind;
} fields[] = {
  { "memory", "limit", SIZE },
  { "memory", "reservation", SIZE },
  { "memory", "swap", SIZE },
  { "cpu", "shares", UNSIGNED },
  { "cpu", "quota", SIGNED },
  { "cpu", "period", UNSIGNED },
  { "cpu", "burst", UNSIGNED },
  { "cpu", "idle", SIGNED },
  { "cpu", "cpus", TEXT },
  { "cpu", "mems", TEXT },
  { "pids", "limit", SIGNED },
  { "blockIO", "weight", UNSIGNED },
};
#define N_FIELDS G_N_ELEMENTS (fields)
enum { MEMORY, RESERVATION, SWAP, SHARES, QUOTA, PERIOD, BURST, IDLE, CPUSET_CPUS, CPUSET_MEMS, PIDS, WEIGHT };

static char *values[N_FIELDS];
static char *opt_cpus;
static char *opt_resources;

static const GOptionEntry options[] = {
  { "memory", 'm', 0, G_OPTION_ARG_STRING, &values[MEMORY], N_("Memory limit in bytes, or with k, m, g; -1: none"),
    N_("SIZE") },
  { "memory-reservation", 0, 0, G_OPTION_ARG_STRING, &values[RESERVATION],
    N_("Memory the container keeps when the guest runs short"), N_("SIZE") },
  { "memory-swap", 0, 0, G_OPTION_ARG_STRING, &values[SWAP], N_("Limit of memory and swap together; -1: none"),
    N_("SIZE") },
  { "cpus", 0, 0, G_OPTION_ARG_STRING, &opt_cpus, N_("Processor time in processors: a quota for the period; -1: no limit"),
    N_("NUMBER") },
  { "cpu-quota", 0, 0, G_OPTION_ARG_STRING, &values[QUOTA], N_("Processor time in each period; -1: no limit"),
    N_("USEC") },
  { "cpu-period", 0, 0, G_OPTION_ARG_STRING, &values[PERIOD], N_("Length of a period"), N_("USEC") },
  { "cpu-burst", 0, 0, G_OPTION_ARG_STRING, &values[BURST], N_("Unused quota that may be saved up"), N_("USEC") },
  { "cpu-shares", 'c', 0, G_OPTION_ARG_STRING, &values[SHARES], N_("Weight against other containers (1024: usual)"),
    N_("NUMBER") },
  { "cpu-share", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &values[SHARES], NULL, N_("NUMBER") },
  { "cpu-idle", 0, 0, G_OPTION_ARG_STRING, &values[IDLE], N_("1: only time nobody else wants; 0: as usual"),
    N_("NUMBER") },
  { "cpuset-cpus", 0, 0, G_OPTION_ARG_STRING, &values[CPUSET_CPUS], N_("Processors, such as 0-2,4"), N_("LIST") },
  { "cpuset-mems", 0, 0, G_OPTION_ARG_STRING, &values[CPUSET_MEMS], N_("Memory nodes, such as 0"), N_("LIST") },
  { "pids-limit", 0, 0, G_OPTION_ARG_STRING, &values[PIDS], N_("Largest number of processes; -1: no limit"),
    N_("NUMBER") },
  { "blkio-weight", 0, 0, G_OPTION_ARG_STRING, &values[WEIGHT], N_("Weight of disk access, 10 to 1000"), N_("NUMBER") },
  { "resources", 'r', 0, G_OPTION_ARG_FILENAME, &opt_resources,
    N_("Read a linux.resources object from FILE, or - for standard input"), N_("FILE") },
  { NULL },
};

static gboolean
parse_size (const char *text, gint64 *ret)
{
  static const char suffixes[] = "bkmgt";
  char *end;
  guint64 number;
  const char *suffix;
  guint shift = 0;

  if (g_str_equal (text, "-1"))
    {
      *ret = -1;
      return TRUE;
    }
  if (!g_ascii_isdigit (*text))
    return FALSE;
  number = g_ascii_strtoull (text, &end, 10);
  if (*end != '\0')
    {
      suffix = strchr (suffixes, g_ascii_tolower (*end));
      if (suffix == NULL || (end[1] != '\0' && g_ascii_strcasecmp (end + 1, "ib") != 0
                             && g_ascii_strcasecmp (end + 1, "b") != 0))
        return FALSE;
      shift = 10 * (guint) (suffix - suffixes);
    }
  if (number > (guint64) G_MAXINT64 >> shift)
    return FALSE;
  *ret = (gint64) (number << shift);
  return TRUE;
}

/* NULL: @text is not of the kind. Floating. */
static GVariant *
parse_value (Kind kind, const char *text)
{
  gint64 number = 0;
  guint64 natural = 0;

  switch (kind)
    {
    case SIZE:
      return parse_size (text, &number) ? g_variant_new_int64 (number) : NULL;
    case SIGNED:
      return g_ascii_string_to_signed (text, 10, -1, G_MAXINT64, &number, NULL) ? g_variant_new_int64 (number) : NULL;
    case UNSIGNED:
      return g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, &natural, NULL)
                 ? g_variant_new_int64 ((gint64) natural)
                 : NULL;
    default:
      return g_utf8_validate (text, -1, NULL) ? g_variant_new_string (text) : NULL;
    }
}

/* --cpus N is --cpu-quota N * period. */
static const char *
apply_cpus (void)
{
  guint64 period = DEFAULT_PERIOD;
  double cpus;
  char *end;

  if (opt_cpus == NULL)
    return NULL;
  if (values[QUOTA] != NULL)
    return _("--cpus and --cpu-quota exclude each other");
  if (values[PERIOD] != NULL && !g_ascii_string_to_unsigned (values[PERIOD], 10, 1, 1000000, &period, NULL))
    return _("--cpu-period must be 1 to 1000000 with --cpus");
  cpus = g_ascii_strtod (opt_cpus, &end);
  if (g_str_equal (opt_cpus, "-1"))
    values[QUOTA] = g_strdup ("-1");
  else if (*opt_cpus == '\0' || *end != '\0' || !isfinite (cpus) || cpus < 0.01 || cpus > 4096)
    return _("--cpus must be a number from 0.01 to 4096, or -1");
  else
    values[QUOTA] = g_strdup_printf ("%.0f", cpus * (double) period);
  if (values[PERIOD] == NULL)
    values[PERIOD] = g_strdup_printf ("%" G_GUINT64_FORMAT, period);
  return NULL;
}

/* The options as a JSON object; NULL and @ret_problem (to free) when one is wrong. */
static char *
build_resources (char **ret_problem)
{
  g_autoptr (GVariantDict) root = g_variant_dict_new (NULL);

  for (gsize i = 0; i < N_FIELDS; i++)
    {
      g_autoptr (GVariant) before = NULL;
      g_autoptr (GVariantDict) group = NULL;
      GVariant *value;

      if (values[i] == NULL)
        continue;
      value = parse_value (fields[i].kind, values[i]);
      if (value == NULL)
        {
          *ret_problem = g_strdup_printf (_("\"%s\" is no value for %s.%s"), values[i], fields[i].group,
                                          fields[i].member);
          return NULL;
        }
      before = g_variant_dict_lookup_value (root, fields[i].group, G_VARIANT_TYPE_VARDICT);
      group = g_variant_dict_new (before);
      g_variant_dict_insert_value (group, fields[i].member, value);
      g_variant_dict_insert_value (root, fields[i].group, g_variant_dict_end (group));
    }
  return vp_json_line (g_variant_dict_end (root));
}

static char *
read_resources (GError **error)
{
  gboolean input = g_str_equal (opt_resources, "-");
  VP_AUTO_FD fd = input ? dup (STDIN_FILENO) : vp_fd_open (opt_resources, O_RDONLY, _("resources"), error);
  GString *text = g_string_new (NULL);
  char data[4096];
  ssize_t n = 0;

  while (fd >= 0 && text->len <= RESOURCES_MAX && (n = read (fd, data, sizeof data)) > 0)
    g_string_append_len (text, data, n);
  if (fd >= 0 && n < 0)
    g_set_error (error, VP_ERROR, VP_ERROR_FAILED, _("%s: cannot be read"), opt_resources);
  else if (fd >= 0 && (text->len > RESOURCES_MAX || !g_utf8_validate (text->str, (gssize) text->len, NULL)))
    g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, _("%s: is not a JSON text of at most 64 KiB"),
                 opt_resources);
  else if (fd >= 0)
    return g_string_free (text, FALSE);
  g_string_free (text, TRUE);
  return NULL;
}

static gboolean
any_value (void)
{
  for (gsize i = 0; i < N_FIELDS; i++)
    if (values[i] != NULL)
      return TRUE;
  return FALSE;
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autoptr (VpDBusContainer1) container = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *problem = g_strdup (apply_cpus ());
  g_autofree char *json = NULL;

  if (problem == NULL && any_value () == (opt_resources != NULL))
    problem = g_strdup (opt_resources != NULL ? _("--resources and the other options exclude each other")
                                              : _("nothing to change was given"));
  if (problem == NULL && opt_resources == NULL)
    json = build_resources (&problem);
  if (problem != NULL)
    return vp_command_usage (command, problem);
  if (json == NULL)
    json = read_resources (&error);
  if (json != NULL)
    container = vp_client_find_container (client, args[0], &error);
  if (container == NULL || !vp_dbus_container1_call_update_sync (container, json, NULL, &error))
    return vp_command_fail (command, args[0], error);
  return 0;
}

const VpCommand vp_cmd_update = {
  .name = "update",
  .arguments = N_("ID"),
  .summary = N_("Change the limits of a container"),
  .min_args = 1,
  .max_args = 1,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
