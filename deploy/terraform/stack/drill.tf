# The drill as a task beside what it drills; deploy/drill runs it. What it says is its log.

locals {
  drill = {
    command      = ["drill", "drills/smoke.yaml"]
    health       = null
    memory       = null
    stop_seconds = 30
    secrets      = { FIREDRILL_TOKEN = "token" }
    environment = {
      FIREDRILL_TARGET       = "http://app:8080"
      FIREDRILL_PROMETHEUS   = "http://prometheus:9090"
      FIREDRILL_ALERTMANAGER = "http://alertmanager:9093"
      FIREDRILL_GRAFANA      = "http://grafana:3000"
      FIREDRILL_PAGER        = "http://pager:8090"
    }
  }
}
