# The service: at least one task in each zone, and more by CPU and by requests.

locals {
  # The times of an ending, in seconds. A balancer that reads /ready gives up a task after
  # `ready_interval * ready_failures`, so the service goes on taking connections a little longer than that; then
  # what is in flight has `grace`. ECS kills after `stop`; the balancer lets go after `deregistration`, which is as
  # long as the task itself goes on. With both in step nothing is cut, whichever of the two comes first.
  ready_interval = 5
  ready_failures = 2
  drain          = local.ready_interval * local.ready_failures + 5
  grace          = 20
  deregistration = local.drain + local.grace
  stop           = local.drain + local.grace + 5

  # While a new version comes up there may be this many tasks, in percent and rounded down: one more where there are as
  # few as there can be. It is not more since Prometheus finds eight tasks at most (variables.tf).
  surge = ceil(100 * (var.app_tasks.min + 1) / var.app_tasks.min)

  # What compose.yaml sets, but for what comes from its own environment, and the secret.
  compose_app = { for key, value in local.compose.app.environment : key => tostring(value) if !strcontains(tostring(value), "{") && key != "FIREDRILL_TOKEN" }

  app = {
    command      = ["serve"]
    health       = ["CMD", "/firedrill", "probe", "http://127.0.0.1:8080/health"]
    memory       = var.app_size.held_mib * 5 / 4
    stop_seconds = local.stop
    secrets      = { FIREDRILL_TOKEN = "token" }
    environment = merge(local.compose_app, {
      FIREDRILL_LOG_FORMAT       = "json"
      FIREDRILL_DRAIN            = "${local.drain}s"
      FIREDRILL_GRACE            = "${local.grace}s"
      FIREDRILL_IDLE_TIMEOUT     = "${local.alb_idle + 15}s"              # so that the balancer never sends into a connection that closes
      FIREDRILL_LINKS            = "Grafana=${local.public_url}/grafana/" # what else there is is not public
      FIREDRILL_MAX_MEMORY       = "${var.app_size.held_mib}MiB"
      FIREDRILL_MAX_MEMORY_TOTAL = "${var.app_size.held_mib}MiB"
    })
  }
}

resource "aws_lb_target_group" "app" {
  #checkov:skip=CKV_AWS_378:From the balancer on it is the VPC, between two security groups that name each other.
  name                          = "${local.prefix}-app"
  vpc_id                        = aws_vpc.this.id
  target_type                   = "ip"
  protocol                      = "HTTP"
  port                          = local.tasks.app.port
  deregistration_delay          = local.deregistration
  load_balancing_algorithm_type = "least_outstanding_requests"

  health_check {
    path                = "/ready"
    matcher             = "200"
    interval            = local.ready_interval
    timeout             = 4
    healthy_threshold   = 2
    unhealthy_threshold = local.ready_failures
  }
}

resource "aws_ecs_service" "app" {
  name             = "app"
  cluster          = aws_ecs_cluster.this.arn
  task_definition  = aws_ecs_task_definition.this["app"].arn
  desired_count    = var.app_tasks.min
  launch_type      = "FARGATE"
  platform_version = "LATEST"

  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = local.surge
  availability_zone_rebalancing      = "ENABLED"
  health_check_grace_period_seconds  = 30
  wait_for_steady_state              = true

  enable_ecs_managed_tags = true
  propagate_tags          = "SERVICE"

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = local.private
    security_groups  = [aws_security_group.this["app"].id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.app.arn
    container_name   = "app"
    container_port   = local.tasks.app.port
  }

  service_registries {
    registry_arn = aws_service_discovery_service.this["app"].arn
  }

  lifecycle {
    ignore_changes = [desired_count] # autoscaling's
  }

  depends_on = [
    aws_lb_listener.main,
    aws_vpc_dhcp_options_association.this,
    aws_vpc_endpoint.interface,
    aws_vpc_endpoint.s3,
    aws_vpc_security_group_egress_rule.flow,
    aws_vpc_security_group_egress_rule.layers,
    aws_vpc_security_group_ingress_rule.flow,
    aws_iam_role_policy.execution,
  ]
}

resource "aws_appautoscaling_target" "app" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.app.name}"
  min_capacity       = var.app_tasks.min
  max_capacity       = var.app_tasks.max
}

locals {
  scaling = {
    cpu      = { metric = "ECSServiceAverageCPUUtilization", target = 60, label = null }
    requests = { metric = "ALBRequestCountPerTarget", target = var.requests_per_target, label = "${aws_lb.this.arn_suffix}/${aws_lb_target_group.app.arn_suffix}" }
  }
}

resource "aws_appautoscaling_policy" "app" {
  for_each = local.scaling

  name               = "${local.prefix}-${each.key}"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.app.service_namespace
  scalable_dimension = aws_appautoscaling_target.app.scalable_dimension
  resource_id        = aws_appautoscaling_target.app.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = each.value.target
    scale_out_cooldown = 30
    scale_in_cooldown  = 300

    predefined_metric_specification {
      predefined_metric_type = each.value.metric
      resource_label         = each.value.label
    }
  }
}
