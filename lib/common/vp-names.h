/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Every well-known string of the project: what other programs, files and
 * administrators see. Nothing else in the tree spells one of these. */

/* D-Bus */
#define VP_BUS_NAME "org.virtpod"
#define VP_IFACE_PREFIX "org.virtpod."
#define VP_IFACE_MANAGER "org.virtpod.Manager1"
#define VP_IFACE_SANDBOX "org.virtpod.Sandbox1"
#define VP_IFACE_CONTAINER "org.virtpod.Container1"
#define VP_IFACE_PROCESS "org.virtpod.Process1"
#define VP_IFACE_JOB "org.virtpod.Job1"
#define VP_IFACE_LOG_CONTROL "org.freedesktop.LogControl1"
#define VP_IFACE_OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"
#define VP_PATH_ROOT "/org/virtpod"
#define VP_PATH_MANAGER "/org/virtpod/Manager"
#define VP_PATH_SANDBOXES "/org/virtpod/sandbox"
#define VP_PATH_JOBS "/org/virtpod/job"
#define VP_PATH_LOG_CONTROL "/org/freedesktop/LogControl1"
#define VP_ERROR_PREFIX "org.virtpod.Error."

/* environment */
#define VP_ENV_ADDRESS "VIRTPOD_BUS_ADDRESS"

/* structured log fields */
#define VP_SYSLOG_IDENTIFIER "virtpodd"
#define VP_FIELD_SANDBOX "VIRTPOD_SANDBOX"
#define VP_FIELD_CONTAINER "VIRTPOD_CONTAINER"
#define VP_FIELD_EXEC "VIRTPOD_EXEC"
#define VP_FIELD_DOMAIN "LIBVIRT_DOMAIN"
#define VP_FIELD_LIBVIRT_CODE "LIBVIRT_CODE"

/* libvirt domain: name prefix, metadata namespace and the agent channel */
#define VP_DOMAIN_PREFIX "vp-"
#define VP_METADATA_NS "https://virtpod.org/xmlns/domain/1"
#define VP_METADATA_PREFIX "virtpod"
#define VP_CHANNEL_NAME "org.virtpod.agent.0"
#define VP_HYPERVISOR_URI "qemu:///system"

/* polkit's authority on the system bus */
#define VP_POLKIT_NAME "org.freedesktop.PolicyKit1"
#define VP_POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define VP_POLKIT_IFACE "org.freedesktop.PolicyKit1.Authority"

/* host files, below the state directory (/run/virtpod) */
#define VP_DIR_SANDBOXES "sandboxes" /* NAME/: record, sockets, console.log, shared/ */
#define VP_DIR_QUARANTINE "quarantine" /* records that could not be read */
#define VP_FILE_SOCKET "virtpod.sock" /* for private connections */
#define VP_FILE_RECORD "record.json"
#define VP_DIR_SPECS "specs" /* config.json of each container as it was created; for the daemon alone */
#define VP_FILE_AGENT_SOCKET "agent.sock"
#define VP_FILE_CONSOLE_SOCKET "console.sock"
#define VP_FILE_CONSOLE_LOG "console.log"
#define VP_FILE_NETNS "netns"
#define VP_FILE_NVRAM "nvram.fd" /* the firmware's variables */
#define VP_DIR_SHARED "shared"         /* what virtiofs exports; one directory per container */
#define VP_DIR_ROOTFS "rootfs"
#define VP_DIR_SANDBOX_MOUNTS "sandbox-mounts" /* beside the containers' directories: what every sandbox sees */
#define VP_FILE_OCI_CONFIG "config.json"
#define VP_FILE_CONFIG "virtpod.conf"

/* guest: Kata's names, so that a stock agent works too */
#define VP_SHARE_TAG "kataShared"
#define VP_GUEST_SHARED_DIR "/run/kata-containers/shared/containers"
#define VP_GUEST_SANDBOX_DIR "/run/kata-containers/sandbox"
#define VP_GUEST_SHM_DIR "/run/kata-containers/sandbox/shm"
#define VP_GUEST_LOCAL_DIR "/run/kata-containers/sandbox/local" /* volumes that are the guest's own */

/* what the agent's protocol cannot carry of a spec goes as JSON in this annotation (vp-oci-names.h has it too) */
#define VP_ANNOTATION_SPEC_EXTRA "org.virtpod.spec.extra"

/* bounds that more than one layer checks */
#define VP_ID_MAX 128
#define VP_DOMAIN_NAME_MAX 36 /* what vp_id_to_domain_name () makes */
#define VP_JSON_MAX_BYTES (4u << 20)
#define VP_JSON_MAX_DEPTH 64
#define VP_HOSTNAME_MAX 64
