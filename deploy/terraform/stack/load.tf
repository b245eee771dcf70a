# A little steady traffic, as in compose.yaml.

locals {
  load = {
    command = [
      "load", "--rate", var.load_rate, "--workload", "demo", "--work", "latency=p50=20ms,p99=300ms&error_rate=0.002", "http://app:8080",
    ]
    health       = null # it listens on nothing
    memory       = null
    stop_seconds = 35 # a request in flight may take 30 s
    secrets      = {}
    environment  = { FIREDRILL_LOG_FORMAT = "json" }
  }
}
