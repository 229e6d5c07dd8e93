/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod list: what there is, as a table, as JSON or as bare ids. */
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "vp-command.h"
#include "vp-json-text.h"

static char *opt_format;
static gboolean opt_json;
static gboolean opt_quiet;
static gboolean opt_sandboxes;

static const GOptionEntry options[] = {
  { "sandboxes", 's', 0, G_OPTION_ARG_NONE, &opt_sandboxes, N_("List sandboxes instead of containers"),
    NULL },
  { "quiet", 'q', 0, G_OPTION_ARG_NONE, &opt_quiet, N_("Print only the ids"), NULL },
  { "json", 0, 0, G_OPTION_ARG_NONE, &opt_json, N_("The same as --format json"), NULL },
  { "format", 'f', 0, G_OPTION_ARG_STRING, &opt_format, N_("How to print: table or json"), N_("FORMAT") },
  { NULL },
};

/* A list is an array of rows of columns; all is text but what JSON has as a number. */
typedef struct
{
  const char *title; /* of the table, marked with N_() */
  const char *key;   /* in JSON */
} Column;

static const Column container_columns[] = {
  { N_("ID"), "id" },   { N_("SANDBOX"), "sandbox" },   { N_("STATE"), "state" },
  { N_("PID"), "pid" }, { N_("CREATED"), "createdAt" }, { N_("BUNDLE"), "bundle" },
};
static const Column sandbox_columns[] = {
  { N_("ID"), "id" },
  { N_("STATE"), "state" },
  { N_("HANDLER"), "handler" },
  { N_("CREATED"), "createdAt" },
};

typedef struct
{
  const Column *columns;
  gsize n_columns;
  GPtrArray *rows; /* GVariant **, n_columns values each, owned */
} List;

static void
free_row (gpointer data)
{
  GVariant **row = data;

  for (GVariant **value = row; *value != NULL; value++)
    g_variant_unref (*value);
  g_free (row);
}

