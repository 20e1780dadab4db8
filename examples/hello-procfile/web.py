"""A web service in one file: a page that says which instance made it, and /up for the health check.

It listens on 127.0.0.1 and the port in PORT, keeps connections alive, and on SIGTERM stops accepting, finishes the
requests in flight and ends with 0.
"""

import html
import os
import signal
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

INSTANCE = os.environ.get("ASHLAR_INSTANCE", "web")
RELEASE = os.environ.get("ASHLAR_RELEASE", "unreleased")

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Hello from {instance}</title>
<style>
  body {{ font: 1.1rem/1.6 system-ui, sans-serif; margin: 0; min-height: 100vh; display: grid; place-items: center;
         background: #f4f1ea; color: #2b2a28; }}
  main {{ text-align: center; padding: 2rem; }}
  .course {{ display: flex; gap: .3rem; justify-content: center; margin-bottom: .3rem; }}
  .course i {{ width: 4rem; height: 1.8rem; background: #c9bfae; border-radius: .15rem; }}
  .course i.here {{ background: #a3552f; }}
  .course i.half {{ width: 1.85rem; }}
  code {{ background: #e6e0d4; border-radius: .25rem; padding: .1rem .4rem; }}
</style>
<main>
  <div class="course"><i class="half"></i><i></i><i></i><i class="half"></i></div>
  <div class="course"><i></i><i class="here"></i><i></i></div>
  <h1>Hello</h1>
  <p>Laid by <code>{instance}</code> in release <code>{release}</code>.</p>
</main>
</html>
"""


class Server(ThreadingHTTPServer):
    daemon_threads = False  # server_close waits for the requests in flight
    request_queue_size = 511

    def __init__(self, address):
        self.stopping = False
        self.connections = set()
        super().__init__(address, Handler)

    def stop(self):
        """Ends serve_forever, and wakes the connections that only wait for a next request."""
        self.stopping = True
        self.shutdown()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RD)
            except OSError:
                pass  # its client was faster


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one packet
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self):
        self.server.connections.discard(self.connection)
        super().finish()

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/up":
            self.answer(200, "text/plain", "up\n")
        elif path == "/":
            page = PAGE.format(instance=html.escape(INSTANCE), release=html.escape(RELEASE))
            self.answer(200, "text/html", page)
        else:
            self.answer(404, "text/plain", "not found\n")

    do_HEAD = do_GET

    def answer(self, status, content_type, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{content_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.server.stopping:
            self.send_header("Connection", "close")  # also ends this handler's loop
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def version_string(self):
        return "hello"

    def log_request(self, code="-", size="-"):
        pass  # the edge writes the access log


def main():
    server = Server(("127.0.0.1", int(os.environ.get("PORT", "5000"))))
    # shutdown() waits for serve_forever, which runs below on this same thread: so it is called from another one.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.stop).start())
    print(f"{INSTANCE} listens on http://127.0.0.1:{server.server_port}")
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    print(f"{INSTANCE} has finished")


if __name__ == "__main__":
    main()
