/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-net-steer.h"

#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "vp-error.h"
#include "vp-fd.h"

#define LICENCE "LGPL-2.1-or-later" /* nothing is called that wants another */

/* Slots of the map that the program finds the sockets in. */
enum
{
  SLOT_IPV4,
  SLOT_IPV6,
  N_SLOTS
};

/* ---- the program -----------------------------------------------------------------------
 * As C it would be
 *
 *   if (protocol == TCP && both addresses are of the loopback device)
 *     {
 *       socket = map[family];
 *       if (socket != NULL)
 *         assign (context, socket), release (socket);
 *     }
 *   return SK_PASS;
 */

#define MAX_CODE 64
#define CONTEXT BPF_REG_6 /* kept there over calls, as… */
#define SOCKET BPF_REG_7  /* …this is */
#define TO_END 0x7fff     /* a jump to what every path ends with */

typedef struct
{
  struct bpf_insn code[MAX_CODE];
  guint n;
} Program;

static void
emit (Program *self, int code, int dst, int src, int off, int imm)
{
  g_assert (self->n < MAX_CODE);
  self->code[self->n++] = (struct bpf_insn){
    .code = (__u8)code, .dst_reg = (__u8)(dst & 15), .src_reg = (__u8)(src & 15), .off = (__s16)off, .imm = imm
  };
}

