# The program, the program with drills, and its three companions with their configuration in them.

locals {
  images = toset(["firedrill", "drills", "prometheus", "alertmanager", "grafana"])
}

resource "aws_ecr_repository" "this" {
  #checkov:skip=CKV_AWS_136:Encrypted by S3; the images are public elsewhere.
  for_each = local.images

  name                 = "firedrill/${each.key}"
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "AES256"
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = local.images

  repository = aws_ecr_repository.this[each.key].name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "What no tag names goes after a week"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "The fifty latest stay"
        selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 50 }
        action       = { type = "expire" }
      },
    ]
  })
}
