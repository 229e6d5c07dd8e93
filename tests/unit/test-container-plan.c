/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the guest gets of a spec, what the host keeps, and what the plan says of
 * the rest. */
#include <glib/gstdio.h>
#include <string.h>

#include "vp-container-planner.h"
#include "vp-decision.h"
#include "vp-error.h"
#include "vp-json-writer.h"

#define TOP                                                                                                  \
  "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"},\"process\":{\"args\":[\"a\"],\"cwd\":\"/\"%s}%s}"

static const char *const *settings; /* pairs of key and value; NULL: none */
static gboolean readonly;           /* the root file system */

static VpContainerPlan *
plan (const char *process, const char *rest, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (VpSpec) spec = NULL;
  g_autoptr (VpConfig) config = vp_config_new_default ();
  VpFactsInit init = { .driver = "QEMU", .arch = "x86_64" };
  g_autoptr (VpFacts) facts = vp_facts_new (&init);

  for (const char *const *s = settings; s != NULL && *s != NULL; s += 2)
    g_assert_true (vp_config_override (config, s[0], s[1], NULL));
  g_string_printf (text, TOP, process, rest);
  if (readonly)
    g_string_replace (text, "\"path\":\"r\"", "\"path\":\"r\",\"readonly\":true", 1);
  spec = vp_spec_parse (text->str, text->len, "/b", error);
  return spec != NULL ? vp_planner_plan_container ("s1", "c1", spec, config, facts, error) : NULL;
}

/* Text of the guest's member at @names; NULL when there is none. */
static char *
guest_text (VpContainerPlan *result, const char *path)
{
  g_auto (GStrv) names = g_strsplit (path, " ", -1);
  VpJson *json = result->guest_spec;

  for (char **name = names; *name != NULL && json != NULL; name++)
    json = vp_json_lookup (json, *name);
  return json != NULL ? vp_json_to_text (json, FALSE, NULL) : NULL;
}

