#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guest agent and what the protocol has no fields for, with the real crun."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
from agent_bench import PREFIX, RpcError, fails, main, test  # noqa: E402


EXTRA = 'org.virtpod.spec.extra'


def with_extra(b, extra, *args, **kwargs):
    """a started container whose spec has @extra; @kwargs are changes of its linux section"""
    b.n += 1
    cid = PREFIX + 'x%d' % b.n
    spec = b.spec(*args)
    spec['Annotations'] = {'other': 'stays', EXTRA: extra if isinstance(extra, str) else json.dumps(extra)}
    spec['Linux'].update(kwargs)
    b.agent.call('CreateContainer', container_id=cid, OCI=spec)
    with open(b.dir + '/r/kata-containers/' + cid + '/config.json') as f:
        b.config = json.load(f)
    b.agent.call('StartContainer', container_id=cid)
    return cid


@test
def extra(b):
    """what the protocol has no fields for is honoured, also for later processes"""
    script = ('umask; cat /proc/sys/kernel/domainname; uname -m; cat /proc/self/oom_score_adj; ' +
              'cut -d " " -f 40,41 /proc/self/stat; head -n 1 /proc/self/limits; cat')
    with open('/proc/self/oom_score_adj', 'w') as f:
        f.write('5')
    cid = with_extra(b, {'domainname': 'example.org', 'unknown': {'a': [1, {'b': None}]},
                         'process': {'user': {'umask': 0o27}, 'oomScoreAdj': 0,
                                     'scheduler': {'policy': 'SCHED_BATCH', 'nice': 3,
                                                   'flags': ['SCHED_FLAG_RESET_ON_FORK']},
                                     'ioPriority': {'class': 'IOPRIO_CLASS_IDLE', 'priority': 4}},
                         'mounts': {'1': {'unknown': 7}},
                         'linux': {'personality': {'domain': 'LINUX32'}}},
                     'sh', '-c', script)
    assert b.config['annotations'] == {'other': 'stays'}, b.config['annotations']
    assert b.config['mounts'][1]['unknown'] == 7 and 'unknown' not in b.config['mounts'][0]
    assert b.config['unknown'] == {'a': [1, {'b': None}]} and b.config['process']['user']['uid'] == 0
    machine = b'i686' if os.uname().machine == 'x86_64' else b''
    out = []
    while len(out) < 6:
        out += b.agent.call('ReadStdout', container_id=cid, len=4096).data.split(b'\n')[:-1]
    assert out[0] == b'0027' and out[1] == b'example.org' and machine in out[2] and out[3] == b'0', out
    assert out[4] == b'0 3', out
    with open('/proc/%d/task/%d/children' % (b.process.pid, b.process.pid)) as f:
        pid = int(f.read().split()[-1])
    assert os.sched_getscheduler(pid) == os.SCHED_BATCH | os.SCHED_RESET_ON_FORK
    assert os.getpriority(os.PRIO_PROCESS, pid) == 3
    assert subprocess.run(['ionice', '-p', str(pid)], stdout=subprocess.PIPE).stdout.startswith(b'idle')
    b.exec(cid, 'e1', 'sh', '-c', 'umask')
    assert b.agent.read_all(cid, 'e1') == b'0027\n'
    b.agent.call('CloseStdin', container_id=cid)
    assert b.wait(cid) == 0
    b.remove(cid)


@test
def extra_cgroup(b):
    """resources of cgroup v2 by their files"""
    try:
        cid = with_extra(b, {'linux': {'resources': {'unified': {'pids.max': '77'}}}}, 'cat')
    except RpcError as e:
        assert 'controller `pids` is not available' in e.message, e.message
        return  # the machine has it in cgroup v1, crun asked for it
    assert open('/sys/fs/cgroup/' + cid + '/pids.max').read() == '77\n'
    b.agent.call('CloseStdin', container_id=cid)
    b.wait(cid)
    b.remove(cid)


@test
def extra_wrong(b):
    for wrong in ('', '{', '{"a":1,}', '{"mounts":{"3":{}}}', '{"mounts":{"x":{}}}', '[' * 100 + ']' * 100, '\x01'):
        message = fails('INVALID_ARGUMENT', with_extra, b, wrong, 'true')
        assert EXTRA in message, message
    message = fails('INVALID_ARGUMENT', with_extra, b, {'process': {'scheduler': {'policy': 'SCHED_NONE'}}}, 'true')
    assert 'scheduler' in message, message
    message = fails('INVALID_ARGUMENT', with_extra, b, {'process': {'ioPriority': {'class': 'x'}}}, 'true')
    assert 'riority' in message, message


@test
def device_rules(b):
    """a container that may use no devices has those that every container has, and no others"""
    devices = [{'Path': '/dev/fuse', 'Type': 'c', 'Major': 10, 'Minor': 229, 'FileMode': 0o666}]
    script = 'echo >/dev/null && echo null; true </dev/fuse && echo fuse; head -c 1 /dev/urandom >/dev/null && echo random'
    rules = [{'Allow': False, 'Access': 'rwm'}]
    try:
        cid = with_extra(b, '{}', 'sh', '-c', script, Devices=devices, Resources={'Devices': rules})
    except RpcError as e:
        assert 'MEMLOCK' in e.message or 'bpf' in e.message.lower(), e.message
        return  # not with these rights, but crun was told
    assert b.agent.read_all(cid) == b'null\nrandom\n'
    b.wait(cid)
    b.remove(cid)


main()
