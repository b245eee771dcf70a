data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

locals {
  tags = {
    creator = var.creator
    project = "firedrill"
    name    = "bootstrap"
  }

  account   = data.aws_caller_identity.this.account_id
  partition = data.aws_partition.this.partition

  bucket = "firedrill-state-${local.account}-${var.region}"
}
