#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guest agent and who talks to it: other conversations, rubbish, hosts that die meanwhile."""
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
from agent_bench import MESSAGES, fails, main, test  # noqa: E402
import ttrpc_client  # noqa: E402


@test
def first_frame(b):
    """the bytes that any client starts with are answered on stream 1"""
    s = b.connect_raw()
    request = MESSAGES['ttrpc.Request'](service='grpc.Health', method='Check').SerializeToString()
    s.sendall(bytes([0, 0, 0, len(request), 0, 0, 0, 1, 1, 0]) + request)
    head = s.recv(10)
    assert head[:2] == b'\0\0' and head[4:] == b'\0\0\0\1\2\0', head
    s.close()
    b.reconnect()


@test
def sync(b):
    """a sync in the middle of a frame starts a new conversation"""
    s = b.connect_raw()
    s.sendall(b'\0\0\1\0\0\0\0\1\1\0half a frame')
    time.sleep(0.1)
    token = os.urandom(16)
    s.sendall(ttrpc_client.make_sync(token))
    assert s.recv(24) == ttrpc_client.make_sync(token, ack=True)
    s.close()
    b.reconnect(sync=True)
    assert b.agent.call('Check').status == 1


@test
def deadline(b):
    """a read that was given up does not take anything out of the pipe"""
    cid = b.run('cat')
    fails('DEADLINE_EXCEEDED', b.agent.call, 'ReadStdout', container_id=cid, len=10, timeout_nano=100000000)
    b.agent.call('WriteStdin', container_id=cid, data=b'kept')
    assert b.agent.call('ReadStdout', container_id=cid, len=10).data == b'kept'
    b.remove(cid)


@test
def reconnect(b):
    """neither output nor status is lost with the host that asked for it"""
    cid = b.run('sh', '-c', 'cat; exit 5')
    b.agent.start('ReadStdout', container_id=cid, len=10)
    b.agent.start('WaitProcess', container_id=cid)
    b.agent.call('Check')
    b.reconnect(sync=True)
    b.agent.call('WriteStdin', container_id=cid, data=b'kept')
    b.agent.call('CloseStdin', container_id=cid)
    assert b.agent.read_all(cid) == b'kept'
    assert b.wait(cid) == 5
    b.remove(cid)


@test
def told_again(b):
    """what a host was told and has not followed up is told to the next one"""
    cid = b.run('sh', '-c', 'echo -n one; sleep 0.3; echo -n two; echo -n err >&2; cat')

    def read(length, **kwargs):
        answer = b.agent.call('ReadStdout', container_id=cid, len=length, **kwargs)
        return answer.data, answer.offset
    assert read(100) == (b'one', 0)
    b.reconnect(sync=True)
    assert read(100) == (b'one', 0)
    assert read(100) == (b'two', 3)
    b.reconnect(sync=True)
    # in pieces, of which the first two are confirmed by the reads behind them
    assert [read(1), read(1)] == [(b't', 3), (b'w', 4)]
    assert read(1) == (b'o', 5)
    b.reconnect(sync=True)
    assert read(100) == (b'o', 5)
    # the other stream is another matter
    assert b.agent.call('ReadStderr', container_id=cid, len=100).data == b'err'
    b.agent.call('WriteStdin', container_id=cid, data=b'new')
    assert read(100) == (b'new', 6)
    b.agent.call('CloseStdin', container_id=cid)
    assert b.wait(cid) == 0
    # also when its end has come meanwhile, and as often as it takes
    for _ in range(3):
        b.reconnect(sync=True)
        assert read(100) == (b'new', 6)
    assert read(100) == (b'', 9)
    assert read(100) == (b'', 9)
    b.reconnect(sync=True)
    assert read(100) == (b'', 9)
    assert b.wait(cid) == 0, 'the status too'
    b.remove(cid)


@test
def told_again_much(b):
    """a host that dies again and again, with several reads at once, gets every byte once by the offsets"""
    size = 8000000
    script = 'i=0; while [ $i -lt %d ]; do echo 0123456789abcdef0123456789abcdef$i; i=$((i + 1)); done' % (size // 40)
    cid = b.run('sh', '-c', script)
    got = bytearray()
    deaths = doubled = 0
    ended = False
    while not ended:
        at_once = deaths % 3 + 1
        done = len(got) if at_once > 1 else 0

        def reads():
            return [b.agent.start('ReadStdout', container_id=cid, len=30000, done=done) for _ in range(at_once)]
        for answer in reads():
            answer = answer.result()
            assert answer.offset <= len(got), (answer.offset, len(got))
            doubled += answer.offset < len(got)
            got[answer.offset:] = answer.data or got[answer.offset:]
            ended = ended or not answer.data
        if len(got) > deaths * size / 40:
            deaths += 1
            done = len(got) if at_once > 1 else 0
            answer = reads()[0].result()
            if deaths % 2:
                got[answer.offset:] = answer.data or got[answer.offset:]
            b.reconnect(sync=True)
    want = ''.join('0123456789abcdef0123456789abcdef%d\n' % i for i in range(size // 40)).encode()
    assert bytes(got) == want, (len(got), len(want))
    assert deaths > 20 and doubled > 0, (deaths, doubled)
    b.remove(cid)


@test
def input_of_the_dead(b):
    """what a host has sent is written, in order, also if it does not live to hear so"""
    cid = b.run('sh', '-c', 'sleep 1; cat')
    first = b.agent.call('WriteStdin', container_id=cid, data=b'a' * 200000).len
    assert first < 200000
    b.agent.start('WriteStdin', container_id=cid, data=b'b' * 150000, timeout_nano=1000000000000)
    b.agent.start('WriteStdin', container_id=cid, data=b'c' * 150000)
    b.agent.call('Check')
    b.reconnect(sync=True)
    late = b.agent.start('WriteStdin', container_id=cid, data=b'd' * 10)
    out = []
    reader = threading.Thread(target=lambda: out.append(b.agent.read_all(cid)))
    reader.start()
    assert late.result().len == 10
    b.agent.call('CloseStdin', container_id=cid)
    reader.join()
    assert out[0] == b'a' * first + b'b' * 150000 + b'c' * 150000 + b'd' * 10, len(out[0])
    assert b.wait(cid) == 0
    b.remove(cid)


@test
def garbage(b):
    """what is not ttrpc ends the connection, not the agent"""
    for junk in (b'\xff' * 100, b'\0\x50\0\0\0\0\0\1\1\0', b'\0\0\0\1\0\0\0\1\7\0', b'\1' + os.urandom(4096)):
        s = b.connect_raw()
        try:
            s.sendall(junk)
            s.shutdown(socket.SHUT_WR)
            while s.recv(100):
                pass
        except ConnectionError:
            pass
        s.close()
    b.reconnect()
    assert b.agent.call('Check').status == 1


main()
