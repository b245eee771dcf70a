"""deploy/up, down, status and drill against moto, which plays AWS.

Terraform keeps its state in moto's S3. Moto does not play all that a stack is made of, so what applies one needs a
provider that makes up what AWS would answer, and what a stack leaves behind is put into moto by the tests.
"""

import base64
import gzip
import json
import logging
import os
import random
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import requests
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).parents[2]
REGION = "eu-west-1"
BUCKET = f"firedrill-state-123456789012-{REGION}"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
TAGS = {"creator": "Ada", "project": "firedrill", "ttl": "never"}


makes_everything = unittest.skipUnless(
    os.environ.get("FIREDRILL_PROVIDER_MAKES_UP"), "the real provider asks moto for more than it plays"
)


def setUpModule():
    global server, endpoint, copy
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # or it shows each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    # A copy, so that neither .terraform nor a lock file is left in the tree.
    copy = Path(tempfile.mkdtemp())
    shutil.copy(ROOT / "compose.yaml", copy)
    shutil.copytree(ROOT / "deploy", copy / "deploy", ignore=shutil.ignore_patterns(".terraform*", "tests"))


def tearDownModule():
    server.stop()
    shutil.rmtree(copy)


def aws(service, region=REGION):
    return boto3.client(service, region_name=region, endpoint_url=endpoint, aws_access_key_id="test", aws_secret_access_key="test")


