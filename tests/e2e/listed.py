"""A server of nothing but one document, which a test may change."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Listed:
    """`answer(path)` is (status, body). `paths` are those that were asked for, `asked` their fields."""

    def __init__(self, answer):
        self.answer = answer
        self.paths = []
        self.asked = []
        self.fields = {}  # of each reply

    def __enter__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def handler(self):
        state = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                state.paths.append(self.path)
                state.asked.append(dict(self.headers.items()))
                status, body = state.answer(self.path)
                self.send_response(status)
                for name, value in state.fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        return Handler
