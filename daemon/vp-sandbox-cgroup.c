/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include <unistd.h>

#include "vp-cgroup.h"
#include "vp-failpoint.h"
#include "vp-log.h"
#include "vp-planner.h"

/* Where the host accounts for a sandbox: in the control group that its bundle names, from which
 * engines take their figures. The sandbox's own container's has the machine and what stands for the
 * container; those of the others have only what stands for them. Nothing fails because of it. */

#define RESOURCE_CGROUP "cgroup" /* of our making, the machine's: its path in each hierarchy */
#define RESOURCE_CONTAINER_CGROUP "cgroup-of-container"
#define RESOURCE_LIBVIRTS_CGROUP "cgroup-of-libvirt" /* which does not know it any more when it is started again */

typedef struct
{
  char *path;     /* NULL: nothing to be done */
  char *libvirts; /* to be removed; NULL: none */
  GStrv others;   /* to be removed too */
  GArray *machine;  /* of pid_t, to be moved; NULL: nothing */
  GArray *standins; /* of pid_t: when it is made that of the own container, later those of all */
} CgroupJob;

static void
job_free (gpointer data)
{
  CgroupJob *job = data;

  g_free (job->path);
  g_free (job->libvirts);
  g_strfreev (job->others);
  g_clear_pointer (&job->machine, g_array_unref);
  g_array_unref (job->standins);
  g_free (job);
}

static CgroupJob *
job_new (VpSandbox *self)
{
  CgroupJob *job = g_new0 (CgroupJob, 1);

  job->path = g_strdup (self->machine.cgroup);
  job->standins = g_array_new (FALSE, FALSE, sizeof (pid_t));
  return job;
}

static void
add_standin (CgroupJob *job, VpContainer *container)
{
  pid_t pid = container != NULL ? vp_process_get_standin_pid (vp_container_get_init (container)) : 0;

  if (pid != 0)
    g_array_append_val (job->standins, pid);
}

static const pid_t *
pids_of (const GArray *array)
{
  return (const pid_t *) (const void *) array->data;
}

static void
return_result (GTask *task, gboolean done, GError *error)
{
  if (done)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/* ---- which ---- */

/* Who may create sandboxes may not thereby put what they use to the account of others. */
static gboolean
may_choose (VpSandbox *self)
{
  return self->owner == 0 || self->owner == geteuid ();
}

void
vp_sandbox_plan_cgroup (VpSandbox *self)
{
  g_clear_pointer (&self->machine.cgroup, g_free);
  if (self->machine.plan->cgroup != NULL && !may_choose (self))
    vp_info (self->id, NULL, "its cgroup is libvirt's choice: user %u cannot choose one", self->owner);
  else
    self->machine.cgroup = g_strdup (self->machine.plan->cgroup);
}

void
vp_sandbox_give_cgroup (VpSandbox *self, VpContainer *container)
{
  VpFacts *facts = vp_virt_get_facts (self->services->virt);
  const char *why = NULL;
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;

  if (g_str_equal (vp_container_get_id (container), self->id) || !may_choose (self) || facts == NULL
      || vp_process_get_standin (vp_container_get_init (container)) == NULL)
    return;
  path = vp_planner_dup_cgroup (vp_container_get_spec (container), self->config, facts, &why);
  if (path == NULL || g_strcmp0 (path, self->machine.cgroup) == 0)
    return;
  vp_container_set_cgroup (container, path);
  if (vp_sandbox_save (self, &error))
    return;
  vp_warning (self->id, vp_container_get_id (container), "no cgroup, as it cannot be recorded: %s", error->message);
  vp_container_set_cgroup (container, NULL);
}

void
vp_sandbox_describe_cgroup (VpSandbox *self, VpRecord *record)
{
  if (self->machine.cgroup != NULL)
    vp_record_add_resource (record, RESOURCE_CGROUP, self->machine.cgroup);
  if (self->machine.libvirts_cgroup != NULL)
    vp_record_add_resource (record, RESOURCE_LIBVIRTS_CGROUP, self->machine.libvirts_cgroup);
  for (guint i = 0; i < self->containers->len; i++)
    {
      const char *path = vp_container_get_cgroup (self->containers->pdata[i]);

      if (path != NULL)
        vp_record_add_resource (record, RESOURCE_CONTAINER_CGROUP, path);
    }
}

/* Whose it is its spec says. */
static void
restore_container_cgroup (VpSandbox *self, const char *path)
{
  for (guint i = 0; i < self->containers->len; i++)
    {
      VpContainer *container = self->containers->pdata[i];
      const char *named = vp_spec_get_cgroups_path (vp_container_get_spec (container));
      g_autofree char *own = vp_cgroup_from_cgroups_path (named, NULL);

      if (g_strcmp0 (own, path) == 0)
        vp_container_set_cgroup (container, path);
    }
}

void
vp_sandbox_restore_cgroup (VpSandbox *self, const VpRecord *record)
{
  for (guint i = 0; i < record->resources->len; i++)
    {
      const VpRecordResource *resource = record->resources->pdata[i];

      if (g_str_equal (resource->kind, RESOURCE_CGROUP))
        {
          g_free (self->machine.cgroup);
          self->machine.cgroup = g_strdup (resource->path);
        }
      else if (g_str_equal (resource->kind, RESOURCE_LIBVIRTS_CGROUP))
        {
          g_free (self->machine.libvirts_cgroup);
          self->machine.libvirts_cgroup = g_strdup (resource->path);
        }
      else if (g_str_equal (resource->kind, RESOURCE_CONTAINER_CGROUP))
        restore_container_cgroup (self, resource->path);
    }
}

/* ---- making ---- */

static void
make_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  const CgroupJob *job = task_data;
  GError *error = NULL;
  gboolean done = vp_cgroup_make (job->path, &error);

  return_result (task, done, error);
}

