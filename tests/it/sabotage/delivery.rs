//! Alerts that fire and tell nobody.

use super::shipped::{ALERTMANAGER, PROMETHEUS, Shipped};

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_route_to_nowhere() {
    let drilled = Shipped::copy()
        .with(
            ALERTMANAGER,
            "- receiver: pager\n      matchers: [severity = \"page\"]",
            "- receiver: nowhere\n      matchers: [severity = \"page\"]",
        )
        .with(ALERTMANAGER, "receivers:\n", "receivers:\n  - name: nowhere\n")
        .drilled("notification")
        .await;
    drilled.fail(r#"Alertmanager routes it to "nowhere", not to "pager""#);
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn an_inhibition_that_swallows_the_page() {
    let drilled = Shipped::copy()
        .with(
            ALERTMANAGER,
            "inhibit_rules:\n",
            "inhibit_rules:\n  - source_matchers: [alertname = \"Watchdog\"]\n    target_matchers: [severity = \"page\"]\n",
        )
        .drilled("notification")
        .await;
    drilled.fail("Alertmanager inhibits it because of Watchdog");
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_receiver_that_is_down() {
    // Nobody listens on the port of the discard service.
    let drilled = Shipped::copy()
        .with(
            ALERTMANAGER,
            "- name: pager\n    webhook_configs:\n      - url: http://pager:8090/webhook",
            "- name: pager\n    webhook_configs:\n      - url: http://127.0.0.1:9/webhook",
        )
        .drilled("notification")
        .await;
    drilled.fail("Alertmanager could not deliver it");
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_prometheus_that_knows_no_alertmanager() {
    let drilled = Shipped::copy()
        .with(
            PROMETHEUS,
            "  alertmanagers:\n    - static_configs:\n        - targets: [alertmanager:9093]",
            "  alertmanagers: []",
        )
        .drilled("notification")
        .await;
    drilled.fail("Alertmanager never received the alert: check the `alerting` section of Prometheus");
}
