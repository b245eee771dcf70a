//! What has to hold whatever a Grafana answers, and whatever is in a file of a dashboard.

use promql_parser::parser::{self, value::ValueType};
use serde_json::Value;

use super::dashboard::{Dashboard, Target, from_library, put_in};
use super::{Ask, Asked, Element, Health, Hit, Whole, asked, counting, shown};
use crate::evidence::fuzz::invariant::{is_short, round_trips};
use crate::promql;
use crate::question::Dashboards;
use firedrill_contract::Time;
use firedrill_net::client::Answer;

/// Reads an answer as one to each question that there is.
pub(in crate::evidence) fn read(answer: &Answer<'_>) {
    let _ = answer.json::<Health>().map_err(is_short);
    let _ = answer.json::<Vec<Hit>>().map_err(is_short);
    let element = answer.json::<Element>().map_err(is_short);
    if let Ok(whole) = answer.json::<Whole>().map_err(is_short) {
        let mut json = whole.dashboard.into();
        if let Ok(Element { result }) = element {
            from_library(&mut json).into_iter().for_each(|(_, panel)| put_in(panel, result.model.clone()));
        }
        wanted(json);
    }
    if let Ok(json) = answer.json::<Value>().map_err(is_short) {
        wanted(json);
    }
    for foreign in [None, Some("loki".to_owned())] {
        let target = Target {
            panel: String::new(),
            letter: "A".to_owned(),
            expression: Ok(String::new()),
            foreign,
            json: Value::Null,
        };
        if let Ok(Ok(series)) = shown(answer, &target).map_err(is_short) {
            assert!(target.foreign.is_none() || series <= 1, "{series}");
        }
    }
}

/// Every query of a dashboard, as far as one to its data source.
fn wanted(dashboard: Value) {
    let wanted = Dashboards {
        expectation: 3,
        from: Vec::new(),
        except: vec!["Left out".to_owned()],
        variables: vec![("job".to_owned(), "app".to_owned())],
    };
    let (from, to) = (Time::from_millis(60_000), Time::from_millis(120_000));
    let ask = Ask { prometheus: None, grafana: None, from, to };
    let built_in = ask.built_in(&[("app".to_owned(), 5_000)].into(), &wanted);
    for Asked { panel, target } in asked(Dashboard::of(dashboard), &wanted, &built_in) {
        assert_ne!(panel.panel, "Left out");
        round_trips(&panel);
        if let Ok(written) = &target.expression
            && !written.contains(['$', '['])
        {
            assert_eq!((&panel.expression, &panel.series), (written, &Ok(0)));
        }
        if panel.series.is_ok() {
            let query = &ask.query(&panel.expression, &target)["queries"][0];
            assert!(target.foreign.is_some() || query["expr"].is_string(), "{query}");
            counts(&panel.expression);
        }
    }
}

/// What is counted can be counted.
fn counts(expression: &str) {
    if let Ok(parsed) = promql::parse(expression)
        && matches!(parsed.value_type(), ValueType::Vector | ValueType::Scalar)
    {
        let counting = counting(expression);
        let parsed = parser::parse(&counting);
        assert!(parsed.is_ok(), "{counting:?}: {parsed:?}");
    }
}
