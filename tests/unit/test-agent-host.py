#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guest agent with the real crun: containers, processes, and what they leave."""
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
from agent_bench import MESSAGES, PREFIX, fails, main, test  # noqa: E402


@test
def unimplemented(b):
    assert 'AddSwap' in fails('UNIMPLEMENTED', b.agent.call, 'AddSwap')
    assert 'Nonsense' in fails('UNIMPLEMENTED', b.agent.call, 'Nonsense',
                               request=MESSAGES['google.protobuf.Empty']())


@test
def no_sandbox(b):
    fails('FAILED_PRECONDITION', b.create, 'true')
    fails('NOT_FOUND', b.agent.call, 'StartContainer', container_id='c1')


@test
def create_sandbox(b):
    shm = {'driver': 'ephemeral', 'source': 'shm', 'fstype': 'tmpfs',
           'mount_point': b.dir + '/r/kata-containers/sandbox/shm',
           'options': ['noexec', 'nosuid', 'nodev', 'mode=1777', 'size=1048576']}
    bad = {'driver': 'blk', 'mount_point': '/x'}
    assert 'blk' in fails('UNIMPLEMENTED', b.agent.call, 'CreateSandbox', hostname='box', sandbox_id='s1',
                          storages=[shm, bad])
    b.agent.call('CreateSandbox', hostname='box', sandbox_id='s1', storages=[shm], dns=['nameserver 1.1.1.1'])
    line = [m for m in open('/proc/self/mounts') if '/sandbox/shm ' in m]
    assert len(line) == 1 and 'size=1024k' in line[0] and 'noexec' in line[0], line
    fails('ALREADY_EXISTS', b.agent.call, 'CreateSandbox', sandbox_id='s1')


@test
def output_and_status(b):
    cid = b.run('sh', '-c', 'echo out; echo err >&2; hostname; exit 3')
    assert b.agent.read_all(cid) == b'out\nbox\n'
    assert b.agent.read_all(cid, stream='Stderr') == b'err\n'
    assert b.wait(cid) == 3
    assert b.wait(cid) == 3, 'the status can be asked for again'
    b.remove(cid)
    fails('NOT_FOUND', b.wait, cid)


@test
def input(b):
    cid = b.run('cat')
    assert b.agent.call('WriteStdin', container_id=cid, data=b'hello').len == 5
    assert b.agent.call('ReadStdout', container_id=cid, len=3).data == b'hel'
    assert b.agent.call('ReadStdout', container_id=cid, len=100).data == b'lo'
    b.agent.call('CloseStdin', container_id=cid)
    assert b.agent.read_all(cid) == b''
    assert b.wait(cid) == 0
    fails('FAILED_PRECONDITION', b.agent.call, 'WriteStdin', container_id=cid, data=b'x')
    b.remove(cid)


@test
def full_pipe(b):
    """a process that does not read holds up its own input only"""
    cid = b.run('sh', '-c', 'sleep 1; cat')
    data = os.urandom(1 << 20)
    first = b.agent.call('WriteStdin', container_id=cid, data=data).len
    assert 0 < first < len(data)
    pending = b.agent.start('WriteStdin', container_id=cid, data=data[first:])
    t = time.time()
    b.agent.call('Check')
    assert time.time() - t < 0.5 and not pending.done.is_set()
    out = []
    reader = threading.Thread(target=lambda: out.append(b.agent.read_all(cid)))
    reader.start()
    done = first + pending.result().len
    while done < len(data):
        done += b.agent.call('WriteStdin', container_id=cid, data=data[done:]).len
    b.agent.call('CloseStdin', container_id=cid)
    reader.join()
    assert out == [data]
    assert b.wait(cid) == 0
    b.remove(cid)


@test
def many_waiters(b):
    cid = b.run('cat')
    waits = [b.agent.start('WaitProcess', container_id=cid) for _ in range(20)]
    reads = [b.agent.start('ReadStdout', container_id=cid, len=10) for _ in range(3)]
    b.agent.call('Check')
    b.agent.call('SignalProcess', container_id=cid, signal=9)
    assert [w.result().status for w in waits] == [137] * 20
    assert [r.result().data for r in reads] == [b''] * 3
    b.agent.call('SignalProcess', container_id=cid, signal=15)  # gone: nothing to do, no error
    b.remove(cid)


