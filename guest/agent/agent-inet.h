/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Addresses as texts and as the kernel has them. Nothing here asks a name server. */

typedef struct
{
  uint8_t family; /* AF_INET, AF_INET6; AF_UNSPEC: there is none */
  uint8_t prefix; /* bits of it that are the network's */
  uint8_t bytes[16];
} AgentInet;

#define AGENT_INET_TEXT_MAX 64 /* "ADDRESS/PREFIX" with its NUL */
#define AGENT_MAC_LEN 6
#define AGENT_MAC_TEXT_MAX 18

/* 4 or 16 */
size_t agent_inet_len (const AgentInet *a);
/* 32 or 128 */
unsigned agent_inet_bits (const AgentInet *a);
/* Whether both are the same address with the same prefix. */
int agent_inet_equal (const AgentInet *a, const AgentInet *b);
/* Whether all bits behind the prefix are 0: it names a network. */
int agent_inet_is_network (const AgentInet *a);
/* Whether an interface can have it: neither 0 nor multicast. */
int agent_inet_is_unicast (const AgentInet *a);
int agent_inet_is_link_local6 (const AgentInet *a);

/* @text is an address of either family; its prefix is then all of it. 0 or -EINVAL */
int agent_inet_parse (const char *text, AgentInet *ret);
/* The number @text, at most the bits of @a; 0 or -EINVAL */
int agent_inet_parse_prefix (const char *text, AgentInet *a);
/* "ADDRESS/PREFIX" or "ADDRESS"; 0 or -EINVAL */
int agent_inet_parse_network (const char *text, AgentInet *ret);
/* Of @len bytes from the kernel; AF_UNSPEC when that is no address of @family. */
void agent_inet_set (AgentInet *a, uint8_t family, uint8_t prefix, const void *bytes, size_t len);
/* The address alone, and with its prefix; both return @buf, "" for none. */
const char *agent_inet_text (const AgentInet *a, char buf[AGENT_INET_TEXT_MAX]);
const char *agent_inet_network_text (const AgentInet *a, char buf[AGENT_INET_TEXT_MAX]);

/* six bytes in hexadecimal with colons between them; 0 or -EINVAL */
int agent_mac_parse (const char *text, uint8_t mac[AGENT_MAC_LEN]);
const char *agent_mac_text (const uint8_t mac[AGENT_MAC_LEN], char buf[AGENT_MAC_TEXT_MAX]);
