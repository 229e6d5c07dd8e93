/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-check-private.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vp-planner.h"

/* What a virtual machine is made of: the connection that makes it, the programs
 * and the files it starts from. */

#define QEMU_CONF "/etc/libvirt/qemu.conf"
#define MAX_GROUPS 64

/* ---- libvirt --------------------------------------------------------------------- */

static char *
version_text (guint64 version)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT, version / 1000000,
                          version / 1000 % 1000, version % 1000);
}

static void
check_connection (VpCheck *self)
{
  const VpFactsInit *facts = self->facts == NULL ? NULL : vp_facts_get (self->facts);
  g_autofree char *libvirt = facts == NULL ? NULL : version_text (facts->libvirt_version);
  g_autofree char *hypervisor = facts == NULL ? NULL : version_text (facts->hypervisor_version);

  if (self->reason != NULL)
    vp_check_add (self, "libvirt", VP_CHECK_ERROR,
                  "start libvirtd (or virtqemud), or set hypervisor.uri; virtpodd connects by itself", "%s: %s",
                  self->uri, self->reason);
  else if (facts == NULL)
    vp_check_add (self, "libvirt", VP_CHECK_ERROR, "see the log of virtpodd", "%s: nothing is known of it", self->uri);
  else if (!vp_check_is_local (self))
    vp_check_add (self, "libvirt", VP_CHECK_ERROR, "set hypervisor.uri to a connection on this host",
                  "%s: virtual machines of another host cannot share files of this one", self->uri);
  else if (!vp_check_runs_guests (self))
    vp_check_add (self, "libvirt", VP_CHECK_WARNING, "set hypervisor.uri=qemu:///system to run containers",
                  "libvirt %s at %s, driver %s: runs no guests", libvirt, self->uri, facts->driver);
  else
    vp_check_add (self, "libvirt", VP_CHECK_OK, "", "libvirt %s at %s, %s %s", libvirt, self->uri, facts->driver,
                  hypervisor);
}

static void
check_accelerator (VpCheck *self)
{
  const char *wanted = vp_config_get_string (self->config, VP_CONFIG_HYPERVISOR_ACCEL);
  const VpFactsInit *facts = vp_facts_get (self->facts);
  const char *reason = facts->kvm_reason != NULL ? facts->kvm_reason : "not known why";

  if (facts->kvm_usable && !g_str_equal (wanted, "tcg"))
    vp_check_add (self, "acceleration", VP_CHECK_OK, "", "kvm (hypervisor.accel=%s)", wanted);
  else if (facts->kvm_usable)
    vp_check_add (self, "acceleration", VP_CHECK_WARNING, "set hypervisor.accel=auto",
                  "hypervisor.accel=tcg: guests are emulated and slow although this host has kvm");
  else if (g_str_equal (wanted, "kvm"))
    vp_check_add (self, "acceleration", VP_CHECK_ERROR,
                  "switch virtualisation on in the firmware (or nested, in the host above), load kvm_intel or kvm_amd; "
                  "or set hypervisor.accel=auto",
                  "hypervisor.accel=kvm but it is not usable: %s", reason);
  else
    vp_check_add (self, "acceleration", VP_CHECK_WARNING,
                  "switch virtualisation on in the firmware (or nested, in the host above), load kvm_intel or kvm_amd",
                  "tcg: guests are emulated and slow (%s)", reason);
}

static gboolean
is_executable (VpCheck *self, const char *path)
{
  g_autofree char *there = vp_check_path (self, path);

  return g_file_test (there, G_FILE_TEST_IS_REGULAR) && access (there, X_OK) == 0;
}

static void
check_emulator (VpCheck *self)
{
  const char *set = vp_config_get_string (self->config, VP_CONFIG_HYPERVISOR_EMULATOR);
  const char *path = *set != '\0' ? set : vp_facts_get (self->facts)->emulator;

  if (path == NULL)
    vp_check_add (self, "emulator", VP_CHECK_ERROR, "install qemu-system for this architecture",
                  "libvirt knows no emulator");
  else if (!is_executable (self, path))
    vp_check_add (self, "emulator", VP_CHECK_ERROR,
                  *set != '\0' ? "correct hypervisor.emulator" : "install qemu-system, then restart libvirtd",
                  "%s: is not a program", path);
  else
    vp_check_add (self, "emulator", VP_CHECK_OK, "", "%s", path);
}

