/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents that containerd-shim-virtpod-v2 writes for a pod, and what it adds to those of containers. */
#include <glib.h>
#include <glib/gstdio.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim-pod.h"
#include "shim-text.h"
#include "vp-json-scan.h"

static void
test_text (void)
{
  g_autofree char *directory = g_dir_make_tmp ("shim-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "file", NULL);
  g_autofree char *got = NULL;
  ShimText text = { NULL, 0, 0 };

  shim_text_string (&text, "a\"b\\c\n\x1f\xc3\xa4/");
  g_assert_cmpstr (text.text, ==, "\"a\\\"b\\\\c\\u000a\\u001f\xc3\xa4/\"");
  g_assert_cmpuint (text.len, ==, strlen (text.text));
  shim_text_printf (&text, "%s%d", "x", 7);
  shim_text_append (&text, "yz", 1);
  g_assert_true (g_str_has_suffix (text.text, "\"x7y"));
  g_assert_true (g_file_set_contents (path, "older, and longer than that", -1, NULL));
  g_assert_cmpint (shim_text_save (&text, path), ==, 0);
  g_assert_true (g_file_get_contents (path, &got, NULL, NULL));
  g_assert_cmpstr (got, ==, text.text);
  g_assert_cmpint (g_unlink (path), ==, 0);
  /* there is nothing beside it */
  g_assert_cmpint (g_rmdir (directory), ==, 0);
  g_assert_cmpint (shim_text_save (&text, path), ==, -ENOENT);
  free (text.text);
}

static void
test_read (void)
{
  Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
  guint8 hostname[] = { 0x12, 3, 'w', 'e', 'b' }, cut[] = { 0x12, 9, 'w' };
  const char *why = "";
  Pod__Config *config;

  g_assert_null (shim_pod_read (NULL, &why));
  g_assert_null (why);
  g_assert_null (shim_pod_read (&any, &why));
  g_assert_null (why);
  any.type_url = (char *) "runtime.v1.PodSandboxConfig";
  any.value = (ProtobufCBinaryData) { sizeof hostname, hostname };
  config = shim_pod_read (&any, &why);
  g_assert_nonnull (config);
  g_assert_cmpstr (config->hostname, ==, "web");
  pod__config__free_unpacked (config, NULL);
  any.value = (ProtobufCBinaryData) { sizeof cut, cut };
  g_assert_null (shim_pod_read (&any, &why));
  g_assert_nonnull (why);
  any.type_url = (char *) "type.example.org/other.Config";
  g_assert_null (shim_pod_read (&any, &why));
  g_assert_nonnull (why);
}

static VpJsonPiece
member (VpJsonPiece json, const char *first, const char *second)
{
  VpJsonPiece piece = vp_json_scan_member (json, first);

  return second != NULL ? vp_json_scan_member (piece, second) : piece;
}

/* A pod of which nothing is known, with a root file system, or a network, of its own or none. */
static void
test_spec (void)
{
  Sandbox__CreateRequest request = SANDBOX__CREATE_REQUEST__INIT;
  Task__Mount mount = TASK__MOUNT__INIT, *mounts[] = { &mount };
  VpJsonPiece document;
  char *json;

  request.sandbox_id = (char *) "pod";
  request.bundle_path = (char *) "/b \"x\"";
  json = shim_pod_spec (&request, NULL, "name", "/usr/bin/shim");
  g_assert_cmpint (vp_json_scan_parse (json, strlen (json), &document), ==, 0);
  g_assert_true (vp_json_scan_is_string (member (document, "hostname", NULL), "name"));
  g_assert_true (vp_json_scan_is_string (member (document, "root", "path"), "pod"));
  g_assert_true (vp_json_scan_is_string (member (document, "annotations", "io.kubernetes.cri.sandbox-id"), "pod"));
  g_assert_nonnull (strstr (json, "\"source\":\"/usr/bin/shim\""));
  g_assert_nonnull (strstr (json, "\"source\":\"/b \\\"x\\\"/resolv.conf\""));
  g_assert_null (strstr (json, "network"));
  g_assert_null (member (document, "linux", "cgroupsPath").text);
  free (json);
  request.netns_path = (char *) "/run/netns/a";
  request.rootfs = mounts;
  request.n_rootfs = 1;
  json = shim_pod_spec (&request, NULL, "", "/usr/bin/shim");
  g_assert_cmpint (vp_json_scan_parse (json, strlen (json), &document), ==, 0);
  g_assert_true (vp_json_scan_is_string (member (document, "root", "path"), "rootfs"));
  g_assert_nonnull (strstr (json, "{\"type\":\"network\",\"path\":\"/run/netns/a\"}"));
  free (json);
}

#define MOUNT(name, mode) \
  "{\"destination\":\"/etc/" name "\",\"type\":\"bind\",\"options\":[\"rbind\",\"rprivate\",\"" mode "\"]," \
  "\"source\":\"/pod/" name "\"}"
#define ALL MOUNT ("hostname", "rw") "," MOUNT ("hosts", "rw") "," MOUNT ("resolv.conf", "rw")

static void
test_add_mounts (void)
{
  static const struct
  {
    const char *before, *after; /* NULL: as it was */
  } cases[] = {
    { "{\"a\":1}", "{\"mounts\":[" ALL "],\"a\":1}" },
    { "{\"a\":1,\"mounts\":[]}", "{\"a\":1,\"mounts\":[" ALL "]}" },
    { " { \"mounts\" : [ {\"destination\":\"/proc\"} ] } ",
      " { \"mounts\" : [" ALL ", {\"destination\":\"/proc\"} ] } " },
    { "{\"root\":{\"readonly\":true},\"mounts\":[{\"destination\":\"/etc/hosts\"}]}",
      "{\"root\":{\"readonly\":true},\"mounts\":[" MOUNT ("hostname", "ro") "," MOUNT (
          "resolv.conf", "ro") ",{\"destination\":\"/etc/hosts\"}]}" },
    { "{\"mounts\":[{\"destination\":\"/etc/hosts\"},{\"destination\":\"/etc/hostname\"},"
      "{\"destination\":\"/etc/resolv.conf\"}]}",
      NULL },
    { "{\"mounts\":7}", NULL },
    { "[]", NULL },
    { "{", NULL },
    { "", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      char *after = shim_pod_add_mounts (cases[i].before, strlen (cases[i].before), "/pod");

      g_assert_cmpstr (after, ==, cases[i].after);
      free (after);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shim/text", test_text);
  g_test_add_func ("/shim/pod-read", test_read);
  g_test_add_func ("/shim/pod-spec", test_spec);
  g_test_add_func ("/shim/pod-add-mounts", test_add_mounts);
  return g_test_run ();
}
