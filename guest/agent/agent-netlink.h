/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

/* rtnetlink: one request at a time and its answer, waited for. The kernel answers at
 * once, so nothing here is asynchronous; a kernel that does not is an error after ten
 * seconds. Written by hand: of a library the agent would use these few functions, and
 * the one that is small enough is not there as a static library. */

/* Most bytes of a request, attributes and all; ours are below 256. */
#define AGENT_NETLINK_REQUEST_MAX 1024
/* Most bytes of all that a dump brings. */
#define AGENT_NETLINK_DUMP_MAX (16u << 20)

typedef struct
{
  int fd;
  uint32_t sequence;
  char reason[96]; /* the kernel's words for the last error, "" when it had none */
  int overflow;    /* the request is too long */
  union
  {
    struct nlmsghdr header;
    uint8_t bytes[AGENT_NETLINK_REQUEST_MAX];
  } request;
} AgentNetlink;

/* 0 or -errno; to be closed only after 0 */
int agent_netlink_open (AgentNetlink *n);
void agent_netlink_close (AgentNetlink *n);

/* A request of @type begins with @header, the structure that belongs to it. @flags
 * without NLM_F_REQUEST and NLM_F_ACK. */
void agent_netlink_begin (AgentNetlink *n, uint16_t type, uint16_t flags, const void *header, size_t len);
void agent_netlink_put (AgentNetlink *n, uint16_t type, const void *data, size_t len);
void agent_netlink_put_u32 (AgentNetlink *n, uint16_t type, uint32_t value);
/* The offset of a nest, for the end of it. */
size_t agent_netlink_begin_nest (AgentNetlink *n, uint16_t type);
void agent_netlink_end_nest (AgentNetlink *n, size_t nest);
/* Sends the request and waits for the answer: 0, or -errno with n->reason */
int agent_netlink_send (AgentNetlink *n);

/* All that a dump brought, to be freed. */
typedef struct
{
  uint8_t *data;
  size_t len, size;
} AgentNetlinkDump;
/* Of @type (RTM_GETLINK, ...) and address family @family. When the kernel's tables
 * change meanwhile it is done again, so that nothing is missing. 0 or -errno */
int agent_netlink_dump (AgentNetlink *n, uint16_t type, uint8_t family, AgentNetlinkDump *ret);
void agent_netlink_dump_free (AgentNetlinkDump *dump);
/* how many messages it is of */
size_t agent_netlink_dump_count (const AgentNetlinkDump *dump);
/* The message behind @m, the first for NULL; NULL at the end. Each is complete. */
const struct nlmsghdr *agent_netlink_dump_next (const AgentNetlinkDump *dump, const struct nlmsghdr *m);

/* Fills @attributes, which has @n elements, with those behind the @skip bytes of the
 * message's own structure; NULL for those that are not there. 0, or -EBADMSG: the
 * message is too short for its structure. */
int agent_netlink_parse (const struct nlmsghdr *m, size_t skip, const struct rtattr **attributes, size_t n);
/* of the attributes in a nest, or in anything else of @len bytes */
void agent_netlink_parse_data (const void *data, size_t len, const struct rtattr **attributes, size_t n);
/* The value; @otherwise when the attribute is missing or too short. */
uint32_t agent_netlink_get_u32 (const struct rtattr *attribute, uint32_t otherwise);
