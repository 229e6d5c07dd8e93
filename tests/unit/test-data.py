#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files other programs read: well-formed, substituted, and agreeing with each other."""

import configparser
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cli_harness import BUILDDIR, SRCDIR, equal, main  # noqa: E402


def unit(path):
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str
    parser.read(path)
    return parser


def test_activation():
    service = unit(os.path.join(BUILDDIR, "data/org.virtpod.service"))["D-BUS Service"]
    systemd = unit(os.path.join(BUILDDIR, "data/virtpodd.service"))
    equal(service["Name"], "org.virtpod")
    equal(service["SystemdService"], "virtpodd.service")
    equal(systemd["Service"]["BusName"], service["Name"])
    equal(systemd["Service"]["ExecStart"], service["Exec"])
    equal(re.fullmatch(r"/.*/virtpodd", service["Exec"]) is not None, True, service["Exec"])


def test_unit_keeps_mount_propagation():
    service = unit(os.path.join(BUILDDIR, "data/virtpodd.service"))["Service"]
    own_namespace = ("Protect", "Private", "ReadOnlyPaths", "ReadWritePaths", "InaccessiblePaths",
                     "ExecPaths", "NoExecPaths", "BindPaths", "BindReadOnlyPaths", "TemporaryFileSystem", "MountFlags",
                     "RootDirectory", "RootImage", "DynamicUser", "MountAPIVFS")
    equal([key for key in service if key.startswith(own_namespace)], [], "settings with a mount namespace")


def test_policies():
    policy = ElementTree.parse(os.path.join(BUILDDIR, "data/org.virtpod.policy")).getroot()
    actions = [action.get("id") for action in policy.findall("action")]
    table = open(os.path.join(SRCDIR, "daemon/vp-bouncer-table.c"), encoding="utf-8").read()
    equal(sorted(actions), sorted("org.virtpod" + name for name in re.findall(r'VP_BUS_NAME "(\.\w+)"', table)))
    for action in policy.findall("action"):
        for name in ("description", "message", "defaults/allow_any", "defaults/allow_inactive",
                     "defaults/allow_active"):
            equal(bool(action.findtext(name)), True, (action.get("id"), name))
    bus = ElementTree.parse(os.path.join(SRCDIR, "data/org.virtpod.conf")).getroot()
    owners = [p.get("user") for p in bus.findall("policy") for rule in p.findall("allow") if rule.get("own")]
    equal(owners, ["root"])
    # everybody may call, as the daemon asks; nobody but root and the group hears signals or sees ids
    anybody = bus.find("policy[@context='default']")
    equal([(r.tag, r.get("send_path"), r.get("receive_type")) for r in anybody if r.get("own") is None],
          [("allow", None, None), ("deny", "/org/virtpod/sandbox", None), ("deny", "/org/virtpod/job", None),
           ("deny", None, "signal")])
    for rules in bus.findall("policy[@group]") + bus.findall("policy[@user]"):
        equal([r.get("receive_type") for r in rules.findall("allow[@receive_sender='org.virtpod']")], ["signal"])


def test_socket():
    """the socket's unit, the daemon's default and the name the daemon asks for it by"""
    socket = unit(os.path.join(SRCDIR, "data/virtpodd.socket"))["Socket"]
    names = open(os.path.join(SRCDIR, "lib/common/vp-names.h"), encoding="utf-8").read()
    name = re.search(r'VP_FILE_SOCKET "([^"]+)"', names).group(1)
    equal(socket["ListenStream"], "/run/virtpod/" + name)
    equal(socket["FileDescriptorName"], name)
    equal((socket["SocketMode"], socket["SocketGroup"]), ("0660", "virtpod"))
    service = unit(os.path.join(BUILDDIR, "data/virtpodd.service"))["Service"]
    equal((service["Type"], service["KillMode"]), ("notify", "process"))
    equal(int(service["WatchdogSec"]) > 0, True)


def test_units_verify():
    """systemd's own opinion of the units"""
    if shutil.which("systemd-analyze") is None:
        return
    with tempfile.TemporaryDirectory() as where:
        for path in (os.path.join(BUILDDIR, "data/virtpodd.service"), os.path.join(SRCDIR, "data/virtpodd.socket")):
            text = open(path, encoding="utf-8").read()
            with open(os.path.join(where, os.path.basename(path)), "w", encoding="utf-8") as f:
                # what is not installed here is not what is looked at
                f.write(re.sub(r"^ExecStart=.*", "ExecStart=/bin/true", text, flags=re.MULTILINE))
        result = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=one",
                                 os.path.join(where, "virtpodd.service"), os.path.join(where, "virtpodd.socket")],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        equal([line for line in result.stdout.splitlines() if "virtpodd." in line], [], "systemd-analyze verify")


def test_catalog():
    """systemd's own reader takes it, and finds every entry again"""
    path = os.path.join(SRCDIR, "data/virtpod.catalog")
    ids = re.findall(r"^-- ([0-9a-f]{32})$", open(path, encoding="utf-8").read(), re.MULTILINE)
    equal(len(ids) > 0, True)
    journalctl = shutil.which("journalctl")
    if journalctl is None:
        return
    with tempfile.TemporaryDirectory() as root:
        for folder in ("usr/lib/systemd/catalog", "var/lib/systemd/catalog"):
            os.makedirs(os.path.join(root, folder))
        shutil.copy(path, os.path.join(root, "usr/lib/systemd/catalog"))
        done = subprocess.run([journalctl, "--update-catalog", "--root=" + root], capture_output=True, text=True)
        equal((done.returncode, done.stderr), (0, ""), "journalctl --update-catalog")
        database = os.path.join(root, "var/lib/systemd/catalog/database")
        with open(database, "rb") as written:
            data = written.read()
        equal([i for i in ids if bytes.fromhex(i) not in data], [], "entries in the database")


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
