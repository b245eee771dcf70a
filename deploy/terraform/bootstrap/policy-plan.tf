# What a plan has to read. It changes nothing but the state's lock.

locals {
  arn = "arn:${local.partition}"
  # What a stack makes, by name.
  stack = {
    alarms     = "${local.arn}:cloudwatch:${var.region}:${local.account}:alarm:firedrill-*"
    budgets    = "${local.arn}:budgets::${local.account}:budget/firedrill-*"
    log_groups = "${local.arn}:logs:${var.region}:${local.account}:log-group:/firedrill/*"
    insights   = "${local.arn}:logs:${var.region}:${local.account}:log-group:/aws/ecs/containerinsights/firedrill-*"
    roles      = "${local.arn}:iam::${local.account}:role/firedrill/*"
    secrets    = "${local.arn}:secretsmanager:${var.region}:${local.account}:secret:firedrill-*"
    states     = "${aws_s3_bucket.state.arn}/stacks/*"
    topics     = "${local.arn}:sns:${var.region}:${local.account}:firedrill-*"
    workspaces = "${local.arn}:aps:${var.region}:${local.account}:workspace/*"
    acls       = "${local.arn}:wafv2:${var.region}:${local.account}:regional/webacl/firedrill-*/*"
  }
}

data "aws_iam_policy_document" "plan" {
  #checkov:skip=CKV_AWS_356:They read, and a list or a description takes no resource or only a drawn id.
  statement {
    sid       = "State"
    actions   = ["s3:GetObject"]
    resources = [local.stack.states]
  }

  statement {
    sid       = "StateList"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.state.arn]
  }

  statement {
    sid       = "Lock"
    actions   = ["s3:PutObject", "s3:DeleteObject"]
    resources = ["${aws_s3_bucket.state.arn}/stacks/*.tflock"]
  }

  statement {
    sid = "ReadNamed"
    actions = [
      "aps:DescribeLoggingConfiguration", "aps:DescribeWorkspace", "aps:ListTagsForResource", "budgets:ListTagsForResource", "budgets:ViewBudget",
      "cloudwatch:ListTagsForResource", "ecr:DescribeImages", "ecr:DescribeRepositories", "iam:GetRole",
      "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:ListRoleTags",
      "logs:ListTagsForResource", "secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy",
      # The versions and not the values: what is written as a write-only argument is not read back.
      "secretsmanager:ListSecretVersionIds",
      "sns:GetSubscriptionAttributes", "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic", "sns:ListTagsForResource",
      "wafv2:GetWebACL", "wafv2:ListTagsForResource",
    ]
    resources = concat(values(local.stack), [for repository in aws_ecr_repository.this : repository.arn])
  }

  statement {
    sid = "ReadAll"
    # None of these takes a resource, or only ids that are drawn when the thing is made. They read, and no secrets.
    actions = [
      "acm:DescribeCertificate", "acm:ListTagsForCertificate", "application-autoscaling:Describe*",
      "application-autoscaling:ListTagsForResource", "cloudwatch:DescribeAlarms", "ec2:Describe*",
      "ecs:Describe*", "ecs:List*", "elasticloadbalancing:Describe*", "iam:ListRoles", "logs:DescribeLogGroups", "route53:GetChange",
      "route53:GetHostedZone", "route53:ListResourceRecordSets", "route53:ListTagsForResource", "servicediscovery:Get*",
      "servicediscovery:List*", "tag:GetResources", "wafv2:GetWebACLForResource",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_policy" "plan" {
  name        = "firedrill-plan"
  path        = "/firedrill-bootstrap/"
  description = "Reads what a stack is made of"
  policy      = data.aws_iam_policy_document.plan.json
}

# Who applies reads the same.
resource "aws_iam_role_policy_attachment" "plan" {
  for_each = toset(["plan", "apply"])

  role       = aws_iam_role.github[each.key].name
  policy_arn = aws_iam_policy.plan.arn
}
