#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""po/POTFILES.in names exactly the files that have text to translate."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cli_harness import SRCDIR, equal, main  # noqa: E402

MARKED = re.compile(r"\b(?:_|N_|C_|NC_|gettext|ngettext)\s*\(\s*\"")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def test_potfiles():
    found = []
    for top in ("lib", "model", "drivers", "daemon", "clients", "guest", "data"):
        for directory, _, files in os.walk(os.path.join(SRCDIR, top)):
            for name in files:
                path = os.path.join(directory, name)
                if name.endswith(".policy.in"):
                    found.append(os.path.relpath(path, SRCDIR))
                elif name.endswith((".c", ".h")) and "-generated." not in name and ".pb-c." not in name:
                    with open(path, encoding="utf-8") as source:
                        if MARKED.search(COMMENT.sub("", source.read())):
                            found.append(os.path.relpath(path, SRCDIR))
    with open(os.path.join(SRCDIR, "po/POTFILES.in"), encoding="utf-8") as potfiles:
        listed = [line.strip() for line in potfiles if line.strip() and not line.startswith("#")]
    equal(listed, sorted(found), "po/POTFILES.in")


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
