resource "aws_cloudwatch_log_group" "task" {
  #checkov:skip=CKV_AWS_158:Encrypted by CloudWatch's own key; nothing secret is logged.
  #checkov:skip=CKV_AWS_338:How long is an input, for stacks that live for hours.
  for_each = local.tasks

  name              = "/firedrill/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_group" "insights" {
  #checkov:skip=CKV_AWS_158:Encrypted by CloudWatch's own key; figures only.
  #checkov:skip=CKV_AWS_338:How long is an input, for stacks that live for hours.
  count = var.container_insights ? 1 : 0

  name              = "/aws/ecs/containerinsights/${local.prefix}/performance"
  retention_in_days = var.log_retention_days
}