static void
on_made (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VpSandbox *self = VP_SANDBOX (source);
  g_autoptr (GError) error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    {
      vp_notice (self->id, NULL, "the machine is accounted for where libvirt puts it: %s", error->message);
      /* whatever is there is not ours to remove */
      g_clear_pointer (&self->machine.cgroup, g_free);
    }
  vp_step_done (user_data, NULL);
}

void
vp_sandbox_run_cgroup (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  VpSandbox *self = owner;

  if (self->machine.cgroup == NULL)
    vp_step_done (steps, NULL);
  else
    vp_worker_run_async (self->services->worker, self, vp_sandbox_run_cgroup, make_in_worker, job_new (self), job_free,
                         NULL, on_made, steps);
}

/* ---- moving ---- */

static void
join_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  const CgroupJob *job = task_data;
  GError *error = NULL;
  gboolean done
      = vp_cgroup_join (job->path, VP_CGROUP_STANDIN, pids_of (job->standins), job->standins->len, &error)
        && vp_cgroup_join (job->path, VP_CGROUP_MACHINE, pids_of (job->machine), job->machine->len, &error);

  return_result (task, done, error);
}

static void
on_joined (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VpSandbox *self = VP_SANDBOX (source);
  g_autoptr (GError) error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    vp_notice (self->id, NULL, "what engines read of its use on the host is not right: %s", error->message);
  vp_sandbox_run_machine (self);
}

/* libvirt knows what it has started beside a hypervisor; where it makes no groups it is looked for. */
static GArray *
find_machine (VpSandbox *self)
{
  GArray *pids;

  if (self->machine.libvirts_cgroup == NULL)
    return vp_virt_find_processes (self->services->virt, self->domain_name);
  pids = g_array_new (FALSE, FALSE, sizeof (pid_t));
  g_array_append_val (pids, self->machine.pid);
  return pids;
}

void
vp_sandbox_run_account (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  VpSandbox *self = owner;
  g_autoptr (GError) error = NULL;
  CgroupJob *job;

  if (self->machine.cgroup == NULL)
    {
      vp_sandbox_run_machine (self);
      return;
    }
  if (self->machine.pid != 0)
    self->machine.libvirts_cgroup = vp_cgroup_dup_libvirts (self->machine.pid);
  if (self->machine.libvirts_cgroup != NULL && !vp_sandbox_save (self, &error))
    {
      vp_warning (self->id, NULL, "the machine stays in libvirt's cgroup, as that cannot be recorded: %s", error->message);
      g_clear_pointer (&self->machine.libvirts_cgroup, g_free);
      vp_sandbox_run_machine (self);
      return;
    }
  job = job_new (self);
  add_standin (job, vp_sandbox_find_container (self, self->id));
  job->machine = find_machine (self);
  vp_worker_run_async (self->services->worker, self, vp_sandbox_run_account, join_in_worker, job, job_free, NULL,
                       on_joined, NULL);
}

/* ---- back ---- */

static void
remove_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  const CgroupJob *job = task_data;
  GError *error = NULL;
  gboolean done = job->path == NULL || vp_cgroup_remove (job->path, pids_of (job->standins), job->standins->len, &error);

  if (job->libvirts != NULL)
    done = vp_cgroup_remove_libvirts (job->libvirts, done ? &error : NULL) && done;
  for (char **path = job->others; *path != NULL; path++)
    done = vp_cgroup_remove (*path, pids_of (job->standins), job->standins->len, done ? &error : NULL) && done;
  return_result (task, done, error);
}

static void
on_removed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VpSandbox *self = VP_SANDBOX (source);
  g_autoptr (GError) error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    vp_warning (self->id, NULL, "cgroup not removed: %s", error->message);
  g_clear_pointer (&self->machine.cgroup, g_free);
  g_clear_pointer (&self->machine.libvirts_cgroup, g_free);
  for (guint i = 0; i < self->containers->len; i++)
    vp_container_set_cgroup (self->containers->pdata[i], NULL);
  vp_step_done (user_data, NULL);
}

void
vp_sandbox_undo_cgroup (gpointer owner, VpSteps *steps)
{
  VpSandbox *self = owner;
  g_autoptr (GStrvBuilder) others = g_strv_builder_new ();
  CgroupJob *job = job_new (self);

  job->libvirts = g_strdup (self->machine.libvirts_cgroup);
  for (guint i = 0; i < self->containers->len; i++)
    {
      add_standin (job, self->containers->pdata[i]);
      if (vp_container_get_cgroup (self->containers->pdata[i]) != NULL)
        g_strv_builder_add (others, vp_container_get_cgroup (self->containers->pdata[i]));
    }
  job->others = g_strv_builder_end (others);
  if (job->path == NULL && job->libvirts == NULL && *job->others == NULL)
    {
      job_free (job);
      vp_step_done (steps, NULL);
      return;
    }
  vp_worker_run_async (self->services->worker, self, vp_sandbox_undo_cgroup, remove_in_worker, job, job_free, NULL,
                       on_removed, steps);
}
