/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-virt-private.h"

#include <signal.h>

#include "vp-error.h"
#include "vp-log.h"
#include "vp-virt-husk.h"

/* Names whose domains are to be gone, and were not when libvirt was lost: whatever
 * shows up under one is ended. Which may be late, so libvirt is asked for its list
 * a few times after it is back; then a name is forgotten. */

#define FIRST_LOOK_MS 1000
#define N_LOOKS 4 /* 1, 2, 4 and 8 seconds after one another */

static void look_later (VpVirt *self);

static void
on_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree char *name = user_data;
  g_autoptr (GError) error = NULL;

  if (vp_virt_destroy_finish (VP_VIRT (source), result, &error))
    vp_notice (NULL, NULL, "domain %s: left over, destroyed", name);
  else if (!vp_error_is (error, VP_ERROR_NOT_FOUND))
    vp_warning (NULL, NULL, "domain %s: left over and not destroyed: %s", name, error->message);
}

void
vp_virt_doomed_end (VpVirt *self, const char *name)
{
  if (g_hash_table_contains (self->doomed, name) && !g_hash_table_contains (self->destroying, name))
    vp_virt_destroy_async (self, name, NULL, on_ended, g_strdup (name));
}

void
vp_virt_doom (VpVirt *self, const char *name)
{
  g_hash_table_add (self->doomed, g_strdup (name));
  if (self->conn != NULL)
    vp_virt_doomed_look (self);
}

/* libvirt's file goes at once: a libvirt that is just being started has not read it yet. */
void
vp_virt_doom_and_kill (VpVirt *self, const char *name)
{
  g_autofree char *run_dir = vp_virt_dup_run_dir (self);
  g_autoptr (VpPidwatch) watch = vp_virt_watch_process (self, name);

  vp_virt_doom (self, name);
  if (watch == NULL && run_dir != NULL)
    (void) vp_virt_husk_remove (run_dir, name);
  else if (watch != NULL && vp_pidwatch_kill (watch, SIGKILL, NULL))
    vp_notice (NULL, NULL, "domain %s: hypervisor %d killed without libvirt", name,
               (int) vp_pidwatch_get_pid (watch));
  (void) vp_virt_end_helpers (self, name);
}

/* ---- what a list shows -------------------------------------------------------- */

/* One that is being started and has no process, by nobody we know of. */
static gboolean
looks_like_husk (VpVirt *self, const VpVirtDomain *domain)
{
  return domain->starting && domain->sandbox_id != NULL && self->local
         && g_str_equal (vp_facts_get (self->facts)->driver, "QEMU")
         && !g_hash_table_contains (self->creating, domain->name) && vp_virt_find_pid (self, domain->name) == 0;
}

void
vp_virt_sift (VpVirt *self, GPtrArray *domains)
{
  g_autoptr (GHashTable) before = g_steal_pointer (&self->husks);

  self->husks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = domains->len; i > 0; i--)
    {
      const VpVirtDomain *domain = domains->pdata[i - 1];
      gboolean out = FALSE;

      if (looks_like_husk (self, domain))
        {
          if (!g_hash_table_contains (before, domain->name))
            vp_notice (NULL, NULL, "domain %s: libvirt shows it as starting, and it has no process", domain->name);
          g_hash_table_add (self->husks, g_strdup (domain->name));
          out = TRUE;
        }
      else if (domain->sandbox_id != NULL && g_hash_table_contains (self->doomed, domain->name))
        {
          vp_virt_doomed_end (self, domain->name);
          out = TRUE;
        }
      if (out)
        g_ptr_array_remove_index (domains, i - 1);
    }
}

/* ---- looking again ---------------------------------------------------------- */

/* Whoever is not there any more will not come; of a husk libvirt may still make something. */
static gboolean
is_settled (gpointer name, gpointer value, gpointer user_data)
{
  VpVirt *self = user_data;

  return !g_hash_table_contains (self->husks, name) && !g_hash_table_contains (self->destroying, name);
}

static void
on_looked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VpVirt *self = VP_VIRT (source);
  g_autoptr (GPtrArray) domains = vp_virt_list_finish (self, result, NULL);

  /* without a list there is no connection: the next one begins anew */
  if (domains == NULL || self->look_id != 0)
    return;
  if (++self->looks < N_LOOKS)
    look_later (self);
  else
    g_hash_table_foreach_remove (self->doomed, is_settled, self);
}

static gboolean
on_look (gpointer user_data)
{
  VpVirt *self = user_data;

  self->look_id = 0;
  if (self->conn != NULL)
    vp_virt_list_async (self, NULL, on_looked, NULL);
  return G_SOURCE_REMOVE;
}

static void
look_later (VpVirt *self)
{
  if (self->look_id == 0 && g_hash_table_size (self->doomed) > 0)
    self->look_id = g_timeout_add (FIRST_LOOK_MS << self->looks, on_look, self);
}

void
vp_virt_doomed_look (VpVirt *self)
{
  g_clear_handle_id (&self->look_id, g_source_remove);
  self->looks = 0;
  look_later (self);
}
