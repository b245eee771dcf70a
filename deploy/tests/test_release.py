"""What the release workflow runs: copies of images to other registries, and the notes."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[2]

# A registry as files: what is in one is the digest that its name has.
DOCKER = """#!/usr/bin/env bash
file() { printf '%s/%s' "$REGISTRY" "${1//\\//_}"; }
case "$3" in
  inspect) [ -f "$(file "$4")" ] || { echo "$4: not found" >&2; exit 1; }; printf '{"digest":"%s"}' "$(cat "$(file "$4")")" ;;
  create) cp "$(file "$6")" "$(file "$5")" ;;
esac
"""


class CopyImage(unittest.TestCase):
    def copy(self, **registry):
        """Copies `from:v1` to `to:v1`; the exit code, what was said, and what `to:v1` is after that."""
        with tempfile.TemporaryDirectory() as there:
            docker = Path(there) / "docker"
            docker.write_text(DOCKER)
            docker.chmod(0o755)
            for name, digest in registry.items():
                (Path(there) / f"{name}:v1").write_text(digest)
            environment = {**os.environ, "PATH": f"{there}:{os.environ['PATH']}", "REGISTRY": there}
            done = subprocess.run([ROOT / "tools/copy-image", "from:v1", "to:v1"], env=environment, capture_output=True, text=True)
            target = Path(there) / "to:v1"
            return done.returncode, done.stdout + done.stderr, target.read_text() if target.exists() else None

    def test_an_image_that_is_not_there_is_copied(self):
        self.assertEqual(self.copy(**{"from": "sha256:1"}), (0, "", "sha256:1"))

    def test_a_second_attempt_does_nothing(self):
        self.assertEqual(self.copy(**{"from": "sha256:1", "to": "sha256:1"}), (0, "to:v1 is there already: sha256:1\n", "sha256:1"))

    def test_another_image_of_that_name_stays(self):
        code, said, target = self.copy(**{"from": "sha256:1", "to": "sha256:2"})
        self.assertEqual((code, target), (1, "sha256:2"))
        self.assertIn("to:v1 names sha256:2, and from:v1 is sha256:1", said)

    def test_an_image_that_nobody_made(self):
        code, said, target = self.copy()
        self.assertEqual((code != 0, target), (True, None))
        self.assertIn("from:v1: not found", said)


class Notes(unittest.TestCase):
    def notes(self, version):
        return subprocess.run([ROOT / "tools/release-notes", version], capture_output=True, text=True)

    def test_they_are_what_the_changelog_says_of_a_version(self):
        done = self.notes("Unreleased")
        text = (ROOT / "CHANGELOG.md").read_text()
        section = re.search(r"^## \[Unreleased\]\n(.*?)(?=^## |\Z)", text, re.M | re.S)[1].strip()
        self.assertEqual((done.returncode, done.stdout.strip()), (0, section))

    def test_a_version_that_the_changelog_does_not_have(self):
        done = self.notes("v99.0.0")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn('no section "## [99.0.0]"', done.stderr)


if __name__ == "__main__":
    unittest.main()
