"""Answers DNS questions of one host, and prints each name that was asked for.
  python3 tiny_dns.py ADDRESS NAME=IPV4 ...
All other names do not exist. Only A records: a question for another type has an empty answer."""
import socket
import sys

names = dict(pair.split("=") for pair in sys.argv[2:])
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1], 53))
print("ready", flush=True)
while True:
    question, client = server.recvfrom(1500)
    labels, at = [], 12
    try:
        while question[at] != 0:
            labels.append(question[at + 1:at + 1 + question[at]].decode("ascii", "replace"))
            at += 1 + question[at]
        end = at + 5
        kind = int.from_bytes(question[at + 1:at + 3], "big")
    except IndexError:
        continue
    name = ".".join(labels).lower()
    print(name, flush=True)
    known = name in names
    answers = [names[name]] if known and kind == 1 else []
    head = question[:2] + bytes([0x81, 0x80 if known else 0x83]) + b"\0\1" + len(answers).to_bytes(2, "big") + b"\0\0\0\0"
    records = b"".join(b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton(address) for address in answers)
    server.sendto(head + question[12:end] + records, client)
