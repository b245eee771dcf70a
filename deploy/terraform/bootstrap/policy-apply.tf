# Makes, changes and takes down stacks.

locals {
  apply = {
    network = data.aws_iam_policy_document.network.minified_json
    compute = data.aws_iam_policy_document.compute.minified_json
    access  = data.aws_iam_policy_document.access.minified_json
  }
}

resource "aws_iam_policy" "apply" {
  for_each = local.apply

  name        = "firedrill-apply-${each.key}"
  path        = "/firedrill-bootstrap/"
  description = "Makes, changes and takes down stacks: ${each.key}"
  policy      = each.value

  lifecycle {
    precondition {
      # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
      condition     = length(each.value) <= 6144
      error_message = "The policy ${each.key} has ${length(each.value)} characters, and a managed policy may have 6144: split it."
    }
  }
}

resource "aws_iam_role_policy_attachment" "apply" {
  for_each = local.apply

  role       = aws_iam_role.github["apply"].name
  policy_arn = aws_iam_policy.apply[each.key].arn
}
