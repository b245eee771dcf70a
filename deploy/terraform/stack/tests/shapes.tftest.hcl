# Inputs that change the stack's shape, one at a time.

variables {
  name        = "demo"
  creator     = "Ada Lovelace"
  region      = "eu-west-1"
  alert_email = "ops@example.com"
  image_tag   = "v1.0.0"
}

run "https_with_a_certificate" {
  command = plan

  variables {
    domain_name     = "firedrill.example.com"
    certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/6f2c0a1e"
  }

  assert {
    condition     = aws_lb_listener.main.protocol == "HTTPS" && aws_lb_listener.main.port == 443 && aws_lb_listener.main.certificate_arn == var.certificate_arn
    error_message = "The service must be behind the certificate."
  }

  assert {
    condition     = one(one(aws_lb_listener.redirect[0].default_action).redirect).protocol == "HTTPS"
    error_message = "Port 80 must lead to HTTPS."
  }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.front : rule.from_port]) == toset([80, 443])
    error_message = "The front must be open at both ports."
  }

  assert {
    condition     = length(aws_acm_certificate.this) == 0 && length(aws_route53_record.public) == 0
    error_message = "Without a zone nothing can be made in one."
  }

  assert {
    condition     = output.grafana_url == "https://firedrill.example.com/grafana/" && local.grafana.environment.GF_AUTH_DISABLE_LOGIN_FORM == "false"
    error_message = "Grafana's administrator can log in over HTTPS."
  }

  assert {
    condition     = local.app.environment.FIREDRILL_LINKS == "Grafana=https://firedrill.example.com/grafana/"
    error_message = "The live page must lead to what is public, and to nothing else."
  }

  assert {
    condition     = local.grafana.environment.GF_SECURITY_COOKIE_SECURE == "true"
    error_message = "The session's cookie must not leave HTTPS."
  }
}

run "https_with_a_zone" {
  command = plan

  variables {
    domain_name = "firedrill.example.com"
    zone_id     = "Z0123456789ABC"
  }

  assert {
    condition     = aws_acm_certificate.this[0].domain_name == "firedrill.example.com" && length(aws_acm_certificate_validation.this) == 1
    error_message = "A certificate must be made and proven."
  }

  assert {
    condition     = aws_route53_record.public[0].name == "firedrill.example.com" && aws_route53_record.public[0].zone_id == "Z0123456789ABC"
    error_message = "The name must lead to the balancer."
  }

  assert {
    condition     = aws_lb_listener.main.protocol == "HTTPS"
    error_message = "The service must be behind the certificate."
  }

  assert {
    condition     = aws_acm_certificate.this[0].tags_all == tomap(local.tags)
    error_message = "The certificate must carry the tags, without which bootstrap's policy lets nobody ask for one."
  }
}

run "a_name_with_both" {
  command = plan

  variables {
    domain_name     = "firedrill.example.com"
    zone_id         = "Z0123456789ABC"
    certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/6f2c0a1e"
  }

  assert {
    condition     = length(aws_acm_certificate.this) == 0 && length(aws_route53_record.public) == 1
    error_message = "The given certificate is used, and the name made."
  }
}

run "remote_write" {
  command = plan

  variables {
    remote_write = true
  }

  assert {
    condition     = length(aws_prometheus_workspace.this) == 1 && length(aws_iam_role_policy.remote_write) == 1
    error_message = "There must be a workspace, and leave to write to it."
  }

  assert {
    condition     = contains(keys(aws_vpc_endpoint.interface), "aps-workspaces")
    error_message = "Tasks have no way out but endpoints."
  }

  assert {
    condition     = contains(keys(local.prometheus.environment), "REMOTE_WRITE_URL")
    error_message = "Prometheus must be told where to."
  }
}

run "waf" {
  command = plan

  variables {
    waf          = true
    waf_requests = 500
  }

  assert {
    condition     = length(aws_wafv2_web_acl_association.this) == 1
    error_message = "The firewall must stand before the balancer."
  }

  assert {
    condition     = anytrue([for rule in aws_wafv2_web_acl.this[0].rule : try(one(one(rule.statement).rate_based_statement).limit == 500, false)])
    error_message = "The limit must be the one that was asked for."
  }
}

run "metrics_exposed" {
  command = plan

  variables {
    expose_metrics = true
  }

  assert {
    condition     = length(aws_lb_listener_rule.metrics) == 0
    error_message = "/metrics must reach the service."
  }
}

run "container_insights" {
  command = plan

  variables {
    container_insights = true
  }

  assert {
    condition     = one(aws_ecs_cluster.this.setting).value == "enabled" && aws_cloudwatch_log_group.insights[0].retention_in_days == 14
    error_message = "What ECS writes must have a group that ends and is tagged."
  }
}

run "amd64" {
  command = plan

  variables {
    architecture = "amd64"
  }

  assert {
    condition     = alltrue([for task in aws_ecs_task_definition.this : one(task.runtime_platform).cpu_architecture == "X86_64"])
    error_message = "All tasks must be on the same processors."
  }
}