static void
check_virtiofsd (VpCheck *self)
{
  static const char *const usual[]
      = { "/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd", "/usr/lib/virtiofsd", "/usr/bin/virtiofsd", NULL };
  const char *set = vp_config_get_string (self->config, VP_CONFIG_SHARE_DAEMON);
  const char *const only[] = { set, NULL };
  const char *const *path = *set != '\0' ? only : usual;

  if (!g_str_equal (vp_config_get_string (self->config, VP_CONFIG_SHARE_TYPE), "virtiofs"))
    {
      vp_check_add (self, "virtiofsd", VP_CHECK_OK, "", "not needed: share.type is not virtiofs");
      return;
    }
  if (!vp_facts_get (self->facts)->virtiofs)
    {
      vp_check_add (self, "virtiofsd", VP_CHECK_ERROR, "install a QEMU and libvirt with virtiofs",
                    "libvirt does not offer virtiofs shares");
      return;
    }
  while (*path != NULL && !is_executable (self, *path))
    path++;
  if (*path != NULL)
    vp_check_add (self, "virtiofsd", VP_CHECK_OK, "", "%s", *path);
  else if (*set != '\0')
    vp_check_add (self, "virtiofsd", VP_CHECK_ERROR, "correct share.daemon", "%s: is not a program", set);
  else
    vp_check_add (self, "virtiofsd", VP_CHECK_ERROR, "install virtiofsd, or say where it is with share.daemon",
                  "not found");
}

/* Who sends the packets of guests with network.model=user, which each sandbox may ask for. */
static void
check_user_network (VpCheck *self)
{
  const char *wanted = vp_config_get_string (self->config, VP_CONFIG_NETWORK_USER_BACKEND);
  gboolean is_model = g_str_equal (vp_config_get_string (self->config, VP_CONFIG_NETWORK_MODEL), "user");
  g_autofree char *routes = vp_check_read (self, "/proc/net/route");
  g_autoptr (VpUplink) uplink = routes == NULL ? NULL : vp_uplink_parse (routes, NULL);
  g_autoptr (VpFacts) facts = vp_facts_new_with_uplink (self->facts, uplink);
  const char *cannot = vp_planner_why_no_passt (vp_facts_get (facts));
  g_autofree char *doubt = vp_planner_dup_doubt_of_passt (vp_facts_get (facts));
  const char *why_not = cannot != NULL ? cannot : doubt;

  if (g_str_equal (wanted, "qemu"))
    vp_check_add (self, "user-network", VP_CHECK_OK, "", "the hypervisor's own (network.user-backend=qemu)");
  else if (why_not == NULL)
    vp_check_add (self, "user-network", VP_CHECK_OK, "", "passt, by %s", vp_uplink_get_device (uplink));
  else if (g_str_equal (wanted, "auto"))
    vp_check_add (self, "user-network", VP_CHECK_OK, "", "the hypervisor's own, not passt: %s", why_not);
  else if (cannot == NULL)
    vp_check_add (self, "user-network", VP_CHECK_WARNING, "install a later passt, or set network.user-backend=auto",
                  "passt, by %s: %s", vp_uplink_get_device (uplink), doubt);
  else
    vp_check_add (self, "user-network", is_model ? VP_CHECK_ERROR : VP_CHECK_WARNING,
                  "install passt and libvirt 10.6 or later, or set network.user-backend=auto",
                  "network.user-backend=passt: %s", cannot);
}

void
vp_check_libvirt (VpCheck *self)
{
  check_connection (self);
  if (self->facts == NULL || !vp_check_is_local (self) || !vp_check_runs_guests (self))
    return;
  check_accelerator (self);
  check_emulator (self);
  check_virtiofsd (self);
  check_user_network (self);
}

/* ---- files that the hypervisor reads ------------------------------------------------ */

typedef struct
{
  uid_t uid;
  gid_t groups[MAX_GROUPS];
  int n_groups;
  char *name;
} Reader;

