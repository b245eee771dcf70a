//! Whether somebody was told of an alert that fired: what the pager got, and where the notification was lost.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::evidence::{AlertmanagerAlert, FailedNotifications, Page};
use crate::file::value::Span;
use crate::judge::case::{Case, SETTLED, received};
use crate::judge::verdict::Finding;
use firedrill_contract::{Time, display};

use super::episode::Episode;
use super::{Alert, among, missing, wanted};

/// Whom an alert notifies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notifies {
    /// The receiver, as Alertmanager names it.
    pub receiver: String,
    /// How long after the alert began to fire; 60 s where it is left out.
    pub within: Span,
}

impl Notifies {
    /// How long a page may take where the file does not say.
    pub const WITHIN: Span = Span(std::time::Duration::from_secs(60));
}

impl JsonSchema for Notifies {
    fn schema_name() -> Cow<'static, str> {
        "Notifies".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "Whom an alert notifies.", "anyOf": [
            { "type": "string", "description": "The receiver, as Alertmanager names it; within 60 s." },
            { "type": "object", "additionalProperties": false, "required": ["receiver"], "properties": {
                "receiver": { "type": "string", "description": "The receiver, as Alertmanager names it." },
                "within": generator.subschema_for::<Span>(),
            } },
        ] })
    }
}

impl<'de> Deserialize<'de> for Notifies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Whole {
            receiver: String,
            #[serde(default = "within")]
            within: Span,
        }
        const fn within() -> Span {
            Notifies::WITHIN
        }
        struct NameOrWhole;
        impl<'de> Visitor<'de> for NameOrWhole {
            type Value = Notifies;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a receiver such as pager, or { receiver: pager, within: 30s }")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Notifies, E> {
                Ok(Notifies { receiver: name.to_owned(), within: within() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Notifies, A::Error> {
                let Whole { receiver, within } = Whole::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Notifies { receiver, within })
            }
        }
        deserializer.deserialize_any(NameOrWhole)
    }
}

/// The alert as Alertmanager held it, since it fired.
pub(super) fn held<'a>(
    case: &Case<'a>,
    alert: &Alert,
    fired: Time,
) -> impl Iterator<Item = &'a AlertmanagerAlert> + use<'a> {
    let wanted = wanted(alert);
    let name = alert.alert.clone();
    let all = case.evidence.alertmanager.received().map_or(&[][..], |alertmanager| &alertmanager.alerts);
    all.iter().filter(move |held| {
        held.labels.get("alertname") == Some(&name) && among(&wanted, &held.labels) && held.last_seen >= fired
    })
}

/// Whether somebody was told that it fires, and when.
pub(super) fn told(
    case: &Case<'_>,
    alert: &Alert,
    episode: &Episode<'_>,
    notifies: &Notifies,
) -> (Finding, Option<Time>) {
    match page(case, alert, episode, notifies) {
        Ok((page, rang)) => {
            if rang + Duration::from_millis(episode.rule.interval_ms) + SETTLED < episode.fired {
                let says = format!(
                    "the pager was notified at {rang} by its own clock, before the alert fired: one of the clocks is wrong"
                );
                return (Finding::inconclusive(says), Some(rang));
            }
            let took = rang.since(episode.fired).unwrap_or_default();
            let (shown, within) = (display::duration(took), display::duration(notifies.within.0));
            let finding = if took <= notifies.within.0 {
                Finding::pass(format!("{shown} after it fired (limit {within})"))
            } else {
                Finding::fail(format!("{shown} after it fired; the limit is {within}"))
            };
            let finding = match missing(alert, &page.annotations) {
                Some(missing) => Finding::fail(format!("the notification lacks {missing}")),
                None => finding,
            };
            (finding, Some(rang))
        }
        Err(finding) => (finding, None),
    }
}

