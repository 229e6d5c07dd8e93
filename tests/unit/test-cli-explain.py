#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""virtpod explain: what is asked of the daemon, and how the answer is shown."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cli_harness import Bus, contains, equal, main  # noqa: E402


def test_text():
    with Bus() as bus:
        done = bus.run("explain", "/srv/web")
        equal((done.returncode, done.stdout, done.stderr), (0, b"text of /srv/web\n", b""))
        equal(bus.calls("Explain"), [["/srv/web", {}]])


def test_options():
    with Bus() as bus:
        done = bus.run("explain", "--format=json", "--handler", "fast", "--id", "one", "/srv/../srv/./web/")
        equal((done.returncode, done.stdout), (0, b"json of /srv/web\n"))
        equal(bus.calls("Explain"), [["/srv/web", {"format": "json", "handler": "fast", "id": "one"}]])


def test_relative():
    with Bus() as bus:
        done = bus.run("explain", "web")
        contains(done.stdout.decode(), "text of %s/web\n" % os.getcwd())


def test_errors():
    with Bus() as bus:
        done = bus.run("explain", "/srv/refused")
        equal((done.returncode, done.stdout), (1, b""))
        equal(done.stderr.decode(), "virtpod: explain /srv/refused: /srv/refused/config.json: "
              "linux.intelRdt.closID: not here (NotSupported)\n")
        done = bus.run("explain")
        equal(done.returncode, 1)
        contains(done.stderr.decode(), "an argument is missing")


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
