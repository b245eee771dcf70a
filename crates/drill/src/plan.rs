//! From what a file says to a plan, or to all that it cannot be made of.

use std::num::NonZero;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderName};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method};

use crate::file::phase::{HttpRequest, Parameters, Phase, Shape};
use crate::file::place::Place;
use crate::file::{DrillFile, Problem};
use firedrill_contract::quantity::format_duration;
use firedrill_contract::{Caps, Refusal, Size, Work, quoted};
use firedrill_load::HANG_UP_AFTER;
use firedrill_load::arrivals::Arrivals;
use firedrill_load::plan::{Activity, Mix, Plan, PlannedPhase};
use firedrill_load::request::{HangUp, Query, Request};
use firedrill_net::AGENT;

/// How long a drill may take.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// How long an answer must take at least for its client to hang up before it: twice as long as it
/// waits, so that the answer cannot come first.
const SLOW: Duration = HANG_UP_AFTER.saturating_mul(2);

/// How large an answer must be at least for its client to hang up in it: more than what the buffers of
/// both sides' sockets take (4 MiB and 6 MiB are Linux' bounds), so that the service cannot have written
/// all of it.
const LARGE: Size = Size::mebibytes(16);

impl DrillFile {
    /// What the file says to send, for a seed.
    ///
    /// # Errors
    /// Each thing in it that cannot be done. Where it stands in the text, [`check`](Self::check) says.
    pub fn plan(&self, seed: u64) -> Result<Plan, Vec<Problem>> {
        let mut problems = Vec::new();
        plan(self, seed, &mut Place::unknown(&mut problems)).ok_or(problems)
    }
}

/// What a file says to send, for a seed. Nothing where a problem is reported.
pub(crate) fn plan(file: &DrillFile, seed: u64, place: &mut Place<'_>) -> Option<Plan> {
    let planner = Planner { workload: file.workload.as_deref(), seed };
    let workload = planner.workload(&mut place.at("workload"));
    let mut place = place.at("phases");
    let lengths = lengths(file, &mut place);
    let phases = file
        .phases
        .iter()
        .enumerate()
        .map(|(index, (name, phase))| planner.phase(index, name, phase, &mut place.at(name.as_str())));
    // All of them, so that each problem is reported.
    let phases: Vec<_> = phases.collect();
    let phases = phases.into_iter().collect::<Option<_>>()?;
    workload.and(lengths).map(|()| Plan::new(seed, phases))
}

fn lengths(file: &DrillFile, place: &mut Place<'_>) -> Option<()> {
    if file.phases.is_empty() {
        return refuse(place, "`phases` is empty: add at least one phase");
    }
    let all = file.phases.values().try_fold(Duration::ZERO, |sum, phase| sum.checked_add(phase.span.0));
    match all {
        Some(all) if all <= LONGEST => Some(()),
        _ => refuse(
            place,
            format!("the phases last more than {} together: shorten them", format_duration(LONGEST)),
        ),
    }
}

/// Reports a problem; nothing, for the value that it leaves none of.
fn refuse<T>(place: &mut Place<'_>, message: impl Into<String>) -> Option<T> {
    place.refuse(message);
    None
}

/// What all phases have in common.
struct Planner<'a> {
    workload: Option<&'a str>,
    seed: u64,
}

