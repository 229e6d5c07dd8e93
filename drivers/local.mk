# SPDX-License-Identifier: LGPL-2.1-or-later
# varieties, and everything that decides; pure but for vp-host-mount
noinst_LTLIBRARIES += libvp-drivers.la
libvp_drivers_la_SOURCES = \
	drivers/vp-container-planner.c drivers/vp-container-planner.h drivers/vp-container-planner-private.h \
	drivers/vp-container-planner-mount.c \
	drivers/vp-container-planner-spec.c \
	drivers/vp-device.c drivers/vp-device.h \
	drivers/vp-device-channel.c \
	drivers/vp-device-console.c \
	drivers/vp-device-disk.c \
	drivers/vp-device-memory.c \
	drivers/vp-device-nic.c \
	drivers/vp-device-rng.c \
	drivers/vp-device-share.c \
	drivers/vp-device-vsock.c \
	drivers/vp-domain-xml.c drivers/vp-domain-xml.h drivers/vp-domain-xml-private.h \
	drivers/vp-domain-xml-bus.c \
	drivers/vp-domain-xml-cpu.c \
	drivers/vp-domain-xml-memory.c \
	drivers/vp-driver.c drivers/vp-driver.h \
	drivers/vp-driver-ch.c \
	drivers/vp-driver-plan.c \
	drivers/vp-driver-qemu.c \
	drivers/vp-driver-test.c \
	drivers/vp-explain.c drivers/vp-explain.h drivers/vp-explain-private.h \
	drivers/vp-explain-changes.c \
	drivers/vp-explain-json.c \
	drivers/vp-explain-text.c \
	drivers/vp-guest-messages.c drivers/vp-guest-messages.h \
	drivers/vp-guest-network.c drivers/vp-guest-network.h \
	drivers/vp-guest-spec.c drivers/vp-guest-spec.h \
	drivers/vp-host-mount.c drivers/vp-host-mount.h \
	drivers/vp-host-mount-pin.c \
	drivers/vp-host-path.c drivers/vp-host-path.h \
	drivers/vp-planner.c drivers/vp-planner.h drivers/vp-planner-private.h \
	drivers/vp-planner-boot.c \
	drivers/vp-planner-cmdline.c \
	drivers/vp-planner-devices.c \
	drivers/vp-planner-guest.c \
	drivers/vp-planner-machine.c \
	drivers/vp-planner-memory.c \
	drivers/vp-planner-network.c \
	drivers/vp-planner-root.c \
	drivers/vp-sizing.c drivers/vp-sizing.h \
	drivers/vp-xml.c drivers/vp-xml.h
libvp_drivers_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/lib/common -I$(srcdir)/model -I$(srcdir)/drivers \
	$(VP_WIRE_CPPFLAGS)
libvp_drivers_la_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) $(XML_CFLAGS) $(MOUNT_CFLAGS)
libvp_drivers_la_LIBADD = libvp-model.la libvp-wire.la $(GLIB_LIBS) $(XML_LIBS) $(MOUNT_LIBS)
