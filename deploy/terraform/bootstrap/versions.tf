terraform {
  required_version = "~> 1.11"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # Exactly, so that a machine without a lock file runs the same one; the checksums are in the lock file (docs/aws.md).
      version = "6.62.0"
    }
  }

  # There is no backend here at first: the bucket for it is made by this. docs/aws.md says how its state moves there.
}

provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}