impl Planner<'_> {
    fn workload(&self, place: &mut Place<'_>) -> Option<()> {
        match self.workload.map(|name| Work::parse([("workload", name)], &Caps::WIDEST)) {
            Some(Err(refusal)) => refuse(place, refused(&refusal)),
            Some(Ok(_)) | None => Some(()),
        }
    }

    fn phase(&self, index: usize, name: &str, phase: &Phase, place: &mut Place<'_>) -> Option<PlannedPhase> {
        let span = phase.span.0;
        if span.is_zero() {
            return refuse(&mut place.at("for"), "`for: 0s` is too short: let the phase last at least 1ms");
        }
        let activity = match &phase.rate {
            None => pause(phase, place).map(|()| Activity::Pause(span)),
            Some(shape) => {
                let arrivals = self.arrivals(shape, span, index as u64, &mut place.at("rate"));
                let mix = self.mix(phase, place);
                arrivals.zip(mix).map(|(arrivals, mix)| Activity::Traffic { arrivals, mix })
            }
        };
        activity.map(|activity| PlannedPhase { name: name.to_owned(), activity })
    }

    fn arrivals(
        &self,
        shape: &Shape,
        span: Duration,
        stream: u64,
        place: &mut Place<'_>,
    ) -> Option<Arrivals> {
        let rates = match shape {
            Shape::Constant(rate) | Shape::Poisson(rate) => vec![*rate],
            Shape::Ramp(from, to) => vec![*from, *to],
            Shape::Steps(steps) => steps.clone(),
        };
        for rate in &rates {
            if let Err(expected) = Arrivals::check_rate(*rate) {
                return refuse(place, format!("invalid rate `{rate}`: {expected}"));
            }
        }
        match shape {
            Shape::Constant(rate) => Some(Arrivals::constant(*rate, Some(span))),
            Shape::Ramp(from, to) => Some(Arrivals::ramp(*from, *to, span)),
            Shape::Steps(steps) if steps.is_empty() => {
                refuse(place, "`steps` is empty: add at least one rate")
            }
            Shape::Steps(steps) => Some(Arrivals::steps(steps, span)),
            Shape::Poisson(mean) => Some(Arrivals::poisson(*mean, span, self.seed, stream)),
        }
    }

    fn mix(&self, phase: &Phase, place: &mut Place<'_>) -> Option<Mix> {
        if phase.mix.is_empty() {
            let one = self.one(phase.work.as_ref(), phase.request.as_ref(), phase.hang_up, place)?;
            return Mix::new(vec![(NonZero::<u32>::MIN, one)]);
        }
        for (key, there) in [
            ("work", phase.work.is_some()),
            ("request", phase.request.is_some()),
            ("hang_up", phase.hang_up.is_some()),
        ] {
            if there {
                return refuse(
                    &mut place.at(key),
                    format!("`{key}` beside `mix`: move it into a part of the mix"),
                );
            }
        }
        let mut place = place.at("mix");
        let parts = phase.mix.iter().enumerate().map(|(index, part)| {
            let place = &mut place.at(index);
            let request = self.one(part.work.as_ref(), part.request.as_ref(), part.hang_up, place);
            request.map(|request| (part.weight, request))
        });
        // All of them, so that each problem is reported.
        let parts: Vec<_> = parts.collect();
        Mix::new(parts.into_iter().collect::<Option<_>>()?)
    }

    /// One kind of request.
    fn one(
        &self,
        work: Option<&Parameters>,
        request: Option<&HttpRequest>,
        hang_up: Option<HangUp>,
        place: &mut Place<'_>,
    ) -> Option<Request> {
        match (work, request) {
            (Some(work), None) => self.work(work, hang_up, place),
            (None, Some(given)) => self::request(given, hang_up, place),
            (None, None) => refuse(place, "nothing to send: add one of work, request, mix"),
            (Some(_), Some(_)) => {
                refuse(&mut place.at("request"), "`request` beside `work`: keep one of them")
            }
        }
    }

    /// What `/work` of this project's service is asked.
    fn work(&self, given: &Parameters, hang_up: Option<HangUp>, place: &mut Place<'_>) -> Option<Request> {
        for (name, advice) in
            [("workload", "move it beside `phases`"), ("seed", "move it beside `phases`"), ("n", "remove it")]
        {
            if given.contains_key(name) {
                return refuse(
                    &mut place.at("work").at(name),
                    format!("the drill sets `{name}` itself: {advice}"),
                );
            }
        }
        let pairs = || given.iter().map(|(name, value)| (name.as_str(), value.0.as_str()));
        let mut work = match Work::parse(pairs(), &Caps::WIDEST) {
            Ok(work) => work,
            Err(refusal) => {
                return refuse(&mut place.at("work").at(&*refusal.parameter), refused(&refusal));
            }
        };
        if let Some(hang_up) = hang_up {
            can_hang_up(&work, hang_up, &mut place.at("hang_up"))?;
        }
        work.seed = Some(self.seed);
        let seed = self.seed.to_string();
        let whose = self.workload.map(|workload| ("workload", workload));
        let all = pairs().chain(whose).chain([("seed", &*seed)]);
        let mut request = Request {
            method: Method::GET,
            path: Some("/work".to_owned()),
            query: Query::new(all, Some("n")),
            headers: own_headers(),
            body: Bytes::new(),
            hang_up,
            work: Some(work),
        };
        if hang_up == Some(HangUp::BeforeAnswer) {
            // The service asks for the body, and so proves that it has begun; what it should do, and for
            // whom, it knows before that.
            request.method = Method::POST;
            request.body = Bytes::from_static(b"{}");
            let json = HeaderValue::from_static("application/json");
            request.headers.insert(header::CONTENT_TYPE, json);
        }
        Some(request)
    }
}

