# SPDX-License-Identifier: LGPL-2.1-or-later
# a D-Bus client of few kilobytes, for the programs of which there are many on a host
noinst_LIBRARIES += libvp-bus.a
libvp_bus_a_SOURCES = \
	clients/bus/vp-bus.c clients/bus/vp-bus.h \
	clients/bus/vp-bus-message.c clients/bus/vp-bus-message.h \
	clients/bus/vp-bus-reader.c clients/bus/vp-bus-reader.h
VP_BUS_CPPFLAGS = -I$(srcdir)/clients/bus
libvp_bus_a_CPPFLAGS = $(AM_CPPFLAGS) $(VP_BUS_CPPFLAGS)
libvp_bus_a_CFLAGS = $(AM_CFLAGS) $(VP_STATIC_CFLAGS)
