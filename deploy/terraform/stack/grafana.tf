# Public under /grafana/, where anonymous viewers see the dashboards. Its administrator can log in where there is
# HTTPS: over plain HTTP a password would be readable on its way.

locals {
  grafana = {
    command      = []
    health       = ["CMD", "wget", "-q", "--spider", "http://127.0.0.1:3000/api/health"]
    memory       = null
    stop_seconds = 30
    secrets      = { GF_SECURITY_ADMIN_PASSWORD = "grafana" }
    environment = merge(
      # Where compose.yaml has no administrator, here is one.
      { for key, value in local.compose.grafana.environment : key => value if key != "GF_SECURITY_ADMIN_PASSWORD__FILE" },
      {
        GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION = "false"
        GF_SERVER_ROOT_URL                         = "${local.public_url}/grafana/"
        GF_SERVER_SERVE_FROM_SUB_PATH              = "true"
        GF_AUTH_DISABLE_LOGIN_FORM                 = tostring(!local.https)
        GF_AUTH_BASIC_ENABLED                      = tostring(local.https)
        GF_SECURITY_COOKIE_SECURE                  = tostring(local.https)
        GF_USERS_ALLOW_SIGN_UP                     = "false"
      },
    )
  }
}

resource "aws_lb_target_group" "grafana" {
  #checkov:skip=CKV_AWS_378:From the balancer on it is the VPC, between two security groups that name each other.
  name                 = "${local.prefix}-grafana"
  vpc_id               = aws_vpc.this.id
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = local.tasks.grafana.port
  deregistration_delay = 5

  health_check {
    path    = "/api/health"
    matcher = "200"
  }
}

resource "aws_lb_listener_rule" "grafana" {
  listener_arn = aws_lb_listener.main.arn
  priority     = 20

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.grafana.arn
  }

  condition {
    path_pattern {
      values = ["/grafana", "/grafana/*"]
    }
  }
}
