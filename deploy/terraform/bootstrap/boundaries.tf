# The most that anybody may ever do here, whatever else is attached.

# For a stack's roles: what tasks need, and nothing with which to get more.
data "aws_iam_policy_document" "boundary" {
  statement {
    sid     = "Tasks"
    actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [
      "arn:${local.partition}:ecr:${var.region}:${local.account}:repository/firedrill/*",
    ]
  }

  statement {
    sid     = "LogIn"
    actions = ["ecr:GetAuthorizationToken"]
    # This action takes no resource.
    resources = ["*"]
  }

  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:${local.partition}:logs:${var.region}:${local.account}:log-group:/firedrill/*"]
  }

  statement {
    sid       = "Secrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = ["arn:${local.partition}:secretsmanager:${var.region}:${local.account}:secret:firedrill-*"]
  }

  statement {
    sid     = "RemoteWrite"
    actions = ["aps:RemoteWrite"]
    # A workspace's id is drawn when it is made.
    resources = ["arn:${local.partition}:aps:${var.region}:${local.account}:workspace/*"]
  }
}

resource "aws_iam_policy" "boundary" {
  name        = "firedrill-boundary" # the stack names it too
  path        = "/firedrill/"
  description = "The most that a task of firedrill may do"
  policy      = data.aws_iam_policy_document.boundary.json
}

# For the workflows' roles: no users, no keys, no role but a stack's, nothing of what this directory makes.
data "aws_iam_policy_document" "github_boundary" {
  #checkov:skip=CKV_AWS_107:A boundary gives nothing; each role's policy says what it may.
  #checkov:skip=CKV_AWS_108:A boundary gives nothing; each role's policy says what it may.
  #checkov:skip=CKV_AWS_109:A boundary gives nothing; each role's policy says what it may.
  #checkov:skip=CKV_AWS_111:A boundary gives nothing; each role's policy says what it may.
  #checkov:skip=CKV_AWS_356:A boundary gives nothing; each role's policy says what it may.
  statement {
    sid = "Services"
    # The services that a stack is made of; each role's own policy says which actions and on what.
    actions = [
      "acm:*", "application-autoscaling:*", "aps:*", "budgets:*", "cloudwatch:*", "ec2:*", "ecr:*", "ecs:*",
      "elasticloadbalancing:*", "iam:*", "kms:*", "logs:*", "route53:*", "s3:*", "secretsmanager:*", "servicediscovery:*",
      "sns:*", "tag:*", "wafv2:*",
    ]
    resources = ["*"]
  }

  statement {
    sid    = "NoWayUp"
    effect = "Deny"
    actions = [
      "iam:AddUserToGroup", "iam:AttachGroupPolicy", "iam:AttachUserPolicy", "iam:CreateAccessKey", "iam:CreateGroup",
      "iam:CreateLoginProfile", "iam:CreatePolicyVersion", "iam:CreateUser", "iam:DeletePolicy", "iam:DeletePolicyVersion",
      "iam:DeleteRolePermissionsBoundary", "iam:PutGroupPolicy", "iam:PutUserPolicy", "iam:SetDefaultPolicyVersion",
      "iam:CreateOpenIDConnectProvider", "iam:DeleteOpenIDConnectProvider",
      "iam:UpdateOpenIDConnectProviderThumbprint", "iam:AddClientIDToOpenIDConnectProvider", "ec2:RunInstances",
    ]
    # Whatever it is about.
    resources = ["*"]
  }

  statement {
    sid    = "NotBootstrap"
    effect = "Deny"
    # Whatever it would do to them, but for becoming one of them, which is GitHub's to ask.
    actions   = ["iam:*"]
    resources = ["arn:${local.partition}:iam::${local.account}:role/firedrill-bootstrap/*"]
  }
}

resource "aws_iam_policy" "github_boundary" {
  name        = "firedrill-github-boundary"
  path        = "/firedrill-bootstrap/"
  description = "The most that a workflow may do"
  policy      = data.aws_iam_policy_document.github_boundary.json
}
