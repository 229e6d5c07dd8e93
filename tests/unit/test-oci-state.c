/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "vp-oci-state.h"

static void
test_state (void)
{
  static const char json[]
      = "{\"ociVersion\":\"1.1.0\",\"root\":{\"path\":\"r\"},\"process\":{\"args\":[\"x\"],\"cwd\":"
        "\"/\"},\"annotations\":{\"k\":\"v\\\"\"}}";
  g_autoptr (VpSpec) spec = vp_spec_parse (json, strlen (json), "/b", NULL);
  VpOciState running = { .id = "c1", .status = "running", .pid = 7, .bundle = "/b", .spec = spec };
  VpOciState known = { .id = "c1", .status = "running", .bundle = "/b", .spec = spec, .created_at = 1500000000000001 };
  VpOciState created = { .id = "c1", .status = "stopped", .bundle = "/b" };
  g_autofree char *one = vp_oci_state_to_json (&running);
  g_autofree char *two = vp_oci_state_to_json (&created);
  g_autofree char *three = vp_oci_state_to_json (&known);

  g_assert_cmpstr (
      one, ==,
      "{\n  \"ociVersion\": \"1.1.0\",\n  \"id\": \"c1\",\n  \"status\": \"running\",\n  \"pid\": 7,\n"
      "  \"bundle\": \"/b\",\n  \"annotations\": {\n    \"k\": \"v\\\"\"\n  }\n}\n");
  g_assert_cmpstr (two, ==,
                   "{\n  \"ociVersion\": \"1.0.2\",\n  \"id\": \"c1\",\n  \"status\": \"stopped\",\n"
                   "  \"bundle\": \"/b\"\n}\n");
  g_assert_nonnull (strstr (three, "  \"bundle\": \"/b\",\n  \"rootfs\": \"/b/r\",\n"
                                   "  \"created\": \"2017-07-14T02:40:00.000001Z\",\n  \"annotations\""));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/oci-state", test_state);
  return g_test_run ();
}
