terraform {
  # 1.11 is the first with write-only arguments, which keep secrets out of state and plan.
  required_version = "~> 1.11"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # Exactly, so that a machine without a lock file runs the same one; the checksums are in the lock file (docs/aws.md).
      version = "6.62.0"
    }
  }

  # Bucket, key and region come with `terraform init -backend-config`; deploy/up gives them.
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}
