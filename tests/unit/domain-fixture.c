/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "agent.pb-c.h"
#include "vp-fd.h"

typedef struct
{
  char *cid;
  char *exec_id;
  guint32 stream;
} Wait;

static void
wait_clear (gpointer data)
{
  Wait *wait = data;

  g_free (wait->cid);
  g_free (wait->exec_id);
}

/* ---- the guest ---- */

static void
answer_waits (DomainFixture *f, const char *cid, const char *exec_id, guint status)
{
  for (guint i = f->waits->len; i > 0; i--)
    {
      Wait *wait = &g_array_index (f->waits, Wait, i - 1);
      Grpc__WaitProcessResponse answer = GRPC__WAIT_PROCESS_RESPONSE__INIT;

      if (!g_str_equal (wait->cid, cid) || (exec_id != NULL && !g_str_equal (wait->exec_id, exec_id)))
        continue;
      answer.status = (gint32) status;
      fake_agent_reply (f->agent, wait->stream, &answer.base);
      g_array_remove_index (f->waits, i - 1);
    }
}

void
domain_fixture_exit (DomainFixture *f, const char *cid, const char *exec_id, guint status)
{
  answer_waits (f, cid, exec_id, status);
}

static gboolean
on_call (FakeAgent *agent, guint32 stream, VpRpc rpc, const ProtobufCMessage *request, gpointer user_data)
{
  DomainFixture *f = user_data;

  f->calls[rpc]++;
  if (f->mute[rpc])
    return TRUE;
  if (f->fail[rpc] != 0)
    {
      fake_agent_reply_error (agent, stream, f->fail[rpc], "on purpose");
      return TRUE;
    }
  switch (rpc)
    {
    case VP_RPC_HEALTH_CHECK:
      return FALSE;
    case VP_RPC_GET_OOM_EVENT: /* nobody runs out of memory by himself */
      f->oom_stream = stream;
      return TRUE;
    case VP_RPC_READ_STDOUT:
    case VP_RPC_READ_STDERR:
      fake_agent_reply_data (agent, stream, "", 0);
      return TRUE;
    case VP_RPC_WAIT_PROCESS:
      {
        const Grpc__WaitProcessRequest *r = (const Grpc__WaitProcessRequest *) request;
        Wait wait = { g_strdup (r->container_id), g_strdup (r->exec_id), stream };

        g_array_append_val (f->waits, wait);
        return TRUE;
      }
    case VP_RPC_SIGNAL_PROCESS:
      {
        const Grpc__SignalProcessRequest *r = (const Grpc__SignalProcessRequest *) request;

        fake_agent_reply_empty (agent, stream);
        if (r->signal == 9)
          answer_waits (f, r->container_id, *r->exec_id == '\0' ? NULL : r->exec_id, 137);
        return TRUE;
      }
    default:
      fake_agent_reply_empty (agent, stream);
      return TRUE;
    }
}

void
domain_fixture_guest (DomainFixture *f, const char *domain_name)
{
  g_autofree char *directory = vp_store_dup_directory (f->services.store, domain_name);
  g_autofree char *path = g_build_filename (directory, "agent.sock", NULL);

  g_array_set_size (f->waits, 0);
  g_clear_pointer (&f->agent, fake_agent_free);
  f->agent = fake_agent_listen (path);
  fake_agent_set_func (f->agent, on_call, f);
}

void
domain_fixture_guest_for_fd (DomainFixture *f, int fd)
{
  g_clear_pointer (&f->agent, fake_agent_free);
  f->agent = fake_agent_new_for_fd (fd);
  fake_agent_set_func (f->agent, on_call, f);
}

void
domain_fixture_await_call (DomainFixture *f, VpRpc rpc, guint n)
{
  gint64 end = g_get_monotonic_time () + 20 * G_TIME_SPAN_SECOND;

  while (f->calls[rpc] < n)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_main_context_iteration (NULL, TRUE);
    }
}

GAsyncResult *
domain_fixture_await (TestResult *result)
{
  test_run_until (&result->done);
  return result->result;
}

void
domain_fixture_assert_gone (gpointer object)
{
  gint64 end = g_get_monotonic_time () + 20 * G_TIME_SPAN_SECOND;
  gpointer weak = object;

  g_object_add_weak_pointer (object, &weak);
  g_object_unref (object);
  while (weak != NULL)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      if (!g_main_context_iteration (NULL, FALSE))
        g_usleep (1000); /* a worker's last word is on its way */
    }
}

