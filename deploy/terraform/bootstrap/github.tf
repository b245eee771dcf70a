# Who may become which role: workflows of one repository that run in one of its environments, by GitHub's word and
# without a stored key. Who may run in an environment is for its protection rules to say (docs/aws.md).

locals {
  github = "token.actions.githubusercontent.com"

  github_provider = coalesce(var.github_oidc_provider_arn, one(aws_iam_openid_connect_provider.github[*].arn))
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.github_oidc_provider_arn == null ? 1 : 0

  # No thumbprint: for GitHub, IAM relies on its own list of certificate authorities.
  url            = "https://${local.github}"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "github" {
  for_each = var.environments

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [local.github_provider]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.github}:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.github}:sub"
      values   = ["repo:${var.github_repository}:environment:${each.value}"]
    }
  }
}

resource "aws_iam_role" "github" {
  for_each = var.environments

  name                 = "firedrill-${each.key}"
  path                 = "/firedrill-bootstrap/" # a stack's roles are under /firedrill/, and what may change those may not change these
  description          = "GitHub's environment ${each.value} of ${var.github_repository}"
  assume_role_policy   = data.aws_iam_policy_document.github[each.key].json
  permissions_boundary = aws_iam_policy.github_boundary.arn
  max_session_duration = 7200
}
