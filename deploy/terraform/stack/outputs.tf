output "url" {
  description = "The service."
  value       = local.public_url
}

output "grafana_url" {
  description = "Grafana. Anybody may look; the user admin can log in where there is HTTPS."
  value       = "${local.public_url}/grafana/"
}

output "read_password" {
  description = "Prints the password of Grafana's user admin."
  value       = "aws secretsmanager get-secret-value --region ${var.region} --secret-id ${local.prefix}/grafana --query SecretString --output text"
}

output "read_token" {
  description = "Prints the token that costly work needs."
  value       = "aws secretsmanager get-secret-value --region ${var.region} --secret-id ${local.prefix}/token --query SecretString --output text"
}

output "drill" {
  description = "Drills the stack from inside its VPC."
  value       = "deploy/drill --region ${var.region} ${var.name}"
}

output "cluster" {
  description = "The ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "drill_network" {
  description = "Where the drill's task runs, as deploy/drill tells ECS."
  value       = "awsvpcConfiguration={subnets=[${join(",", local.private)}],securityGroups=[${aws_security_group.this["drill"].id}],assignPublicIp=DISABLED}"
}

output "creator" {
  description = "Who answers for it."
  value       = var.creator
}

output "hosted_zone_id" {
  description = "The private zone that Cloud Map made, which Terraform cannot tag; deploy/up does."
  value       = aws_service_discovery_private_dns_namespace.this.hosted_zone
}
