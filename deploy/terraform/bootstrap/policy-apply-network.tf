# EC2 names things by ids that it draws, so the tag `project` says what is a stack's: what is made must carry it, and
# what is changed must have it.

locals {
  ec2  = "${local.arn}:ec2:${var.region}:${local.account}"
  made = ["dhcp-options", "internet-gateway", "route-table", "security-group", "security-group-rule", "subnet", "vpc", "vpc-endpoint"]

  ec2_creates = [
    "ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress", "ec2:CreateDhcpOptions",
    "ec2:CreateInternetGateway", "ec2:CreateRouteTable", "ec2:CreateSecurityGroup", "ec2:CreateSubnet", "ec2:CreateVpc",
    "ec2:CreateVpcEndpoint",
  ]
}

data "aws_iam_policy_document" "network" {
  statement {
    sid       = "Make"
    actions   = local.ec2_creates
    resources = [for type in local.made : "${local.ec2}:${type}/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/project"
      values   = ["firedrill"]
    }
  }

  statement {
    sid = "Change"
    actions = concat(local.ec2_creates, [
      "ec2:AssociateDhcpOptions", "ec2:AssociateRouteTable", "ec2:AttachInternetGateway", "ec2:CreateRoute",
      "ec2:DeleteDhcpOptions", "ec2:DeleteInternetGateway", "ec2:DeleteRoute", "ec2:DeleteRouteTable",
      "ec2:DeleteSecurityGroup", "ec2:DeleteSubnet", "ec2:DeleteVpc", "ec2:DeleteVpcEndpoints",
      "ec2:DetachInternetGateway", "ec2:DisassociateRouteTable", "ec2:ModifySecurityGroupRules", "ec2:ModifySubnetAttribute",
      "ec2:ModifyVpcAttribute", "ec2:ModifyVpcEndpoint", "ec2:ReplaceRoute", "ec2:ReplaceRouteTableAssociation",
      "ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress",
      "ec2:UpdateSecurityGroupRuleDescriptionsEgress", "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
    ])
    resources = ["${local.ec2}:*/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/project"
      values   = ["firedrill"]
    }
  }

  statement {
    sid = "Defaults"
    # AWS makes each VPC's first group, route table and access list, without tags: they are tagged and emptied after.
    # So what has no `project` at all may be changed in these ways; what is another project's may not.
    actions = [
      "ec2:CreateNetworkAclEntry", "ec2:CreateTags", "ec2:DeleteNetworkAclEntry", "ec2:ReplaceNetworkAclAssociation",
      "ec2:ReplaceNetworkAclEntry", "ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress",
    ]
    resources = ["${local.ec2}:*/*"]

    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:ResourceTag/project"
      values   = ["firedrill"]
    }
  }

  statement {
    sid       = "Untag"
    actions   = ["ec2:DeleteTags"]
    resources = ["${local.ec2}:*/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/project"
      values   = ["firedrill"]
    }

    # What loses its project could be changed by nobody's rule above, or by too many.
    condition {
      test     = "ForAllValues:StringNotEquals"
      variable = "aws:TagKeys"
      values   = ["project"]
    }
  }

  statement {
    sid       = "Namespace"
    actions   = ["servicediscovery:CreatePrivateDnsNamespace", "servicediscovery:CreateService", "servicediscovery:TagResource"]
    resources = ["*"] # a namespace's id is drawn when it is made

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/project"
      values   = ["firedrill"]
    }
  }

  statement {
    sid = "NamespaceChange"
    actions = [
      "servicediscovery:CreateService", "servicediscovery:DeleteNamespace", "servicediscovery:DeleteService",
      "servicediscovery:DeregisterInstance", "servicediscovery:UntagResource", "servicediscovery:UpdatePrivateDnsNamespace",
      "servicediscovery:UpdateService",
    ]
    resources = [
      "${local.arn}:servicediscovery:${var.region}:${local.account}:namespace/*",
      "${local.arn}:servicediscovery:${var.region}:${local.account}:service/*",
    ]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/project"
      values   = ["firedrill"]
    }
  }

  statement {
    sid = "NamespaceZone"
    # Cloud Map makes and deletes its zone in the name of whoever asks it to.
    actions   = ["route53:CreateHostedZone", "route53:ListHostedZonesByName"]
    resources = ["*"] # neither takes one
  }

  statement {
    sid       = "NamespaceZoneChange"
    actions   = ["route53:AssociateVPCWithHostedZone", "route53:ChangeTagsForResource", "route53:DeleteHostedZone"]
    resources = ["${local.arn}:route53:::hostedzone/*"] # its id is drawn when it is made; a zone with records cannot be deleted
  }

  dynamic "statement" {
    for_each = length(var.zone_ids) == 0 ? [] : [var.zone_ids]

    content {
      sid       = "Records"
      actions   = ["route53:ChangeResourceRecordSets"]
      resources = [for id in statement.value : "${local.arn}:route53:::hostedzone/${id}"]
    }
  }
}
