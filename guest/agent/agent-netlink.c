/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-netlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "agent-util.h"

#define TIMEOUT_SEC 10
/* how much a dump brings at a time; the kernel makes no larger pieces */
#define READ_SIZE 32768
#define DUMP_TRIES 8

int
agent_netlink_open (AgentNetlink *n)
{
  struct sockaddr_nl address = { .nl_family = AF_NETLINK };
  struct timeval timeout = { .tv_sec = TIMEOUT_SEC };
  int on = 1, rc;

  n->sequence = 0;
  n->reason[0] = '\0';
  n->fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (n->fd < 0)
    return -errno;
  /* both make errors easier to understand, and are not in every kernel */
  setsockopt (n->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt (n->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  if (setsockopt (n->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0
      && bind (n->fd, (struct sockaddr *)&address, sizeof address) == 0)
    return 0;
  rc = -errno;
  agent_close (&n->fd);
  return rc;
}

void
agent_netlink_close (AgentNetlink *n)
{
  agent_close (&n->fd);
}

/* ---- a request ---- */

void
agent_netlink_begin (AgentNetlink *n, uint16_t type, uint16_t flags, const void *header, size_t len)
{
  memset (&n->request, 0, sizeof n->request);
  n->overflow = 0;
  n->request.header.nlmsg_type = type;
  n->request.header.nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST);
  memcpy (n->request.bytes + NLMSG_HDRLEN, header, len);
  n->request.header.nlmsg_len = (uint32_t)NLMSG_SPACE (len);
}

void
agent_netlink_put (AgentNetlink *n, uint16_t type, const void *data, size_t len)
{
  size_t at = n->request.header.nlmsg_len;
  struct rtattr attribute = { .rta_len = (unsigned short)RTA_LENGTH (len), .rta_type = type };

  if (n->overflow || len > sizeof n->request || at + RTA_SPACE (len) > sizeof n->request)
    {
      n->overflow = 1;
      return;
    }
  memcpy (n->request.bytes + at, &attribute, sizeof attribute);
  if (len > 0)
    memcpy (n->request.bytes + at + RTA_LENGTH (0), data, len);
  n->request.header.nlmsg_len = (uint32_t)(at + RTA_SPACE (len));
}

void
agent_netlink_put_u32 (AgentNetlink *n, uint16_t type, uint32_t value)
{
  agent_netlink_put (n, type, &value, sizeof value);
}

size_t
agent_netlink_begin_nest (AgentNetlink *n, uint16_t type)
{
  size_t nest = n->request.header.nlmsg_len;

  agent_netlink_put (n, type, NULL, 0);
  return nest;
}

void
agent_netlink_end_nest (AgentNetlink *n, size_t nest)
{
  unsigned short len = (unsigned short)(n->request.header.nlmsg_len - nest);

  if (!n->overflow)
    memcpy (n->request.bytes + nest + offsetof (struct rtattr, rta_len), &len, sizeof len);
}

/* ---- its answer ---- */

static int
transmit (AgentNetlink *n)
{
  struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
  ssize_t sent;

  n->reason[0] = '\0';
  if (n->overflow)
    return -E2BIG;
  n->request.header.nlmsg_seq = ++n->sequence;
  do
    sent = sendto (n->fd, &n->request, n->request.header.nlmsg_len, 0, (struct sockaddr *)&kernel,
                   sizeof kernel);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : 0;
}

/* One datagram from the kernel; its length or -errno. What is longer than @buf is none
 * of ours to understand. */
static ssize_t
receive (AgentNetlink *n, void *buf, size_t size)
{
  for (;;)
    {
      struct sockaddr_nl from = { 0 };
      struct iovec iov = { buf, size };
      struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1 };
      ssize_t len = recvmsg (n->fd, &m, 0);

      if (len < 0 && errno == EINTR)
        continue;
      if (len < 0)
        return errno == EAGAIN ? -ETIMEDOUT : -errno;
      /* any process may send here; only the kernel is number 0 */
      if (m.msg_namelen != sizeof from || from.nl_pid != 0)
        continue;
      return m.msg_flags & MSG_TRUNC ? -EMSGSIZE : len;
    }
}

/* The error that @m carries, 0 for an acknowledgement. */
static int
take_error (AgentNetlink *n, const struct nlmsghdr *m)
{
  const struct nlmsgerr *e = NLMSG_DATA (m);
  const struct rtattr *attributes[NLMSGERR_ATTR_MAX + 1];
  size_t skip = sizeof *e, len;

  if (m->nlmsg_len < NLMSG_LENGTH (sizeof *e))
    return -EBADMSG;
  if (e->error == 0 || !(m->nlmsg_flags & NLM_F_ACK_TLVS))
    return e->error;
  if (!(m->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len >= NLMSG_HDRLEN)
    skip += e->msg.nlmsg_len - NLMSG_HDRLEN;
  if (agent_netlink_parse (m, skip, attributes, NLMSGERR_ATTR_MAX + 1) < 0
      || attributes[NLMSGERR_ATTR_MSG] == NULL)
    return e->error;
  len = RTA_PAYLOAD (attributes[NLMSGERR_ATTR_MSG]);
  if (len >= sizeof n->reason)
    len = sizeof n->reason - 1;
  memcpy (n->reason, RTA_DATA (attributes[NLMSGERR_ATTR_MSG]), len);
  n->reason[len] = '\0';
  return e->error;
}

int
agent_netlink_send (AgentNetlink *n)
{
  union
  {
    struct nlmsghdr header;
    uint8_t bytes[8192];
  } answer;
  int rc;

  n->request.header.nlmsg_flags |= NLM_F_ACK;
  rc = transmit (n);
  while (rc == 0)
    {
      ssize_t len = receive (n, &answer, sizeof answer);
      const struct nlmsghdr *m = &answer.header;

      if (len < 0)
        return (int)len;
      for (ssize_t left = len; NLMSG_OK (m, left); m = NLMSG_NEXT (m, left))
        if (m->nlmsg_seq == n->sequence && m->nlmsg_type == NLMSG_ERROR)
          return take_error (n, m);
    }
  return rc;
}

/* ---- many answers ---- */

static int
keep (AgentNetlinkDump *dump, const struct nlmsghdr *m)
{
  size_t space = NLMSG_ALIGN (m->nlmsg_len);

  if (dump->len + space > AGENT_NETLINK_DUMP_MAX)
    return -ENOMEM;
  if (dump->len + space > dump->size)
    {
      size_t size = (dump->size + space) * 2;
      uint8_t *data = agent_alloc (size);

      if (dump->len > 0)
        memcpy (data, dump->data, dump->len);
      free (dump->data);
      dump->data = data;
      dump->size = size;
    }
  memcpy (dump->data + dump->len, m, m->nlmsg_len);
  dump->len += space;
  return 0;
}

/* Takes what is in a datagram: 0 when more is to come, 1 at the end of the dump, or
 * -errno; -EINTR when the tables changed. */
static int
take_pieces (AgentNetlink *n, const struct nlmsghdr *m, ssize_t left, AgentNetlinkDump *dump, int *changed)
{
  for (; NLMSG_OK (m, left); m = NLMSG_NEXT (m, left))
    {
      int rc;

      if (m->nlmsg_seq != n->sequence)
        continue;
      if (m->nlmsg_flags & NLM_F_DUMP_INTR)
        *changed = 1;
      if (m->nlmsg_type == NLMSG_DONE)
        return *changed ? -EINTR : 1;
      if (m->nlmsg_type == NLMSG_ERROR)
        return take_error (n, m);
      rc = keep (dump, m);
      if (rc < 0)
        return rc;
    }
  return 0;
}

static int
dump_once (AgentNetlink *n, uint16_t type, uint8_t family, AgentNetlinkDump *dump)
{
  /* every request for a dump begins with the family, and the shorter structure will do */
  struct rtgenmsg header = { .rtgen_family = family };
  uint8_t *buf = agent_alloc (READ_SIZE);
  int changed = 0, rc;

  dump->len = 0;
  agent_netlink_begin (n, type, NLM_F_DUMP, &header, sizeof header);
  rc = transmit (n);
  while (rc == 0)
    {
      ssize_t len = receive (n, buf, READ_SIZE);

      rc = len < 0 ? (int)len : take_pieces (n, (const struct nlmsghdr *)buf, len, dump, &changed);
    }
  free (buf);
  return rc < 0 ? rc : 0;
}

int
agent_netlink_dump (AgentNetlink *n, uint16_t type, uint8_t family, AgentNetlinkDump *ret)
{
  int rc = -EINTR;

  memset (ret, 0, sizeof *ret);
  for (int i = 0; rc == -EINTR && i < DUMP_TRIES; i++)
    rc = dump_once (n, type, family, ret);
  /* something changes all the time: what was read last is as good as any */
  if (rc == -EINTR)
    rc = 0;
  if (rc < 0)
    {
      int e = -rc;

      agent_netlink_dump_free (ret);
      /* the rest of it may still be on its way to this socket */
      agent_netlink_close (n);
      rc = agent_netlink_open (n);
      return rc < 0 ? rc : -e;
    }
  return rc;
}

void
agent_netlink_dump_free (AgentNetlinkDump *dump)
{
  free (dump->data);
  memset (dump, 0, sizeof *dump);
}

const struct nlmsghdr *
agent_netlink_dump_next (const AgentNetlinkDump *dump, const struct nlmsghdr *m)
{
  size_t at = m == NULL ? 0 : (size_t)((const uint8_t *)m - dump->data) + NLMSG_ALIGN (m->nlmsg_len);

  /* keep() has put whole messages there and nothing else */
  return at < dump->len ? (const struct nlmsghdr *)(dump->data + at) : NULL;
}

size_t
agent_netlink_dump_count (const AgentNetlinkDump *dump)
{
  size_t n = 0;

  for (const struct nlmsghdr *m = NULL; (m = agent_netlink_dump_next (dump, m)) != NULL;)
    n++;
  return n;
}

/* ---- attributes ---- */

void
agent_netlink_parse_data (const void *data, size_t len, const struct rtattr **attributes, size_t n)
{
  const struct rtattr *a = data;
  /* signed: the padding of the last one may be missing */
  ssize_t left = (ssize_t)len;

  memset (attributes, 0, n * sizeof *attributes);
  for (; RTA_OK (a, left); a = RTA_NEXT (a, left))
    if ((a->rta_type & NLA_TYPE_MASK) < n)
      attributes[a->rta_type & NLA_TYPE_MASK] = a;
}

int
agent_netlink_parse (const struct nlmsghdr *m, size_t skip, const struct rtattr **attributes, size_t n)
{
  size_t start = NLMSG_SPACE (skip);

  memset (attributes, 0, n * sizeof *attributes);
  if (m->nlmsg_len < NLMSG_LENGTH (skip))
    return -EBADMSG;
  if (m->nlmsg_len > start)
    agent_netlink_parse_data ((const uint8_t *)m + start, m->nlmsg_len - start, attributes, n);
  return 0;
}

uint32_t
agent_netlink_get_u32 (const struct rtattr *attribute, uint32_t otherwise)
{
  uint32_t value = otherwise;

  if (attribute != NULL && RTA_PAYLOAD (attribute) >= sizeof value)
    memcpy (&value, RTA_DATA (attribute), sizeof value);
  return value;
}
