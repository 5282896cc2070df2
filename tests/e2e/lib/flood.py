#!/usr/bin/env python3
"""Sends bad datagrams to a media port: flood.py HOST PORT PER_SECOND SECONDS. Random, truncated and
oversized ones, and ones that begin like STUN, DTLS, RTP and RTCP. Loopback only; stops by itself."""
import ipaddress
import random
import socket
import sys
import time


def datagrams(dice: random.Random):
    heads = [b"", b"\x00\x01\x00\x08\x21\x12\xa4\x42", b"\x16\xfe\xfd\x00\x00", b"\x80\x6f", b"\x81\xc9\x00\x07", b"\x00\x01\xff\xff\x21\x12\xa4\x42"]
    sizes = [0, 1, 3, 12, 20, 40, 100, 300, 1200, 1472]
    for _ in range(512):
        yield dice.choice(heads) + dice.randbytes(dice.choice(sizes))
    for _ in range(8):
        yield dice.randbytes(9000)


def main() -> None:
    host, port, rate, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    assert ipaddress.ip_address(host).is_loopback, "only this machine is a target"
    dice = random.Random(1)
    packets = list(datagrams(dice))
    ends = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(8)]
    for end in ends:
        end.setblocking(False)
        end.connect((host, port))
    begin = time.monotonic()
    sent = attempted = 0
    while (elapsed := time.monotonic() - begin) < seconds:
        due = int(elapsed * rate) - attempted
        for _ in range(min(due, 1000)):
            attempted += 1
            try:
                ends[attempted & 7].send(packets[attempted % len(packets)])
                sent += 1
            except OSError:
                pass
        if due < 100:
            time.sleep(0.002)
    print(f"sent {sent} of {int(rate * seconds)}", flush=True)


if __name__ == "__main__":
    main()
