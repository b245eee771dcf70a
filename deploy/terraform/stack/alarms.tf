# What Prometheus cannot see: that it is gone itself, and what the balancer thinks of the tasks.

resource "aws_sns_topic" "alarms" {
  #checkov:skip=CKV_AWS_26:CloudWatch cannot publish with the key that AWS manages, and one of our own costs a dollar a month for the names of alarms.
  name = "${local.prefix}-alarms"
}

resource "aws_sns_topic_subscription" "alarms" {
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alert_email
}

locals {
  target_groups = { app = aws_lb_target_group.app, grafana = aws_lb_target_group.grafana }
}

resource "aws_cloudwatch_metric_alarm" "unhealthy" {
  for_each = local.target_groups

  alarm_name          = "${local.prefix}-${each.key}-unhealthy"
  alarm_description   = "The balancer of ${local.prefix} has found a task of ${each.key} not ready for three minutes."
  namespace           = "AWS/ApplicationELB"
  metric_name         = "UnHealthyHostCount"
  dimensions          = { LoadBalancer = aws_lb.this.arn_suffix, TargetGroup = each.value.arn_suffix }
  statistic           = "Minimum" # over the balancer's nodes and a minute: all of them, all the time
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching" # with no task there is no count; that is the next alarm's
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# A service without tasks sends no CPU figures.
resource "aws_cloudwatch_metric_alarm" "no_tasks" {
  for_each = merge(local.services, { app = local.tasks.app })

  alarm_name          = "${local.prefix}-${each.key}-no-tasks"
  alarm_description   = "No task of ${each.key} of ${local.prefix} has run for five minutes."
  namespace           = "AWS/ECS"
  metric_name         = "CPUUtilization"
  dimensions          = { ClusterName = aws_ecs_cluster.this.name, ServiceName = each.key }
  statistic           = "SampleCount"
  period              = 60
  evaluation_periods  = 5
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
