# SPDX-License-Identifier: LGPL-2.1-or-later
# virtpod-proxy: there is one of it for each container and exec of a container
# engine, so it is small: static, libc only
pkglibexec_PROGRAMS += virtpod-proxy
virtpod_proxy_SOURCES = clients/proxy/main.c clients/proxy/place.c clients/proxy/place.h
virtpod_proxy_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/lib/common $(VP_BUS_CPPFLAGS)
virtpod_proxy_CFLAGS = $(AM_CFLAGS) $(VP_STATIC_CFLAGS)
virtpod_proxy_LDADD = libvp-bus.a
if ENABLE_SANITIZERS
virtpod_proxy_LDFLAGS = $(AM_LDFLAGS) -no-pie
else
virtpod_proxy_LDFLAGS = -all-static -Wl,--gc-sections
endif