run "some_people_only" {
  command = plan

  variables {
    allowed_cidrs = ["203.0.113.0/24", "198.51.100.7/32"]
  }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.front : rule.cidr_ipv4]) == toset(["203.0.113.0/24", "198.51.100.7/32"])
    error_message = "Nobody else may reach the balancer."
  }
}

run "larger_tasks" {
  command = plan

  variables {
    app_size = { cpu = 1024, memory = 4096, held_mib = 2048 }
  }

  assert {
    condition     = local.app.memory == 2560 && local.app.environment.FIREDRILL_MAX_MEMORY_TOTAL == "2048MiB"
    error_message = "What may be held is four fifths of the container's limit, so that the alert can be shown."
  }
}

run "two_side_by_side" {
  command = plan

  variables {
    name = "other"
    ttl  = "2026-12-01T18:00:00Z"
  }

  assert {
    condition     = aws_ecs_cluster.this.name == "firedrill-other" && aws_lb.this.name == "firedrill-other" && aws_lb_target_group.grafana.name == "firedrill-other-grafana"
    error_message = "The name must be in every name that is an account's."
  }

  assert {
    condition     = local.tags == { creator = "Ada Lovelace", project = "firedrill", name = "other", ttl = "2026-12-01T18:00:00Z" }
    error_message = "The tags say whose it is, which it is and until when."
  }
}

run "the_longest_name" {
  command = plan

  variables {
    name = "abcdefghijklmn"
  }

  assert {
    condition     = alltrue([for group in [aws_lb_target_group.app, aws_lb_target_group.grafana] : length(group.name) <= 32])
    error_message = "A target group's name has 32 characters."
  }

  assert {
    condition     = alltrue([for role in concat(values(aws_iam_role.task), values(aws_iam_role.execution)) : length(role.name) <= 64])
    error_message = "A role's name has 64 characters."
  }
}

run "as_many_tasks_as_can_be_of_two" {
  command = plan

  variables {
    app_tasks = { min = 2, max = 5 }
  }

  assert {
    condition     = floor(aws_appautoscaling_target.app.max_capacity * aws_ecs_service.app.deployment_maximum_percent / 100) <= 8
    error_message = "A DNS answer of Cloud Map has eight records, which a deployment at the largest size must not exceed."
  }

  assert {
    condition     = floor(aws_appautoscaling_target.app.min_capacity * aws_ecs_service.app.deployment_maximum_percent / 100) == 3
    error_message = "A deployment at the smallest size must have room for one task more."
  }
}

run "as_many_tasks_as_can_be_of_three" {
  command = plan

  variables {
    app_tasks = { min = 3, max = 6 }
  }

  assert {
    condition     = floor(aws_appautoscaling_target.app.max_capacity * aws_ecs_service.app.deployment_maximum_percent / 100) == 8
    error_message = "A deployment at the largest size must fill a DNS answer and no more."
  }

  assert {
    condition     = floor(aws_appautoscaling_target.app.min_capacity * aws_ecs_service.app.deployment_maximum_percent / 100) == 4
    error_message = "A deployment at the smallest size must have room for one task more."
  }
}

run "as_many_tasks_as_can_be" {
  command = plan

  variables {
    app_tasks = { min = 7, max = 7 }
  }

  assert {
    condition     = floor(7 * aws_ecs_service.app.deployment_maximum_percent / 100) == 8 && aws_ecs_service.app.desired_count == 7
    error_message = "A deployment must have room for one task more, which fills a DNS answer."
  }
}

run "values_that_are_handed_on" {
  command = plan

  variables {
    requests_per_target = 120
    load_rate           = "1.5/m"
    vpc_cidr            = "10.7.0.0/22"
    log_retention_days  = 3
    monthly_budget      = 12.5
    alert_email         = "night@example.com"
  }

  assert {
    condition     = one(aws_appautoscaling_policy.app["requests"].target_tracking_scaling_policy_configuration).target_value == 120
    error_message = "More tasks must come at the rate that was asked for."
  }

  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.this["load"].container_definitions)[0].command, "1.5/m")
    error_message = "The load must have the rate that was asked for."
  }

  assert {
    condition     = toset([for subnet in aws_subnet.this : subnet.cidr_block]) == toset(["10.7.0.0/24", "10.7.1.0/24", "10.7.2.0/24", "10.7.3.0/24"])
    error_message = "The subnets must be the four quarters of the VPC."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.task : group.retention_in_days == 3])
    error_message = "Logs must be kept for as long as was said."
  }

  assert {
    condition     = aws_budgets_budget.this.limit_amount == "12.5" && aws_sns_topic_subscription.alarms.endpoint == "night@example.com"
    error_message = "The budget and the address must be those that were given."
  }
}

run "new_secrets" {
  command = plan

  variables {
    secrets_version = 2
  }

  assert {
    condition     = alltrue([for version in aws_secretsmanager_secret_version.this : version.secret_string_wo_version == 2])
    error_message = "A higher number must draw both anew."
  }
}
