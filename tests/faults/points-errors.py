#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every failpoint fails; files and containers also with EIO. tests/lib/fault_points.py has the rest."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import fault_points

if __name__ == "__main__":
    fault_points.main("error", "eio")
