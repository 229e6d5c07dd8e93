/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-inet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

size_t
agent_inet_len (const AgentInet *a)
{
  return a->family == AF_INET6 ? 16 : 4;
}

unsigned
agent_inet_bits (const AgentInet *a)
{
  return (unsigned)agent_inet_len (a) * 8;
}

int
agent_inet_equal (const AgentInet *a, const AgentInet *b)
{
  return a->family == b->family && a->prefix == b->prefix
         && memcmp (a->bytes, b->bytes, sizeof a->bytes) == 0;
}

int
agent_inet_is_network (const AgentInet *a)
{
  for (unsigned bit = a->prefix; bit < agent_inet_bits (a); bit++)
    if (a->bytes[bit / 8] & (0x80u >> bit % 8))
      return 0;
  return 1;
}

int
agent_inet_is_unicast (const AgentInet *a)
{
  static const uint8_t zero[16];
  int multicast = a->family == AF_INET6 ? a->bytes[0] == 0xff : a->bytes[0] >= 0xe0;

  return !multicast && memcmp (a->bytes, zero, agent_inet_len (a)) != 0;
}

int
agent_inet_is_link_local6 (const AgentInet *a)
{
  return a->family == AF_INET6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

int
agent_inet_parse (const char *text, AgentInet *ret)
{
  memset (ret, 0, sizeof *ret);
  ret->family = strchr (text, ':') != NULL ? AF_INET6 : AF_INET;
  if (inet_pton (ret->family, text, ret->bytes) != 1)
    {
      ret->family = AF_UNSPEC;
      return -EINVAL;
    }
  ret->prefix = (uint8_t)agent_inet_bits (ret);
  return 0;
}

int
agent_inet_parse_prefix (const char *text, AgentInet *a)
{
  unsigned value = 0;
  size_t digits = strspn (text, "0123456789");

  if (digits == 0 || digits > 3 || text[digits] != '\0')
    return -EINVAL;
  for (size_t i = 0; i < digits; i++)
    value = value * 10 + (unsigned)(text[i] - '0');
  if (value > agent_inet_bits (a))
    return -EINVAL;
  a->prefix = (uint8_t)value;
  return 0;
}

int
agent_inet_parse_network (const char *text, AgentInet *ret)
{
  const char *slash = strchr (text, '/');
  char address[AGENT_INET_TEXT_MAX];
  int rc;

  if (slash == NULL)
    return agent_inet_parse (text, ret);
  memset (ret, 0, sizeof *ret);
  if ((size_t)(slash - text) >= sizeof address)
    return -EINVAL;
  memcpy (address, text, (size_t)(slash - text));
  address[slash - text] = '\0';
  rc = agent_inet_parse (address, ret);
  return rc < 0 ? rc : agent_inet_parse_prefix (slash + 1, ret);
}

void
agent_inet_set (AgentInet *a, uint8_t family, uint8_t prefix, const void *bytes, size_t len)
{
  memset (a, 0, sizeof *a);
  a->family = family;
  a->prefix = prefix;
  if ((family != AF_INET && family != AF_INET6) || len != agent_inet_len (a) || prefix > agent_inet_bits (a))
    a->family = AF_UNSPEC;
  else
    memcpy (a->bytes, bytes, len);
}

const char *
agent_inet_text (const AgentInet *a, char buf[AGENT_INET_TEXT_MAX])
{
  if (a->family == AF_UNSPEC || inet_ntop (a->family, a->bytes, buf, AGENT_INET_TEXT_MAX) == NULL)
    buf[0] = '\0';
  return buf;
}

const char *
agent_inet_network_text (const AgentInet *a, char buf[AGENT_INET_TEXT_MAX])
{
  size_t len = strlen (agent_inet_text (a, buf));

  if (len > 0)
    snprintf (buf + len, AGENT_INET_TEXT_MAX - len, "/%u", a->prefix);
  return buf;
}

static int
hex_value (char c)
{
  const char *digits = "0123456789abcdef", *at;

  c = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
  at = c != '\0' ? strchr (digits, c) : NULL;
  return at != NULL ? (int)(at - digits) : -1;
}

int
agent_mac_parse (const char *text, uint8_t mac[AGENT_MAC_LEN])
{
  for (size_t i = 0; i < AGENT_MAC_LEN; i++, text += 3)
    {
      int high = hex_value (text[0]), low = high >= 0 ? hex_value (text[1]) : -1;

      if (low < 0 || text[2] != (i < AGENT_MAC_LEN - 1 ? ':' : '\0'))
        return -EINVAL;
      mac[i] = (uint8_t)(high << 4 | low);
    }
  return 0;
}

const char *
agent_mac_text (const uint8_t mac[AGENT_MAC_LEN], char buf[AGENT_MAC_TEXT_MAX])
{
  snprintf (buf, AGENT_MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
            mac[5]);
  return buf;
}
