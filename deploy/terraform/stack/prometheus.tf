locals {
  prometheus = {
    command = concat(
      [for flag in local.compose.prometheus.command : flag if !startswith(flag, "--config.file=") && !startswith(flag, "--web.external-url=")],
      ["--web.external-url=http://prometheus:9090"], # where links in pages lead: it is not public
    )
    health       = ["CMD", "wget", "-q", "--spider", "http://127.0.0.1:9090/-/ready"]
    memory       = null
    stop_seconds = 60
    secrets      = {}
    # Read by the image's own start (deploy/prometheus/start), since Prometheus' configuration knows no variables.
    environment = var.remote_write ? {
      REMOTE_WRITE_URL    = "${aws_prometheus_workspace.this[0].prometheus_endpoint}api/v1/remote_write"
      REMOTE_WRITE_REGION = var.region
    } : {}
  }
}

# For when one Prometheus is not enough: it still scrapes and alerts, and the workspace keeps.
resource "aws_prometheus_workspace" "this" {
  count = var.remote_write ? 1 : 0

  alias = local.prefix
}

data "aws_iam_policy_document" "remote_write" {
  count = var.remote_write ? 1 : 0

  statement {
    actions   = ["aps:RemoteWrite"]
    resources = [aws_prometheus_workspace.this[0].arn]
  }
}

resource "aws_iam_role_policy" "remote_write" {
  count = var.remote_write ? 1 : 0

  name   = "remote-write"
  role   = aws_iam_role.task["prometheus"].id
  policy = data.aws_iam_policy_document.remote_write[0].json
}
