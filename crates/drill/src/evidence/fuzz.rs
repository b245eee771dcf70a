//! What has to hold whatever those say who are asked for evidence.

pub(super) mod invariant;

use std::time::Duration;

use http::StatusCode;

use super::exposition::{self, Exposed};
use super::prometheus::api;
use super::service::Scraped;
use firedrill_contract::Time;
use firedrill_net::Target;
use firedrill_net::client::{Answer, Client};

fn client() -> Client {
    Client::new(Target::parse("http://localhost").expect("it is a target"), None)
}

/// An answer of Prometheus, to any question.
///
/// # Panics
/// Where an error is taken for an answer, or a run file would not hold what was found as it was.
pub fn prometheus(input: &[u8]) {
    let client = client();
    for status in [StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::BAD_GATEWAY] {
        api::fuzz::read(&client, status, input);
    }
}

/// An answer of Alertmanager, to any question.
///
/// # Panics
/// Where alerts are lost from one look to the next, or what failed is less than nothing.
pub fn alertmanager(input: &[u8]) {
    super::alertmanager::fuzz::read(&Answer::unasked(&client(), StatusCode::OK, input));
}

/// An answer of Grafana, to any question, or a dashboard in a file.
///
/// # Panics
/// Where a query is not asked as it is written, or a run file would not hold what was found as it was.
pub fn grafana(input: &[u8]) {
    super::panels::fuzz::read(&Answer::unasked(&client(), StatusCode::OK, input));
}

/// What a service exposes.
///
/// # Panics
/// Where samples are not read again as they were written, or one is kept that was not exposed.
pub fn exposition(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut samples = match exposition::parse(text) {
        Ok(samples) => samples,
        Err(wrong) => {
            let lines = text.split('\n').count();
            let line = wrong.to_string();
            let line = line.strip_prefix("line ").and_then(|rest| rest.split_once(": ")?.0.parse().ok());
            assert!(line.is_some_and(|line: usize| (1..=lines).contains(&line)), "{wrong}");
            return;
        }
    };
    // Without its TYPE, each name is a family of its own, whose samples stand together.
    samples.sort_by_key(|sample| sample.name);
    let written: String = samples.iter().map(line).collect();
    let again = exposition::parse(&written).unwrap_or_else(|wrong| panic!("{wrong}: {written}"));
    assert!(same(&again, &samples), "{written:?} was read as {again:?}, not as {samples:?}");

    let selectors = ["{__name__=~\".+\"}", "up", "a_total{b!=\"\"}"].map(str::to_owned);
    let mut scraped = Scraped::new(Duration::from_secs(1), &selectors).expect("they are selectors");
    scraped.keep(Time::from_millis(1_000), &samples);
    let found = scraped.exposed();
    let all = found.samples.iter().find(|selected| selected.selector == selectors[0]);
    let kept: usize = all.into_iter().flat_map(|all| &all.series).map(|series| series.samples.len()).sum();
    assert_eq!(kept, samples.len(), "every sample has a name");
}

/// A sample's name, labels and value.
pub type Told = (String, Vec<(String, String)>, f64);

/// What is exposed.
///
/// # Errors
/// What is wrong with it, and where.
pub fn exposed(text: &str) -> Result<Vec<Told>, String> {
    let samples = exposition::parse(text).map_err(|wrong| wrong.to_string())?;
    let owned = samples.into_iter().map(|Exposed { name, labels, value, .. }| {
        let labels = labels.into_iter().map(|(name, value)| (name.to_owned(), value.into_owned()));
        (name.to_owned(), labels.collect(), value)
    });
    Ok(owned.collect())
}

/// A sample as the format has it.
fn line(sample: &Exposed<'_>) -> String {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let labels = sample.labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
    let labels = labels.collect::<Vec<_>>().join(",");
    let at = sample.at.map(|at| format!(" {at}")).unwrap_or_default();
    format!("{}{{{labels}}} {}{at}\n", sample.name, sample.value)
}

/// Whether they are the same, where no two NaN are equal.
fn same(some: &[Exposed<'_>], others: &[Exposed<'_>]) -> bool {
    let value = |value: f64| if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
    some.len() == others.len()
        && some.iter().zip(others).all(|(one, other)| {
            (one.name, &one.labels, value(one.value), one.at)
                == (other.name, &other.labels, value(other.value), other.at)
        })
}