static void
test_guest (void)
{
  static const struct
  {
    const char *process, *rest, *path, *guest; /* @guest NULL: not there */
    const char *noted;                         /* NULL: nothing */
  } cases[] = {
    { "", ",\"unknown\":{\"a\":[1,null]}", "unknown", "{\"a\":[1,null]}", NULL },
    { ",\"unknown\":1.5", "", "process unknown", "1.5", NULL },
    { ",\"apparmorProfile\":\"p\"", "", "process apparmorProfile", NULL, "process.apparmorProfile" },
    { ",\"selinuxLabel\":\"p\"", "", "process selinuxLabel", NULL, "process.selinuxLabel" },
    { ",\"selinuxLabel\":\"\"", "", "process selinuxLabel", NULL, NULL },
    { ",\"scheduler\":{\"policy\":\"SCHED_RR\"}", "", "process scheduler policy", "\"SCHED_RR\"", NULL },
    { "", ",\"domainname\":\"d\"", "domainname", "\"d\"", NULL },
    { "", ",\"windows\":{}", "windows", NULL, NULL },
    { "", ",\"linux\":{\"mountLabel\":\"l\"}", "linux mountLabel", NULL, "linux.mountLabel" },
    { "", ",\"linux\":{\"cgroupsPath\":\"/a/b\"}", "linux cgroupsPath", "\"/c1\"", NULL },
    { "", ",\"linux\":{}", "linux cgroupsPath", "\"/c1\"", NULL },
    { "", ",\"linux\":{\"timeOffsets\":{\"boottime\":{\"secs\":0}}}", "linux timeOffsets", NULL, NULL },
    { "", ",\"linux\":{\"personality\":{\"domain\":\"LINUX32\"}}", "linux personality domain", "\"LINUX32\"",
      NULL },
    { "", ",\"linux\":{\"resources\":{\"cpu\":{\"cpus\":\"0\",\"quota\":5}}}", "linux resources cpu",
      "{\"quota\":5}", "linux.resources.cpu.cpus" },
    { "", ",\"linux\":{\"resources\":{\"cpu\":{\"burst\":5}}}", "linux resources unified",
      "{\"cpu.max.burst\":\"5\"}", NULL },
    { "",
      ",\"linux\":{\"resources\":{\"cpu\":{\"burst\":5},\"unified\":{\"cpu.max.burst\":\"6\",\"cpuset.cpus\":"
      "\"1\"}}}",
      "linux resources unified", "{\"cpu.max.burst\":\"6\"}", "linux.resources.unified[\"cpuset.cpus\"]" },
    { "", ",\"linux\":{\"resources\":{\"memory\":{\"swappiness\":0,\"kernel\":-1,\"limit\":1}}}",
      "linux resources memory", "{\"limit\":1}", NULL },
    { "", ",\"linux\":{\"resources\":{\"blockIO\":{\"weight\":5}}}", "linux resources blockIO", NULL,
      "linux.resources.blockIO" },
    { "", ",\"linux\":{\"resources\":{\"devices\":[{\"allow\":false}]}}", "linux resources devices",
      "[{\"allow\":false}]", NULL },
    { "", ",\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_LOG\",\"defaultErrnoRet\":1}}",
      "linux seccomp", "{\"defaultAction\":\"SCMP_ACT_LOG\",\"defaultErrnoRet\":1}", NULL },
    { "",
      ",\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":\"/"
      "n\"},{\"type\":\"time\"},{\"type\":\"uts\",\"path\":"
      "\"/n\"},{\"type\":\"pid\"}]}",
      "linux namespaces", "[{\"type\":\"uts\"},{\"type\":\"pid\"}]", NULL },
    { "", ",\"linux\":{\"sysctl\":{\"net.a\":\"1\",\"kernel.b\":\"2\"}}", "linux sysctl",
      "{\"kernel.b\":\"2\"}", NULL },
    { "",
      ",\"linux\":{\"sysctl\":{\"net.a\":\"1\"}},\"annotations\":{\"io.kubernetes.cri.container-type\":"
      "\"container\"}",
      "linux sysctl", "{}", "linux.sysctl[\"net.a\"]" },
    { "",
      ",\"linux\":{\"devices\":[{\"path\":\"/dev/vfio/"
      "1\",\"type\":\"c\",\"major\":9,\"minor\":1},{\"path\":\"/dev/"
      "x\",\"type\":\"b\",\"major\":9,\"minor\":1}],\"resources\":{\"devices\":[{\"allow\":true}]}}",
      "linux devices", "[{\"path\":\"/dev/x\",\"type\":\"b\",\"major\":9,\"minor\":1}]", "linux.devices[0]" },
    { "", ",\"hooks\":{\"startContainer\":[{\"path\":\"/x\"}],\"poststop\":[{\"path\":\"/y\"}]}", "hooks",
      "{\"startContainer\":[{\"path\":\"/x\"}]}", NULL },
    { "", ",\"hooks\":{\"poststop\":[{\"path\":\"/y\"}]}", "hooks", NULL, NULL },
    { "", ",\"annotations\":{\"a\":\"b\"}", "annotations", "{\"a\":\"b\"}", NULL },
    { "", ",\"hostname\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaX\"", "hostname",
      "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", "hostname" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VpContainerPlan) result = plan (cases[i].process, cases[i].rest, &error);
      g_autofree char *text = NULL;

      g_assert_no_error (error);
      text = guest_text (result, cases[i].path);
      g_assert_cmpstr (text, ==, cases[i].guest);
      if (cases[i].noted == NULL)
        g_assert_cmpuint (result->decisions->len, ==, 0);
      else
        g_assert_nonnull (vp_decisions_find (result->decisions, cases[i].noted));
    }
}

