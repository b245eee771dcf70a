"""That bootstrap's own state moves into the bucket that it made, by what docs/aws.md tells people to type."""

import json
import logging
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).parents[2]
STEPS = re.search(r"```sh\n(terraform output -raw backend .*?)cd ", (ROOT / "docs/aws.md").read_text(), re.S)[1]


@unittest.skipUnless(os.environ.get("FIREDRILL_PROVIDER_MAKES_UP"), "the real provider asks moto for more than it plays")
class Moves(unittest.TestCase):
    def test_its_state_moves_into_the_bucket(self):
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # or it shows each request
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        self.addCleanup(server.stop)
        endpoint = "http://{}:{}".format(*server.get_host_and_port())
        there = Path(tempfile.mkdtemp()) / "bootstrap"
        self.addCleanup(shutil.rmtree, there.parent)
        shutil.copytree(ROOT / "deploy/terraform/bootstrap", there, ignore=shutil.ignore_patterns(".terraform*", "tests"))
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": endpoint, "AWS_EC2_METADATA_DISABLED": "true"}

        def run(script, said=""):
            done = subprocess.run(["bash", "-ec", script], cwd=there, env={**os.environ, **keys}, input=said, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            return done.stdout

        run("terraform init && terraform apply -auto-approve -var creator=ops@example.com -var region=eu-west-1 -var github_repository=o@1/r@2")
        bucket = run("terraform output -raw bucket")
        s3 = boto3.client("s3", region_name="eu-west-1", endpoint_url=endpoint, aws_access_key_id="test", aws_secret_access_key="test")
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        run(STEPS, said="yes\n")

        self.assertEqual([path.name for path in there.glob("terraform.tfstate*")], [])
        state = json.load(s3.get_object(Bucket=bucket, Key="bootstrap.tfstate")["Body"])
        self.assertIn("aws_s3_bucket", [resource["type"] for resource in state["resources"]])
        self.assertEqual(run("terraform output -raw bucket"), bucket)


if __name__ == "__main__":
    unittest.main()
