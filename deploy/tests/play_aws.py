#!/usr/bin/env python3
"""Runs a command while moto plays AWS: the real provider asks it who it is and which zones there are.

usage: play_aws.py COMMAND [ARGUMENT...]
"""

import logging
import os
import subprocess
import sys

from moto.server import ThreadedMotoServer

if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # or it shows each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    done = subprocess.run(sys.argv[1:], env={**os.environ, **keys, "AWS_ENDPOINT_URL": f"http://{host}:{port}"})
    server.stop()
    sys.exit(done.returncode)
