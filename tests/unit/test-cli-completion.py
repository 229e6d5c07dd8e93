#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The bash completion, run by bash with the mock daemon behind it."""

import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cli_harness import BUILDDIR, SRCDIR, Bus, equal, main  # noqa: E402

# the part of the bash-completion package that the script needs
LIBRARY = r"""
_init_completion() { cur=${COMP_WORDS[COMP_CWORD]}; prev=${COMP_WORDS[COMP_CWORD-1]}
                     words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; }
_filedir() { COMPREPLY=(FILEDIR); }
"""


def complete(bus, *words):
    script = LIBRARY + """
source "$1"; shift
COMP_WORDS=(virtpod "$@"); COMP_CWORD=$#
_virtpod
printf '%s\\n' "${COMPREPLY[@]}"
"""
    env = bus.environment()
    env["PATH"] = BUILDDIR + ":" + env["PATH"]
    completion = os.path.join(SRCDIR, "data/completions/virtpod")
    done = subprocess.run([shutil.which("bash"), "-c", script, "bash", completion, *words], env=env,
                          capture_output=True, text=True)
    equal((done.returncode, done.stderr), (0, ""), words)
    return done.stdout.split()


def test_completion():
    with Bus() as bus:
        bus.run("run", "--detach", "wait-1")
        bus.run("run", "--detach", "wait-2")
        equal(complete(bus, "st"), ["state", "stop"])
        equal(complete(bus, "h"), ["help"])
        equal(complete(bus, "--a"), ["--address"])
        equal(complete(bus, "state", ""), ["wait-1", "wait-2"])
        equal(complete(bus, "stop", "wait-2"), ["wait-2"])
        equal(complete(bus, "kill", "wait-1", "Q"), ["QUIT"])
        equal(complete(bus, "exec", "-e", "A=B", "w"), ["wait-1", "wait-2"])
        equal(complete(bus, "exec", "wait-1", "-"), [])
        equal(complete(bus, "run", "--bundle", ""), ["FILEDIR"])
        equal(complete(bus, "list", "--format", "j"), ["json"])
        equal(complete(bus, "explain", "--format", ""), ["text", "json", "xml"])
        equal(complete(bus, "config", "i"), ["import-kata"])
        equal(complete(bus, "config", "check", ""), ["FILEDIR"])
        equal(complete(bus, "config", "show", "-H", ""), ["default"])
        equal(complete(bus, "help", "ve"), ["version"])
        equal(complete(bus, "--address", bus.address, "state", "wait-1"), ["wait-1"])


def test_options_are_those_of_help():
    with Bus() as bus:
        verbs = [verb for verb in complete(bus, "") if verb != "help"]
        for verb in verbs:
            text = bus.run("help", verb).stdout.decode()
            options = re.findall(r"^  (?:-\w, )?(--[a-z-]+)", text, re.MULTILINE)
            equal(sorted(complete(bus, verb, "-")), sorted(options), verb)


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
