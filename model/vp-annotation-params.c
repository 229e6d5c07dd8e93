/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values that are made of parameters: of the kernel, and of virtiofsd. */
#include "vp-annotation-value.h"

#include <string.h>

#include "vp-error.h"
#include "vp-json.h"

#define invalid(error, ...) vp_error_set (error, VP_ERROR_INVALID_ARGUMENT, __VA_ARGS__)

/* ---- kernel parameters ------------------------------------------------------ */

/* The next parameter from @at on, quoted blanks included. NULL at the end.
 * @ret_open: a quotation mark is never closed. */
static char *
next_param (const char **at, gboolean *ret_open)
{
  const char *start = *at + strspn (*at, " \t\n\r\v\f");
  const char *end = start;
  gboolean quoted = FALSE;

  for (; *end != '\0' && (quoted || !g_ascii_isspace (*end)); end++)
    {
      if (*end == '"')
        quoted = !quoted;
    }
  *at = end;
  *ret_open = *ret_open || quoted;
  return end > start ? g_strndup (start, (gsize)(end - start)) : NULL;
}

static GPtrArray *
split_params (const char *text, gboolean *ret_open)
{
  GPtrArray *params = g_ptr_array_new_with_free_func (g_free);
  char *param;

  *ret_open = FALSE;
  while ((param = next_param (&text, ret_open)) != NULL)
    g_ptr_array_add (params, param);
  return params;
}

static gboolean
same_param (const char *a, const char *b)
{
  for (;; a++, b++)
    {
      gboolean a_ends = *a == '\0' || *a == '=', b_ends = *b == '\0' || *b == '=';

      if (a_ends || b_ends)
        return a_ends && b_ends;
      if ((*a == '_' ? '-' : *a) != (*b == '_' ? '-' : *b))
        return FALSE;
    }
}

static gboolean
has_param (const GPtrArray *params, const char *param)
{
  for (guint i = 0; i < params->len; i++)
    {
      if (same_param (g_ptr_array_index (params, i), param))
        return TRUE;
    }
  return FALSE;
}

char *
vp_annotation_merge_params (const char *base, const char *more)
{
  gboolean open;
  g_autoptr (GPtrArray) old = split_params (base, &open);
  g_autoptr (GPtrArray) new = split_params (more, &open);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < old->len; i++)
    {
      const char *param = g_ptr_array_index (old, i);

      if (!has_param (new, param))
        g_string_append_printf (text, "%s%s", text->len > 0 ? " " : "", param);
    }
  for (guint i = 0; i < new->len; i++)
    g_string_append_printf (text, "%s%s", text->len > 0 ? " " : "", (char *)g_ptr_array_index (new, i));
  return g_string_free (text, FALSE);
}

gboolean
vp_annotation_parse_params (const char *value, char **ret, GError **error)
{
  gboolean open;
  g_autoptr (GPtrArray) params = split_params (value, &open);

  if (open)
    return invalid (error, "a quotation mark is not closed");
  for (guint i = 0; i < params->len; i++)
    {
      if (((char *)g_ptr_array_index (params, i))[0] == '=')
        return invalid (error, "a parameter has no name");
    }
  if (params->len > 0)
    *ret = vp_annotation_merge_params ("", value);
  return TRUE;
}

/* ---- arguments of virtiofsd ------------------------------------------------- */

typedef struct
{
  const char *name;
  VpConfigKey key;   /* VP_N_CONFIG_KEYS: what is done anyway */
  const char *words; /* the values that can be had, "|" between them; NULL: any number */
} Option;

static const Option options[] = {
  { "thread-pool-size", VP_CONFIG_SHARE_THREAD_POOL_SIZE, NULL },
  { "cache", VP_CONFIG_SHARE_CACHE, "auto|always|never" },
  { "sandbox", VP_CONFIG_SHARE_SANDBOX, "namespace|chroot" },
  { "announce-submounts", VP_N_CONFIG_KEYS, NULL },
};

