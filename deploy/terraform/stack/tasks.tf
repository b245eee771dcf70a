# What each kind of task is. What it says to its program is in the file of its name.

locals {
  # The stack of compose.yaml, whose flags and settings are used here too, so that the two cannot drift apart.
  compose = yamldecode(file("${path.module}/../../../compose.yaml")).services

  # `port` is what others connect to. `writable` are volumes of the task: everything else is read-only.
  tasks = {
    app          = { image = "firedrill", port = 8080, cpu = var.app_size.cpu, memory = var.app_size.memory, secrets = ["token"], writable = {} }
    load         = { image = "firedrill", port = null, cpu = 256, memory = 512, secrets = [], writable = {} }
    prometheus   = { image = "prometheus", port = 9090, cpu = 512, memory = 1024, secrets = [], writable = { data = "/prometheus" } }
    alertmanager = { image = "alertmanager", port = 9093, cpu = 256, memory = 512, secrets = [], writable = { data = "/alertmanager" } }
    grafana      = { image = "grafana", port = 3000, cpu = 512, memory = 1024, secrets = ["grafana"], writable = { data = "/var/lib/grafana", tmp = "/tmp" } }
    pager        = { image = "firedrill", port = 8090, cpu = 256, memory = 512, secrets = [], writable = {} }
    drill        = { image = "drills", port = null, cpu = 512, memory = 1024, secrets = ["token"], writable = { runs = "/firedrill-runs" } }
  }

  # Those that ECS keeps running; a drill runs when it is asked to.
  services = { for name, task in local.tasks : name => task if !contains(["app", "drill"], name) }

  programs = {
    app          = local.app
    load         = local.load
    prometheus   = local.prometheus
    alertmanager = local.alertmanager
    grafana      = local.grafana
    pager        = local.pager
    drill        = local.drill
  }

  registry = "${local.account}.dkr.ecr.${var.region}.amazonaws.com"
}

resource "aws_ecs_task_definition" "this" {
  for_each = local.tasks

  family                   = "${local.prefix}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  task_role_arn            = aws_iam_role.task[each.key].arn
  execution_role_arn       = aws_iam_role.execution[each.key].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture == "arm64" ? "ARM64" : "X86_64"
  }

  dynamic "volume" {
    for_each = each.value.writable

    content {
      name = volume.key
    }
  }

  container_definitions = jsonencode([merge(
    {
      name                   = each.key
      image                  = "${local.registry}/firedrill/${each.value.image}:${var.image_tag}"
      essential              = true
      command                = local.programs[each.key].command
      environment            = [for key, value in local.programs[each.key].environment : { name = key, value = value }]
      secrets                = [for key, secret in local.programs[each.key].secrets : { name = key, valueFrom = local.secret_versions[secret] }]
      portMappings           = each.value.port == null ? [] : [{ containerPort = each.value.port, hostPort = each.value.port, protocol = "tcp" }]
      mountPoints            = [for name, path in each.value.writable : { sourceVolume = name, containerPath = path, readOnly = false }]
      volumesFrom            = []
      systemControls         = []
      readonlyRootFilesystem = true
      privileged             = false
      linuxParameters        = { initProcessEnabled = false, capabilities = { add = [], drop = ["ALL"] } }
      ulimits                = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]
      stopTimeout            = local.programs[each.key].stop_seconds

      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.task[each.key].name
          awslogs-region        = var.region
          awslogs-stream-prefix = each.key
          # A log that is not taken must not hold a service up; the drill's is its report, of which no line may be lost.
          mode = each.key == "drill" ? "blocking" : "non-blocking"
        }
      }
    },
    local.programs[each.key].memory == null ? {} : { memory = local.programs[each.key].memory },
    local.programs[each.key].health == null ? {} : {
      healthCheck = { command = local.programs[each.key].health, interval = 5, timeout = 3, retries = 3, startPeriod = 120 }
    },
  )])

  lifecycle {
    precondition {
      # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html: Fargate waits no longer.
      condition     = local.programs[each.key].stop_seconds <= 120
      error_message = "${each.key}: it would have ${local.programs[each.key].stop_seconds} s to end, and Fargate gives at most 120."
    }
  }
}
