# Drawn by Terraform while it applies and handed on as write-only arguments: neither state nor plan ever has them.

locals {
  secrets = {
    token   = "What costly work needs as a bearer token"
    grafana = "The password of Grafana's user admin"
  }

  # The version is named, so that a new secret is a new task definition and its tasks are replaced.
  secret_versions = {
    for name in keys(local.secrets) :
    name => "${aws_secretsmanager_secret.this[name].arn}:::${aws_secretsmanager_secret_version.this[name].version_id}"
  }
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV_AWS_149:Encrypted by the account's key for secrets; the same roles could use one of our own.
  #checkov:skip=CKV2_AWS_57:Rotated by the input secrets_version, together with the tasks that use them.
  for_each = local.secrets

  name                    = "${local.prefix}/${each.key}"
  description             = "${each.value}, for ${local.prefix}"
  recovery_window_in_days = 0 # a stack of this name may come up again at once
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each = local.secrets

  secret_id = aws_secretsmanager_secret.this[each.key].id
  # uuid() writes 128 random bits of the system's generator. It differs each time; what was drawn is handed on when
  # the version is a new one, and forgotten otherwise.
  secret_string_wo         = uuid()
  secret_string_wo_version = var.secrets_version
}