def run(*command, at=None, cwd=None, **environment):
    """Runs a script with nothing of this machine's AWS."""
    base = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "TF_VAR_"))}
    ours = {**KEYS, "AWS_REGION": REGION, "AWS_ENDPOINT_URL": at or endpoint, "AWS_EC2_METADATA_DISABLED": "true"}
    ours |= {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    script = [copy / "deploy" / command[0], *command[1:]]
    return subprocess.run(script, env={**base, **ours, **environment}, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=cwd, timeout=180)


def drawn(wire):
    """The secrets that went between Terraform and the provider, from the messages that the provider's library recorded.

    Terraform draws anew each time that it looks, so there are more than reach AWS.
    """
    written = rb"secret_string(?:_wo)?\xd9\x24([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    return {secret for message in wire.glob("*.msgpack") for secret in re.findall(written, message.read_bytes())}


UP = ("up", "--yes", "--no-drill", "--creator", "Ada Lovelace", "--email", "ops@example.com", "--tag", "v1")


class Scripts(unittest.TestCase):
    def setUp(self):
        requests.post(f"{endpoint}/moto-api/reset", timeout=10)
        aws("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})

    def publish(self, *images, tag="v1"):
        for image in images:
            aws("ecr").create_repository(repositoryName=f"firedrill/{image}")
            aws("ecr").put_image(repositoryName=f"firedrill/{image}", imageManifest=json.dumps({"schemaVersion": 2, "mediaType": MANIFEST}), imageTag=tag)

    def publish_all(self):
        self.publish("firedrill", "drills", "prometheus", "alertmanager", "grafana")

    def said_once(self, done, *words):
        """One line on stderr that has these words, and exit code 2."""
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)


class UpAndDown(Scripts):
    @makes_everything
    def test_up_and_down_again(self):
        self.publish_all()
        up = run(*UP, "demo")
        # The zone that the provider made up is not one of moto's.
        self.assertIn("Apply complete!", up.stdout, up.stderr)
        self.assertIn("route53 change-tags-for-resource", up.stderr)
        self.assertRegex(up.stderr, "so the zone .* has no tags")
        self.assertEqual(up.returncode, 0)
        state = aws("s3").get_object(Bucket=BUCKET, Key="stacks/demo.tfstate")["Body"].read().decode()
        self.assertNotIn('"secret_string_wo": "', state)

        down = run("down", "--yes", "--wait", "0", "demo")
        self.assertEqual(down.returncode, 0, down.stdout + down.stderr)
        self.assertIn("nothing is left of demo", down.stdout)
        self.assertNotIn("Contents", aws("s3").list_objects_v2(Bucket=BUCKET))

    @makes_everything
    def test_exactly_the_plan_is_applied(self):
        self.publish_all()
        with tempfile.TemporaryDirectory() as there:
            planned = run(*UP[:-2], "--tag", "v1", "--plan", "plan", "demo", "--", "-var", "waf=true", cwd=there)
            self.assertEqual(planned.returncode, 0, planned.stdout + planned.stderr)
            self.assertIn("aws_wafv2_web_acl", planned.stdout)
            self.assertNotIn("Contents", aws("s3").list_objects_v2(Bucket=BUCKET))
            wire = Path(there) / "wire"
            wire.mkdir()
            applied = run("up", "--no-drill", "--apply", "plan", "demo", cwd=there, TF_LOG_SDK_PROTO_DATA_DIR=str(wire))
            self.assertIn("Apply complete!", applied.stdout, applied.stderr)
            secrets = drawn(wire)
            with zipfile.ZipFile(Path(there) / "plan") as plan:
                kept = b"".join(plan.read(name) for name in plan.namelist())
        state = aws("s3").get_object(Bucket=BUCKET, Key="stacks/demo.tfstate")["Body"].read()
        self.assertIn("aws_wafv2_web_acl", [resource["type"] for resource in json.loads(state)["resources"]])

        # Two secrets reached the provider, and neither the plan nor the state nor the screen has them.
        self.assertGreaterEqual(len(secrets), 2)
        for secret in secrets:
            for place in (kept, state, (planned.stdout + applied.stdout + applied.stderr).encode()):
                self.assertNotIn(secret, place)

    def test_the_zone_that_cloud_map_made_gets_its_tags(self):
        zone = aws("route53").create_hosted_zone(Name="firedrill-demo.internal", CallerReference="1")["HostedZone"]["Id"].removeprefix("/hostedzone/")
        with tempfile.TemporaryDirectory() as there:
            terraform, plan = Path(there) / "terraform", Path(there) / "plan"
            terraform.write_text(f'#!/bin/sh\ncase "$*" in *hosted_zone_id) echo {zone} ;; *creator) echo "Ada Lovelace" ;; esac\n')
            terraform.chmod(0o755)
            plan.touch()
            up = run("up", "--no-drill", "--apply", str(plan), "demo", PATH=f"{there}:{os.environ['PATH']}")
        self.assertEqual((up.returncode, up.stderr), (0, ""))
        tags = aws("route53").list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone)["ResourceTagSet"]["Tags"]
        self.assertEqual({tag["Key"]: tag["Value"] for tag in tags}, {"creator": "Ada Lovelace", "project": "firedrill", "name": "demo"})

    def test_leftovers_are_named(self):
        self.publish_all()
        topic = aws("sns").create_topic(Name="firedrill-demo-alarms", Tags=[{"Key": k, "Value": v} for k, v in {**TAGS, "name": "demo"}.items()])["TopicArn"]
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        role = aws("iam").create_role(RoleName="firedrill-demo-app-task", Path="/firedrill/", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        # Another stack's, whose name begins alike.
        aws("sns").create_topic(Name="firedrill-demo-2-alarms", Tags=[{"Key": k, "Value": v} for k, v in {**TAGS, "name": "demo-2"}.items()])
        aws("iam").create_role(RoleName="firedrill-demo-2-app-task", Path="/firedrill/", AssumeRolePolicyDocument=trust)
        down = run("down", "--yes", "--wait", "0", "demo")
        self.assertEqual(down.returncode, 1, down.stdout + down.stderr)
        self.assertEqual(down.stderr.splitlines()[1:], [topic, role])

    def test_retired_definitions_are_deleted(self):
        ecs = aws("ecs")
        ecs.register_task_definition(family="firedrill-demo-app", containerDefinitions=[{"name": "app", "image": "x", "memory": 64}])
        ecs.deregister_task_definition(taskDefinition="firedrill-demo-app:1")
        self.assertEqual(run("down", "--yes", "--wait", "0", "demo").returncode, 0)
        left = ecs.list_task_definitions(familyPrefix="firedrill-demo-app", status="INACTIVE")["taskDefinitionArns"]
        self.assertEqual(left, [])


class OneClearLine(Scripts):
    def test_a_missing_image(self):
        self.publish("firedrill", "drills", "prometheus", "grafana")
        self.publish("alertmanager", tag="v0")
        self.said_once(run(*UP, "demo"), "not in the registry", "firedrill/alertmanager:v1", "publish")

    def test_a_held_lock(self):
        self.publish_all()
        lock = {"ID": "6f2c", "Operation": "OperationTypeApply", "Who": "ada@desk", "Version": "1.11.4", "Created": "2026-11-22T20:00:00Z", "Path": f"{BUCKET}/stacks/demo.tfstate"}
        aws("s3").put_object(Bucket=BUCKET, Key="stacks/demo.tfstate.tflock", Body=json.dumps(lock))
        for command in ((*UP, "demo"), ("down", "--yes", "demo")):
            self.said_once(run(*command), "locked by ada@desk", "2026-11-22", "force-unlock 6f2c")

    def test_an_expired_credential(self):
        class Expired(BaseHTTPRequestHandler):
            def do_POST(self):
                body = b"<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message></Error></ErrorResponse>"
                self.send_response(403)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        expired = ThreadingHTTPServer(("127.0.0.1", 0), Expired)
        threading.Thread(target=expired.serve_forever, daemon=True).start()
        self.addCleanup(expired.server_close)
        self.addCleanup(expired.shutdown)
        at = f"http://127.0.0.1:{expired.server_port}"
        for command in ((*UP, "demo"), ("down", "--yes", "demo"), ("status",), ("drill", "demo")):
            self.said_once(run(*command, at=at), "credentials have expired")

    def test_no_credentials(self):
        self.said_once(run("status", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY=""), "no AWS credentials")

    def test_no_bootstrap(self):
        aws("s3").delete_bucket(Bucket=BUCKET)
        self.said_once(run(*UP, "demo"), BUCKET, "bootstrap")

    def test_no_creator(self):
        self.publish_all()
        self.said_once(run("up", "--email", "ops@example.com", "--tag", "v1", "demo"), "--creator")

    def test_a_creator_that_terraform_refuses(self):
        self.publish_all()
        done = run("up", "--yes", "--creator", "nobody?", "--email", "ops@example.com", "--tag", "v1", "demo")
        self.assertEqual(done.returncode, 2)
        self.assertIn("expected 2 to 128 letters", " ".join(done.stderr.replace("│", "").split()))

    def test_nobody_to_ask(self):
        self.said_once(run("down", "demo"), "--yes")

    def test_flags(self):
        for script in ("up", "down", "status", "drill"):
            self.said_once(run(script, "--no-such-flag", "demo"), "--no-such-flag", "--help")
            self.said_once(run(script, "Not_A_Name"), "Not_A_Name")
            self.said_once(run(script, "--region"), "--region needs a value")
            told = run(script, "--help")
            self.assertEqual((told.returncode, told.stderr), (0, ""))
            self.assertIn(f"usage: deploy/{script}", told.stdout)
            self.assertIn("Exit code: ", told.stdout)

    def test_no_region(self):
        self.said_once(run("status", AWS_REGION=""), "no region")

    def test_a_ttl_that_is_none(self):
        self.said_once(run(*UP, "--ttl", "soon", "demo"), '"soon"', "12h")


FAKE_AWS = """#!/usr/bin/env bash
case "$1 $2" in
  'sts get-caller-identity') echo 123456789012 ;;
  's3api head-bucket' | 'ecs wait') ;;
  'ecs run-task') printf '%s\\n' "$@" >"$FAKE/run-task" && echo "${STARTED:-arn:aws:ecs:eu-west-1:123456789012:task/firedrill-demo/0a1b}" ;;
  'ecs describe-tasks') printf '%s\\t%s\\t%s\\n' "${STATE:-STOPPED}" "$CODE" 'Essential container in task exited' ;;
  'logs get-log-events') exec "$REAL_AWS" "$@" ;;
  *) echo "not expected: $*" >&2 && exit 9 ;;
esac
"""
FAKE_TERRAFORM = """#!/usr/bin/env bash
[ "$2" = init ] || [ "$*" = "$1 output -raw drill_network" ] || exit 9
[ "$2" = init ] || echo 'awsvpcConfiguration={subnets=[a,b],securityGroups=[c],assignPublicIp=DISABLED}'
"""


def printed(name, content):
    """A file as `firedrill drill --print-files` prints it."""
    return ["begin-base64 644 " + name + ".gz", *base64.encodebytes(gzip.compress(content)).decode().split(), "===="]


class Drill(unittest.TestCase):
    """With an ECS and a terraform of its own, since moto runs no container that would say anything; the log is in moto."""

    def setUp(self):
        requests.post(f"{endpoint}/moto-api/reset", timeout=10)
        self.fake = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.fake)
        for name, text in (("aws", FAKE_AWS), ("terraform", FAKE_TERRAFORM)):
            (self.fake / name).write_text(text)
            (self.fake / name).chmod(0o755)
        self.logged("smoke", "pass   counts")

    def logged(self, *lines):
        """What the task's log has."""
        logs, group, stream = aws("logs"), "/firedrill/demo/drill", "drill/drill/0a1b"
        requests.post(f"{endpoint}/moto-api/reset", timeout=10)
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        now = int(time.time() * 1000)
        for at in range(0, len(lines), 10_000):  # as many as one call may have
            events = [{"timestamp": now, "message": line} for line in lines[at : at + 10_000]]
            logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    def drill(self, *arguments, **environment):
        path = f"{self.fake}:{os.environ['PATH']}"
        return run("drill", *arguments, PATH=path, FAKE=str(self.fake), REAL_AWS=shutil.which("aws"), **environment)

    def test_its_verdict_is_the_drills(self):
        for code in (0, 1, 2):
            done = self.drill("demo", CODE=str(code))
            self.assertEqual((done.returncode, done.stdout), (code, "smoke\npass   counts\n"), done.stderr)

    def test_what_it_said_and_its_reports_are_kept(self):
        page = b"<html>" + random.Random(7).randbytes(5000)
        self.logged("smoke", "FAIL   counts", *printed("smoke.html", page), "{}", *printed("smoke.json", b"{}"))
        out = self.fake / "reports" / "demo"
        done = self.drill("--out", str(out), "demo", CODE="1")
        self.assertEqual((done.returncode, done.stdout), (1, "smoke\nFAIL   counts\n{}\n"), done.stderr)
        self.assertEqual((out / "log.txt").read_text(), done.stdout)
        self.assertEqual(((out / "smoke.html").read_bytes(), (out / "smoke.json").read_bytes()), (page, b"{}"))

    def test_a_log_of_many_pages(self):
        lines = [f"line {number}" for number in range(21_000)]
        self.logged(*lines)
        self.assertEqual(self.drill("demo", CODE="0").stdout.splitlines(), lines)

    def test_a_report_in_pieces_is_named_and_the_verdict_stays(self):
        self.logged("smoke", *printed("smoke.html", b"<html>")[:-1])
        done = self.drill("--out", str(self.fake / "out"), "demo", CODE="0")
        self.assertEqual((done.returncode, done.stdout), (0, "smoke\n"))
        self.assertIn("smoke.html in the log: ", done.stderr)

    def test_arguments_are_the_drills(self):
        self.drill("demo", "drills/a b.yaml", CODE="0")
        asked = (self.fake / "run-task").read_text()
        self.assertIn('"command": ["drill", "drills/a b.yaml"]', asked)
        self.assertIn("--propagate-tags\nTASK_DEFINITION\n", asked)

    def refused(self, done, words):
        self.assertEqual(done.returncode, 2)
        self.assertIn(words, done.stderr.splitlines()[-1])

    def test_a_task_that_never_ran(self):
        requests.post(f"{endpoint}/moto-api/reset", timeout=10)  # so there is no log either
        self.refused(self.drill("demo", CODE="None"), "the drill did not run: Essential container")

    def test_a_task_that_was_killed(self):
        self.refused(self.drill("demo", CODE="137"), "ended with exit code 137: Essential container")

    def test_a_task_that_was_not_started(self):
        self.refused(self.drill("demo", STARTED="None", CODE="0"), "ECS started no task")

    def test_a_drill_without_an_end(self):
        self.refused(self.drill("demo", STATE="RUNNING", CODE="None"), "has not ended")


