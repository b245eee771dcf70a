"""The images that carry configuration are made of what compose.yaml runs and mounts."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVICES = ("prometheus", "alertmanager", "grafana")


def service(name):
    """The lines of a service in compose.yaml."""
    text = (ROOT / "compose.yaml").read_text()
    return re.search(rf"^  {name}:\n((?:    .*\n|\n)+)", text, re.M).group(1)


def copies(name):
    """What a Dockerfile copies: from where in the repository, to where in the image."""
    text = (ROOT / "deploy" / name / "Dockerfile").read_text()
    pairs = re.findall(r"^COPY (\S+) (\S+)$", text, re.M)
    return {f"./deploy/{name}/{source}": target for source, target in pairs}


class Images(unittest.TestCase):
    def test_they_begin_with_composes_images(self):
        for name in SERVICES:
            pinned = re.search(r"^    image: (\S+)$", service(name), re.M).group(1)
            dockerfile = (ROOT / "deploy" / name / "Dockerfile").read_text()
            self.assertEqual(re.findall(r"^FROM (\S+)$", dockerfile, re.M), [pinned])

    def test_they_have_what_compose_mounts(self):
        for name in SERVICES:
            mounted = dict(re.findall(r"^      - (\./deploy/[^:]+):([^:]+):ro", service(name), re.M))
            self.assertTrue(mounted)
            copied = copies(name)
            for source, target in mounted.items():
                # Where compose mounts a whole directory, the image has the files of it that are read.
                into = {s: t for s, t in copied.items() if s == source or s.startswith(source + "/")}
                self.assertTrue(into, f"{name}: nothing of {source} is copied")
                for part, place in into.items():
                    if not place.startswith("/bin/"):
                        self.assertEqual(place, target + part.removeprefix(source))

    def test_what_they_copy_is_there(self):
        for name in SERVICES:
            for source in copies(name):
                self.assertTrue((ROOT / source).exists(), source)

    def test_what_prometheus_names_is_copied(self):
        rules = re.search(r"^rule_files:\n((?:  - .*\n)+)", (ROOT / "deploy/prometheus/prometheus.yml").read_text(), re.M).group(1)
        for pattern in re.findall(r"- (\S+)", rules):
            self.assertIn("./deploy/prometheus/" + pattern.split("/")[0], copies("prometheus"))


class Drills(unittest.TestCase):
    """The image that drills where nothing can be mounted has what the drills name, at the places where they name it."""

    def test_drills_and_what_they_name(self):
        pairs = re.findall(r"^COPY (?:--chown=\S+ )?(\S+) (\S+)$", (ROOT / "deploy/drills/Dockerfile").read_text(), re.M)
        copied = {source: target for source, target in pairs}
        self.assertEqual(copied["drills"], "/drills")
        for drill in (ROOT / "drills").glob("*.yaml"):
            for named in re.findall(r"^ *- panels: (\S+)/\*\.json$", drill.read_text(), re.M):
                self.assertEqual(copied[named], f"/{named}")

    def test_only_what_is_copied_is_sent_to_the_builder(self):
        ignored = (ROOT / "deploy/drills/Dockerfile.dockerignore").read_text()
        pairs = re.findall(r"^COPY (?:--chown=\S+ )?(\S+) ", (ROOT / "deploy/drills/Dockerfile").read_text(), re.M)
        self.assertEqual(re.findall(r"^!(\S+)$", ignored, re.M), pairs)
        self.assertTrue(all((ROOT / source).exists() for source in pairs))


class Start(unittest.TestCase):
    """deploy/prometheus/start, with promtool in Prometheus' place: it checks the configuration that is started with."""

    def start(self, **environment):
        with tempfile.TemporaryDirectory() as data:
            program = Path(data) / "prometheus"
            program.write_text('#!/bin/sh\ncat "${1#--config.file=}"\nshift\nprintf "flags:%s\\n" "$@"\n')
            program.chmod(0o755)
            checked = Path(data) / "check"
            checked.write_text('#!/bin/sh\nexec promtool check config "${1#--config.file=}"\n')
            checked.chmod(0o755)
            base = {"PATH": os.environ["PATH"], "PROMETHEUS_ETC": str(ROOT / "deploy/prometheus"), "PROMETHEUS_DATA": data}
            told = []
            for binary in (program, checked):
                command = [ROOT / "deploy/prometheus/start", "--storage.tsdb.path=/prometheus"]
                told.append(subprocess.run(command, env={**base, **environment, "PROMETHEUS_BIN": str(binary)}, capture_output=True, text=True, timeout=30))
            return told

    def test_composes_own_configuration(self):
        shown, checked = self.start()
        self.assertIn("flags:--storage.tsdb.path=/prometheus\n", shown.stdout)
        self.assertTrue(shown.stdout.startswith((ROOT / "deploy/prometheus/prometheus.yml").read_text()))
        self.assertNotIn("remote_write", shown.stdout)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_remote_write_is_added(self):
        url = "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1/api/v1/remote_write"
        shown, checked = self.start(REMOTE_WRITE_URL=url, REMOTE_WRITE_REGION="eu-west-1")
        self.assertIn(f"  - url: {url}\n", shown.stdout)
        self.assertIn("region: eu-west-1\n", shown.stdout)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        self.assertRegex(checked.stdout, r"rules found")

    def test_a_url_without_its_region_starts_nothing(self):
        shown, _ = self.start(REMOTE_WRITE_URL="https://example.com/api/v1/remote_write")
        self.assertNotEqual(shown.returncode, 0)
        self.assertIn("REMOTE_WRITE_REGION", shown.stderr)


if __name__ == "__main__":
    unittest.main()
