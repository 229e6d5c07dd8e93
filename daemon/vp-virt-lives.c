/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-virt-private.h"

#include "vp-log.h"

/* Who is alive, so that each end is reported once whoever notices it first:
 * libvirt's event, the hypervisor's process, or a list after a reconnect. */

/* From the death of a process until it is told without a reason. libvirt knows
 * one, but says so after its clean-up, for which it waits until init has reaped
 * the process; what a guest did itself it has said before the process ended. */
#define GRACE_MS 5

typedef struct
{
  VpVirt *virt;
  char *name;
  char *uuid;
  const char *hint; /* why it will end, if it does now; static */
  VpPidwatch *watch;
  guint grace_id;
} VpVirtLife;

static void
life_free (gpointer data)
{
  VpVirtLife *life = data;

  g_clear_handle_id (&life->grace_id, g_source_remove);
  if (life->watch != NULL)
    g_signal_handlers_disconnect_by_data (life->watch, life);
  g_clear_object (&life->watch);
  g_free (life->name);
  g_free (life->uuid);
  g_free (life);
}

void
vp_virt_lives_init (VpVirt *self)
{
  self->lives = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, life_free);
  self->ended = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

void
vp_virt_lives_clear (VpVirt *self)
{
  g_clear_pointer (&self->lives, g_hash_table_unref);
  g_clear_pointer (&self->ended, g_hash_table_unref);
}

gboolean
vp_virt_life_may_be (VpVirt *self, const char *name, const char *uuid)
{
  GHashTableIter iter;
  const VpVirtLife *life;
  gboolean known = FALSE;

  g_hash_table_iter_init (&iter, self->lives);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &life))
    if (g_str_equal (life->name, name))
      {
        if (uuid != NULL && g_ascii_strcasecmp (life->uuid, uuid) == 0)
          return TRUE;
        known = TRUE;
      }
  return !known;
}

void
vp_virt_snapshot_begin (VpVirt *self)
{
  self->snapshots++;
}

void
vp_virt_snapshot_end (VpVirt *self)
{
  if (--self->snapshots == 0)
    g_hash_table_remove_all (self->ended);
}

static void
end (VpVirt *self, const char *uuid, const char *reason)
{
  g_autofree char *name = NULL;
  VpVirtLife *life;

  if (self->snapshots > 0)
    g_hash_table_add (self->ended, g_strdup (uuid));
  life = g_hash_table_lookup (self->lives, uuid);
  if (life == NULL)
    return;
  name = g_strdup (life->name);
  if (life->watch != NULL && vp_pidwatch_has_exited (life->watch))
    g_hash_table_add (self->gone, g_strdup (name));
  g_hash_table_remove (self->lives, life->uuid);
  vp_debug (NULL, NULL, "domain %s stopped: %s", name, reason);
  g_signal_emit_by_name (self, "domain-stopped", name, reason);
}

static gboolean
on_grace_over (gpointer data)
{
  VpVirtLife *life = data;
  g_autofree char *uuid = g_strdup (life->uuid);

  life->grace_id = 0;
  end (life->virt, uuid, life->hint != NULL ? life->hint : "failed");
  return G_SOURCE_REMOVE;
}

/* When the reason is known there is nothing to wait for. Else an event that says
 * it may be in the queue already. */
static void
on_process_exited (VpPidwatch *watch, VpVirtLife *life)
{
  if (life->hint == NULL && life->virt->state == VP_VIRT_CONNECTED)
    life->grace_id = g_timeout_add_full (G_PRIORITY_HIGH, GRACE_MS, on_grace_over, life, NULL);
  else
    life->grace_id = g_idle_add_full (G_PRIORITY_HIGH, on_grace_over, life, NULL);
}

static void
watch_life (VpVirt *self, VpVirtLife *life)
{
  life->watch = vp_virt_watch_process (self, life->name);
  if (life->watch != NULL)
    g_signal_connect (life->watch, "exited", G_CALLBACK (on_process_exited), life);
}

static VpVirtLife *
begin (VpVirt *self, const char *name, const char *uuid)
{
  VpVirtLife *life = g_hash_table_lookup (self->lives, uuid);

  if (life == NULL)
    {
      life = g_new0 (VpVirtLife, 1);
      life->virt = self;
      life->name = g_strdup (name);
      life->uuid = g_strdup (uuid);
      g_hash_table_insert (self->lives, life->uuid, life);
    }
  return life;
}

void
vp_virt_life_started (VpVirt *self, const char *name, const char *uuid)
{
  g_hash_table_remove (self->ended, uuid);
  (void) begin (self, name, uuid);
}

/* An answer of libvirt says it is alive; an event may have said since that it is not. */
void
vp_virt_life_seen (VpVirt *self, const char *name, const char *uuid, gboolean watch)
{
  VpVirtLife *life;

  if (g_hash_table_contains (self->ended, uuid))
    return;
  life = begin (self, name, uuid);
  if (watch && life->watch == NULL)
    watch_life (self, life);
}

void
vp_virt_life_stopped (VpVirt *self, const char *uuid, const char *reason)
{
  end (self, uuid, reason);
}

/* The first reason counts: what turned itself off may be destroyed as well. */
void
vp_virt_life_hint (VpVirt *self, const char *uuid, const char *reason)
{
  VpVirtLife *life = g_hash_table_lookup (self->lives, uuid);

  if (life != NULL && life->hint == NULL)
    life->hint = g_intern_string (reason);
}

static VpVirtLife *
find_by_name (VpVirt *self, const char *name)
{
  GHashTableIter iter;
  VpVirtLife *life;

  g_hash_table_iter_init (&iter, self->lives);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &life))
    if (g_str_equal (life->name, name))
      return life;
  return NULL;
}

VpPidwatch *
vp_virt_life_dup_watch (VpVirt *self, const char *name)
{
  VpVirtLife *life = find_by_name (self, name);

  return life != NULL && life->watch != NULL ? g_object_ref (life->watch) : NULL;
}

void
vp_virt_life_hint_by_name (VpVirt *self, const char *name, const char *reason)
{
  VpVirtLife *life = find_by_name (self, name);

  if (life != NULL)
    vp_virt_life_hint (self, life->uuid, reason);
}

/* After a reconnect: what is not in @domains ended while nobody could tell. */
void
vp_virt_lives_reconcile (VpVirt *self, GPtrArray *domains)
{
  g_autoptr (GHashTable) active = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) gone = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  const char *uuid;

  for (guint i = 0; i < domains->len; i++)
    {
      VpVirtDomain *domain = domains->pdata[i];

      if (!domain->active)
        continue;
      g_hash_table_add (active, domain->uuid);
      vp_virt_life_seen (self, domain->name, domain->uuid, domain->sandbox_id != NULL);
    }
  g_hash_table_iter_init (&iter, self->lives);
  while (g_hash_table_iter_next (&iter, (gpointer *) &uuid, NULL))
    if (!g_hash_table_contains (active, uuid))
      g_ptr_array_add (gone, g_strdup (uuid));
  for (guint i = 0; i < gone->len; i++)
    {
      VpVirtLife *life = g_hash_table_lookup (self->lives, gone->pdata[i]);

      if (life != NULL)
        end (self, gone->pdata[i], life->hint != NULL ? life->hint : "failed");
    }
}
