# Two roles for each kind of task: one that its program has, and one with which ECS starts it.

locals {
  boundary = "arn:${local.partition}:iam::${local.account}:policy/firedrill/firedrill-boundary"
}

data "aws_iam_policy_document" "ecs_tasks" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      # A task's id is known when it runs; `*` stands for it.
      values = ["arn:${local.partition}:ecs:${var.region}:${local.account}:*"]
    }
  }
}

# Nothing of AWS is a program's business, but for Prometheus and its workspace (prometheus.tf).
resource "aws_iam_role" "task" {
  for_each = local.tasks

  name                 = "${local.prefix}-${each.key}-task"
  path                 = "/firedrill/"
  description          = "The program of ${local.prefix} ${each.key}"
  assume_role_policy   = data.aws_iam_policy_document.ecs_tasks.json
  permissions_boundary = local.boundary
}

resource "aws_iam_role" "execution" {
  for_each = local.tasks

  name                 = "${local.prefix}-${each.key}-execution"
  path                 = "/firedrill/"
  description          = "Starts ${local.prefix} ${each.key}"
  assume_role_policy   = data.aws_iam_policy_document.ecs_tasks.json
  permissions_boundary = local.boundary
}

data "aws_iam_policy_document" "execution" {
  for_each = local.tasks

  statement {
    actions = ["ecr:GetAuthorizationToken"]
    # The log-in is to the registry as a whole: this action takes no resource.
    resources = ["*"]
  }

  statement {
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = ["arn:${local.partition}:ecr:${var.region}:${local.account}:repository/firedrill/${each.value.image}"]
  }

  statement {
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    # A stream is named after its task.
    resources = ["${aws_cloudwatch_log_group.task[each.key].arn}:log-stream:*"]
  }

  dynamic "statement" {
    for_each = length(each.value.secrets) == 0 ? [] : [each.value.secrets]

    content {
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [for name in statement.value : aws_secretsmanager_secret.this[name].arn]
    }
  }
}

resource "aws_iam_role_policy" "execution" {
  for_each = local.tasks

  name   = "execution"
  role   = aws_iam_role.execution[each.key].id
  policy = data.aws_iam_policy_document.execution[each.key].json
}
