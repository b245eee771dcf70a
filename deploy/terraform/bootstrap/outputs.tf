output "bucket" {
  description = "Where the states are."
  value       = aws_s3_bucket.state.id
}

output "registry" {
  description = "Where the images go: this, then /firedrill, /drills, /prometheus, /alertmanager or /grafana."
  value       = "${local.account}.dkr.ecr.${var.region}.amazonaws.com/firedrill"
}

output "roles" {
  description = "The role of each GitHub environment: its variable AWS_ROLE."
  value       = { for key, name in var.environments : name => aws_iam_role.github[key].arn }
}

output "backend" {
  description = "What moves this directory's own state into the bucket (docs/aws.md)."
  value       = <<-END
    terraform {
      backend "s3" {
        bucket       = "${aws_s3_bucket.state.id}"
        key          = "bootstrap.tfstate"
        region       = "${var.region}"
        encrypt      = true
        use_lockfile = true
      }
    }
  END
}
