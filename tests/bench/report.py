# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pairs of measurements and the one line that is printed of them."""

import statistics
import sys


def quantile(values, q):
    """Of a list that may be short: linear between the neighbours."""
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def alternate(rounds, a, b):
    """Runs a b, b a, a b, ...: what drifts during a run drifts for both. Returns
    the list of (a's value, b's value)."""
    pairs = []
    for i in range(rounds):
        if i % 2 == 0:
            first = a()
            second = b()
        else:
            second = b()
            first = a()
        pairs.append((first, second))
    return pairs


def text(value):
    return "-" if value is None else "%.4g" % value if abs(value) < 10000 else "%.0f" % value


def ratio_line(name, pairs, unit, goal=""):
    """The figure of pairs: the median of their ratios. @goal is only shown."""
    ratios = [a / b for a, b in pairs]
    line(name, ratio="%.3f" % statistics.median(ratios), p20="%.3f" % quantile(ratios, .2),
         p80="%.3f" % quantile(ratios, .8), n=len(pairs),
         a=text(statistics.median(a for a, _ in pairs)) + unit,
         b=text(statistics.median(b for _, b in pairs)) + unit, goal=goal)


def value_line(name, values, unit, goal="", **more):
    """A figure that has nothing to be compared with but its goal."""
    values = values if isinstance(values, list) else [values]
    line(name, value=text(statistics.median(values)) + unit, p20=text(quantile(values, .2)),
         p80=text(quantile(values, .8)), n=len(values), goal=goal, **more)


def line(name, **fields):
    print("bench %s %s" % (name, " ".join("%s=%s" % (key, value) for key, value in fields.items() if value != "")),
          flush=True)


def note(what):
    print("# " + what, file=sys.stderr, flush=True)