@test
def exec_process(b):
    cid = b.run('sleep', '1000')
    b.exec(cid, 'e1', 'sh', '-c', 'cat; exit 7')
    b.agent.call('WriteStdin', container_id=cid, exec_id='e1', data=b'in\n')
    b.agent.call('CloseStdin', container_id=cid, exec_id='e1')
    assert b.agent.read_all(cid, 'e1') == b'in\n'
    assert b.wait(cid, 'e1') == 7
    b.exec(cid, 'e1', 'true')
    assert b.wait(cid, 'e1') == 0
    message = fails('NOT_FOUND', b.exec, cid, 'e2', 'no-such-program')
    assert 'executable file' in message and 'no-such-program' in message, message
    fails('PERMISSION_DENIED', b.exec, cid, 'e3', '/bin/plain')
    message = fails('NOT_FOUND', b.exec, cid, 'e3', '/no/such')
    assert 'executable file' in message, message
    fails('NOT_FOUND', b.wait, cid, 'e2')
    b.exec(cid, 'e4', 'sleep', '1000')
    fails('ALREADY_EXISTS', b.exec, cid, 'e4', 'true')
    fails('INVALID_ARGUMENT', b.exec, cid, '../x', 'true')
    b.agent.call('SignalProcess', container_id=cid, exec_id='e4', signal=15)
    assert b.wait(cid, 'e4') == 143
    # the kernel gives the first process of a pid namespace no signal that it does not handle but KILL, nor do we
    b.agent.call('SignalProcess', container_id=cid, signal=15)
    b.exec(cid, 'after', 'true')
    assert b.wait(cid, 'after') == 0
    b.agent.call('SignalProcess', container_id=cid, signal=9)
    assert b.wait(cid) == 137
    fails('FAILED_PRECONDITION', b.exec, cid, 'e5', 'true')
    b.remove(cid)


@test
def short_lived(b):
    """the exit of a process that is over before anybody asks is not lost"""
    cid = b.run('sleep', '1000')
    for i in range(20):
        b.exec(cid, 'q%d' % i, 'sh', '-c', 'exit %d' % i)
    for i in range(20):
        assert b.wait(cid, 'q%d' % i) == i
    b.remove(cid)


@test
def left_over_writer(b):
    """a stray child that keeps the pipe open does not keep the reader"""
    cid = b.run('sleep', '1000')
    b.exec(cid, 'e1', 'sh', '-c', 'echo hi; sleep 1000 &')
    assert b.wait(cid, 'e1') == 0
    assert b.agent.read_all(cid, 'e1') == b'hi\n'
    b.remove(cid)


@test
def terminal(b):
    cid = b.run('sh', '-c', 'stty size; cat', terminal=True)
    assert b.agent.call('ReadStdout', container_id=cid, len=100).data == b'24 80\r\n'
    assert b.agent.read_all(cid, stream='Stderr') == b''
    b.exec(cid, 'e1', 'sh', '-c', 'head -n 1; stty size', terminal=True)
    b.agent.call('TtyWinResize', container_id=cid, exec_id='e1', row=30, column=90)
    b.agent.call('WriteStdin', container_id=cid, exec_id='e1', data=b'x\n')
    assert b.agent.read_all(cid, 'e1').endswith(b'30 90\r\n')
    b.agent.call('SignalProcess', container_id=cid, signal=9)
    assert b.wait(cid) == 137
    b.remove(cid)


@test
def create_errors(b):
    message = fails('NOT_FOUND', b.create, 'no-such-program', cid='x')
    assert 'executable file' in message, message
    assert not os.path.exists(b.dir + '/r/kata-containers/' + PREFIX + 'x')
    fails('PERMISSION_DENIED', b.create, '/bin/plain', cid='x')
    fails('INVALID_ARGUMENT', b.create, 'true', cid='../x')
    fails('INVALID_ARGUMENT', b.create, cid='x')
    cid = b.create('true', cid='x')
    fails('ALREADY_EXISTS', b.create, 'true', cid='x')
    b.exec(cid, 'e', 'sh', '-c', 'exit 6')  # what is held before its program has its namespaces already
    assert b.wait(cid, 'e') == 6
    b.agent.call('StartContainer', container_id=cid)
    fails('FAILED_PRECONDITION', b.agent.call, 'StartContainer', container_id=cid)
    assert b.wait(cid) == 0
    fails('FAILED_PRECONDITION', b.exec, cid, 'f', 'true')
    b.remove(cid)


