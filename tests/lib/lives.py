# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many lives of something, one after the other and at once, with nothing left of any."""

import threading

import tap


def in_a_row(env, count, live):
    """@live(env, name) each time; the daemon is killed between two of them."""
    for i in range(count):
        live(env, "row-%d" % i)
        env.nothing_left()
        if i == count // 2:
            env.stop_daemon(kill=True)
            env.start_daemon()


def at_once(env, count, live):
    errors = []

    def run(number):
        try:
            live(env, "once-%d" % number)
        except Exception as error:
            errors.append("%d: %s" % (number, error))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tap.equal(errors, [], "errors")
    env.nothing_left()
