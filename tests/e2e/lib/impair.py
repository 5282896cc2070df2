#!/usr/bin/env python3
"""A bad wire: passes Ethernet frames between two interfaces, losing, delaying and reordering UDP.

impair.py FIRST SECOND SEED reads lines "loss_percent jitter_ms" from standard input and applies the
newest. Kernels without netem have no other way; run it inside the namespace that holds both interfaces.
"""
import heapq
import random
import selectors
import socket
import sys
import time

ETH_P_ALL = 3


def is_udp(frame: bytes) -> bool:
    kind = frame[12:14]
    return (kind == b"\x08\x00" and frame[23] == 17) or (kind == b"\x86\xdd" and frame[20] == 17)


def main() -> None:
    first, second, seed = sys.argv[1:4]
    dice = random.Random(int(seed))
    ends = []
    for name in (first, second):
        end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        end.bind((name, 0))
        end.setblocking(False)
        ends.append(end)
    selector = selectors.DefaultSelector()
    selector.register(ends[0], selectors.EVENT_READ, ends[1])
    selector.register(ends[1], selectors.EVENT_READ, ends[0])
    selector.register(sys.stdin, selectors.EVENT_READ, None)
    loss, jitter = 0.0, 0.0
    waiting = []
    count = 0
    print("ready", flush=True)
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, target, frame = heapq.heappop(waiting)
            try:
                target.send(frame)
            except OSError:
                pass  # a full queue loses frames, as wires do
        timeout = waiting[0][0] - now if waiting else None
        for key, _ in selector.select(timeout):
            if key.data is None:
                line = sys.stdin.readline()
                if not line:
                    return
                loss, jitter = (float(word) for word in line.split())
                continue
            while True:
                try:
                    frame, address = key.fileobj.recvfrom(2048)
                except BlockingIOError:
                    break
                if address[2] == socket.PACKET_OUTGOING:
                    continue
                if is_udp(frame):
                    if dice.random() * 100 < loss:
                        continue
                    count += 1
                    heapq.heappush(waiting, (time.monotonic() + dice.random() * jitter / 1000, count, key.data, frame))
                else:
                    key.data.send(frame)


if __name__ == "__main__":
    main()