@test
def storages(b):
    local = {'driver': 'local', 'source': 'local', 'mount_point': b.dir + '/local', 'options': ['mode=0711']}
    tmp = {'driver': 'ephemeral', 'source': 'tmpfs', 'fstype': 'tmpfs', 'mount_point': b.dir + '/eph',
           'options': ['size=64k', 'mode=0700']}
    cid = b.create('true', storages=[local, tmp])
    other = b.create('true', storages=[tmp])
    assert os.stat(b.dir + '/local').st_mode & 0o777 == 0o711
    b.remove(cid)
    assert os.path.ismount(b.dir + '/eph'), 'somebody else uses it'
    b.remove(other)
    assert not os.path.ismount(b.dir + '/eph')


@test
def ephemeral(b):
    """what is the sandbox' by its place outlives the container that brought it, and can be resized"""
    place = b.dir + '/r/kata-containers/sandbox/ephemeral/scratch'
    tmp = {'driver': 'ephemeral', 'source': 'tmpfs', 'fstype': 'tmpfs', 'mount_point': place,
           'options': ['size=64k', 'mode=0700', 'noexec', 'fsgid=77']}
    first = b.create('true', storages=[tmp])
    assert os.stat(place).st_gid == 77 and os.stat(place).st_mode & 0o2000
    with open(place + '/kept', 'w') as f:
        f.write('kept')
    b.remove(first)
    second = b.create('true', storages=[tmp])
    assert open(place + '/kept').read() == 'kept'
    b.agent.call('UpdateEphemeralMounts', storages=[{'driver': 'ephemeral', 'mount_point': place,
                                                     'options': ['remount', 'size=8M']}])
    line, = [m for m in open('/proc/self/mounts') if place in m]
    assert 'size=8192k' in line and 'noexec' in line, line
    fails('NOT_FOUND', b.agent.call, 'UpdateEphemeralMounts', storages=[{'mount_point': '/', 'options': ['size=1M']}])
    fails('INVALID_ARGUMENT', b.agent.call, 'UpdateEphemeralMounts',
          storages=[{'mount_point': place, 'options': ['size=1M,mode=0']}])
    b.remove(second)


@test
def copy_file(b):
    """a host without a shared file system can bring files one by one"""
    base = b.dir + '/r/kata-containers/shared/containers'
    b.agent.call('CopyFile', path=base + '/c/x', file_size=4, file_mode=0o100755, data=b'ab')
    b.agent.call('CopyFile', path=base + '/c/x', file_size=4, file_mode=0o100755, offset=2, data=b'cd')
    assert open(base + '/c/x').read() == 'abcd' and os.stat(base + '/c/x').st_mode & 0o777 == 0o755
    fails('INVALID_ARGUMENT', b.agent.call, 'CopyFile', path='/etc/x', file_size=1, data=b'x')


