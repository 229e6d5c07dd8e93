/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-oci-options.h"

#include <glib/gi18n.h>

VpOciOptions vp_oci_options;

const char *
vp_oci_options_check (void)
{
  if (vp_oci_options.preserve_fds != 0)
    return _("--preserve-fds: descriptors of the host do not reach into a virtual machine");
  return NULL;
}
