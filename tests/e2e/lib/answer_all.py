"""The denied hosts: whoever sends them anything gets an answer, so that a leak would go on. UDP is echoed (STUN binding
requests become success responses), TCP on the media port is echoed, on the HTTP port it is answered 200.
  python3 answer_all.py"""
import selectors
import socket

MEDIA_PORTS = [3478, 7878]
HTTP_PORTS = [80, 8080]


def bound(family, kind, port):
    one = socket.socket(family, kind)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    one.bind(("", port))
    if kind == socket.SOCK_STREAM:
        one.listen(16)
    return one


selector = selectors.DefaultSelector()
for family in (socket.AF_INET, socket.AF_INET6):
    for port in MEDIA_PORTS + [53]:
        selector.register(bound(family, socket.SOCK_DGRAM, port), selectors.EVENT_READ, "datagram")
    for port in MEDIA_PORTS:
        selector.register(bound(family, socket.SOCK_STREAM, port), selectors.EVENT_READ, "echo")
    for port in HTTP_PORTS:
        selector.register(bound(family, socket.SOCK_STREAM, port), selectors.EVENT_READ, "http")
print("ready", flush=True)
while True:
    for key, _ in selector.select():
        one = key.fileobj
        if key.data == "datagram":
            data, address = one.recvfrom(2048)
            if data[:2] == b"\0\1":
                data = b"\1\1" + data[2:]
            one.sendto(data, address)
        elif key.data in ("echo", "http"):
            selector.register(one.accept()[0], selectors.EVENT_READ, "open " + key.data)
        else:
            try:
                data = one.recv(4096)
                if data:
                    one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" if key.data == "open http" else data)
            except OSError:
                data = b""
            if not data:
                selector.unregister(one)
                one.close()