/// A phase without a rate sends nothing.
fn pause(phase: &Phase, place: &mut Place<'_>) -> Option<()> {
    let sends = [
        ("work", phase.work.is_some()),
        ("request", phase.request.is_some()),
        ("mix", !phase.mix.is_empty()),
        ("hang_up", phase.hang_up.is_some()),
    ];
    match sends.iter().find(|(_, there)| *there) {
        Some((key, _)) => refuse(
            &mut place.at(*key),
            format!("`{key}` without a rate: add a rate such as 20/s, or remove `{key}` for a pause"),
        ),
        None => Some(()),
    }
}

/// Whether a client of `/work` can hang up where it should, each time.
fn can_hang_up(work: &Work, hang_up: HangUp, place: &mut Place<'_>) -> Option<()> {
    if work.abort.is_some() {
        return refuse(place, "`hang_up` beside `abort`: keep one of them, since either side can end it");
    }
    match hang_up {
        HangUp::BeforeAnswer if work.latency.at(0.0) < SLOW => refuse(
            place,
            format!(
                "the answer may take only {}: set a latency that is never under {}, so that it cannot come first",
                format_duration(work.latency.at(0.0)),
                format_duration(SLOW)
            ),
        ),
        HangUp::InAnswer if work.body.is_none_or(|body| body < LARGE) => refuse(
            place,
            format!("the answer may be written before its client is gone: set a body of at least {LARGE}"),
        ),
        HangUp::BeforeAnswer | HangUp::InAnswer => Some(()),
    }
}

/// A request for any HTTP service.
fn request(given: &HttpRequest, hang_up: Option<HangUp>, place: &mut Place<'_>) -> Option<Request> {
    let body = Bytes::from(given.body.clone().unwrap_or_default());
    if hang_up == Some(HangUp::BeforeAnswer) && body.is_empty() {
        return refuse(
            &mut place.at("hang_up"),
            "the request has no body: add one, by asking for which a service proves that it reads (100 Continue)",
        );
    }
    let mut place = place.at("request");
    let method = method(given.method.as_deref(), &mut place.at("method"));
    let path = path(&given.path, &mut place.at("path"));
    let headers = headers(given, &mut place.at("headers"));
    let path = path?;
    Some(Request {
        method: method?,
        path: Some(path.path().to_owned()),
        query: Query::as_written(path.query().unwrap_or_default()),
        headers: headers?,
        body,
        hang_up,
        work: None,
    })
}

fn method(given: Option<&str>, place: &mut Place<'_>) -> Option<Method> {
    let Some(text) = given else { return Some(Method::GET) };
    // Methods are case-sensitive (RFC 9110, section 9.1), and nobody means "get".
    let upper = text.to_ascii_uppercase();
    match Method::from_bytes(text.as_bytes()) {
        Ok(Method::CONNECT) => refuse(place, "CONNECT is for proxies: use another method"),
        Ok(method) if upper == text => Some(method),
        Ok(_) => refuse(place, format!("methods are case-sensitive: write {upper}")),
        Err(_) => refuse(place, format!("`{}` is not a method: use one such as GET or POST", quoted(text))),
    }
}

fn path(text: &str, place: &mut Place<'_>) -> Option<PathAndQuery> {
    match text.parse() {
        Ok(path) if text.starts_with('/') && !text.contains('#') => Some(path),
        _ => {
            refuse(place, format!("`{}` is not a path: begin with a slash, as in /cart?item=7", quoted(text)))
        }
    }
}

fn headers(given: &HttpRequest, place: &mut Place<'_>) -> Option<HeaderMap> {
    let mut headers = Some(own_headers());
    for (name, value) in &given.headers {
        match (field(name, value), &mut headers) {
            (Ok((name, value)), Some(headers)) => drop(headers.insert(name, value)),
            (Ok(_), None) => {}
            (Err(message), _) => headers = refuse(&mut place.at(name.as_str()), message),
        }
    }
    headers
}

/// What each request carries.
fn own_headers() -> HeaderMap {
    let agent = HeaderValue::from_static(AGENT);
    HeaderMap::from_iter([(header::USER_AGENT, agent)])
}

/// A header field that a file may set.
fn field(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    const SECRET: [HeaderName; 3] = [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE];
    const OWN: [HeaderName; 8] = [
        header::HOST,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
        header::TE,
        header::TRAILER,
        header::UPGRADE,
        header::EXPECT,
    ];
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
        format!("`{}` is not the name of a header field: use letters, digits and -", quoted(name))
    })?;
    if SECRET.contains(&name) {
        return Err(format!(
            "{name} is a secret, which the run file would keep: put it into a file for --header-file"
        ));
    }
    if OWN.contains(&name) {
        return Err(format!("{name} follows from the target and the body: remove it"));
    }
    let value = HeaderValue::from_str(value)
        .map_err(|_| "not the value of a header field: use visible ASCII characters".to_owned())?;
    Ok((name, value))
}

