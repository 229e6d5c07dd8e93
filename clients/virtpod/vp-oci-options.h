/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Options of OCI runtimes that more than one command has. As there is one
 * command in a process, there is one of these. */
typedef struct
{
  char *pid_file;
  char *console_socket;
  int preserve_fds;
  gboolean ignored;
} VpOciOptions;

extern VpOciOptions vp_oci_options;

#define VP_OCI_OPTION_PID_FILE                                                                                       \
  { "pid-file", 0, 0, G_OPTION_ARG_FILENAME, &vp_oci_options.pid_file,                                               \
    N_("Write the id of the process that stands for it on the host to FILE"), N_("FILE") }
#define VP_OCI_OPTION_CONSOLE_SOCKET                                                                                 \
  { "console-socket", 0, 0, G_OPTION_ARG_FILENAME, &vp_oci_options.console_socket,                                   \
    N_("Send the terminal to who listens on the UNIX socket PATH"), N_("PATH") }
#define VP_OCI_OPTION_PRESERVE_FDS                                                                                   \
  { "preserve-fds", 0, 0, G_OPTION_ARG_INT, &vp_oci_options.preserve_fds,                                            \
    N_("Only 0: descriptors do not reach into a virtual machine"), N_("N") }

/* How a runtime for processes of the host goes about it; a virtual machine does
 * not do these things either way. Engines pass them unasked. */
#define VP_OCI_OPTIONS_WITHOUT_MEANING                                                                               \
  { "no-pivot", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &vp_oci_options.ignored, NULL, NULL },                   \
      { "no-new-keyring", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &vp_oci_options.ignored, NULL, NULL },         \
      { "no-subreaper", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &vp_oci_options.ignored, NULL, NULL }

/* What is wrong with them, to print with vp_command_usage (), or NULL. */
const char *vp_oci_options_check (void);
