# SPDX-License-Identifier: LGPL-2.1-or-later
dist_dbusinterfaces_DATA = $(vp_dbus_xml)
