#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The completions, run by their shells with the mock daemon behind them."""

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


# what zsh would match with what is typed; descriptions and suffixes are left out
ZSH = r"""
compadd() { while [[ $1 != -- ]]; do shift; done; shift; for w; do [[ $w == ${words[CURRENT]}* ]] && print -r -- $w; done; true }
_describe() { compadd -- ${${(P)2}%%:*} }
_files() { print -r FILES }
completion=$1; shift
words=(virtpod "$@"); CURRENT=$#words
source $completion
"""


def complete_zsh(bus, *words):
    env = bus.environment()
    env["PATH"] = BUILDDIR + ":" + env["PATH"]
    completion = os.path.join(SRCDIR, "data/completions/_virtpod")
    done = subprocess.run([shutil.which("zsh"), "-f", "-c", ZSH, "zsh", completion, *words], env=env,
                          capture_output=True, text=True)
    equal(done.stderr, "", words)
    return done.stdout.split()


# what is typed -> what is offered; files are told by the test's own word
CASES = [
    (["st"], ["start", "stats", "state", "stop"]),
    (["h"], ["help"]),
    (["--a"], ["--address"]),
    (["--log-format", ""], ["text", "json"]),
    (["--root", "/r", "--log", "f", "start", ""], ["wait-1", "wait-2"]),
    (["exec", "--process", ""], ["FILES"]),
    (["state", ""], ["wait-1", "wait-2"]),
    (["stop", "wait-2"], ["wait-2"]),
    (["kill", "wait-1", "Q"], ["QUIT"]),
    (["exec", "-e", "A=B", "w"], ["wait-1", "wait-2"]),
    (["exec", "wait-1", "-"], []),
    (["run", "--bundle", ""], ["FILES"]),
    (["list", "--format", "j"], ["json"]),
    (["list", "--filter", "s"], ["state=", "sandbox="]),
    (["events", "--filter", "e"], ["event="]),
    (["events", "--format", ""], ["text", "json"]),
    (["explain", "--format", ""], ["text", "json", "xml"]),
    (["config", "i"], ["import-kata"]),
    (["config", "check", ""], ["FILES"]),
    (["config", "show", "-H", ""], ["default"]),
    (["help", "ve"], ["version"]),
    (["attach", ""], ["wait-1", "wait-2"]),
    (["pause", "wait-1", "wait-2"], ["wait-2"]),
    (["update", "--memory", ""], []),
    (["update", "-m", "1g", "wait-1"], ["wait-1"]),
    (["update", "--memory=1g", "wait-1"], ["wait-1"]),
    (["update", "-r", ""], ["FILES"]),
    (["stats", "--interval", "1", "wait-1", "wait-2"], ["wait-2"]),
    (["console", "wait-1"], ["wait-1"]),
    (["k"], ["kill", "k8s"]),
    (["k8s", ""], ["render"]),
    (["k8s", "render", "--what", "c"], ["containerd", "crio"]),
    (["network", "r"], ["routes", "rescan"]),
    (["network", "a"], ["attach"]),
    (["network", "ip6"], ["ip6tables-restore", "ip6tables-save"]),
    (["po"], ["port-forward"]),
    (["port-forward", "--address", "::", "wait-1"], ["wait-1"]),
    (["port-forward", "wait-1", ""], []),
    (["network", "list", "wait-1"], ["wait-1"]),
    (["logs", "--follow", "wait-1"], ["wait-1"]),
]


def test_bash():
    with Bus() as bus:
        bus.run("run", "--detach", "wait-1")
        bus.run("run", "--detach", "wait-2")
        for words, expected in CASES:
            got = ["FILES" if word == "FILEDIR" else word for word in complete(bus, *words)]
            equal(sorted(set(got)), sorted(expected), words)
        equal(complete(bus, "--address", bus.address, "state", "wait-1"), ["wait-1"])
        equal(sorted(complete(bus, "cp", "w")), ["FILEDIR", "wait-1:", "wait-2:"])


def test_zsh():
    if shutil.which("zsh") is None:
        return
    with Bus() as bus:
        bus.run("run", "--detach", "wait-1")
        bus.run("run", "--detach", "wait-2")
        for words, expected in CASES:
            equal(sorted(set(complete_zsh(bus, *words))), sorted(expected), words)
        equal(complete_zsh(bus, "--address", bus.address, "state", "wait-1"), ["wait-1"])
        equal(sorted(complete_zsh(bus, "cp", "w")), ["FILES", "wait-1", "wait-2"])


def test_options_are_those_of_help():
    with Bus() as bus:
        verbs = [verb for verb in complete(bus, "") if verb != "help"]
        for verb in verbs:
            text = bus.run("help", verb).stdout.decode()
            options = re.findall(r"^  (?:-\w, )?(--[a-z-]+)", text, re.MULTILINE)
            equal(sorted(complete(bus, verb, "-")), sorted(options), verb)


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
