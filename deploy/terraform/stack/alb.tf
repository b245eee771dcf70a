# HTTPS where a certificate or a zone is given, with port 80 leading there; plain HTTP otherwise.

locals {
  alb_idle = 60 # seconds
}

resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_150:It is meant to be taken down.
  #checkov:skip=CKV_AWS_91:The service counts each request; a bucket of addresses is one more thing to guard and to empty.
  #checkov:skip=CKV2_AWS_76:No Java runs here; the group that looks for it comes with the input waf all the same.
  name                       = local.prefix
  internal                   = false
  load_balancer_type         = "application"
  subnets                    = local.public
  security_groups            = [aws_security_group.this["alb"].id]
  idle_timeout               = local.alb_idle
  drop_invalid_header_fields = true
  enable_deletion_protection = false

  depends_on = [aws_internet_gateway.this]
}

# Where the rules are.
resource "aws_lb_listener" "main" {
  load_balancer_arn = aws_lb.this.arn
  protocol          = local.https ? "HTTPS" : "HTTP"
  port              = local.https ? 443 : 80
  ssl_policy        = local.https ? "ELBSecurityPolicy-TLS13-1-2-2021-06" : null
  certificate_arn   = local.https ? local.certificate_arn : null

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.app.arn
  }
}

resource "aws_lb_listener" "redirect" {
  count = local.https ? 1 : 0

  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTP"
  port              = 80

  default_action {
    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }

  # Where a name is given later, the rules move away from port 80 first.
  depends_on = [aws_lb_listener.main]
}

# Prometheus reads it from each task; from outside it is nobody's business.
resource "aws_lb_listener_rule" "metrics" {
  count = var.expose_metrics ? 0 : 1

  listener_arn = aws_lb_listener.main.arn
  priority     = 10

  action {
    type = "fixed-response"

    fixed_response {
      status_code  = "404"
      content_type = "text/plain"
      message_body = "/metrics is not public here."
    }
  }

  condition {
    path_pattern {
      values = ["/metrics", "/metrics/*"]
    }
  }
}
