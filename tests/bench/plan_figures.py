# SPDX-License-Identifier: LGPL-2.1-or-later
"""P18: from config.json to the domain document; needs neither bus nor guest."""

import json
import os
import re
import shutil
import subprocess
import tempfile

from report import line, value_line
from world import bench_program

# a real document with podman's default seccomp profile, as podman writes it: in one line
CASE = "podman-plain"


def run(rounds):
    case = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../golden", CASE, "config.json")
    with tempfile.TemporaryDirectory() as bundle:
        with open(case) as source, open(os.path.join(bundle, "config.json"), "w") as out:
            json.dump(json.load(source), out, separators=(",", ":"), ensure_ascii=False)
        size = os.path.getsize(os.path.join(bundle, "config.json"))
        rates, peaks = [], []
        for _ in range(rounds):
            done = subprocess.run([bench_program("plan"), bundle, "1"], stdout=subprocess.PIPE, text=True, check=True)
            rate, peak = done.stdout.split()
            rates.append(float(rate))
            peaks.append(int(peak))
        value_line("P18", rates, "/s", goal=">=8000", bytes=size, peak_rss="%dKiB" % max(peaks))
        if shutil.which("valgrind"):
            line("P18-instructions", value="%d" % instructions(bundle))


def instructions(bundle):
    """Per document, of a hundred."""
    done = subprocess.run(["valgrind", "--tool=callgrind", "--toggle-collect=convert", "--callgrind-out-file=/dev/null",
                           bench_program("plan"), bundle, "0"], stderr=subprocess.PIPE, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1)) / 100
