data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

locals {
  # Bootstrap's policies name what begins with "firedrill-".
  prefix = "firedrill-${var.name}"

  # No `Name` beside `name`: IAM takes keys that differ in case alone for the same.
  tags = {
    creator = var.creator
    project = "firedrill"
    name    = var.name
    ttl     = var.ttl
  }

  account   = data.aws_caller_identity.this.account_id
  partition = data.aws_partition.this.partition

  # The names by which tasks know one another, the same as in compose.yaml; dns.tf makes them resolve.
  domain = "${local.prefix}.internal"

  https       = var.domain_name != null
  public_host = coalesce(var.domain_name, aws_lb.this.dns_name)
  public_url  = "${local.https ? "https" : "http"}://${local.public_host}"
}