class Extract(unittest.TestCase):
    def extract(self, *lines):
        """What is said of a log, and the files that were taken from it."""
        with tempfile.TemporaryDirectory() as there:
            log = "".join(line + "\n" for line in lines)
            done = subprocess.run([ROOT / "deploy/extract", Path(there) / "a/b"], input=log, capture_output=True, text=True)
            return done, {str(path.relative_to(there)): path.read_bytes() for path in Path(there).rglob("*") if path.is_file()}

    def test_files_are_taken_from_between_the_lines(self):
        page = random.Random(7).randbytes(5000)
        one, other = printed("smoke.html", page), printed("a b.json", b"{}")
        done, files = self.extract("said", *one[:3], '{"level":"warn"}', *one[3:], *other, "more")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, 'said\n{"level":"warn"}\nmore\n', ""))
        self.assertEqual(files, {"a/b/smoke.html": page, "a/b/a b.json": b"{}"})

    def test_a_file_in_pieces_is_named_and_not_written(self):
        whole = printed("smoke.html", random.Random(7).randbytes(500))
        for pieces in (whole[:-1], whole[:3] + whole[4:], whole[:3]):
            done, files = self.extract(*pieces, *printed("smoke.json", b"{}"))
            self.assertEqual((done.returncode, files), (1, {"a/b/smoke.json": b"{}"}))
            self.assertRegex(done.stderr, r"^deploy/extract: smoke\.html in the log: .* is missing.*\n$")

    def test_no_file_is_written_elsewhere(self):
        for name in ("../smoke.html", "/tmp/smoke.html", ".."):
            done, files = self.extract(*printed(name, b"x"))
            self.assertEqual((done.returncode, files), (1, {}), name)
            self.assertIn("a path and not a file's name", done.stderr)