static void
reader_clear (Reader *self)
{
  g_free (self->name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reader, reader_clear)

/* The value of "user" in libvirt's configuration of the driver, or NULL. */
static char *
configured_user (VpCheck *self)
{
  g_autoptr (GUri) uri = g_uri_parse (self->uri, G_URI_FLAGS_NONE, NULL);
  const char *query = uri == NULL ? NULL : g_uri_get_query (uri);
  g_autoptr (GHashTable) options = query == NULL ? NULL : g_uri_parse_params (query, -1, "&", G_URI_PARAMS_NONE, NULL);
  const char *embedded = options == NULL ? NULL : g_hash_table_lookup (options, "root");
  g_autofree char *path = g_strconcat (embedded != NULL ? embedded : "", embedded != NULL ? "/etc/qemu.conf" : QEMU_CONF,
                                       NULL);
  g_autofree char *text = vp_check_read (self, path);
  g_autoptr (GRegex) regex = g_regex_new ("^\\s*user\\s*=\\s*[\"']([^\"'\n]+)[\"']", G_REGEX_MULTILINE, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;

  return text != NULL && g_regex_match (regex, text, 0, &match) ? g_match_info_fetch (match, 1) : NULL;
}

/* @name NULL: whoever has @uid. */
static gboolean
look_up (Reader *reader, const char *name, uid_t uid)
{
  char buffer[4096];
  struct passwd entry, *found = NULL;

  if (name != NULL)
    (void) getpwnam_r (name, &entry, buffer, sizeof buffer, &found);
  else
    (void) getpwuid_r (uid, &entry, buffer, sizeof buffer, &found);
  if (found == NULL)
    return FALSE;
  reader->uid = found->pw_uid;
  reader->name = g_strdup (found->pw_name);
  reader->n_groups = MAX_GROUPS;
  if (getgrouplist (found->pw_name, found->pw_gid, reader->groups, &reader->n_groups) < 0)
    reader->n_groups = MAX_GROUPS;
  return TRUE;
}

/* Who QEMU runs as. FALSE when that cannot be told. */
static gboolean
find_reader (VpCheck *self, Reader *reader)
{
  g_autofree char *name = configured_user (self);
  guint64 uid;

  if (g_str_has_prefix (self->uri, "qemu:///session"))
    return look_up (reader, NULL, geteuid ());
  if (name == NULL)
    return look_up (reader, "libvirt-qemu", 0) || look_up (reader, "qemu", 0);
  if (*name != '+' && look_up (reader, name, 0))
    return TRUE;
  if (!g_ascii_string_to_unsigned (name + (*name == '+'), 10, 0, G_MAXUINT32 - 1, &uid, NULL))
    return FALSE;
  if (!look_up (reader, NULL, (uid_t) uid))
    {
      reader->uid = (uid_t) uid;
      reader->name = g_strdup_printf ("uid %u", reader->uid);
    }
  return TRUE;
}

static gboolean
may (const Reader *reader, const struct stat *st, mode_t bit)
{
  if (reader->uid == 0)
    return TRUE;
  if (st->st_uid == reader->uid)
    return (st->st_mode & (bit << 6)) != 0;
  for (int i = 0; i < reader->n_groups; i++)
    if (st->st_gid == reader->groups[i])
      return (st->st_mode & (bit << 3)) != 0;
  return (st->st_mode & bit) != 0;
}

/* The first directory on the way to @path that @reader may not enter; NULL: none. */
static char *
find_closed_directory (const Reader *reader, const char *path)
{
  for (const char *slash = strchr (path + 1, '/'); slash != NULL; slash = strchr (slash + 1, '/'))
    {
      g_autofree char *directory = g_strndup (path, (gsize) (slash - path));
      struct stat st;

      if (stat (directory, &st) < 0 || !may (reader, &st, 1))
        return g_steal_pointer (&directory);
    }
  return NULL;
}

static void
check_file (VpCheck *self, const char *name, const char *key, const char *path)
{
  g_autofree char *there = vp_check_path (self, path);
  g_autofree char *hint = g_strdup_printf ("correct %s, or build the guest's files: make guest-image", key);
  g_autofree char *closed = NULL;
  g_auto (Reader) reader = { 0 };
  struct stat st;

  if (stat (there, &st) < 0 || !S_ISREG (st.st_mode))
    vp_check_add (self, name, VP_CHECK_ERROR, hint, "%s: there is no such file", path);
  else if (st.st_size == 0)
    vp_check_add (self, name, VP_CHECK_ERROR, hint, "%s: is empty", path);
  else if (!find_reader (self, &reader))
    vp_check_add (self, name, VP_CHECK_OK, "", "%s (not known who QEMU runs as)", path);
  else if ((closed = find_closed_directory (&reader, there)) != NULL)
    vp_check_add (self, name, VP_CHECK_ERROR, "let others enter the directory, or move the file",
                  "%s: user %s, which QEMU runs as, may not enter %s", path, reader.name, closed);
  else if (!may (&reader, &st, 4))
    vp_check_add (self, name, VP_CHECK_WARNING, "make the file readable for everybody",
                  "%s: not readable for user %s, unless libvirt changes its owner", path, reader.name);
  else
    vp_check_add (self, name, VP_CHECK_OK, "", "%s, %" G_GUINT64_FORMAT " KiB, readable for user %s", path,
                  (guint64) st.st_size / 1024, reader.name);
}

void
vp_check_guest_files (VpCheck *self)
{
  const char *kernel = vp_config_get_string (self->config, VP_CONFIG_GUEST_KERNEL);
  const char *initrd = vp_config_get_string (self->config, VP_CONFIG_GUEST_INITRD);
  gboolean image = vp_config_boots_image (self->config);
  const char *firmware = vp_config_get_string (self->config, VP_CONFIG_GUEST_FIRMWARE);

  if (!vp_check_is_local (self) || !vp_check_runs_guests (self))
    return;
  if (*kernel != '\0')
    check_file (self, "guest-kernel", "guest.kernel", kernel);
  if (image)
    check_file (self, "guest-image", "guest.image", vp_config_get_string (self->config, VP_CONFIG_GUEST_IMAGE));
  else if (*initrd != '\0')
    check_file (self, "guest-initrd", "guest.initrd", initrd);
  if (*firmware != '\0')
    check_file (self, "guest-firmware", "guest.firmware", firmware);
}
