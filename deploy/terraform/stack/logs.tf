resource "aws_cloudwatch_log_group" "task" {
  for_each = local.tasks

  name              = "/firedrill/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_group" "insights" {
  count = var.container_insights ? 1 : 0

  name              = "/aws/ecs/containerinsights/${local.prefix}/performance"
  retention_in_days = var.log_retention_days
}
