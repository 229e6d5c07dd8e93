/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* messages BUNDLE ID OUTDIR: writes the requests virtpodd would send for a
 * sandbox of BUNDLE, packed: OUTDIR/create-sandbox and OUTDIR/create-container.
 * The guest without virtpodd is asked for the very same things. */
#include <stdio.h>

#include "vp-guest-messages.h"
#include "vp-planner.h"

static void
write_message (const char *directory, const char *name, const ProtobufCMessage *message)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autoptr (GBytes) packed = vp_guest_message_pack (message);
  g_autoptr (GError) error = NULL;
  gsize len;
  const char *data = g_bytes_get_data (packed, &len);

  if (!g_file_set_contents (path, data, (gssize) len, &error))
    g_error ("%s", error->message);
}

static VpFacts *
make_facts (void)
{
  VpFactsInit init = {
    .driver = "QEMU",
    .arch = "x86_64",
    .emulator = "/usr/bin/qemu-system-x86_64",
    .host_cpus = 2,
    .max_vcpus = 288,
    .host_memory = G_GUINT64_CONSTANT (4) << 30,
    .virtiofs = TRUE,
  };

  return vp_facts_new (&init);
}

int
main (int argc, char **argv)
{
  VpSandboxIdentity who = { argv[1] != NULL ? argv[2] : NULL, "6b9a2c6e-7a0f-4d55-9d4b-0a6f0c1d2e3f", NULL, "/run" };
  g_autoptr (VpConfig) config = vp_config_new_default ();
  g_autoptr (VpFacts) facts = make_facts ();
  g_autoptr (VpSpec) spec = NULL;
  g_autoptr (VpPlan) plan = NULL;
  g_autoptr (VpContainerPlan) container_plan = NULL;
  g_autoptr (GError) error = NULL;
  Grpc__CreateSandboxRequest *sandbox;
  Grpc__CreateContainerRequest *container;

  if (argc != 4)
    {
      fprintf (stderr, "usage: messages BUNDLE ID OUTDIR\n");
      return 2;
    }
  if ((spec = vp_spec_load (argv[1], &error)) == NULL
      || (plan = vp_planner_plan_sandbox (&who, spec, config, facts, &error)) == NULL
      || (container_plan = vp_planner_plan_container (argv[2], argv[2], spec, config, facts, &error)) == NULL
      || (sandbox = vp_guest_message_create_sandbox (plan, &error)) == NULL
      || (container = vp_guest_message_create_container (container_plan, &error)) == NULL)
    {
      fprintf (stderr, "%s\n", error->message);
      return 1;
    }
  write_message (argv[3], "create-sandbox", &sandbox->base);
  write_message (argv[3], "create-container", &container->base);
  grpc__create_sandbox_request__free_unpacked (sandbox, NULL);
  grpc__create_container_request__free_unpacked (container, NULL);
  return 0;
}
