"""check-tags finds what lacks its tags, and what would make something without."""

import importlib.machinery
import importlib.util
import json
import unittest
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "terraform" / "check-tags"
loader = importlib.machinery.SourceFileLoader("check_tags", str(SCRIPT))
check_tags = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_tags", loader))
loader.exec_module(check_tags)

GOOD = {"creator": "Ada", "project": "firedrill", "name": "demo"}
SCHEMAS = {
    "aws_vpc": {"tags": {}, "tags_all": {}},
    "aws_tagged_once": {"tags": {}},
    "aws_route": {},
    "aws_ecs_service": {"tags": {}, "tags_all": {}},
    "aws_autoscaling_group": {},
    "aws_launch_template": {"tags": {}, "tags_all": {}},
}


def plan(kind, after, mode="managed"):
    types = {name: {"block": {"attributes": attributes}} for name, attributes in SCHEMAS.items()}
    change = {"address": f"{kind}.this", "type": kind, "mode": mode, "change": {"after": after}}
    return {"provider_schemas": {"aws": {"resource_schemas": types}}, "resource_changes": [change]}


def problems(kind, **after):
    return [problem for _, problem in check_tags.problems_of(plan(kind, after))[1]]


class Walk(unittest.TestCase):
    def test_all_tags_are_well(self):
        self.assertEqual(problems("aws_vpc", tags_all=GOOD), [])

    def test_each_tag_is_missed(self):
        for key in GOOD:
            rest = {k: v for k, v in GOOD.items() if k != key}
            self.assertEqual(problems("aws_vpc", tags_all=rest), [f"tags_all lacks {key}"])

    def test_an_empty_tag_is_none(self):
        self.assertEqual(problems("aws_vpc", tags_all={**GOOD, "creator": ""}), ["tags_all lacks creator"])

    def test_tags_that_are_not_known_are_none(self):
        self.assertEqual(problems("aws_vpc"), ["tags_all lacks creator, project, name"])

    def test_a_type_that_default_tags_do_not_reach(self):
        self.assertEqual(problems("aws_tagged_once", tags=GOOD), [])
        self.assertEqual(problems("aws_tagged_once"), ["tags lacks creator, project, name"])

    def test_what_cannot_be_tagged_needs_none(self):
        self.assertEqual(check_tags.problems_of(plan("aws_route", {})), (0, []))

    def test_what_is_deleted_or_only_read_needs_none(self):
        self.assertEqual(check_tags.problems_of(plan("aws_vpc", None)), (0, []))
        self.assertEqual(check_tags.problems_of(plan("aws_vpc", {}, mode="data")), (0, []))


class MadeAtRunTime(unittest.TestCase):
    def test_tasks_of_a_service(self):
        for good in ("SERVICE", "TASK_DEFINITION"):
            self.assertEqual(problems("aws_ecs_service", tags_all=GOOD, propagate_tags=good), [])
        for bad in (None, "NONE"):
            self.assertEqual(problems("aws_ecs_service", tags_all=GOOD, propagate_tags=bad), ["its tasks get no tags: propagate_tags"])

    def test_volumes_of_a_service(self):
        def volume(*specified):
            return [{"managed_ebs_volume": [{"tag_specifications": list(specified)}]}]

        service = {"tags_all": GOOD, "propagate_tags": "SERVICE"}
        self.assertEqual(problems("aws_ecs_service", **service, volume_configuration=volume({"propagate_tags": "SERVICE"})), [])
        self.assertEqual(problems("aws_ecs_service", **service, volume_configuration=volume({"tags": GOOD})), [])
        self.assertEqual(problems("aws_ecs_service", **service, volume_configuration=volume()), ["its volumes get no tags: tag_specifications"])

    def test_instances_of_a_group(self):
        def tags(launch):
            return [{"key": key, "value": value, "propagate_at_launch": launch} for key, value in GOOD.items()]

        self.assertEqual(problems("aws_autoscaling_group", tag=tags(True)), [])
        self.assertEqual(problems("aws_autoscaling_group", tag=tags(False)), ["its instances lack creator, project, name: tag with propagate_at_launch"])

    def test_instances_and_volumes_of_a_template(self):
        both = [{"resource_type": made, "tags": GOOD} for made in ("instance", "volume")]
        self.assertEqual(problems("aws_launch_template", tags_all=GOOD, tag_specifications=both), [])
        self.assertEqual(problems("aws_launch_template", tags_all=GOOD, tag_specifications=both[:1]), ["the volume it makes gets no tags: tag_specifications"])


class Verdict(unittest.TestCase):
    def judge(self, *messages):
        return check_tags.main([json.dumps(message) for message in messages])

    def test_a_problem_fails(self):
        good = {"type": "test_plan", "test_plan": plan("aws_vpc", {"tags_all": GOOD})}
        bad = {"type": "test_plan", "test_plan": plan("aws_vpc", {"tags_all": {}})}
        self.assertEqual(self.judge(good), 0)
        self.assertEqual(self.judge(good, bad), 1)

    def test_nothing_to_judge_fails(self):
        self.assertEqual(self.judge({"type": "version"}), 2)
        self.assertEqual(self.judge({"type": "test_plan", "test_plan": plan("aws_route", {})}), 2)


if __name__ == "__main__":
    unittest.main()
