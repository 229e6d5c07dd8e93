# SPDX-License-Identifier: LGPL-2.1-or-later

EXTRA_DIST += tests/tap-run.sh
include tests/unit/common.mk
include tests/unit/conn.mk
