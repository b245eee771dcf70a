# Roles, secrets, certificates, and who is told: named where AWS lets a name be chosen.

data "aws_iam_policy_document" "access" {
  statement {
    sid       = "States"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = [local.stack.states]
  }

  statement {
    sid       = "MakeRoles"
    actions   = ["iam:CreateRole", "iam:PutRolePermissionsBoundary"]
    resources = [local.stack.roles]

    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = [aws_iam_policy.boundary.arn]
    }
  }

  statement {
    sid = "ChangeRoles"
    actions = [
      "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:ListInstanceProfilesForRole", "iam:PutRolePolicy", "iam:TagRole",
      "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription",
    ]
    resources = [local.stack.roles]
  }

  statement {
    sid       = "GiveRolesToTasks"
    actions   = ["iam:PassRole"]
    resources = [local.stack.roles]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }

  statement {
    sid     = "AwsOwnRoles"
    actions = ["iam:CreateServiceLinkedRole"]
    resources = [
      for role in [
        "ecs.amazonaws.com/AWSServiceRoleForECS",
        "ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService",
        "elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing",
      ] : "${local.arn}:iam::${local.account}:role/aws-service-role/${role}"
    ]
  }

  statement {
    sid = "Secrets"
    actions = [
      "secretsmanager:CreateSecret", "secretsmanager:DeleteSecret", "secretsmanager:PutSecretValue",
      "secretsmanager:TagResource", "secretsmanager:UntagResource", "secretsmanager:UpdateSecret",
      "secretsmanager:UpdateSecretVersionStage",
    ]
    resources = [local.stack.secrets]
  }

  statement {
    sid = "Topics"
    actions = [
      "sns:CreateTopic", "sns:DeleteTopic", "sns:SetTopicAttributes", "sns:Subscribe", "sns:TagResource", "sns:Unsubscribe",
      "sns:UntagResource",
    ]
    resources = [local.stack.topics]
  }

  statement {
    sid       = "Budgets"
    actions   = ["budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource"]
    resources = [local.stack.budgets]
  }

  statement {
    sid = "Firewall"
    actions = [
      "wafv2:AssociateWebACL", "wafv2:CreateWebACL", "wafv2:DeleteWebACL", "wafv2:DisassociateWebACL", "wafv2:TagResource",
      "wafv2:UntagResource", "wafv2:UpdateWebACL",
    ]
    resources = [
      local.stack.acls,
      # The rules that AWS keeps.
      "${local.arn}:wafv2:${var.region}:${local.account}:regional/managedruleset/*/*",
      "${local.elb}:loadbalancer/app/firedrill-*/*",
    ]
  }

  statement {
    sid       = "Make"
    actions   = ["acm:RequestCertificate", "acm:AddTagsToCertificate", "aps:CreateWorkspace", "aps:TagResource"]
    resources = ["*"] # their ids are drawn when they are made

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/project"
      values   = ["firedrill"]
    }
  }

  statement {
    sid = "Change"
    actions = [
      "acm:DeleteCertificate", "acm:RemoveTagsFromCertificate", "aps:DeleteWorkspace", "aps:UntagResource",
      "aps:UpdateWorkspaceAlias",
    ]
    resources = [
      "${local.arn}:acm:${var.region}:${local.account}:certificate/*",
      local.stack.workspaces,
    ]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/project"
      values   = ["firedrill"]
    }
  }
}
