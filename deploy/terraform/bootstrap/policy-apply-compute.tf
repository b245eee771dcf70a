# ECS, the balancer, and what scales and watches them: named.

locals {
  ecs  = "${local.arn}:ecs:${var.region}:${local.account}"
  elb  = "${local.arn}:elasticloadbalancing:${var.region}:${local.account}"
  logs = "${local.arn}:logs:${var.region}:${local.account}:log-group"
}

data "aws_iam_policy_document" "compute" {
  statement {
    sid = "Tasks"
    actions = [
      "ecs:CreateCluster", "ecs:CreateService", "ecs:DeleteCluster", "ecs:DeleteService", "ecs:DeleteTaskDefinitions",
      "ecs:RegisterTaskDefinition", "ecs:RunTask", "ecs:StopTask", "ecs:TagResource", "ecs:UntagResource",
      "ecs:UpdateCluster", "ecs:UpdateClusterSettings", "ecs:UpdateService",
    ]
    resources = [
      "${local.ecs}:cluster/firedrill-*", "${local.ecs}:service/firedrill-*/*", "${local.ecs}:task/firedrill-*/*",
      "${local.ecs}:task-definition/firedrill-*:*",
    ]
  }

  statement {
    sid       = "Retire"
    actions   = ["ecs:DeregisterTaskDefinition"]
    resources = ["*"] # this action takes no resource
  }

  statement {
    sid = "Balancer"
    actions = [
      "elasticloadbalancing:AddTags", "elasticloadbalancing:CreateListener", "elasticloadbalancing:CreateLoadBalancer",
      "elasticloadbalancing:CreateRule", "elasticloadbalancing:CreateTargetGroup", "elasticloadbalancing:DeleteListener",
      "elasticloadbalancing:DeleteLoadBalancer", "elasticloadbalancing:DeleteRule", "elasticloadbalancing:DeleteTargetGroup",
      "elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:ModifyListener",
      "elasticloadbalancing:ModifyListenerAttributes", "elasticloadbalancing:ModifyLoadBalancerAttributes",
      "elasticloadbalancing:ModifyRule", "elasticloadbalancing:ModifyTargetGroup",
      "elasticloadbalancing:ModifyTargetGroupAttributes", "elasticloadbalancing:RegisterTargets",
      "elasticloadbalancing:RemoveTags", "elasticloadbalancing:SetIpAddressType", "elasticloadbalancing:SetRulePriorities",
      "elasticloadbalancing:SetSecurityGroups", "elasticloadbalancing:SetSubnets", "elasticloadbalancing:SetWebACL",
    ]
    resources = [
      "${local.elb}:loadbalancer/app/firedrill-*/*", "${local.elb}:targetgroup/firedrill-*/*",
      "${local.elb}:listener/app/firedrill-*/*", "${local.elb}:listener-rule/app/firedrill-*/*",
    ]
  }

  statement {
    sid = "Scaling"
    actions = [
      "application-autoscaling:DeleteScalingPolicy", "application-autoscaling:DeregisterScalableTarget",
      "application-autoscaling:PutScalingPolicy", "application-autoscaling:RegisterScalableTarget",
      "application-autoscaling:TagResource", "application-autoscaling:UntagResource",
    ]
    # A target's id is drawn when it is made.
    resources = ["${local.arn}:application-autoscaling:${var.region}:${local.account}:scalable-target/*"]
  }

  statement {
    sid = "Logs"
    actions = [
      "logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:DeleteRetentionPolicy", "logs:GetLogEvents",
      "logs:PutRetentionPolicy", "logs:TagResource", "logs:UntagResource",
    ]
    resources = [
      "${local.logs}:/firedrill/*", "${local.logs}:/aws/ecs/containerinsights/firedrill-*",
    ]
  }

  statement {
    sid       = "Alarms"
    actions   = ["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:UntagResource"]
    resources = [local.stack.alarms]
  }

  statement {
    sid = "ScalingAlarms"
    # Autoscaling makes two for each policy, and asks for these actions of whoever sets the policy.
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/auto-scaling-IAM.html
    actions   = ["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm"]
    resources = ["${local.arn}:cloudwatch:${var.region}:${local.account}:alarm:TargetTracking-service/firedrill-*"]
  }
}
