"""deploy/caddy/Caddyfile: who gets what, with servers in place of the service and of Grafana."""

import http.client
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FILE = Path(__file__).parents[1] / "caddy" / "Caddyfile"


def upstream(name):
    """A server that answers everything with its name."""

    class Named(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(name)))
            self.end_headers()
            self.wfile.write(name.encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Named)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def free_port():
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.server_close()
    return server.server_port


@unittest.skipUnless(shutil.which("caddy"), "Caddy is not installed")
class Caddy(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.directory)
        text, self.port = FILE.read_text(), free_port()
        for name in ("front:8080", "grafana:3000"):
            server = upstream(name)
            self.addCleanup(server.server_close)
            self.addCleanup(server.shutdown)
            self.assertEqual(text.count(name), 1)
            text = text.replace(name, f"127.0.0.1:{server.server_port}")
        options = f"{{\n\tadmin off\n\tskip_install_trust\n\thttps_port {self.port}\n\thttp_port {free_port()}\n}}\n"
        caddyfile = Path(self.directory) / "Caddyfile"
        caddyfile.write_text(options + text)
        home = {name: self.directory for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
        environment = {"PATH": os.environ["PATH"], "FIREDRILL_DOMAIN": "localhost", **home}
        command = ["caddy", "run", "--config", caddyfile, "--adapter", "caddyfile"]
        self.caddy = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        for line in self.caddy.stderr:  # until it serves; where it ends instead, so does this
            if json.loads(line).get("msg") == "serving initial configuration":
                break
        self.log = threading.Thread(target=self.caddy.stderr.read, daemon=True)  # or it would wait for a reader
        self.log.start()
        deadline = time.monotonic() + 30
        while not self.has_certificate() and time.monotonic() < deadline:
            time.sleep(0.05)

    def end(self):
        self.caddy.terminate()
        self.caddy.wait(timeout=30)
        self.log.join(timeout=30)
        self.caddy.stderr.close()

    def connect(self):
        return http.client.HTTPSConnection("localhost", self.port, context=ssl._create_unverified_context(), timeout=10)

    def has_certificate(self):
        connection = self.connect()
        try:
            connection.connect()
        except OSError:
            return False
        finally:
            connection.close()
        return True

    def ask(self, path):
        connection = self.connect()
        connection.request("GET", path)
        answer = connection.getresponse()
        told = (answer.status, answer.read().decode())
        connection.close()
        return told

    def test_who_gets_what(self):
        for path in ("/", "/health", "/work?cpu=1ms", "/metricsx", "/grafanax"):
            self.assertEqual(self.ask(path), (200, "front:8080"), path)
        for path in ("/grafana", "/grafana/", "/grafana/d/x"):
            self.assertEqual(self.ask(path), (200, "grafana:3000"), path)
        for path in ("/metrics", "/metrics?x=1", "/metrics/", "/METRICS", "/%6Detrics", "//metrics"):
            self.assertEqual(self.ask(path), (404, "Metrics are not public here."), path)


if __name__ == "__main__":
    unittest.main()
