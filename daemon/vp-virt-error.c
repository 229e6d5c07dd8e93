/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-virt-error.h"

#include "vp-error.h"

/* Every code a caller can do something about has its row; what is not here is
 * HypervisorFailed. */
static const struct
{
  int code;
  const char *name;
  VpError error;
} table[] = {
/* clang-format off */
#define ROW(code, error) { VIR_ERR_##code, #code, VP_ERROR_##error }
/* clang-format on */
  ROW (INTERNAL_ERROR, HYPERVISOR_FAILED),
  ROW (NO_MEMORY, RESOURCE_EXHAUSTED),
  ROW (NO_SUPPORT, NOT_SUPPORTED),
  ROW (UNKNOWN_HOST, HYPERVISOR_UNAVAILABLE),
  ROW (NO_CONNECT, HYPERVISOR_UNAVAILABLE),
  ROW (INVALID_CONN, HYPERVISOR_UNAVAILABLE),
  ROW (INVALID_DOMAIN, INVALID_ARGUMENT),
  ROW (INVALID_ARG, INVALID_ARGUMENT),
  ROW (OPERATION_FAILED, HYPERVISOR_FAILED),
  ROW (OS_TYPE, NOT_SUPPORTED),
  ROW (CALL_FAILED, NOT_SUPPORTED),
  ROW (XML_ERROR, CONFIG_ERROR),
  ROW (XML_DETAIL, CONFIG_ERROR),
  ROW (XML_INVALID_SCHEMA, CONFIG_ERROR),
  ROW (DOM_EXIST, ALREADY_EXISTS),
  ROW (OPERATION_DENIED, NOT_AUTHORIZED),
  ROW (OPEN_FAILED, HYPERVISOR_FAILED),
  ROW (CONF_SYNTAX, CONFIG_ERROR),
  ROW (SYSTEM_ERROR, HYPERVISOR_FAILED),
  ROW (RPC, HYPERVISOR_UNAVAILABLE),
  ROW (GNUTLS_ERROR, HYPERVISOR_UNAVAILABLE),
  ROW (SSH, HYPERVISOR_UNAVAILABLE),
  ROW (LIBSSH, HYPERVISOR_UNAVAILABLE),
  ROW (NO_SERVER, HYPERVISOR_UNAVAILABLE),
  ROW (NO_CLIENT, HYPERVISOR_UNAVAILABLE),
  ROW (NO_DOMAIN, NOT_FOUND),
  ROW (NO_NETWORK, NOT_FOUND),
  ROW (NO_STORAGE_POOL, NOT_FOUND),
  ROW (NO_STORAGE_VOL, NOT_FOUND),
  ROW (NO_NODE_DEVICE, NOT_FOUND),
  ROW (NO_SECRET, NOT_FOUND),
  ROW (NO_DOMAIN_METADATA, NOT_FOUND),
  ROW (NO_DOMAIN_SNAPSHOT, NOT_FOUND),
  ROW (DEVICE_MISSING, NOT_FOUND),
  ROW (AUTH_FAILED, NOT_AUTHORIZED),
  ROW (AUTH_CANCELLED, NOT_AUTHORIZED),
  ROW (AUTH_UNAVAILABLE, NOT_AUTHORIZED),
  ROW (ACCESS_DENIED, NOT_AUTHORIZED),
  ROW (OPERATION_INVALID, INVALID_STATE),
  ROW (CONFIG_UNSUPPORTED, NOT_SUPPORTED),
  ROW (ARGUMENT_UNSUPPORTED, NOT_SUPPORTED),
  ROW (OPERATION_UNSUPPORTED, NOT_SUPPORTED),
  ROW (CPU_INCOMPATIBLE, NOT_SUPPORTED),
  ROW (OPERATION_TIMEOUT, TIMED_OUT),
  ROW (AGENT_UNRESPONSIVE, TIMED_OUT),
  ROW (OPERATION_ABORTED, CANCELLED),
  ROW (RESOURCE_BUSY, BUSY),
  ROW (OVERFLOW, RESOURCE_EXHAUSTED),
  ROW (HOOK_SCRIPT_FAILED, HYPERVISOR_FAILED),
  ROW (DBUS_SERVICE, HYPERVISOR_FAILED),
#undef ROW
};

const char *
vp_virt_error_name (int libvirt_code)
{
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (table[i].code == libvirt_code)
      return table[i].name;
  return "UNKNOWN";
}

static VpError
code_of (int libvirt_code)
{
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (table[i].code == libvirt_code)
      return table[i].error;
  return VP_ERROR_HYPERVISOR_FAILED;
}

GError *
vp_virt_error (virErrorPtr err)
{
  g_autofree char *message = NULL;

  if (err == NULL || err->code == VIR_ERR_OK)
    return g_error_new_literal (VP_ERROR, VP_ERROR_HYPERVISOR_FAILED, "libvirt failed and did not say why");

  message = g_strdup (err->message != NULL ? err->message : "no message");
  g_strchomp (g_strdelimit (message, "\r\n", ' '));
  return g_error_new (VP_ERROR, (int) code_of (err->code), "%s (libvirt %s, %d)", message,
                      vp_virt_error_name (err->code), err->code);
}

GError *
vp_virt_error_last (const char *format, ...)
{
  GError *error = vp_virt_error (virGetLastError ());
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_prefix_error (&error, "%s: ", what);
  return error;
}