fn page<'a>(
    case: &Case<'a>,
    alert: &Alert,
    episode: &Episode<'_>,
    notifies: &Notifies,
) -> Result<(&'a Page, Time), Finding> {
    let pager = received(&case.evidence.pager, "the pager", "--pager");
    let failed = failed(case, &notifies.receiver);
    let pager = match (pager, &failed) {
        // Where Alertmanager itself says that it could not tell anybody, nobody has to ask the pager.
        (Err(_), Some(failed)) => return Err(Finding::fail(format!("no notification: {failed}"))),
        (pager, _) => pager?,
    };
    if pager.listening_since > episode.fired {
        return Err(Finding::inconclusive(format!(
            "the pager has been listening only since {}, after the alert fired: it may have been notified before",
            pager.listening_since
        )));
    }
    let wanted = wanted(alert);
    let of_it =
        |page: &&Page| page.labels.get("alertname") == Some(&alert.alert) && among(&wanted, &page.labels);
    // Alertmanager's start is that of the evaluation at which it fired.
    let recent =
        |page: &&Page| page.starts_at + Duration::from_millis(episode.rule.interval_ms) >= episode.fired;
    let mut pages = pager.pages.iter().filter(of_it).filter(recent);
    let rang =
        pages.clone().find_map(|page| (page.receiver == notifies.receiver).then_some((page, page.rang_at?)));
    if let Some(rang) = rang {
        return Ok(rang);
    }
    case.known_at(episode.fired + notifies.within.0 + SETTLED, "the page")?;
    if let Some(other) = pages.find(|page| page.rang_at.is_some()) {
        return Err(Finding::fail(format!("notified {:?}, not {:?}", other.receiver, notifies.receiver)));
    }
    let what = format!("no notification within {} after it fired", display::duration(notifies.within.0));
    Err(unheard(case, alert, episode, notifies, &what, failed))
}

/// Why a page did not arrive.
fn unheard(
    case: &Case<'_>,
    alert: &Alert,
    episode: &Episode<'_>,
    notifies: &Notifies,
    what: &str,
    failed: Option<String>,
) -> Finding {
    let mut held = held(case, alert, episode.fired).peekable();
    let alertmanager = case.evidence.alertmanager.received();
    let until = episode.fired + notifies.within.0;
    let unseen = alertmanager.and_then(|alertmanager| {
        alertmanager.unseen.iter().find(|unseen| unseen.to >= episode.fired && unseen.from <= until)
    });
    if let (Some(unseen), None) = (unseen, held.peek()) {
        return Finding::fail(format!(
            "{what}, and Alertmanager could not be asked meanwhile: {}",
            unseen.why
        ));
    }
    if alertmanager.is_some() && held.peek().is_none() {
        return Finding::fail(format!(
            "{what}: Alertmanager never received the alert: check the `alerting` section of Prometheus"
        ));
    }
    for held in held {
        if let Some(by) = held.inhibited_by.first() {
            return Finding::fail(format!("{what}: Alertmanager inhibits it because of {by}"));
        }
        if let Some(by) = held.silenced_by.first() {
            return Finding::inconclusive(format!("{what}: silence {by} matches it"));
        }
        if let Some(by) = held.muted_by.first() {
            return Finding::inconclusive(format!("{what}: time interval {by} mutes it"));
        }
        if !held.receivers.contains(&notifies.receiver) {
            let routed = held.receivers.join(", ");
            return Finding::fail(format!(
                "{what}: Alertmanager routes it to {routed:?}, not to {:?}",
                notifies.receiver
            ));
        }
    }
    match failed {
        Some(failed) => Finding::fail(format!("{what}: {failed}")),
        None => Finding::fail(what.to_owned()),
    }
}

/// What Alertmanager says of notifications that failed, where any did.
fn failed(case: &Case<'_>, receiver: &str) -> Option<String> {
    let failed = case.evidence.alertmanager.received()?.failed.as_ref().ok()?;
    let of_receiver =
        |failed: &&FailedNotifications| failed.receiver.as_ref().is_none_or(|name| name == receiver);
    let failed = failed.iter().filter(of_receiver).find(|failed| failed.count > 0.0)?;
    let reason = failed.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    Some(format!(
        "Alertmanager could not deliver it: {} by {} failed{reason}",
        display::count(failed.count, "notification", "notifications"),
        failed.integration
    ))
}