/* ---- the host ---- */

char *
domain_fixture_make_bundle (DomainFixture *f, const char *name)
{
  static const char config[] = "{\"ociVersion\": \"1.0.2\", \"root\": {\"path\": \"rootfs\"}, "
                               "\"process\": {\"args\": [\"true\"], \"cwd\": \"/\", \"user\": {\"uid\": 0, \"gid\": 0}}}";
  char *path = g_build_filename (f->dir, name, NULL);
  g_autofree char *rootfs = g_build_filename (path, "rootfs", NULL);
  g_autofree char *file = g_build_filename (path, "config.json", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_no_errno (g_mkdir_with_parents (rootfs, 0755));
  g_file_set_contents (file, config, -1, &error);
  g_assert_no_error (error);
  return path;
}

VpSpec *
domain_fixture_load_spec (DomainFixture *f, const char *name)
{
  g_autofree char *path = domain_fixture_make_bundle (f, name);
  g_autoptr (GError) error = NULL;
  VpSpec *spec = vp_spec_load (path, &error);

  g_assert_no_error (error);
  return spec;
}

guint
domain_fixture_count_mounts (DomainFixture *f)
{
  g_autofree char *text = NULL;
  g_autofree char *wanted = g_strconcat (" ", f->dir, "/", NULL);
  guint n = 0;

  g_assert_true (g_file_get_contents ("/proc/self/mountinfo", &text, NULL, NULL));
  for (const char *p = text; (p = strstr (p, wanted)) != NULL; p++)
    n++;
  return n;
}

static void
override (VpConfig *config, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  vp_config_override (config, key, value, &error);
  g_assert_no_error (error);
}

void
domain_fixture_set_up (DomainFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (TestResult) opened = { 0 };
  g_autofree char *state_dir = NULL;

  f->dir = g_dir_make_tmp ("vp-XXXXXX", &error);
  g_assert_no_error (error);
  state_dir = g_build_filename (f->dir, "state", NULL);
  f->waits = g_array_new (FALSE, FALSE, sizeof (Wait));
  g_array_set_clear_func (f->waits, wait_clear);

  f->services.config = vp_config_new_default ();
  override (f->services.config, "agent.connect-timeout-ms", "10000");
  override (f->services.config, "agent.request-timeout-ms", "1000");
  override (f->services.config, "agent.stop-timeout-ms", "500");
  override (f->services.config, "daemon.max-sandboxes", "3");
  vp_container_set_request_timeout (1000);
  f->services.store = vp_store_open (state_dir, &error);
  g_assert_no_error (error);
  f->services.worker = vp_worker_new ("test", 4);
  f->services.virt = vp_virt_new ("test:///default");
  vp_virt_open_async (f->services.virt, NULL, test_result_ready, &opened);
  vp_virt_open_finish (f->services.virt, domain_fixture_await (&opened), &error);
  g_assert_no_error (error);
}

static void
remove_directory (const char *path)
{
  g_autofree char *parent = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  VP_AUTO_FD fd = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  g_assert_true (vp_fd_remove_tree (fd, name, NULL));
}

void
domain_fixture_tear_down (DomainFixture *f, gconstpointer data)
{
  g_auto (TestResult) closed = { 0 };

  vp_virt_close_async (f->services.virt, test_result_ready, &closed);
  vp_virt_close_finish (f->services.virt, domain_fixture_await (&closed));
  while (vp_worker_get_running (f->services.worker) + vp_worker_get_queued (f->services.worker) > 0)
    g_main_context_iteration (NULL, TRUE);
  g_clear_pointer (&f->agent, fake_agent_free);
  g_clear_object (&f->services.virt);
  g_clear_object (&f->services.store);
  g_clear_pointer (&f->services.worker, vp_worker_unref);
  vp_config_unref (f->services.config);
  g_array_unref (f->waits);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (domain_fixture_count_mounts (f), ==, 0);
  remove_directory (f->dir);
  g_free (f->dir);
}

static void
test_skipped (void)
{
  g_test_skip ("needs root and a mount namespace of its own");
}

int
domain_test_run (int argc, char **argv, void (*add) (void))
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL); /* faults are warned of, as they should be */
  if (geteuid () != 0 || unshare (CLONE_NEWNS) < 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    g_test_add_func ("/domain/all", test_skipped);
  else
    add ();
  return g_test_run ();
}