static void
argument_free (gpointer data)
{
  VpAnnotationArgument *argument = data;

  g_free (argument->text);
  g_free (argument);
}

static gboolean
split_arguments (const char *value, char ***ret, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (VpJson) json = NULL;
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func (g_free);

  if (value[strspn (value, " \t\n")] != '[')
    {
      *ret = g_strsplit (value, ",", -1);
      return TRUE;
    }
  json = vp_json_parse (value, strlen (value), "(value)", &local);
  if (json == NULL)
    return invalid (error, "must be a JSON array of strings: %s", local->message);
  for (guint i = 0; i < vp_json_get_n_items (json); i++)
    {
      const char *text = vp_json_get_string (vp_json_get_item (json, i));

      if (text == NULL)
        return invalid (error, "must be a JSON array of strings");
      g_ptr_array_add (items, g_strdup (text));
    }
  g_ptr_array_add (items, NULL);
  *ret = (char **)g_ptr_array_free (g_steal_pointer (&items), FALSE);
  return TRUE;
}

/* "--name=value", or "-o name=value" with "_" in the name. */
static gboolean
take_argument (const char *name, const char *value, GPtrArray *arguments, GError **error)
{
  g_autofree char *all = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (options); i++)
    {
      const Option *option = &options[i];
      g_auto (GStrv) words = option->words != NULL ? g_strsplit (option->words, "|", -1) : NULL;
      VpAnnotationArgument *argument;

      if (!same_param (name, option->name))
        continue;
      if (option->key == VP_N_CONFIG_KEYS)
        return value == NULL || invalid (error, "\"%s\" takes no value", option->name);
      if (value == NULL || value[0] == '\0')
        return invalid (error, "\"%s\" has no value", option->name);
      if (words != NULL && !g_strv_contains ((const char *const *)words, value))
        {
          g_autofree char *shown = vp_error_shown (value);
          return vp_error_set (error, VP_ERROR_NOT_SUPPORTED, "\"%s=%s\": libvirt knows %s", option->name, shown,
                       option->words);
        }
      argument = g_new (VpAnnotationArgument, 1);
      *argument = (VpAnnotationArgument){ option->key, g_strdup (value) };
      g_ptr_array_add (arguments, argument);
      return TRUE;
    }
  all = vp_error_shown (name);
  return vp_error_set (error, VP_ERROR_NOT_SUPPORTED, "\"%s\": libvirt has no place for this argument of virtiofsd", all);
}

/* Whether "--name" is followed by its value as an argument of its own. */
static gboolean
wants_value (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (options); i++)
    {
      if (options[i].key != VP_N_CONFIG_KEYS && same_param (name, options[i].name))
        return TRUE;
    }
  return FALSE;
}

GPtrArray *
vp_annotation_parse_arguments (const char *value, GError **error)
{
  g_autoptr (GPtrArray) arguments = g_ptr_array_new_with_free_func (argument_free);
  g_auto (GStrv) items = NULL;

  if (!split_arguments (value, &items, error))
    return NULL;
  for (guint i = 0; items[i] != NULL; i++)
    {
      const char *item = g_strstrip (items[i]);
      const char *name, *argument = NULL;
      char *equals;

      if (item[0] == '\0')
        continue;
      if (g_str_equal (item, "-o") && items[i + 1] != NULL)
        name = g_strstrip (items[++i]);
      else if (g_str_has_prefix (item, "-o"))
        name = item + 2 + strspn (item + 2, " ");
      else if (g_str_has_prefix (item, "--"))
        name = item + 2;
      else
        {
          g_autofree char *shown = vp_error_shown (item);
          invalid (error, "\"%s\" is no option of virtiofsd", shown);
          return NULL;
        }
      equals = strchr (name, '=');
      if (equals != NULL)
        {
          *equals = '\0';
          argument = equals + 1;
        }
      else if (wants_value (name) && items[i + 1] != NULL)
        argument = g_strstrip (items[++i]);
      if (!take_argument (name, argument, arguments, error))
        return NULL;
    }
  return g_steal_pointer (&arguments);
}
