# What a task needs of AWS, reached inside the VPC: images, logs, secrets, and the workspace that remote write goes to.

locals {
  pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer"]

  # Each service, and what is asked of it.
  endpoints = merge(
    {
      "ecr.api"        = local.pull
      "ecr.dkr"        = local.pull
      "logs"           = ["logs:CreateLogStream", "logs:PutLogEvents"]
      "secretsmanager" = ["secretsmanager:GetSecretValue"]
    },
    var.remote_write ? { "aps-workspaces" = ["aps:RemoteWrite"] } : {},
  )
}

data "aws_iam_policy_document" "endpoint" {
  #checkov:skip=CKV_AWS_107:Tasks read their secrets and log in to the registry through these; each role says which.
  #checkov:skip=CKV_AWS_108:Likewise, and nobody from another account comes through.
  #checkov:skip=CKV_AWS_356:Which repository, group or secret is in each role's policy, once.
  for_each = local.endpoints

  statement {
    actions = each.value
    # Which ones is in the policy of each role. What the endpoint adds is that nobody from another account comes
    # through it, so that it cannot carry anything out.
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalAccount"
      values   = [local.account]
    }
  }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.endpoints

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = local.private
  security_group_ids  = [aws_security_group.this["endpoints"].id]
  policy              = data.aws_iam_policy_document.endpoint[each.key].json
}

data "aws_iam_policy_document" "layers" {
  statement {
    actions = ["s3:GetObject"]
    # Where ECR keeps the layers of images, by name.
    resources = ["arn:${local.partition}:s3:::prod-${var.region}-starport-layer-bucket/*"]

    # ECR signs these requests itself.
    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.private.id]
  policy            = data.aws_iam_policy_document.layers.json
}
