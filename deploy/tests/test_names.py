"""deploy/prometheus/prometheus.yml, as it is, finds the tasks of a stack by the search domain of their VPC.

In a network of its own, with a resolv.conf as Fargate writes it and a name server that answers as Cloud Map does.
"""

import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOMAIN = "firedrill-demo.internal"
TASKS = ["127.0.0.2", "127.0.0.3", "127.0.0.4"]


def answer(query):
    """The answer of a zone that has `app` alone, with an A record for each task."""
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode())
        at += 1 + length
    question = query[12 : at + 5]
    kind = struct.unpack(">H", query[at + 1 : at + 3])[0]
    known = ".".join(labels).lower() == f"app.{DOMAIN}"
    addresses = TASKS if known and kind == 1 else []
    header = query[:2] + struct.pack(">HHHHH", 0x8580 | (0 if known else 3), 1, len(addresses), 0, 0)
    records = (b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 5, 4) + socket.inet_aton(address) for address in addresses)
    return header + question + b"".join(records)


def serve_names():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    while True:
        query, client = server.recvfrom(1500)
        server.sendto(answer(query), client)


def discovered():
    """The instances that Prometheus has found by DNS, or none while it does not answer."""
    try:
        with urllib.request.urlopen("http://127.0.0.1:9090/api/v1/targets", timeout=5) as targets:
            active = json.load(targets)["data"]["activeTargets"]
    except OSError:
        return []
    return sorted(target["labels"]["instance"] for target in active if target["labels"]["job"] == "firedrill")


def inside(directory):
    """What runs in the network and the mounts that are this process's own."""
    with socket.socket() as loopback:
        fcntl.ioctl(loopback, 0x8914, struct.pack("16sh", b"lo", 0x49))  # SIOCSIFFLAGS: up, running, loopback
    resolv = Path(directory) / "resolv.conf"
    resolv.write_text(f"nameserver 127.0.0.1\nsearch {DOMAIN}\n")
    subprocess.run(["mount", "--bind", resolv, os.path.realpath("/etc/resolv.conf")], check=True)
    threading.Thread(target=serve_names, daemon=True).start()
    flags = [f"--config.file={ROOT}/deploy/prometheus/prometheus.yml", f"--storage.tsdb.path={directory}/data", "--web.listen-address=127.0.0.1:9090"]
    prometheus = subprocess.Popen(["prometheus", *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found, deadline = [], time.monotonic() + 60
    while len(found) < len(TASKS) and time.monotonic() < deadline:
        time.sleep(0.2)
        found = discovered()
    prometheus.terminate()
    prometheus.wait(timeout=30)
    print(json.dumps(found))


class Names(unittest.TestCase):
    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"), "a network of its own needs root and unshare")
    @unittest.skipUnless(shutil.which("prometheus"), "Prometheus is not installed")
    def test_every_task_is_found_by_its_short_name(self):
        with tempfile.TemporaryDirectory() as directory:
            command = ["unshare", "--mount", "--net", sys.executable, __file__, directory]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout), [f"{address}:8080" for address in TASKS])


if __name__ == "__main__":
    inside(sys.argv[1])
