/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* virtpod.conf: a key file, then virtpod.conf.d/ *.conf beside it in the order
 * of their names, merged key by key. One table of keys in vp-config.c drives
 * the parser, the shipped commented file and the manual page. An unknown group
 * or key or a bad value is ConfigError naming file and key.
 *
 * Values are fixed once the object is shared: vp_config_override() is for the
 * time before. */

typedef enum
{
  VP_CONFIG_DAEMON_STATE_DIR,
  VP_CONFIG_DAEMON_LOG_LEVEL,
  VP_CONFIG_DAEMON_MAX_SANDBOXES,
  VP_CONFIG_DAEMON_MAX_CONTAINERS, /* of all sandboxes together */
  VP_CONFIG_HYPERVISOR_URI,
  VP_CONFIG_HYPERVISOR_ACCEL, /* "auto", "kvm", "tcg" */
  VP_CONFIG_HYPERVISOR_MACHINE,
  VP_CONFIG_HYPERVISOR_CPU_MODEL, /* "": chosen by accelerator */
  VP_CONFIG_HYPERVISOR_EMULATOR,  /* "": libvirt chooses */
  VP_CONFIG_HYPERVISOR_VCPUS,
  VP_CONFIG_HYPERVISOR_MAX_VCPUS, /* 0: as many as the host has */
  VP_CONFIG_HYPERVISOR_MEMORY_MIB,
  VP_CONFIG_HYPERVISOR_MAX_MEMORY_MIB, /* 0: the host's memory */
  VP_CONFIG_HYPERVISOR_HOTPLUG_PORTS,
  VP_CONFIG_GUEST_KERNEL,
  VP_CONFIG_GUEST_INITRD,
  VP_CONFIG_GUEST_CMDLINE_EXTRA,
  VP_CONFIG_AGENT_CONNECT_TIMEOUT_MS,
  VP_CONFIG_AGENT_REQUEST_TIMEOUT_MS,
  VP_CONFIG_AGENT_STOP_TIMEOUT_MS,
  VP_CONFIG_CONSOLE_ENABLED,
  VP_CONFIG_CONSOLE_MAX_BYTES, /* of the log kept for each sandbox */
  VP_N_CONFIG_KEYS
} VpConfigKey;

typedef enum
{
  VP_CONFIG_FORMAT_KEY_FILE, /* the shipped virtpod.conf: every key commented, with its default */
  VP_CONFIG_FORMAT_RST,      /* definition list for virtpod.conf(5) */
} VpConfigFormat;

typedef struct _VpConfig VpConfig;

VpConfig *vp_config_new_default (void);

/* @path NULL: VP_FILE_CONFIG in the system configuration directory, which need
 * not exist; given: it must. ConfigError; NotFound for a given file. */
VpConfig *vp_config_load (const char *path, GError **error);

VpConfig *vp_config_ref (VpConfig *config);
void vp_config_unref (VpConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpConfig, vp_config_unref)

/* Sets "group.key" from a command line. Only before the object is shared. */
gboolean vp_config_override (VpConfig *config, const char *name, const char *value, GError **error);

/* The key's type must fit (programming error otherwise). Strings are never NULL. */
const char *vp_config_get_string (VpConfig *config, VpConfigKey key);
guint64 vp_config_get_uint (VpConfig *config, VpConfigKey key);
gboolean vp_config_get_bool (VpConfig *config, VpConfigKey key);

/* "group.key" of a key. */
const char *vp_config_key_name (VpConfigKey key);

/* Every key with its documentation. */
char *vp_config_describe (VpConfigFormat format);
/* The values in force as a key file. */
char *vp_config_show (VpConfig *config);
