resource "aws_ecs_cluster" "this" {
  #checkov:skip=CKV_AWS_65:They cost more than all the logs do, so they are an input: container_insights.
  name = local.prefix

  setting {
    name  = "containerInsights"
    value = var.container_insights ? "enabled" : "disabled"
  }

  # ECS would make this group itself, without tags and without an end to what it keeps.
  depends_on = [aws_cloudwatch_log_group.insights]
}

# Everything but the service itself: one task of each, replaced and never doubled, since two of them would page
# twice and keep half of what they saw.
resource "aws_ecs_service" "one" {
  for_each = local.services

  name             = each.key
  cluster          = aws_ecs_cluster.this.arn
  task_definition  = aws_ecs_task_definition.this[each.key].arn
  desired_count    = 1
  launch_type      = "FARGATE"
  platform_version = "LATEST"

  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
  availability_zone_rebalancing      = "DISABLED" # it would need a second one for a while
  health_check_grace_period_seconds  = each.key == "grafana" ? 120 : null
  wait_for_steady_state              = true

  enable_ecs_managed_tags = true
  propagate_tags          = "SERVICE"

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = local.private
    security_groups  = [aws_security_group.this[each.key].id]
    assign_public_ip = false
  }

  dynamic "service_registries" {
    for_each = each.value.port == null ? [] : [each.key]

    content {
      registry_arn = aws_service_discovery_service.this[service_registries.value].arn
    }
  }

  dynamic "load_balancer" {
    for_each = each.key == "grafana" ? [each.value.port] : []

    content {
      target_group_arn = aws_lb_target_group.grafana.arn
      container_name   = each.key
      container_port   = load_balancer.value
    }
  }

  depends_on = [
    aws_lb_listener_rule.grafana,
    aws_vpc_dhcp_options_association.this,
    aws_vpc_endpoint.interface,
    aws_vpc_endpoint.s3,
    aws_vpc_security_group_egress_rule.flow,
    aws_vpc_security_group_egress_rule.layers,
    aws_vpc_security_group_ingress_rule.flow,
    aws_iam_role_policy.execution,
    aws_iam_role_policy.remote_write,
  ]
}