@test
def shared_pids(b):
    """containers of one pid namespace see each other, and of its process 1 nothing"""
    def start(*args):
        b.n += 1
        cid = PREFIX + 'p%d' % b.n
        spec = b.spec(*args)
        spec['Process']['Capabilities'] = {k: ['CAP_KILL'] for k in ('Bounding', 'Effective', 'Permitted')}
        b.agent.call('CreateContainer', container_id=cid, OCI=spec, sandbox_pidns=True)
        b.agent.call('StartContainer', container_id=cid)
        return cid
    first = start('sleep', '1234')
    second = start('sh', '-c', 'cat /proc/*/cmdline; echo; echo $$; ls /proc/1/root/; cat /proc/1/environ;'
                   'kill -9 1; (sleep 0.1 & ); sleep 0.4; grep -h State /proc/*/status')
    out = b.agent.read_all(second).decode()
    err = b.agent.read_all(second, stream='Stderr').decode()
    assert 'virtpod-pause' in out and 'sleep\x001234' in out, out
    assert out.split('\n')[1] != '1', out
    assert err.count('Permission denied') == 2, (out, err)
    assert 'zombie' not in out, out
    assert b.wait(second) == 0
    b.remove(second)
    # one that has nothing to do with it has its own
    alone = b.run('sh', '-c', 'echo $$')
    assert b.agent.read_all(alone) == b'1\n'
    b.remove(alone)
    pause, = [p for p in os.listdir('/proc') if p.isdigit() and int(p) > 1 and
              b'virtpod-pause' in open('/proc/%s/cmdline' % p, 'rb').read()]
    assert os.listdir('/proc/%s/fd' % pause) == []
    assert os.listdir('/proc/%s/root/' % pause) == []
    fields = dict(line.split(':\t', 1) for line in open('/proc/%s/status' % pause) if ':\t' in line)
    assert int(fields['CapPrm'], 16) == 0 and int(fields['CapBnd'], 16) == 0, fields
    assert fields['Uid'].split() == ['65534'] * 4
    print('# pause ' + fields['VmRSS'].strip())
    # the first to come may go: the others live on
    third = start('sleep', '1000')
    b.remove(first)
    assert b.agent.call('GetDiagnosticData', container_id=third, log_type='virtpod:pids').data.count('\n') == 1
    b.agent.call('SignalProcess', container_id=third, signal=9)
    assert b.wait(third) == 137
    b.remove(third)


@test
def pause_and_stats(b):
    cid = b.run('sleep', '1000')
    b.agent.call('PauseContainer', container_id=cid)
    fails('FAILED_PRECONDITION', b.agent.call, 'PauseContainer', container_id=cid)
    b.agent.call('ResumeContainer', container_id=cid)
    stats = b.agent.call('StatsContainer', container_id=cid).cgroup_stats
    assert stats.cpu_stats.cpu_usage.total_usage > 0
    b.agent.call('PauseContainer', container_id=cid)
    b.remove(cid)


@test
def pids_and_metrics(b):
    """what runs in a container, by the numbers the agent's side knows it by"""
    cid = b.run('sh', '-c', 'sleep 1000 & sleep 1000 & wait')
    b.exec(cid, 'e1', 'sleep', '1000')

    def pids():
        data = b.agent.call('GetDiagnosticData', container_id=cid, log_type='virtpod:pids').data
        return [int(line) for line in data.splitlines()]
    for _ in range(100):
        names = sorted(open('/proc/%d/comm' % pid).read().strip() for pid in pids())
        if names.count('sleep') == 3:
            break
        time.sleep(0.05)
    assert names == ['sh', 'sleep', 'sleep', 'sleep'], names
    assert 'other' in fails('UNIMPLEMENTED', b.agent.call, 'GetDiagnosticData', container_id=cid, log_type='other')
    fails('NOT_FOUND', b.agent.call, 'GetDiagnosticData', container_id='nobody', log_type='virtpod:pids')
    text = b.agent.call('GetMetrics').metrics
    for line in text.splitlines():
        name, value = line.rsplit(' ', 1)
        assert line.startswith('# ') or float(value) >= 0, line
    assert 'kata_guest_meminfo{item="MemTotal"} ' in text
    b.remove(cid)


@test
def remove_while_running(b):
    cid = b.run('sleep', '1000')
    b.exec(cid, 'e1', 'sleep', '1000')
    wait = b.agent.start('WaitProcess', container_id=cid)
    removals = [b.agent.start('RemoveContainer', container_id=cid) for _ in range(3)]
    for r in removals:
        r.result()
    assert wait.result().status == 137


@test
def destroy(b):
    b.run('sleep', '1000')
    b.run('sleep', '1000')
    b.agent.call('DestroySandbox')
    assert not os.path.exists(b.dir + '/r/kata-containers')
    assert not [m for m in open('/proc/self/mounts') if '/r/kata-containers' in m]
    assert os.listdir(b.dir + '/r/agent/crun') == []
    # stdio, loop, listener, connection, signals, log, and crun's sealed copy; the
    # connection before this one may take a moment to go
    deadline = time.monotonic() + 20
    while len(b.fds()) > 9 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(b.fds()) <= 9, b.fds()
    # what the containers' processes left to the agent is collected behind the answer
    while b.children() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not b.children(), b.children()


main(sandbox=False)