static void
copy (Program *self, int to, int from)
{
  emit (self, BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}

static void
load (Program *self, int to, gsize field)
{
  emit (self, BPF_LDX | BPF_MEM | BPF_W, to, CONTEXT, (int)field, 0);
}

static void
call (Program *self, int function)
{
  emit (self, BPF_JMP | BPF_CALL, 0, 0, 0, function);
}

static void
end_unless (Program *self, int reg, int value)
{
  emit (self, BPF_JMP | BPF_JNE | BPF_K, reg, 0, TO_END, value);
}

/* 32 bits, which are in the order of the network */
static void
to_host_order (Program *self, int reg)
{
  emit (self, BPF_ALU | BPF_END | BPF_TO_BE, reg, 0, 0, 32);
}

static void
end_unless_loopback4 (Program *self, gsize field)
{
  load (self, BPF_REG_1, field);
  to_host_order (self, BPF_REG_1);
  emit (self, BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_1, 0, 0, 24);
  end_unless (self, BPF_REG_1, IN_LOOPBACKNET);
}

static void
end_unless_loopback6 (Program *self, gsize field)
{
  load (self, BPF_REG_1, field);
  for (gsize word = 1; word < 3; word++)
    {
      load (self, BPF_REG_2, field + word * sizeof (__u32));
      emit (self, BPF_ALU64 | BPF_OR | BPF_X, BPF_REG_1, BPF_REG_2, 0, 0);
    }
  end_unless (self, BPF_REG_1, 0);
  load (self, BPF_REG_1, field + 3 * sizeof (__u32));
  to_host_order (self, BPF_REG_1);
  end_unless (self, BPF_REG_1, 1);
}

static void
give_to_slot (Program *self, int map, int slot)
{
  emit (self, BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -4, slot);
  copy (self, BPF_REG_2, BPF_REG_10);
  emit (self, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4);
  emit (self, BPF_LD | BPF_IMM | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map);
  emit (self, 0, 0, 0, 0, 0); /* the other half of the one before */
  call (self, BPF_FUNC_map_lookup_elem);
  emit (self, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, TO_END, 0);
  copy (self, SOCKET, BPF_REG_0);
  copy (self, BPF_REG_1, CONTEXT);
  copy (self, BPF_REG_2, SOCKET);
  emit (self, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, 0);
  call (self, BPF_FUNC_sk_assign);
  copy (self, BPF_REG_1, SOCKET);
  call (self, BPF_FUNC_sk_release);
}

static void
end (Program *self)
{
  for (guint i = 0; i < self->n; i++)
    if (self->code[i].off == TO_END)
      self->code[i].off = (__s16)(self->n - i - 1);
  emit (self, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, SK_PASS);
  emit (self, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* Addresses of both sides: what came over an interface is none of ours, even where
 * the namespace lets such addresses in (route_localnet). */
static void
write_program (Program *self, int map)
{
  guint fork;

  *self = (Program){ .n = 0 };
  copy (self, CONTEXT, BPF_REG_1);
  load (self, BPF_REG_1, offsetof (struct bpf_sk_lookup, protocol));
  end_unless (self, BPF_REG_1, IPPROTO_TCP);
  load (self, BPF_REG_1, offsetof (struct bpf_sk_lookup, family));
  fork = self->n;
  emit (self, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_1, 0, 0, AF_INET6);
  end_unless_loopback4 (self, offsetof (struct bpf_sk_lookup, local_ip4));
  end_unless_loopback4 (self, offsetof (struct bpf_sk_lookup, remote_ip4));
  give_to_slot (self, map, SLOT_IPV4);
  emit (self, BPF_JMP | BPF_JA, 0, 0, TO_END, 0);
  self->code[fork].off = (__s16)(self->n - fork - 1);
  end_unless_loopback6 (self, offsetof (struct bpf_sk_lookup, local_ip6));
  end_unless_loopback6 (self, offsetof (struct bpf_sk_lookup, remote_ip6));
  give_to_slot (self, map, SLOT_IPV6);
  end (self);
}

/* ---- the kernel ------------------------------------------------------------------------ */

/* FALSE with an error, -1 as a descriptor. */
static gboolean
refused (GError **error, const char *what)
{
  int number = errno;

  if (number == ENOSYS || number == EPERM || number == EACCES || number == EINVAL || number == EOPNOTSUPP
      || number == E2BIG)
    return vp_error_set (error, VP_ERROR_NOT_SUPPORTED, "%s: %s: this kernel has no sk_lookup, or does not allow it",
                         what, g_strerror (number));
  return vp_error_set_errno (error, number, "%s", what);
}

static int
ask_kernel (enum bpf_cmd command, union bpf_attr *attributes)
{
  return (int)syscall (SYS_bpf, command, attributes, sizeof *attributes);
}

static int
make_map (GError **error)
{
  union bpf_attr map = {
    .map_type = BPF_MAP_TYPE_SOCKMAP, .key_size = sizeof (__u32), .value_size = sizeof (__u64), .max_entries = N_SLOTS
  };
  int fd = ask_kernel (BPF_MAP_CREATE, &map);

  if (fd < 0)
    (void)refused (error, "make a map of sockets");
  return fd;
}

static gboolean
put_in_map (int map, __u32 slot, int sock, GError **error)
{
  __u64 value = (__u64)sock;
  union bpf_attr element
      = { .map_fd = (__u32)map, .key = (__u64)(gsize)&slot, .value = (__u64)(gsize)&value, .flags = BPF_ANY };

  return ask_kernel (BPF_MAP_UPDATE_ELEM, &element) == 0 || refused (error, "put a socket into a map");
}

static int
load_program (int map, GError **error)
{
  Program program;
  union bpf_attr load = { .prog_type = BPF_PROG_TYPE_SK_LOOKUP,
                          .expected_attach_type = BPF_SK_LOOKUP,
                          .insns = (__u64)(gsize)program.code,
                          .license = (__u64)(gsize)LICENCE,
                          .prog_name = "virtpod" };
  int fd;

  write_program (&program, map);
  load.insn_cnt = program.n;
  fd = ask_kernel (BPF_PROG_LOAD, &load);
  if (fd < 0)
    (void)refused (error, "load a program that looks up sockets");
  return fd;
}

int
vp_net_steer_attach (int namespace, int ipv4, int ipv6, GError **error)
{
  VP_AUTO_FD map = make_map (error);
  VP_AUTO_FD program = -1;
  union bpf_attr link = { .link_create = { .attach_type = BPF_SK_LOOKUP } };
  int fd;

  if (map < 0 || !put_in_map (map, SLOT_IPV4, ipv4, error)
      || (ipv6 >= 0 && !put_in_map (map, SLOT_IPV6, ipv6, error)))
    return -1;
  program = load_program (map, error);
  if (program < 0)
    return -1;
  link.link_create.prog_fd = (__u32)program;
  link.link_create.target_fd = (__u32)namespace;
  fd = ask_kernel (BPF_LINK_CREATE, &link);
  if (fd < 0)
    (void)refused (error, "attach a program to a network namespace");
  return fd;
}

gboolean
vp_net_steer_probe (GError **error)
{
  VP_AUTO_FD map = make_map (error);
  VP_AUTO_FD program = map < 0 ? -1 : load_program (map, error);

  return program >= 0;
}
