"""The cheapest server there can be: it looks at nothing and answers everything with the same bytes.

Measured against it, the load generator shows how much it can do itself: ``python -m bench --generator``.
"""

import select
import socket
from typing import Final

__all__ = ["main"]

_BODY: Final = b'{"resources":["/v2/queues/post1/messages/01a1fd0d-2866-7000-871e-13779d1a50dc"]}'
_ANSWER: Final = (
    b"HTTP/1.1 201 Created\r\ndate: Sat, 21 Nov 2026 08:00:00 GMT\r\n"
    b"location: /v2/queues/post1/messages?ids=01a1fd0d-2866-7000-871e-13779d1a50dc\r\n"
    b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)


def main() -> None:
    """Serve until killed. Requests must be small enough to arrive in one piece."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    open_sockets: dict[int, socket.socket] = {}
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                accepted, _ = listener.accept()
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                open_sockets[accepted.fileno()] = accepted
                poll.register(accepted, select.EPOLLIN)
            elif open_sockets[number].recv(65_536):
                open_sockets[number].send(_ANSWER)
            else:
                open_sockets.pop(number).close()


if __name__ == "__main__":
    main()
