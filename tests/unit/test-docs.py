#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Documents that have to agree with the program: options, error names, the bus."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cli_harness import BUILDDIR, SRCDIR, VIRTPOD, contains, equal, main  # noqa: E402

OPTION = re.compile(r"^ *((?:-\w, )?--[a-z-]+(?:=\S+)?)(?:\s|$)", re.MULTILINE)


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as text:
        return text.read()


def help_options(program, *args):
    env = dict(os.environ, LC_ALL="C.UTF-8", LANGUAGE="", VIRTPOD_EXEC_PATH=BUILDDIR)
    command = [program, *args, "--help"]
    text = subprocess.run(command, capture_output=True, text=True, env=env, check=True).stdout
    return sorted(set(OPTION.findall(text)) - {"-h, --help"})


def sections(text, underline):
    """Title -> body of a page's sections with that underline."""
    parts = re.split(r"^(\S.*)\n%s{3,}\n" % re.escape(underline), text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def documented(text):
    return sorted(set(OPTION.findall(text)) - {"-h, --help"})


def test_virtpod_options():
    page = sections(read(SRCDIR, "docs/virtpod.1.rst"), "=")
    equal(documented(page["GLOBAL OPTIONS"]), help_options(VIRTPOD), "global options")
    commands = sections(page["COMMANDS"], "-")
    text = subprocess.run([VIRTPOD, "help"], capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^  ([a-z][a-z0-9-]*) ", text.split("\nCommands:\n")[1], re.MULTILINE)
    equal(list(commands), [name for name in listed if name != "help"], "commands")
    for name, body in commands.items():
        equal(documented(body), help_options(VIRTPOD, name), name)


def test_virtpodd_options():
    program = os.path.join(BUILDDIR, "virtpodd")
    if not os.path.exists(program):
        return
    page = documented(sections(read(SRCDIR, "docs/virtpodd.8.rst"), "=")["OPTIONS"])
    names = [re.findall(r"--[a-z-]+", option) for option in help_options(program)]
    equal([re.findall(r"--[a-z-]+", option) for option in page], names)


def test_states():
    """The tables of the page are those the daemon checks."""
    program = os.path.join(BUILDDIR, "daemon/vp-states-doc")
    if not os.path.exists(program):
        return
    page = os.path.join(SRCDIR, "docs/states.md")
    made = subprocess.run([program, page], capture_output=True, text=True, check=True).stdout
    equal(read(page), made, "docs/states.md: the build prints it anew")


def test_errors():
    source = re.findall(r'VP_ERROR_PREFIX "(\w+)"', read(SRCDIR, "lib/common/vp-error.c"))
    table = re.findall(r"^\| (\w+) \|", read(SRCDIR, "docs/errors.md"), re.MULTILINE)
    equal([name for name in table if name != "Name"], source, "docs/errors.md")


def test_interfaces_name_known_errors():
    known = set(re.findall(r'VP_ERROR_PREFIX "(\w+)"', read(SRCDIR, "lib/common/vp-error.c")))
    for name in ("Manager1", "Sandbox1", "Container1", "Process1", "Job1"):
        text = read(SRCDIR, "data/org.virtpod.%s.xml" % name)
        for sentence in re.findall(r"Errors:(.*?)-->", text, re.DOTALL):
            sentence = re.sub(r"\(.*?\)|\w+\.\w+", "", sentence, flags=re.DOTALL)
            names = re.findall(r"\b(?:[A-Z][a-z]+){2,}\b", sentence)
            equal(sorted(set(names) - known), [], name)


def test_dbus_reference():
    for name in ("Manager1", "Sandbox1", "Container1", "Process1", "Job1"):
        tree = ElementTree.parse(os.path.join(SRCDIR, "data/org.virtpod.%s.xml" % name))
        page = read(BUILDDIR, "docs/dbus/org.virtpod.%s.rst" % name)
        equal("<literal>" in page, False)
        for kind, mark in (("method", "."), ("property", ":"), ("signal", "::")):
            for element in tree.iter(kind):
                contains(page, "org.virtpod.%s%s%s" % (name, mark, element.get("name")))


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