static void
list_clear (List *self)
{
  g_clear_pointer (&self->rows, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (List, list_clear)

/* Takes the floating values, as many as there are columns. */
static void
add_row (List *self, ...)
{
  GVariant **row = g_new0 (GVariant *, self->n_columns + 1);
  va_list values;

  va_start (values, self);
  for (gsize i = 0; i < self->n_columns; i++)
    row[i] = g_variant_ref_sink (va_arg (values, GVariant *));
  va_end (values);
  g_ptr_array_add (self->rows, row);
}

static GVariant *
time_value (guint64 usec)
{
  return g_variant_new_take_string (vp_json_time (usec));
}

static GVariant *
no_filter (void)
{
  return g_variant_new_array (G_VARIANT_TYPE ("{ss}"), NULL, 0);
}

static gboolean
load_containers (List *self, VpDBusManager1 *manager, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  const char *id, *sandbox, *state, *bundle;
  GVariantIter iter;
  guint32 pid;
  guint64 created;

  self->columns = container_columns;
  self->n_columns = G_N_ELEMENTS (container_columns);
  if (!vp_dbus_manager1_call_list_containers_sync (manager, no_filter (), &reply, NULL, error))
    return FALSE;
  g_variant_iter_init (&iter, reply);
  while (g_variant_iter_next (&iter, "(&s&s&s&sut&o)", &id, &sandbox, &state, &bundle, &pid, &created, NULL))
    add_row (self, g_variant_new_string (id), g_variant_new_string (sandbox), g_variant_new_string (state),
             g_variant_new_uint32 (pid), time_value (created), g_variant_new_string (bundle));
  return TRUE;
}

static gboolean
load_sandboxes (List *self, VpDBusManager1 *manager, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  const char *id, *state, *handler;
  GVariantIter iter;
  guint64 created;

  self->columns = sandbox_columns;
  self->n_columns = G_N_ELEMENTS (sandbox_columns);
  if (!vp_dbus_manager1_call_list_sandboxes_sync (manager, no_filter (), &reply, NULL, error))
    return FALSE;
  g_variant_iter_init (&iter, reply);
  while (g_variant_iter_next (&iter, "(&s&s&st&o)", &id, &state, &handler, &created, NULL))
    add_row (self, g_variant_new_string (id), g_variant_new_string (state), g_variant_new_string (handler),
             time_value (created));
  return TRUE;
}

/* What a cell of the table shows: times without their fraction, nothing as "-". */
static char *
cell_text (const Column *column, GVariant *value)
{
  g_autofree char *text = g_variant_is_of_type (value, G_VARIANT_TYPE_STRING)
                              ? g_variant_dup_string (value, NULL)
                              : g_variant_print (value, FALSE);
  char *fraction = g_str_equal (column->key, "createdAt") ? strchr (text, '.') : NULL;

  if (fraction != NULL)
    memmove (fraction, "Z", 2);
  return *text == '\0' || g_str_equal (text, "0") ? g_strdup ("-") : g_steal_pointer (&text);
}

static void
print_table (List *self)
{
  g_autofree gsize *widths = g_new0 (gsize, self->n_columns);

  /* row -1 is the titles; the first pass measures, the second prints */
  for (int pass = 0; pass < 2; pass++)
    for (gssize r = -1; r < (gssize) self->rows->len; r++)
      for (gsize c = 0; c < self->n_columns; c++)
        {
          GVariant **row = r < 0 ? NULL : g_ptr_array_index (self->rows, r);
          g_autofree char *text
              = r < 0 ? g_strdup (_(self->columns[c].title)) : cell_text (&self->columns[c], row[c]);
          gsize width = (gsize) g_utf8_strlen (text, -1);
          gboolean last = c == self->n_columns - 1;

          if (pass == 0)
            widths[c] = MAX (widths[c], width);
          else
            g_print ("%s%*s%s", text, last ? 0 : (int) (widths[c] - width), "", last ? "\n" : "  ");
        }
}

static void
print_json (List *self)
{
  g_auto (GVariantBuilder) array = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  g_autofree char *text = NULL;

  for (guint r = 0; r < self->rows->len; r++)
    {
      GVariant **row = g_ptr_array_index (self->rows, r);

      g_variant_builder_open (&array, G_VARIANT_TYPE_VARDICT);
      for (gsize c = 0; c < self->n_columns; c++)
        g_variant_builder_add (&array, "{sv}", self->columns[c].key, row[c]);
      g_variant_builder_close (&array);
    }
  text = vp_json_text (g_variant_builder_end (&array));
  g_print ("%s\n", text);
}

static void
print_ids (List *self)
{
  for (guint r = 0; r < self->rows->len; r++)
    {
      GVariant **row = g_ptr_array_index (self->rows, r);
      g_print ("%s\n", g_variant_get_string (row[0], NULL));
    }
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_auto (List) list = { .rows = g_ptr_array_new_with_free_func (free_row) };
  g_autoptr (GError) error = NULL;
  VpDBusManager1 *manager;
  gboolean json = opt_json || g_strcmp0 (opt_format, "json") == 0;

  if (opt_format != NULL && !g_str_equal (opt_format, "json") && !g_str_equal (opt_format, "table"))
    return vp_command_usage (command, _("--format must be table or json"));

  manager = vp_client_get_manager (client, &error);
  if (manager == NULL)
    return vp_command_fail (command, NULL, error);
  if (!(opt_sandboxes ? load_sandboxes (&list, manager, &error) : load_containers (&list, manager, &error)))
    return vp_command_fail (command, NULL, error);

  if (opt_quiet)
    print_ids (&list);
  else if (json)
    print_json (&list);
  else
    print_table (&list);
  return 0;
}

const VpCommand vp_cmd_list = {
  .name = "list",
  .summary = N_("List containers or sandboxes"),
  .max_args = 0,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
