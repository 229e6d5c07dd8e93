#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tools/check-layers: what it must find and what it must let pass."""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cli_harness import SRCDIR, contains, equal, main  # noqa: E402

LICENCE = "/* SPDX-License-Identifier: LGPL-2.1-or-later */\n"
HEADERS = ["lib/common/vp-fd.h", "lib/wire/vp-frame.h", "model/vp-plan.h", "drivers/vp-driver.h",
           "drivers/vp-device-disk.h", "drivers/vp-planner.h", "daemon/vp-worker.h", "daemon/vp-virt.h",
           "daemon/vp-agent-client.h", "daemon/vp-process.h", "daemon/vp-sandbox.h", "daemon/vp-dbus-args.h",
           "clients/virtpod/vp-client.h"]


def check(path, text):
    """Exit status and complaints about one file in a small tree that is right without it."""
    with tempfile.TemporaryDirectory() as tree:
        for name in HEADERS + [path]:
            os.makedirs(os.path.join(tree, os.path.dirname(name)), exist_ok=True)
            with open(os.path.join(tree, name), "w") as out:
                out.write(LICENCE + (text if name == path else "#pragma once\n"))
        done = subprocess.run([sys.executable, os.path.join(SRCDIR, "tools/check-layers"), tree],
                              capture_output=True, text=True)
    return done.returncode, "\n".join(line for line in done.stdout.splitlines() if line.startswith("#"))


def test_allowed():
    for path, header in (
            ("model/vp-a.c", '"vp-fd.h"'), ("model/vp-a.c", "<glib.h>"),
            ("drivers/vp-device-disk.c", '"vp-driver.h"'),
            ("drivers/vp-planner.c", '"vp-device-disk.h"'), ("drivers/vp-domain-xml.c", "<libxml/tree.h>"),
            ("daemon/vp-virt-open.c", '"vp-virt.h"'), ("daemon/vp-virt-open.c", '"vp-worker.h"'),
            ("daemon/vp-virt-open.c", "<libvirt/libvirt.h>"), ("daemon/vp-sandbox-start.c", '"vp-virt.h"'),
            ("daemon/vp-sandbox-start.c", '"vp-process.h"'), ("daemon/vp-dbus-sandbox.c", '"vp-sandbox.h"'),
            ("daemon/vp-dbus-sandbox.c", '"vp-dbus-generated.h"'), ("daemon/main.c", '"vp-dbus-args.h"'),
            ("clients/virtpod/a.c", '"vp-dbus-generated.h"'), ("guest/agent/a.c", '"agent.pb-c.h"'),
            ("guest/agent/a.c", '"vp-frame.h"'), ("lib/wire/a.c", "<protobuf-c/protobuf-c.h>")):
        equal(check(path, "#include %s\n" % header), (0, ""), (path, header))


def test_forbidden():
    for path, header, complaint in (
            ("lib/common/a.c", '"vp-plan.h"', "common does not see model"),
            ("model/vp-a.c", '"vp-planner.h"', "model does not see drivers"),
            ("model/vp-a.c", '"../lib/common/vp-fd.h"', "names a directory"),
            ("model/vp-a.c", "<json-glib/json-glib.h>", "json-glib is not used here"),
            ("drivers/vp-device-nic.c", '"vp-device-disk.h"', "one room of drivers/"),
            ("drivers/vp-device-nic.c", '"vp-virt.h"', "is above"),
            ("daemon/vp-virt-open.c", '"vp-agent-client.h"', "is a sibling"),
            ("daemon/vp-process.c", '"vp-sandbox.h"', "is above"),
            ("daemon/vp-sandbox.c", '"vp-dbus-args.h"', "is above"),
            ("daemon/vp-sandbox.c", '"vp-dbus-generated.h"', "does not see the bus"),
            ("daemon/vp-sandbox.c", "<libvirt/libvirt.h>", "libvirt is not used here"),
            ("daemon/vp-sandbox.c", '"nowhere.h"', "is in no layer"),
            ("clients/virtpod/a.c", '"vp-sandbox.h"', "client does not see sandbox"),
            ("clients/virtpod/a.c", '"vp-plan.h"', "client does not see model"),
            ("guest/agent/a.c", "<glib.h>", "no GLib here"),
            ("guest/agent/a.c", '"vp-fd.h"', "guest does not see common"),
            ("lib/wire/a.c", "<gio/gio.h>", "no GLib here")):
        status, complaints = check(path, "#include %s\n" % header)
        equal(status, 1, (path, header))
        contains(complaints, complaint)


def test_names_are_unique():
    contains(check("guest/agent/vp-plan.h", "#pragma once\n")[1], "model/vp-plan.h has the same name")


def test_words_and_licence():
    contains(check("daemon/vp-sandbox.c", "void f (GDBusMethodInvocation *i);\n")[1], "GDBusMethodInvocation")
    equal(check("daemon/vp-sandbox.c", "/* not a GDBusMethodInvocation */\n"), (0, ""))
    with tempfile.TemporaryDirectory() as tree:
        os.makedirs(os.path.join(tree, "model"))
        with open(os.path.join(tree, "model/vp-a.c"), "w") as out:
            out.write("int x;\n")
        done = subprocess.run([sys.executable, os.path.join(SRCDIR, "tools/check-layers"), tree],
                              capture_output=True, text=True)
    contains(done.stdout, "not the licence")


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