fn refused(Refusal { parameter, got, expected }: &Refusal) -> String {
    format!("`{parameter}: {got}` is invalid: expected {expected}")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::{Value, json};

    use super::*;
    use crate::file::testing::{refused, shown};
    use firedrill_net::Target;

    fn target() -> Target {
        Target::parse("http://app:8080").unwrap()
    }

    fn file(phases: &Value) -> DrillFile {
        let file = json!({ "name": "a drill", "workload": "drill", "phases": phases, "expect": [] });
        serde_json::from_value(file).unwrap()
    }

    fn plan(phases: &Value) -> Plan {
        file(phases).plan(7).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    /// A drill with this phase.
    fn drill(phase: &str) -> String {
        format!("name: x\nphases:\n  calm: {phase}\nexpect: [{{ nothing_else: fires }}]\n")
    }

    /// Request `n` of a plan's first phase, as its method, path and body.
    fn nth(plan: &Plan, n: u64) -> (String, String) {
        let request = plan.pick(plan.phases()[0].mix().unwrap(), n);
        let line = format!("{} {}", request.method, request.path_and_query(n, &target()));
        (line, format!("{:?}", request.body))
    }

    #[test]
    fn phases_follow_one_another_as_they_stand() {
        let file = r#"{ "name": "a drill", "expect": [], "phases": {
            "calm": { "for": "30s", "rate": "20/s", "work": { "latency": "10ms" } },
            "pause": { "for": "1.5s" },
            "burning": { "for": "90s", "rate": { "ramp": ["5/s", "50/s"] }, "work": {} } } }"#;
        let plan = serde_json::from_str::<DrillFile>(file).unwrap().plan(7).unwrap();
        let names: Vec<_> = plan.phases().iter().map(|phase| phase.name.as_str()).collect();
        assert_eq!(names, ["calm", "pause", "burning"]);
        assert!(plan.phases()[1].mix().is_none());
        assert_eq!(plan.lasts(), Some(Duration::from_millis(121_500)));
    }

    #[test]
    fn work_is_asked_for_under_the_drills_workload_and_seed() {
        let plan = plan(&json!({ "calm": {
            "for": "1s", "rate": "1/s", "work": { "error_rate": 0.5, "latency": "p50=20ms,p99=120ms" } } }));
        let (line, _) = nth(&plan, 41);
        let query = "error_rate=0.5&latency=p50%3D20ms%2Cp99%3D120ms&workload=drill&seed=7&n=41";
        assert_eq!(line, format!("GET /work?{query}"));
    }

    #[test]
    fn work_whose_client_hangs_up_before_the_answer_is_posted() {
        let plan = plan(&json!({ "calm": {
            "for": "1s", "rate": "1/s", "work": { "latency": "1s" }, "hang_up": "before the answer" } }));
        let (line, body) = nth(&plan, 41);
        assert_eq!(line, "POST /work?latency=1s&workload=drill&seed=7&n=41");
        assert_eq!(body, format!("{:?}", Bytes::from_static(b"{}")));
    }

    #[test]
    fn a_request_for_any_service_is_sent_as_it_stands() {
        let plan = plan(&json!({ "calm": { "for": "1s", "rate": "1/s", "request": {
            "method": "PUT", "path": "/cart?item=7", "headers": { "X-Kind": "test" }, "body": "hello" } } }));
        let (line, body) = nth(&plan, 3);
        assert_eq!(line, "PUT /cart?item=7");
        assert_eq!(body, "b\"hello\"");
        let request = plan.pick(plan.phases()[0].mix().unwrap(), 3);
        assert_eq!(request.headers["x-kind"], "test");
        let mut bearer =
            HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static("Bearer x"))]);
        bearer.append("x-kind", HeaderValue::from_static("other"));
        let plan = plan.with_headers(&bearer);
        let headers = &plan.pick(plan.phases()[0].mix().unwrap(), 3).headers;
        assert_eq!(
            (&headers["authorization"], &headers["x-kind"]),
            (&bearer["authorization"], &bearer["x-kind"])
        );
    }

    #[test]
    fn which_of_a_mix_a_request_is_depends_on_the_seed_and_its_number() {
        let phases = json!({ "calm": { "for": "1s", "rate": "1/s", "mix": [
            { "weight": 3, "request": { "path": "/often" } },
            { "weight": 1, "request": { "path": "/seldom" } },
        ] } });
        let lines = |seed| -> Vec<_> {
            let plan = file(&phases).plan(seed).unwrap();
            (0..10_000).map(|n| nth(&plan, n).0).collect()
        };
        let (seven, eight) = (lines(7), lines(8));
        assert_eq!(seven, lines(7));
        assert_ne!(seven, eight);
        // Within five standard deviations of a quarter.
        for lines in [&seven, &eight] {
            let seldom = lines.iter().filter(|line| *line == "GET /seldom").count();
            assert!((2_283..2_717).contains(&seldom), "{seldom}");
        }
        // Written down once; a change here breaks everybody's recorded runs.
        let first: Vec<_> = seven.iter().take(8).map(|line| line == "GET /seldom").collect();
        assert_eq!(first, [false, false, false, false, true, true, true, false]);
    }

    #[test]
    fn a_phase_that_contradicts_itself_is_refused() {
        let phases = [
            "{ for: 0s, rate: 1/s, work: {} }",
            "{ for: 1s, rate: 1/s }",
            "{ for: 1s, work: {} }",
            "{ for: 1s, hang_up: in the answer }",
            "{ for: 1s, rate: 1/s, work: {}, request: { path: / } }",
            "{ for: 1s, rate: 1/s, work: {}, mix: [{ weight: 1, work: {} }] }",
            "{ for: 1s, rate: 1/s, mix: [{ weight: 1, work: {} }, { weight: 1 }] }",
            "{ for: 1s, rate: 100001/s, work: {} }",
            "{ for: 1s, rate: { ramp: [0.5/h, 1/s] }, work: {} }",
            "{ for: 721h, rate: 1/h, work: {} }",
        ];
        assert_snapshot!(refused(phases.map(drill)));
    }

    #[test]
    fn work_that_the_service_cannot_do_is_refused_at_its_parameter() {
        let work =
            ["latency: soon", "latncy: 1s", "hold: 1s", "workload: demo", "seed: 7", "seed: 7, n: 1", "n: 1"];
        assert_snapshot!(refused(
            work.map(|work| drill(&format!("{{ for: 1s, rate: 1/s, work: {{ {work} }} }}")))
        ));
        let generous = "{ for: 1s, rate: 1/s, work: { cpu: 1h } }";
        assert_eq!(shown(&drill(generous)), "", "its caps are the service's own");
    }

    #[test]
    fn a_client_can_only_hang_up_where_the_answer_cannot_be_over() {
        let phase = |what: &str| drill(&format!("{{ for: 1s, rate: 1/s, {what} }}"));
        let wrong = [
            "work: {}, hang_up: before the answer",
            "work: { latency: 199ms }, hang_up: before the answer",
            "work: { body: 15MiB }, hang_up: in the answer",
            "work: { latency: 1s, abort: reset }, hang_up: before the answer",
            "request: { path: / }, hang_up: before the answer",
        ];
        assert_snapshot!(refused(wrong.map(phase)));
        for right in [
            "work: { latency: 200ms }, hang_up: before the answer",
            "work: { body: 16MiB }, hang_up: in the answer",
            "request: { path: / }, hang_up: in the answer",
        ] {
            assert_eq!(shown(&phase(right)), "");
        }
    }

    #[test]
    fn a_request_that_cannot_be_written_is_refused_at_its_part() {
        let requests = [
            "method: get, path: /",
            "method: G ET, path: /",
            "method: CONNECT, path: /",
            "path: cart",
            "path: http://app/cart",
            "path: /a b",
            "path: /a#b",
            "path: /, headers: { a b: c }",
            "path: /, headers: { a: \"c\\nd\" }",
            "path: /, headers: { Host: other }",
            "path: /, headers: { Authorization: Basic }",
            "path: /, headers: { cookie: a }",
            "path: /, headers: { Proxy-Authorization: Basic }",
        ];
        assert_snapshot!(refused(
            requests.map(|request| drill(&format!("{{ for: 1s, rate: 1/s, request: {{ {request} }} }}")))
        ));
    }

    #[test]
    fn all_problems_are_found_at_once() {
        let workload = "w".repeat(65);
        assert_snapshot!(shown(&format!(
            "name: x
target: http://app:8080/path
workload: {workload}
phases:
  a: {{ for: 0s, rate: 1/s, work: {{}} }}
  b: {{ for: 1s, rate: 0.1/h, request: {{ method: x y, path: x }} }}
expect: []
"
        )));
        assert_snapshot!(
            "no_phases",
            refused(["name: x\nphases: {}\nexpect: [{ nothing_else: fires }]\n".to_owned()])
        );
    }
}
