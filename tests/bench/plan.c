/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan BUNDLE SECONDS: P18, config.json to domain document: parse, plan, XML,
 * over and over. Prints documents per second of processor time and the peak of
 * resident memory in KiB. With SECONDS 0 it does it 100 times and prints
 * nothing: that is for valgrind --tool=callgrind --toggle-collect=convert. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vp-domain-xml.h"
#include "vp-planner.h"

static VpFacts *
make_facts (void)
{
  VpFactsInit init = {
    .driver = "QEMU",
    .arch = "x86_64",
    .emulator = "/usr/bin/qemu-system-x86_64",
    .libvirt_version = 9000000,
    .hypervisor_version = 7002022,
    .host_cpus = 2,
    .max_vcpus = 288,
    .host_memory = G_GUINT64_CONSTANT (4) << 30,
    .virtiofs = TRUE,
  };

  return vp_facts_new (&init);
}

static G_GNUC_NO_INLINE void
convert (const char *json, gsize len, const char *bundle, VpConfig *config, VpFacts *facts)
{
  static const VpSandboxIdentity who
      = { "bench", "6b9a2c6e-7a0f-4d55-9d4b-0a6f0c1d2e3f", NULL, "/run/virtpod/sandboxes/bench" };
  g_autoptr (GError) error = NULL;
  g_autoptr (VpSpec) spec = vp_spec_parse (json, len, bundle, &error);
  g_autoptr (VpPlan) plan = NULL;
  g_autofree char *xml = NULL;

  if (spec == NULL || (plan = vp_planner_plan_sandbox (&who, spec, config, facts, &error)) == NULL
      || (xml = vp_domain_xml (plan, vp_driver_find ("QEMU"), &error)) == NULL)
    {
      fprintf (stderr, "%s\n", error->message);
      exit (1);
    }
}

/* Not getrusage(): that remembers the process this one was before exec. */
static guint64
peak_kib (void)
{
  g_autofree char *status = NULL;
  const char *line = NULL;

  if (g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    line = strstr (status, "VmHWM:");
  return line != NULL ? g_ascii_strtoull (line + strlen ("VmHWM:"), NULL, 10) : 0;
}

static double
processor_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int
main (int argc, char **argv)
{
  g_autoptr (VpConfig) config = vp_config_new_default ();
  g_autoptr (VpFacts) facts = make_facts ();
  g_autofree char *file = argc == 3 ? g_build_filename (argv[1], "config.json", NULL) : NULL;
  g_autofree char *json = NULL;
  g_autoptr (GError) error = NULL;
  double seconds, begin;
  gsize len, n = 0;

  if (file == NULL)
    {
      fprintf (stderr, "usage: plan BUNDLE SECONDS\n");
      return 2;
    }
  if (!g_file_get_contents (file, &json, &len, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return 1;
    }
  seconds = g_ascii_strtod (argv[2], NULL);
  begin = processor_time ();
  do
    {
      convert (json, len, argv[1], config, facts);
      n++;
    }
  while (seconds > 0 ? processor_time () - begin < seconds : n < 100);
  if (seconds > 0)
    printf ("%.0f %" G_GUINT64_FORMAT "\n", (double)n / (processor_time () - begin), peak_kib ());
  return 0;
}
