# SPDX-License-Identifier: LGPL-2.1-or-later

EXTRA_DIST += tests/tap-run.sh

# what looks at the source only: the same in each build, so tools/check runs it once
vp_source_tests = tests/tools/test-programs.sh tests/tools/test-scripts.sh
TESTS += $(vp_source_tests)
include tests/unit/agent.mk
include tests/unit/annot.mk
include tests/unit/cli.mk
include tests/unit/common.mk
include tests/unit/conf.mk
include tests/unit/conn.mk
include tests/unit/dtest.mk
include tests/unit/model.mk
include tests/unit/network.mk
include tests/unit/explain.mk
include tests/unit/hook.mk
include tests/unit/shim.mk
include tests/unit/virt.mk
include tests/bench/local.mk
include tests/unit/xml.mk
include tests/fuzz/local.mk

# what needs no daemon runs in `make check`; tools/check runs the rest
EXTRA_DIST += tests/tools/test-programs.sh tests/tools/test-scripts.sh

EXTRA_DIST += \
	tests/lib/bundle.py \
	tests/faults/kills.py \
	tests/faults/no-room.py \
	tests/faults/plugging.py \
	tests/faults/points.py \
	tests/faults/points-errors.py \
	tests/lib/bus.py \
	tests/lib/containerd.py \
	tests/lib/cri.proto \
	tests/lib/cri.py \
	tests/lib/cri_stream.py \
	tests/lib/crash.py \
	tests/lib/fault_points.py \
	tests/lib/env.py \
	tests/lib/host.py \
	tests/lib/libvirtd.py \
	tests/lib/lives.py \
	tests/lib/machine.py \
	tests/lib/docker.py \
	tests/lib/podman.py \
	tests/lib/processes.py \
	tests/lib/service_manager.py \
	tests/lib/lsan.supp \
	tests/lib/tap.py \
	tests/lib/tsan-glib.c \
	tests/lib/tsan.supp \
	tests/daemon/bad-input.py \
	tests/daemon/no-libvirt.py \
	tests/daemon/transport.py \
	tests/clients/containerd-io.py \
	tests/clients/containerd-life.py \
	tests/clients/containerd-run.py \
	tests/clients/cri-life.py \
	tests/clients/cri-pod.py \
	tests/clients/docker.py \
	tests/clients/oci-peers.py \
	tests/clients/podman-build.py \
	tests/clients/podman-life.py \
	tests/clients/podman-network.py \
	tests/clients/podman-options.py \
	tests/clients/podman-pod.py \
	tests/clients/podman-pods.py \
	tests/clients/podman-run.py \
	tests/clients/podman-stats.py \
	tests/vm/adoption.py \
	tests/vm/bad-guest.py \
	tests/vm/boot.py \
	tests/vm/commands.py \
	tests/vm/cycles.py \
	tests/vm/guest.py \
	tests/vm/image.sh \
	tests/vm/network.py \
	tests/vm/passt.py \
	tests/vm/cni.py \
	tests/vm/network-hot.py \
	tests/vm/processes.py \
	tests/vm/run.py \
	tests/vm/sandbox.py \
	tests/vm/spec.py \
	tests/vm/volumes.py \
	tests/vm/verbs.py \
	tests/vm/with-libvirtd.py

# what tests/daemon/cycles.py counts memory by; -rpath makes libtool build a shared object
if !ENABLE_SANITIZERS
noinst_LTLIBRARIES += tests/lib/count-malloc.la
tests_lib_count_malloc_la_SOURCES = tests/lib/count-malloc.c
tests_lib_count_malloc_la_CFLAGS = $(AM_CFLAGS)
tests_lib_count_malloc_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath $(abs_builddir)
endif

# the tools' own list is here with what tests them
EXTRA_DIST += \
	.ci/run \
	tools/check \
	tools/packages.txt \
	tools/quickstart \
	tools/lib/common.sh \
	tools/lib/edit-config \
	tools/lib/private-libvirtd \
	tools/lib/programs.sh \
	tools/lib/qemu.conf \
	tools/lib/reaper \
	tools/lib/session.sh \
	tools/lib/tap-merge.awk \
	tools/lib/unpack-package

# the daemon and the command alone, for tests of another build of them
.PHONY: programs
programs: $(BUILT_SOURCES)
	@$(MAKE) $(AM_MAKEFLAGS) virtpodd$(EXEEXT) virtpod$(EXEEXT) virtpod-cp$(EXEEXT)

# the long forms of what tools/check runs; the last three need --enable-failpoints. Root
# and an hour or so, more where guests are emulated.
.PHONY: soak
soak: all
	@for test in daemon/cycles daemon/model daemon/processes vm/processes vm/cycles; do \
	  echo "soak: $$test"; \
	  $(AM_TESTS_ENVIRONMENT) VIRTPOD_TEST_CYCLES=$$(test $$test = vm/cycles && echo 30 || echo 10000) \
	    VIRTPOD_TEST_HISTORIES=1000 VIRTPOD_TEST_PROCESSES=1000 VIRTPOD_TEST_MEGABYTES=1024 \
	    $(PYTHON3) $(srcdir)/tests/$$test.py || exit 1; \
	done
	$(AM_TESTS_ENVIRONMENT) VIRTPOD_KILLS=1000 $(PYTHON3) $(srcdir)/tests/faults/kills.py
	$(AM_TESTS_ENVIRONMENT) VIRTPOD_FAULT_DELAY_MS=5000 $(PYTHON3) $(srcdir)/tests/faults/points.py
	$(AM_TESTS_ENVIRONMENT) VIRTPOD_FAULT_POINTS=. $(PYTHON3) $(srcdir)/tests/faults/points-errors.py
	$(AM_TESTS_ENVIRONMENT) $(PYTHON3) $(srcdir)/tests/faults/no-room.py