static void
test_configuration (void)
{
  static const char *const all[]
      = { "guest.seccomp", "false", "guest.selinux", "true", "guest.selinux-label", "system_u:x", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (VpContainerPlan) result = NULL;
  g_autofree char *label = NULL;

  settings = all;
  result = plan (",\"selinuxLabel\":\"p\"", ",\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_LOG\"}}",
                 &error);
  settings = NULL;
  g_assert_no_error (error);
  g_assert_null (guest_text (result, "linux seccomp"));
  label = guest_text (result, "process selinuxLabel");
  g_assert_cmpstr (label, ==, "\"system_u:x\"");
  g_assert_nonnull (vp_decisions_find (result->decisions, "linux.seccomp"));
}

static void
test_hooks (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VpContainerPlan) result
      = plan ("",
              ",\"hooks\":{\"poststop\":[{\"path\":\"/p\"}],\"createRuntime\":[{\"path\":\"/"
              "a\",\"args\":[\"a\",\"b\"],\"env\":"
              "[\"X=1\"],\"timeout\":7},{\"path\":\"/c\"}],\"prestart\":[{\"path\":\"/"
              "d\"}],\"startContainer\":[{\"path\":"
              "\"/guest\"}]}",
              &error);
  g_autofree char *text = NULL;
  const VpHostHook *hook;

  g_assert_no_error (error);
  g_assert_cmpuint (result->hooks->len, ==, 4);
  hook = result->hooks->pdata[0];
  g_assert_cmpint (hook->kind, ==, VP_HOOK_PRESTART);
  g_assert_cmpstr (hook->path, ==, "/d");
  g_assert_null (hook->args[0]);
  g_assert_cmpint (hook->timeout, ==, 0);
  hook = result->hooks->pdata[1];
  g_assert_cmpint (hook->kind, ==, VP_HOOK_CREATE_RUNTIME);
  g_assert_cmpstr (hook->args[1], ==, "b");
  g_assert_cmpstr (hook->env[0], ==, "X=1");
  g_assert_cmpint (hook->timeout, ==, 7);
  hook = result->hooks->pdata[3];
  g_assert_cmpint (hook->kind, ==, VP_HOOK_POSTSTOP);
  text = vp_container_plan_to_text (result);
  g_assert_nonnull (strstr (text, "\nhook: createRuntime /a timeout=7\n"));
}

