# The stack with as little said as possible. One plan, since each assertion says what it is about.

variables {
  name        = "demo"
  creator     = "Ada Lovelace"
  region      = "eu-west-1"
  alert_email = "ops@example.com"
  image_tag   = "v1.0.0"
}

run "defaults" {
  command = plan

  # Plain http without a name.
  assert {
    condition     = aws_lb_listener.main.protocol == "HTTP" && aws_lb_listener.main.port == 80
    error_message = "Without a certificate the service must be on port 80."
  }

  assert {
    condition     = length(aws_lb_listener.redirect) == 0
    error_message = "There is nowhere to redirect to."
  }

  assert {
    condition     = { for key, rule in aws_vpc_security_group_ingress_rule.front : key => rule.from_port } == { "0.0.0.0/0-80" = 80 }
    error_message = "The front must be open at port 80 alone."
  }

  assert {
    condition     = local.grafana.environment.GF_AUTH_DISABLE_LOGIN_FORM == "true" && local.grafana.environment.GF_AUTH_BASIC_ENABLED == "false"
    error_message = "Nobody may send a password over plain HTTP."
  }

  # Metrics are not public.
  assert {
    condition     = one(one(aws_lb_listener_rule.metrics[0].action).fixed_response).status_code == "404"
    error_message = "/metrics must be answered by the balancer."
  }

  assert {
    condition     = aws_lb_listener_rule.metrics[0].priority < aws_lb_listener_rule.grafana.priority
    error_message = "No other rule may come before it."
  }

  # Addresses stand at the front alone.
  assert {
    condition = alltrue([
      for rule in concat(values(aws_vpc_security_group_ingress_rule.flow), values(aws_vpc_security_group_egress_rule.flow)) :
      rule.cidr_ipv4 == null && rule.cidr_ipv6 == null
    ])
    error_message = "Between tasks, groups are named and not addresses."
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_egress_rule.layers : rule.cidr_ipv4 == null && rule.cidr_ipv6 == null])
    error_message = "S3 is reached by its prefix list."
  }

  assert {
    condition     = toset([for flow in local.flows : flow.to if flow.from == "alb"]) == toset(["app", "grafana"])
    error_message = "The balancer reaches the service and Grafana, and nothing else."
  }

  assert {
    condition     = !contains([for flow in local.flows : flow.from], "endpoints") && alltrue([for flow in local.flows : flow.to != "drill" && flow.to != "load"])
    error_message = "Nobody connects to a task that listens on nothing."
  }

  assert {
    condition     = alltrue([for service in values(aws_ecs_service.one) : !one(service.network_configuration).assign_public_ip]) && !one(aws_ecs_service.app.network_configuration).assign_public_ip
    error_message = "No task has a public address."
  }

  assert {
    condition     = length(aws_default_security_group.this.ingress) == 0 && length(aws_default_security_group.this.egress) == 0
    error_message = "The VPC's default group must let nothing through."
  }

  # Two zones.
  assert {
    condition     = length(distinct([for name, subnet in aws_subnet.this : subnet.availability_zone if startswith(name, "private")])) == 2
    error_message = "Tasks must be in two zones."
  }

  assert {
    condition     = length(distinct([for subnet in aws_subnet.this : subnet.cidr_block])) == 4
    error_message = "Four subnets, four ranges."
  }

  assert {
    condition     = aws_appautoscaling_target.app.min_capacity == 2 && aws_ecs_service.app.desired_count == 2
    error_message = "The service has at least two tasks."
  }

  # An ending is in step.
  assert {
    condition     = local.drain > local.ready_interval * local.ready_failures
    error_message = "The service must take connections until the balancer has read /ready often enough to give it up."
  }

  assert {
    condition     = tonumber(aws_lb_target_group.app.deregistration_delay) >= local.drain + local.grace
    error_message = "The balancer must not cut what the task still serves."
  }

  assert {
    condition     = local.stop > local.drain + local.grace && local.stop <= 120
    error_message = "ECS must not kill a task that still serves."
  }

  assert {
    condition     = "${local.alb_idle}s" != local.app.environment.FIREDRILL_IDLE_TIMEOUT && tonumber(trimsuffix(local.app.environment.FIREDRILL_IDLE_TIMEOUT, "s")) > aws_lb.this.idle_timeout
    error_message = "The service must keep an idle connection for longer than the balancer does."
  }

  assert {
    condition     = one(aws_lb_target_group.app.health_check).path == "/ready" && contains(local.app.health, "http://127.0.0.1:8080/health")
    error_message = "The balancer asks whether it is ready, ECS whether it lives."
  }

  # A failed deployment goes back.
  assert {
    condition = alltrue([
      for service in concat([aws_ecs_service.app], values(aws_ecs_service.one)) :
      one(service.deployment_circuit_breaker).enable && one(service.deployment_circuit_breaker).rollback
    ])
    error_message = "Every service has a circuit breaker with rollback."
  }

  assert {
    condition     = alltrue([for service in values(aws_ecs_service.one) : service.deployment_maximum_percent == 100 && service.desired_count == 1])
    error_message = "There is never a second Prometheus or Alertmanager."
  }

  # Prometheus finds every task.
  assert {
    condition     = floor(aws_appautoscaling_target.app.max_capacity * aws_ecs_service.app.deployment_maximum_percent / 100) <= 8
    error_message = "A DNS answer of Cloud Map has eight records, which a deployment at the largest size must not exceed."
  }

  assert {
    condition     = one(aws_service_discovery_service.this["app"].dns_config).routing_policy == "MULTIVALUE"
    error_message = "A look-up must answer with all tasks."
  }

  assert {
    condition     = aws_vpc_dhcp_options.this.domain_name == aws_service_discovery_private_dns_namespace.this.name
    error_message = "The search domain must be the one that the names are in."
  }

  assert {
    condition     = alltrue([for name in ["app", "alertmanager", "pager", "prometheus", "grafana"] : aws_service_discovery_service.this[name].name == name])
    error_message = "The names must be those of compose.yaml."
  }

  # Tasks are locked down.
  assert {
    # Those whose definitions are known before anything is made.
    condition = alltrue([
      for name in ["load", "alertmanager", "pager", "prometheus"] : (
        jsondecode(aws_ecs_task_definition.this[name].container_definitions)[0].readonlyRootFilesystem &&
        jsondecode(aws_ecs_task_definition.this[name].container_definitions)[0].linuxParameters.capabilities == { add = [], drop = ["ALL"] } &&
        !jsondecode(aws_ecs_task_definition.this[name].container_definitions)[0].privileged
      )
    ])
    error_message = "Root file systems are read-only and there are no capabilities."
  }

  assert {
    condition     = length(distinct(concat([for role in aws_iam_role.task : role.name], [for role in aws_iam_role.execution : role.name]))) == 14
    error_message = "Each of seven tasks has a role, and its execution another."
  }

  assert {
    condition     = alltrue([for role in concat(values(aws_iam_role.task), values(aws_iam_role.execution)) : endswith(role.permissions_boundary, ":policy/firedrill/firedrill-boundary") && role.path == "/firedrill/"])
    error_message = "Every role has bootstrap's boundary."
  }

  assert {
    condition     = one(aws_ecs_task_definition.this["app"].runtime_platform).cpu_architecture == "ARM64"
    error_message = "arm64 unless told otherwise."
  }

  # Secrets are in no plan.
  assert {
    condition     = alltrue([for version in aws_secretsmanager_secret_version.this : version.secret_string_wo == null && version.secret_string == null])
    error_message = "A secret is handed on as a write-only argument."
  }

  assert {
    condition     = !anytrue([for program in local.programs : anytrue([for key in keys(program.environment) : can(regex("TOKEN|PASSWORD", key))])])
    error_message = "A secret is not an environment variable of a definition."
  }

  # Logs end.
  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.task : group.retention_in_days == 14])
    error_message = "Logs are kept for as long as was said."
  }

  assert {
    condition     = alltrue([for name in ["load", "alertmanager", "pager", "prometheus"] : jsondecode(aws_ecs_task_definition.this[name].container_definitions)[0].logConfiguration.options.mode == "non-blocking"])
    error_message = "A log that is not taken must not hold a service up."
  }

  assert {
    condition     = local.drill.environment.FIREDRILL_DRILL_PRINT_FILES == "true"
    error_message = "What a drill leaves behind is in its log, since its task's files go with it."
  }

  # Somebody is told.
  assert {
    condition     = alltrue([for alarm in concat(values(aws_cloudwatch_metric_alarm.no_tasks), values(aws_cloudwatch_metric_alarm.unhealthy)) : length(alarm.alarm_actions) == 1]) && aws_sns_topic_subscription.alarms.endpoint == "ops@example.com"
    error_message = "Each alarm reaches the address."
  }

  assert {
    condition     = contains(keys(aws_cloudwatch_metric_alarm.no_tasks), "prometheus")
    error_message = "That Prometheus is gone is what Prometheus cannot say."
  }

  assert {
    condition     = alltrue([for notification in aws_budgets_budget.this.notification : contains(notification.subscriber_email_addresses, "ops@example.com")]) && aws_budgets_budget.this.limit_amount == "200"
    error_message = "The budget has an address."
  }

  assert {
    condition     = one(aws_budgets_budget.this.cost_filter).values == tolist(["user:name$demo"])
    error_message = "The budget counts what carries this stack's name."
  }

  # What was not asked for.
  assert {
    condition     = length(aws_wafv2_web_acl.this) == 0 && length(aws_wafv2_web_acl_association.this) == 0
    error_message = "There is no firewall where none was asked for."
  }

  assert {
    condition     = length(aws_prometheus_workspace.this) == 0 && length(aws_iam_role_policy.remote_write) == 0 && !contains(keys(aws_vpc_endpoint.interface), "aps-workspaces")
    error_message = "There is no remote write where none was asked for."
  }

  assert {
    condition     = length(aws_cloudwatch_log_group.insights) == 0 && one(aws_ecs_cluster.this.setting).value == "disabled"
    error_message = "Container insights cost, so they are off."
  }
}
