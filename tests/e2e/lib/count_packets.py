"""Counts the packets that leave by an interface, by destination: what a capture on the wire would show, without ARP and
IPv6's neighbour discovery.
  python3 count_packets.py INTERFACE
Prints "ready", then for each line on standard input one line of JSON: {"203.0.113.7": 3, ...} since the start."""
import ipaddress
import json
import select
import socket
import sys

ETH_P_ALL = 3
ETH_P_IP = 0x0800
ETH_P_IPV6 = 0x86DD
NEIGHBOUR_DISCOVERY = range(133, 138)  # RFC 4861: ICMPv6 types

counts = {}


def count(frame):
    kind = int.from_bytes(frame[12:14], "big")
    if kind == ETH_P_IP and len(frame) >= 34:
        destination = ipaddress.ip_address(frame[30:34])
    elif kind == ETH_P_IPV6 and len(frame) >= 54:
        if frame[20] == socket.IPPROTO_ICMPV6 and len(frame) > 54 and frame[54] in NEIGHBOUR_DISCOVERY:
            return
        destination = ipaddress.ip_address(frame[38:54])
    else:
        return
    counts[str(destination)] = counts.get(str(destination), 0) + 1


def main():
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    wire.bind((sys.argv[1], 0))
    wire.setblocking(False)
    print("ready", flush=True)
    while True:
        ready, _, _ = select.select([wire, sys.stdin], [], [])
        # The wire first: what was sent before the question is in the answer.
        while True:
            try:
                frame, address = wire.recvfrom(2048)
            except BlockingIOError:
                break
            if address[2] == socket.PACKET_OUTGOING:
                count(frame)
        if sys.stdin in ready:
            if not sys.stdin.readline():
                return
            print(json.dumps(counts), flush=True)


main()