static void
test_shm (void)
{
  static const struct
  {
    const char *rest, *guest;
  } cases[] = {
    { ",\"mounts\":[{\"destination\":\"/dev/shm\",\"type\":\"bind\",\"source\":\"/nowhere\"}]",
      "[{\"destination\":\"/dev/"
      "shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":[\"nosuid\",\"noexec\",\"nodev\","
      "\"mode=1777\",\"size=65536k\"]}]" },
    { ",\"mounts\":[{\"destination\":\"/dev/"
      "shm\",\"type\":\"tmpfs\",\"source\":\"x\",\"options\":[\"size=1m\"]}]",
      "[{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"x\",\"options\":[\"size=1m\"]}]" },
    { ",\"mounts\":[{\"destination\":\"/dev/shm\",\"type\":\"bind\",\"source\":\"/"
      "nowhere\"}],\"annotations\":{"
      "\"io.kubernetes.cri.container-type\":\"sandbox\"}",
      "[{\"destination\":\"/dev/shm\",\"type\":\"bind\",\"source\":\"/run/kata-containers/sandbox/"
      "shm\",\"options\":["
      "\"rbind\"]}]" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VpContainerPlan) result = plan ("", cases[i].rest, &error);
      g_autofree char *text = NULL;

      g_assert_no_error (error);
      text = guest_text (result, "mounts");
      g_assert_cmpstr (text, ==, cases[i].guest);
    }
}

/* With a network that is nobody's, name servers are the guest's. */
static void
test_resolv_conf (void)
{
#define OURS "{\"destination\":\"/etc/resolv.conf\",\"type\":\"bind\",\"source\":\"/etc/resolv.conf\"," \
             "\"options\":[\"bind\",\"ro\"]}"
#define OTHER "{\"destination\":\"/x\",\"type\":\"tmpfs\",\"source\":\"x\",\"options\":[]}"
  static const char *const user[] = { "network.model", "user", NULL };
  static const struct
  {
    const char *mounts;
    gboolean user, readonly;
    const char *guest;
  } cases[] = {
    { OTHER, TRUE, FALSE, "[" OTHER "," OURS "]" },
    { "", TRUE, FALSE, "[" OURS "]" },
    { OTHER, FALSE, FALSE, "[" OTHER "]" },
    { OTHER, TRUE, TRUE, "[" OTHER "]" },
    { "{\"destination\":\"/etc\",\"type\":\"tmpfs\",\"source\":\"x\",\"options\":[]}", TRUE, FALSE,
      "[{\"destination\":\"/etc\",\"type\":\"tmpfs\",\"source\":\"x\",\"options\":[]}]" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *rest
          = g_strdup_printf (",\"mounts\":[%s]", cases[i].mounts);
      g_autoptr (GError) error = NULL;
      g_autoptr (VpContainerPlan) result = NULL;
      g_autofree char *text = NULL;

      settings = cases[i].user ? user : NULL;
      readonly = cases[i].readonly;
      result = plan ("", rest, &error);
      settings = NULL;
      readonly = FALSE;
      g_assert_no_error (error);
      text = guest_text (result, "mounts");
      g_assert_cmpstr (text, ==, cases[i].guest);
    }
}

/* What a sandbox takes from files of the host that its first container mounts. */
static void
test_load (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *bundle = g_dir_make_tmp ("vp-bundle-XXXXXX", &error);
  g_autofree char *rootfs = g_build_filename (bundle, "r", NULL);
  g_autofree char *config = g_build_filename (bundle, "config.json", NULL);
  g_autofree char *resolv = g_build_filename (bundle, "resolv.conf", NULL);
  g_autofree char *text = g_strdup_printf (
      TOP, "",
      ",\"mounts\":[{\"destination\":\"/etc/resolv.conf\",\"source\":\"resolv.conf\",\"options\":[\"bind\"]},"
      "{\"destination\":\"/dev/shm\",\"type\":\"bind\",\"source\":\"/dev/shm\"}]");
  VpSpec *spec;

  g_assert_no_error (error);
  g_assert_cmpint (g_mkdir (rootfs, 0700), ==, 0);
  g_assert_true (g_file_set_contents (config, text, -1, NULL));
  spec = vp_spec_load (bundle, &error);
  g_assert_no_error (error);
  g_assert_null (vp_spec_get_dns (spec)[0]); /* not there: the mount will say so */
  vp_spec_unref (spec);

  g_assert_true (
      g_file_set_contents (resolv, "# no\n\n nameserver 192.0.2.1 \n;no\nsearch a b\n\xff\n", -1, NULL));
  spec = vp_spec_load (bundle, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length ((char **)vp_spec_get_dns (spec)), ==, 2);
  g_assert_cmpstr (vp_spec_get_dns (spec)[0], ==, "nameserver 192.0.2.1");
  g_assert_cmpstr (vp_spec_get_dns (spec)[1], ==, "search a b");
  /* the host's own says nothing about this container */
  g_assert_cmpuint (vp_spec_get_shm_size (spec), ==, VP_SPEC_SHM_SIZE);
  vp_spec_unref (spec);

  g_unlink (resolv);
  g_unlink (config);
  g_rmdir (rootfs);
  g_rmdir (bundle);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/container-plan/guest", test_guest);
  g_test_add_func ("/container-plan/configuration", test_configuration);
  g_test_add_func ("/container-plan/hooks", test_hooks);
  g_test_add_func ("/container-plan/shm", test_shm);
  g_test_add_func ("/container-plan/resolv-conf", test_resolv_conf);
  g_test_add_func ("/container-plan/load", test_load);
  return g_test_run ();
}