class Status(Scripts):
    def have(self, name, ttl):
        tags = {**TAGS, "name": name, "ttl": ttl}
        aws("sns").create_topic(Name=f"firedrill-{name}-alarms", Tags=[{"Key": k, "Value": v} for k, v in tags.items()])

    def test_all_stacks(self):
        self.have("demo", "never")
        self.have("old", "2020-01-01T00:00:00Z")
        self.have("new", "2999-01-01T00:00:00Z")
        told = run("status").stdout.splitlines()
        self.assertEqual([line.split()[0] for line in told], ["demo", "new", "old"])
        self.assertEqual([line.endswith("(over)") for line in told], [False, False, True])
        self.assertEqual(run("status", "--expired").stdout, "old\n")

    def test_none(self):
        done = run("status", "--expired")
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_no_such_stack(self):
        done = run("status", "demo")
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no stack demo", done.stderr)

    def test_its_services(self):
        ecs = aws("ecs")
        ecs.create_cluster(clusterName="firedrill-demo")
        ecs.register_task_definition(family="firedrill-demo-app", containerDefinitions=[{"name": "app", "image": "x", "memory": 64}])
        tags = [{"key": k, "value": v} for k, v in {**TAGS, "name": "demo"}.items()]
        ecs.create_service(cluster="firedrill-demo", serviceName="app", taskDefinition="firedrill-demo-app", desiredCount=2, tags=tags)
        done = run("status", "demo")
        self.assertRegex(done.stdout, r"app +\d of 2 tasks", done.stderr)


if __name__ == "__main__":
    unittest.main()
