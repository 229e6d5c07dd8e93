#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs a GTest program so that it prints TAP.
exec "$@" --tap
