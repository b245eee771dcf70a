//! Inputs that are made as those make them who send them, with anything in the places of their values.

use std::collections::BTreeMap;

use http::HeaderMap;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use firedrill_drill::evidence::fuzz::exposed;
use firedrill_drill::report::example;
use firedrill_server::exposition::Exposition;

/// A number as it may stand in JSON.
fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-10..10_000_i64).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
    ]
}

/// A value as Prometheus writes it.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<f64>().prop_map(|value| value.to_string()),
        "(NaN|[+-]Inf|[0-9]{1,9}(e[+-]?[0-9]{1,3})?)"
    ]
}

fn labels() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map("(__name__|job|le|[a-z_]{1,6})", any::<String>(), 0..4)
}

/// An answer to a query: instants, ranges, native histograms.
fn found() -> impl Strategy<Value = Value> {
    let point = || (number(), value()).prop_map(|(at, value)| json!([at, value]));
    let native = (number(), value()).prop_map(|(at, count)| json!([at, { "count": count, "sum": "1" }]));
    let instant = (labels(), point()).prop_map(|(metric, value)| json!({ "metric": metric, "value": value }));
    let range = (labels(), prop::collection::vec(point(), 0..4), prop::collection::vec(native, 0..2))
        .prop_map(|(metric, values, histograms)| json!({ "metric": metric, "values": values, "histograms": histograms }));
    prop_oneof![
        prop::collection::vec(instant, 0..4)
            .prop_map(|result| json!({ "resultType": "vector", "result": result })),
        prop::collection::vec(range, 0..4)
            .prop_map(|result| json!({ "resultType": "matrix", "result": result })),
        point().prop_map(|result| json!({ "resultType": "scalar", "result": result })),
    ]
}

/// A phase as a drill file has it.
fn phase() -> impl Strategy<Value = Value> {
    let rate = prop_oneof![
        (1..500_u32).prop_map(|n| json!(format!("{n}/s"))),
        (1..90_u32, 1..90_u32).prop_map(|(a, b)| json!({ "ramp": [format!("{a}/s"), format!("{b}/m")] })),
        prop::collection::vec(1..90_u32, 1..4)
            .prop_map(|n| json!({ "steps": n.iter().map(|n| format!("{n}/s")).collect::<Vec<_>>() })),
        (1..90_u32).prop_map(|n| json!({ "poisson": format!("{n}/s") })),
    ];
    let work = prop::collection::btree_map(
        "(latency|status|error_rate|workload|cpu|[a-z]{1,5})",
        "[ -~]{0,9}",
        0..3,
    );
    (1..100_000_u32, rate, work)
        .prop_map(|(ms, rate, work)| json!({ "for": format!("{ms}ms"), "rate": rate, "work": work }))
}

