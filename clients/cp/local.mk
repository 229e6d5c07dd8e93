# SPDX-License-Identifier: LGPL-2.1-or-later
# virtpod-cp: the verb "cp" of virtpod in a program of its own, since libarchive and what
# it needs take as long to load as all else that a short verb does
pkglibexec_PROGRAMS += virtpod-cp
noinst_LTLIBRARIES += libvp-tar.la

# a library so that tests can link it
libvp_tar_la_SOURCES = \
	clients/cp/vp-tar-end.c clients/cp/vp-tar-end.h \
	clients/cp/vp-tar-read.c clients/cp/vp-tar-read.h \
	clients/cp/vp-tar-write.c clients/cp/vp-tar-write.h
libvp_tar_la_CPPFLAGS = $(libvp_client_la_CPPFLAGS) -I$(srcdir)/clients/cp
libvp_tar_la_CFLAGS = $(libvp_client_la_CFLAGS) $(ARCHIVE_CFLAGS)
libvp_tar_la_LIBADD = libvp-client.la $(ARCHIVE_LIBS)

virtpod_cp_SOURCES = \
	clients/virtpod/main.c \
	clients/cp/cmd-cp.c \
	clients/cp/verbs.c
virtpod_cp_CPPFLAGS = $(virtpod_CPPFLAGS) -I$(srcdir)/clients/cp
virtpod_cp_CFLAGS = $(libvp_tar_la_CFLAGS)
virtpod_cp_LDADD = libvp-tar.la $(GLIB_LIBS) $(JSON_LIBS) $(ARCHIVE_LIBS) $(LIBINTL) -lm
