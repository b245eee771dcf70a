locals {
  pager = {
    command      = ["pager"]
    health       = ["CMD", "/firedrill", "probe", "http://127.0.0.1:8090/health"]
    memory       = null
    stop_seconds = 30
    secrets      = {}
    environment  = merge(local.compose.pager.environment, { FIREDRILL_LOG_FORMAT = "json" })
  }
}
