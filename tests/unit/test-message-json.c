/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "agent.pb-c.h"
#include "csi.pb-c.h"
#include "oci.pb-c.h"
#include "vp-message-json.h"
#include "vp-message.h"

static void
check (const ProtobufCMessage *m, unsigned flags, const char *wanted)
{
  gsize len = 0;
  g_autofree char *json = vp_message_to_json (m, flags, &len);

  g_assert_cmpstr (json, ==, wanted);
  g_assert_cmpuint (len, ==, strlen (wanted));
}

static void
test_process (void)
{
  Grpc__Process process = GRPC__PROCESS__INIT;
  Grpc__User user = GRPC__USER__INIT;
  Grpc__POSIXRlimit limit = GRPC__POSIXRLIMIT__INIT, *limits[] = { &limit };
  char *args[] = { (char *) "sh", (char *) "" };

  process.user = &user;
  process.n_args = 2;
  process.args = args;
  process.oomscoreadj = -999;
  process.nonewprivileges = 1;
  limit.type = (char *) "RLIMIT_CORE";
  process.n_rlimits = 1;
  process.rlimits = limits;
  check (&process.base, VP_MESSAGE_JSON_OCI,
         "{\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"sh\",\"\"],"
         "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":0,\"soft\":0}],"
         "\"noNewPrivileges\":true,\"oomScoreAdj\":-999}");
  limit.hard = limit.soft = G_MAXUINT64;
  check (&limit.base, 0,
         "{\"Type\":\"RLIMIT_CORE\",\"Hard\":18446744073709551615,\"Soft\":18446744073709551615}");
}

/* a number in a oneof is there or not, whatever its value */
static void
test_oneof (void)
{
  Grpc__LinuxSyscall call = GRPC__LINUX_SYSCALL__INIT;

  check (&call.base, VP_MESSAGE_JSON_OCI, "{}");
  call.errno_ret_case = GRPC__LINUX_SYSCALL__ERRNO_RET_ERRNORET;
  check (&call.base, VP_MESSAGE_JSON_OCI, "{\"errnoRet\":0}");
}

static void
test_map (void)
{
  Grpc__Spec spec = GRPC__SPEC__INIT;
  Grpc__Spec__AnnotationsEntry a = GRPC__SPEC__ANNOTATIONS_ENTRY__INIT, b = a, *entries[] = { &a, &b };

  a.key = (char *) "b";
  a.value = (char *) "1";
  b.key = (char *) "a";
  spec.version = (char *) "1.0.2";
  spec.n_annotations = 2;
  spec.annotations = entries;
  check (&spec.base, VP_MESSAGE_JSON_OCI,
         "{\"ociVersion\":\"1.0.2\",\"annotations\":{\"b\":\"1\",\"a\":\"\"}}");
  check (&spec.base, VP_MESSAGE_JSON_PRETTY,
         "{\n  \"Version\": \"1.0.2\",\n  \"Annotations\": {\n    \"b\": \"1\",\n    \"a\": \"\"\n  }\n}\n");
}

static void
test_text (void)
{
  Grpc__StartContainerRequest m = GRPC__START_CONTAINER_REQUEST__INIT;
  const char *const bad[]
      = { "\x80", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82", "a\xff" };

  m.container_id = (char *) "\" \\ \n \x7f \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 /";
  check (&m.base, 0,
         "{\"container_id\":\"\\\" \\\\ \\u000a \\u007f \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 /\"}");
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      m.container_id = (char *) bad[i];
      errno = 0;
      g_assert_null (vp_message_to_json (&m.base, 0, NULL));
      g_assert_cmpint (errno, ==, EILSEQ);
    }
}

static void
test_bytes_and_enums (void)
{
  Grpc__WriteStreamRequest m = GRPC__WRITE_STREAM_REQUEST__INIT;
  Grpc__VolumeUsage usage = GRPC__VOLUME_USAGE__INIT;
  const char *const wanted[] = { "{}", "{\"data\":\"Zg==\"}", "{\"data\":\"Zm8=\"}", "{\"data\":\"Zm9v\"}",
                                 "{\"data\":\"Zm9vYg==\"}" };

  m.data.data = (uint8_t *) "foob";
  for (m.data.len = 0; m.data.len < G_N_ELEMENTS (wanted); m.data.len++)
    check (&m.base, 0, wanted[m.data.len]);
  usage.unit = GRPC__VOLUME_USAGE__UNIT__BYTES;
  check (&usage.base, 0, "{\"unit\":\"BYTES\"}");
}

/* a list of empty messages: two bytes each on the wire */
static void
test_unpack (void)
{
  g_autoptr (GByteArray) wire = g_byte_array_new ();
  const guint8 mount[] = { 5 << 3 | 2, 0 };
  ProtobufCMessage *m;

  for (guint i = 0; i < 1000; i++)
    g_byte_array_append (wire, mount, sizeof mount);
  m = vp_message_unpack (&grpc__spec__descriptor, wire->data, wire->len, 1 << 20);
  g_assert_nonnull (m);
  g_assert_cmpuint (((Grpc__Spec *) m)->n_mounts, ==, 1000);
  protobuf_c_message_free_unpacked (m, NULL);
  /* whichever allocation is one too many, all before it is given back */
  for (gsize max = 0; max < 100000; max += 997)
    {
      g_assert_null (vp_message_unpack (&grpc__spec__descriptor, wire->data, wire->len, max));
      g_assert_cmpint (errno, ==, ENOMEM);
    }
  g_assert_null (vp_message_unpack (&grpc__spec__descriptor, (const guint8 *) "\xff", 1, 1 << 20));
  g_assert_cmpint (errno, ==, EPROTO);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/message-json/process", test_process);
  g_test_add_func ("/message-json/oneof", test_oneof);
  g_test_add_func ("/message-json/map", test_map);
  g_test_add_func ("/message-json/text", test_text);
  g_test_add_func ("/message-json/bytes-and-enums", test_bytes_and_enums);
  g_test_add_func ("/message-json/unpack", test_unpack);
  return g_test_run ();
}
