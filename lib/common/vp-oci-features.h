/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* newest version of the OCI runtime specification that config.json may have */
#define VP_OCI_VERSION "1.2.0"

/* What a config.json may ask for, in the OCI runtime's own words (features.md), for
 * engines that ask without a daemon. What holds whatever the machine is. Mounts,
 * capabilities and seccomp are those of crun 1.8 and the kernel in our guest, without
 * what would reach the host (docs/spec.md). Of PACKAGE_VERSION. */
#define VP_OCI_FEATURES \
  "{\n" \
  "  \"ociVersionMin\": \"1.0.0\",\n" \
  "  \"ociVersionMax\": \"" VP_OCI_VERSION "\",\n" \
  "  \"hooks\": [ \"prestart\", \"createRuntime\", \"startContainer\", \"poststart\"," \
  " \"poststop\" ],\n" \
  "  \"mountOptions\": [ \"async\", \"atime\", \"bind\", \"defaults\", \"dev\", \"diratime\", \"dirsync\"," \
  " \"exec\", \"mand\", \"noatime\", \"nodev\", \"nodiratime\", \"noexec\", \"nomand\", \"norelatime\"," \
  " \"nostrictatime\", \"nosuid\", \"private\", \"rbind\", \"rdev\", \"rdiratime\", \"relatime\", \"remount\"," \
  " \"rexec\", \"rnoatime\", \"rnodev\", \"rnodiratime\", \"rnoexec\", \"rnorelatime\", \"rnostrictatime\"," \
  " \"rnosuid\", \"ro\", \"rprivate\", \"rrelatime\", \"rro\", \"rrw\", \"rslave\", \"rstrictatime\", \"rsuid\"," \
  " \"runbindable\", \"rw\", \"slave\", \"strictatime\", \"suid\", \"sync\", \"tmpcopyup\", \"unbindable\" ],\n" \
  "  \"linux\": {\n" \
  "    \"namespaces\": [ \"cgroup\", \"ipc\", \"mount\", \"network\", \"pid\", \"user\", \"uts\" ],\n" \
  "    \"capabilities\": [ \"CAP_CHOWN\", \"CAP_DAC_OVERRIDE\", \"CAP_DAC_READ_SEARCH\", \"CAP_FOWNER\"," \
  " \"CAP_FSETID\", \"CAP_KILL\", \"CAP_SETGID\", \"CAP_SETUID\", \"CAP_SETPCAP\", \"CAP_LINUX_IMMUTABLE\"," \
  " \"CAP_NET_BIND_SERVICE\", \"CAP_NET_BROADCAST\", \"CAP_NET_ADMIN\", \"CAP_NET_RAW\", \"CAP_IPC_LOCK\"," \
  " \"CAP_IPC_OWNER\", \"CAP_SYS_MODULE\", \"CAP_SYS_RAWIO\", \"CAP_SYS_CHROOT\", \"CAP_SYS_PTRACE\"," \
  " \"CAP_SYS_PACCT\", \"CAP_SYS_ADMIN\", \"CAP_SYS_BOOT\", \"CAP_SYS_NICE\", \"CAP_SYS_RESOURCE\"," \
  " \"CAP_SYS_TIME\", \"CAP_SYS_TTY_CONFIG\", \"CAP_MKNOD\", \"CAP_LEASE\", \"CAP_AUDIT_WRITE\"," \
  " \"CAP_AUDIT_CONTROL\", \"CAP_SETFCAP\", \"CAP_MAC_OVERRIDE\", \"CAP_MAC_ADMIN\", \"CAP_SYSLOG\"," \
  " \"CAP_WAKE_ALARM\", \"CAP_BLOCK_SUSPEND\", \"CAP_AUDIT_READ\", \"CAP_PERFMON\", \"CAP_BPF\"," \
  " \"CAP_CHECKPOINT_RESTORE\" ],\n" \
  "    \"cgroup\": { \"v1\": false, \"v2\": true, \"systemd\": false, \"systemdUser\": false },\n" \
  "    \"seccomp\": {\n" \
  "      \"enabled\": true,\n" \
  "      \"actions\": [ \"SCMP_ACT_ALLOW\", \"SCMP_ACT_ERRNO\", \"SCMP_ACT_KILL\", \"SCMP_ACT_KILL_PROCESS\"," \
  " \"SCMP_ACT_KILL_THREAD\", \"SCMP_ACT_LOG\", \"SCMP_ACT_TRACE\", \"SCMP_ACT_TRAP\" ],\n" \
  "      \"operators\": [ \"SCMP_CMP_EQ\", \"SCMP_CMP_GE\", \"SCMP_CMP_GT\", \"SCMP_CMP_LE\", \"SCMP_CMP_LT\"," \
  " \"SCMP_CMP_MASKED_EQ\", \"SCMP_CMP_NE\" ]\n" \
  "    },\n" \
  "    \"apparmor\": { \"enabled\": false },\n" \
  "    \"selinux\": { \"enabled\": false }\n" \
  "  },\n" \
  "  \"annotations\": { \"org.virtpod.version\": \"" PACKAGE_VERSION "\" }\n" \
  "}\n"