fn expectation() -> impl Strategy<Value = Value> {
    let quantity = || {
        prop_oneof![
        number().prop_filter("a number of a file is finite", |n| !n.is_null()),
        "(requests|errors|error_ratio|rate|mean|p[0-9]{1,2}(\\.[0-9]{1,3})?|slow_ratio\\([0-9]{1,4}ms\\))".prop_map(Value::from)
    ]
    };
    let within =
        || prop_oneof!["[0-9]{1,3}(\\.[0-9]{1,6})?%", "[0-9]{1,4}ms", "0\\.[0-9]{1,9}"].prop_map(Value::from);
    prop_oneof![
        Just(json!({ "counts": "all phases" })),
        (quantity(), within()).prop_map(|(q, w)| json!({ "query": "sum(up)", "equals": q, "within": w })),
        (quantity(), quantity()).prop_map(|(a, b)| json!({ "query": "sum(up)", "between": [a, b] })),
        any::<String>().prop_map(|query| json!({ "query": query, "at_least": 1 })),
        (labels(), 1..90_u32).prop_map(|(l, s)| json!({ "alert": "A", "labels": l, "fires": { "during": "a", "within": format!("{s}s") } })),
        Just(json!({ "nothing_else": "fires" })),
        Just(json!({ "scrapes": "no gaps" })),
    ]
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn a_drill_file_of_any_values_is_read_or_refused_at_a_place(
        name: String, about: Option<String>, phases in prop::collection::btree_map("[a-c]", phase(), 0..3),
        expect in prop::collection::vec(expectation(), 0..4)
    ) {
        let mut file = json!({ "name": name, "phases": phases, "expect": expect });
        if let Some(about) = about {
            file["about"] = about.into();
        }
        // JSON is YAML, but for what it escapes by two surrogates, which serde_json does not.
        drill_file(file.to_string().as_bytes());
    }

    #[test]
    fn a_run_of_any_values_is_judged_and_reported(changes in prop::collection::vec((any::<prop::sample::Index>(), number()), 0..4)) {
        let mut run = serde_json::to_value(example::run()).unwrap();
        let places = numbers(&mut run).len();
        for (at, number) in changes {
            *numbers(&mut run)[at.index(places)] = number;
        }
        run_file(run.to_string().as_bytes());
    }

    #[test]
    fn an_answer_of_prometheus_is_held_as_it_came(data in found(), warned: bool) {
        let mut answer = json!({ "status": "success", "data": data });
        if warned {
            answer["warnings"] = json!(["a part is missing"]);
        }
        prometheus(answer.to_string().as_bytes());
    }

    #[test]
    fn a_notification_of_any_alerts_is_taken_down(
        receiver in ".{1,9}", alerts in prop::collection::vec((labels(), labels(), "(firing|resolved)", 0..2_000_000_000_i64, ".{1,9}"), 0..5)
    ) {
        let alerts: Vec<_> = alerts.into_iter().map(|(labels, annotations, status, began, fingerprint)| {
            let began = jiff::Timestamp::from_second(began).unwrap();
            json!({ "status": status, "labels": labels, "annotations": annotations, "startsAt": began,
                    "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": fingerprint })
        }).collect();
        let payload = json!({ "version": "4", "receiver": receiver, "alerts": alerts });
        webhook(payload.to_string().as_bytes());
    }

    #[test]
    fn what_the_exposition_writes_is_read_back(gauges in prop::collection::btree_map(any::<String>(), any::<f64>(), 0..5), count: u64) {
        let mut registry = Registry::default();
        let family = Family::<Vec<(String, String)>, Gauge<f64, std::sync::atomic::AtomicU64>>::default();
        for (label, value) in &gauges {
            family.get_or_create(&vec![("label".to_owned(), label.clone())]).set(*value);
        }
        let counter = Counter::<u64>::default();
        counter.inc_by(count);
        registry.register("some", "Some", family);
        registry.register("counted", "How many", counter);
        let text = String::from_utf8(Exposition::write(&registry, &HeaderMap::new()).unwrap().bytes).unwrap();
        let read = exposed(&text).map_err(TestCaseError::fail)?;
        let mut expected: Vec<_> = gauges.into_iter().map(|(label, value)| ("some".to_owned(), vec![("label".to_owned(), label)], value)).collect();
        #[expect(clippy::cast_precision_loss, reason = "as the exposition's readers do")]
        expected.push(("counted_total".to_owned(), Vec::new(), count as f64));
        for sample in &expected {
            prop_assert!(read.contains(sample), "{:?} is not in {}", sample, text);
        }
        prop_assert_eq!(read.len(), expected.len());
    }
}

/// Every number in a value.
fn numbers(value: &mut Value) -> Vec<&mut Value> {
    match value {
        Value::Array(elements) => elements.iter_mut().flat_map(numbers).collect(),
        Value::Object(members) => members.values_mut().flat_map(numbers).collect(),
        Value::Number(_) => vec![value],
        Value::Null | Value::Bool(_) | Value::String(_) => Vec::new(),
    }
}
