# SPDX-License-Identifier: LGPL-2.1-or-later

EXTRA_DIST += tests/tap-run.sh
include tests/unit/agent.mk
include tests/unit/annot.mk
include tests/unit/cli.mk
include tests/unit/common.mk
include tests/unit/conf.mk
include tests/unit/conn.mk
include tests/unit/dtest.mk
include tests/unit/model.mk
include tests/unit/explain.mk
include tests/unit/hook.mk
include tests/unit/virt.mk
include tests/bench/local.mk
include tests/unit/xml.mk
include tests/fuzz/local.mk

# what needs no daemon runs in `make check`; tools/check runs the rest
TESTS += tests/tools/test-scripts.sh
EXTRA_DIST += tests/tools/test-scripts.sh

EXTRA_DIST += \
	tests/lib/bundle.py \
	tests/lib/bus.py \
	tests/lib/env.py \
	tests/lib/host.py \
	tests/lib/libvirtd.py \
	tests/lib/lsan.supp \
	tests/lib/tap.py \
	tests/daemon/bad-input.py \
	tests/daemon/no-libvirt.py \
	tests/daemon/transport.py \
	tests/vm/adoption.py \
	tests/vm/bad-guest.py \
	tests/vm/boot.py \
	tests/vm/commands.py \
	tests/vm/cycles.py \
	tests/vm/guest.py \
	tests/vm/image.sh \
	tests/vm/run.py \
	tests/vm/sandbox.py \
	tests/vm/spec.py \
	tests/vm/volumes.py \
	tests/vm/verbs.py \
	tests/vm/with-libvirtd.py

# the tools' own list is here with what tests them
EXTRA_DIST += \
	.ci/run \
	tools/check \
	tools/packages.txt \
	tools/quickstart \
	tools/lib/common.sh \
	tools/lib/edit-config \
	tools/lib/private-libvirtd \
	tools/lib/qemu.conf \
	tools/lib/reaper \
	tools/lib/session.sh \
	tools/lib/tap-merge.awk
