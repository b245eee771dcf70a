"""What docs/aws.md tells people to type has commands, flags and variables that there are."""

import re
import subprocess
import unittest
from pathlib import Path

import botocore.session
from botocore import xform_name

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "aws.md").read_text()
TYPED = "\n".join(re.findall(r"```sh\n(.*?)```", TEXT, re.S) + re.findall(r"`([^`\n]+)`", TEXT)).replace("\\\n", " ")

# What the AWS CLI adds to the operations of the services, and flags that all of its commands take.
OWN_COMMANDS = {"ecr get-login-password", "sso login"}
EVERYWHERE = {"output", "query", "region"}


class Typed(unittest.TestCase):
    def test_the_scripts_have_these_flags(self):
        calls = re.findall(r"deploy/(up|down|status|drill)\b([^\n]*)", TYPED)
        self.assertGreater(len(calls), 8)
        for script, arguments in calls:
            told = subprocess.run([ROOT / "deploy" / script, "--help"], capture_output=True, text=True, check=True).stdout
            for flag in re.findall(r"(?<!\S)--[a-z][a-z-]*", arguments):
                self.assertIn(f" {flag} ", told, f"deploy/{script}")

    def test_terraform_has_these_variables(self):
        declared = {name: re.findall(r'^variable "(\w+)"', (ROOT / "deploy/terraform" / name / "variables.tf").read_text(), re.M) for name in ("stack", "bootstrap")}
        given = re.findall(r"-var '?(\w+)=", TYPED)
        self.assertGreater(len(given), 10)
        for name in given:
            self.assertIn(name, declared["stack"] + declared["bootstrap"])
        # The options of a table need no `-var`.
        for name in re.findall(r"^\| `(\w+)=true`", TEXT, re.M):
            self.assertIn(name, declared["stack"])

    def test_aws_has_these_commands_and_flags(self):
        session = botocore.session.get_session()
        calls = re.findall(r"(?:^|[ (])aws ([a-z0-9-]+) ([a-z][a-z-]+)([^\n|]*)", TYPED, re.M)
        self.assertGreater(len(calls), 9)
        for service, command, arguments in calls:
            if f"{service} {command}" in OWN_COMMANDS:
                continue
            model = session.get_service_model("s3" if service == "s3api" else service)
            operations = {xform_name(name, "-"): name for name in model.operation_names}
            self.assertIn(command, operations, service)
            takes = {xform_name(name, "-") for name in model.operation_model(operations[command]).input_shape.members}
            for flag in re.findall(r"(?<!\S)--([a-z][a-z-]*)", arguments):
                self.assertIn(flag, takes | EVERYWHERE, f"aws {service} {command}")


if __name__ == "__main__":
    unittest.main()
