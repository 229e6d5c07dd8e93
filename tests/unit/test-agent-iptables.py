#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guest agent's packet filter, with a script where a guest has iptables: what it is
run with, what becomes of what it says, and how long it may take. tests/vm has the real one."""
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
from agent_bench import fails, main, test  # noqa: E402
from tap import eventually  # noqa: E402

LIMIT = 256 << 10


def tools(b, script):
    """Takes the place of the loader that runs iptables."""
    place = b.dir + '/r/kata-containers/shared/containers/.tools'
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place + '/modules')
    with open(place + '/modules.load', 'w') as f:
        f.write('')
    with open(place + '/ld.so', 'w') as f:
        f.write('#!/bin/sh\n' + script)
    os.chmod(place + '/ld.so', 0o755)
    return place


def runs(pid):
    try:
        with open('/proc/%s/stat' % pid) as f:
            return f.read().split()[2] != 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return False


def get(b, **kwargs):
    return b.agent.call('GetIPTables', **kwargs).data


def put(b, data, **kwargs):
    return b.agent.call('SetIPTables', data=data, **kwargs).data


@test
def no_tools(b):
    for method in ('GetIPTables', 'SetIPTables'):
        assert 'iptables: is not in this guest' in fails('UNIMPLEMENTED', b.agent.call, method)


@test
def hangs(b):
    """one that does not end; the last test looks what became of it"""
    tools(b, 'sleep 100000 & echo $! >%s/pid.new; mv %s/pid.new %s/pid; wait' % (b.dir, b.dir, b.dir))
    b.pending = b.agent.start('GetIPTables')
    eventually(lambda: os.path.exists(b.dir + '/pid'), 'start of the script')


@test
def what_is_run(b):
    place = tools(b, 'echo "$XTABLES_LIBDIR"; for i; do echo "$i"; done; cat; ls /proc/self/fd | wc -l')
    lines = get(b).decode().split('\n')
    assert lines == [place + '/xtables', '--library-path', place + '/lib', place + '/xtables-multi', 'iptables-save',
                     '4', ''], lines  # its three streams and the directory
    assert get(b, is_ipv6=True).decode().split('\n')[4] == 'ip6tables-save'
    rules = b'*filter\n-A INPUT -m comment --comment "\xff" -j ACCEPT\nCOMMIT\n'
    lines = put(b, rules).split(b'\n')
    assert lines[4:6] == [b'iptables-restore', b'--wait=10'], lines
    assert b'\n'.join(lines[6:9]) + b'\n' == rules, lines
    assert put(b, rules, is_ipv6=True).split(b'\n')[4] == b'ip6tables-restore'
    assert put(b, b'').split(b'\n')[4] == b'iptables-restore'


@test
def errors(b):
    for status, get_code, set_code in ((1, 'INTERNAL', 'INVALID_ARGUMENT'), (2, 'INTERNAL', 'INVALID_ARGUMENT'),
                                       (3, 'FAILED_PRECONDITION', 'FAILED_PRECONDITION'),
                                       (4, 'RESOURCE_EXHAUSTED', 'RESOURCE_EXHAUSTED'), (42, 'INTERNAL', 'INTERNAL')):
        tools(b, 'echo rules; echo "line one" >&2; echo >&2; echo "line  two" >&2; exit %d' % status)
        assert 'iptables: line one line  two' in fails(get_code, get, b)
        assert 'iptables: line one line  two' in fails(set_code, put, b, b'x')
    tools(b, 'exit 9')
    assert 'without saying why' in fails('INTERNAL', get, b)
    tools(b, 'kill -KILL $$')
    fails('INTERNAL', get, b)


@test
def bounds(b):
    tools(b, 'cat')
    assert put(b, b'x' * LIMIT) == b'x' * LIMIT
    assert 'data: ' in fails('INVALID_ARGUMENT', put, b, b'x' * (LIMIT + 1))
    tools(b, 'exec head -c %d /dev/zero' % (LIMIT + 1))
    assert 'longer' in fails('RESOURCE_EXHAUSTED', get, b)
    tools(b, 'head -c 100000 /dev/zero | tr "\\0" e >&2; exit 2')
    assert len(fails('INVALID_ARGUMENT', put, b, b'x')) < 1024


@test
def modules(b):
    """what is not there is an error of who sets, and not of who looks"""
    place = tools(b, 'echo "$4"')
    with open(place + '/modules.load', 'w') as f:
        f.write('no_such_module.ko\n')
    assert get(b) == b'iptables-save\n'
    assert 'no_such_module.ko: No such file' in fails('INTERNAL', put, b, b'')
    os.unlink(place + '/modules.load')
    assert 'modules.load: No such file' in fails('INTERNAL', put, b, b'')


@test
def deadline(b):
    """a caller that has waited long enough is answered; others are served"""
    tools(b, 'sleep 100000')
    fails('DEADLINE_EXCEEDED', b.agent.start('GetIPTables', timeout_nano=300000000).result)
    tools(b, 'echo fine')
    assert get(b) == b'fine\n'


@test
def killed(b):
    """the one that hangs is killed with its children"""
    assert 'has not ended' in fails('DEADLINE_EXCEEDED', b.pending.result, 240)
    with open(b.dir + '/pid') as f:
        pid = f.read().strip()
    eventually(lambda: not runs(pid), 'end of its child')


if __name__ == '__main__':
    main()
