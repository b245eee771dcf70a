//! From what a file says to a plan, or to all that it cannot be made of.

use std::num::NonZero;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderName};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method};

use crate::file::phase::{HttpRequest, Parameters, Phase, Shape};
use crate::file::{DrillFile, Problem, Step};
use firedrill_contract::quantity::format_duration;
use firedrill_contract::{Caps, Refusal, Size, Work};
use firedrill_load::HANG_UP_AFTER;
use firedrill_load::arrivals::Arrivals;
use firedrill_load::plan::{Does, Mix, Plan, Planned};
use firedrill_load::request::{HangUp, Query, Request};
use firedrill_net::{AGENT, Target};

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
    /// What the file says to send to a target, for a seed.
    ///
    /// # Errors
    /// Each thing in it that cannot be done, with its place.
    pub fn plan(&self, seed: u64, target: &Target) -> Result<Plan, Vec<Problem>> {
        let mut planner = Planner { workload: self.workload.as_deref(), seed, problems: Vec::new() };
        planner.target(target);
        planner.workload();
        planner.lengths(self);
        let phases = self.phases.iter().enumerate();
        let phases: Vec<_> =
            phases.filter_map(|(index, (name, phase))| planner.phase(index, name, phase)).collect();
        if planner.problems.is_empty() { Ok(Plan::new(seed, phases)) } else { Err(planner.problems) }
    }
}

/// A plan in the making, and what it cannot be made of.
struct Planner<'a> {
    workload: Option<&'a str>,
    seed: u64,
    problems: Vec<Problem>,
}

/// Where in the file something stands.
#[derive(Clone)]
struct Place(Vec<Step>);

impl Place {
    fn of(key: &str) -> Self {
        Self(vec![Step::Key(key.to_owned())])
    }

    fn key(&self, key: &str) -> Self {
        self.then(Step::Key(key.to_owned()))
    }

    fn then(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }
}

impl Planner<'_> {
    /// Takes a problem down; nothing, for the value that there is none of.
    fn refuse<T>(&mut self, place: &Place, message: impl Into<String>) -> Option<T> {
        self.problems.push(Problem { place: place.0.clone(), message: message.into() });
        None
    }

    fn target(&mut self, target: &Target) {
        if target.path() != "/" || target.query().is_some() {
            let message =
                format!("found {target}, expected a URL without a path: the phases say what to ask for");
            self.refuse::<()>(&Place::of("target"), message);
        }
    }

    fn workload(&mut self) {
        let checked = self.workload.map(|name| Work::parse([("workload", name)], &Caps::WIDEST));
        if let Some(Err(Refusal { got, expected, .. })) = checked {
            self.refuse::<()>(&Place::of("workload"), format!("found {got:?}, expected {expected}"));
        }
    }

    fn lengths(&mut self, file: &DrillFile) {
        let phases = Place::of("phases");
        if file.phases.is_empty() {
            return self.refuse(&phases, "found no phases, expected at least one").unwrap_or_default();
        }
        let all = file.phases.values().try_fold(Duration::ZERO, |sum, phase| sum.checked_add(phase.span.0));
        if all.is_none_or(|all| all > LONGEST) {
            let message = format!("found phases that last longer than {} together", format_duration(LONGEST));
            self.refuse::<()>(&phases, message);
        }
    }

    fn phase(&mut self, index: usize, name: &str, phase: &Phase) -> Option<Planned> {
        let place = Place::of("phases").key(name);
        let span = phase.span.0;
        if span.is_zero() {
            return self.refuse(&place.key("for"), "found 0s, expected a phase that lasts at least 1ms");
        }
        let does = match &phase.rate {
            None => self.pause(&place, phase).map(|()| Does::Pause(span)),
            Some(shape) => {
                let arrivals = self.arrivals(&place.key("rate"), shape, span, index as u64);
                let mix = self.mix(&place, phase);
                arrivals.zip(mix).map(|(arrivals, mix)| Does::Traffic { arrivals, mix })
            }
        };
        does.map(|does| Planned { name: name.to_owned(), does })
    }

    /// A phase without a rate sends nothing.
    fn pause(&mut self, place: &Place, phase: &Phase) -> Option<()> {
        let sends = [
            ("work", phase.work.is_some()),
            ("request", phase.request.is_some()),
            ("mix", !phase.mix.is_empty()),
            ("hang_up", phase.hang_up.is_some()),
        ];
        match sends.iter().find(|(_, there)| *there) {
            Some((key, _)) => self.refuse(
                place,
                format!("found {key} without a rate, expected a rate such as 20/s, or a pause without {key}"),
            ),
            None => Some(()),
        }
    }

    fn arrivals(&mut self, place: &Place, shape: &Shape, span: Duration, stream: u64) -> Option<Arrivals> {
        let rates = match shape {
            Shape::Constant(rate) | Shape::Poisson(rate) => vec![*rate],
            Shape::Ramp(from, to) => vec![*from, *to],
            Shape::Steps(steps) => steps.clone(),
        };
        for rate in &rates {
            if let Err(expected) = Arrivals::check_rate(*rate) {
                return self.refuse(place, format!("found {rate}, {expected}"));
            }
        }
        match shape {
            Shape::Constant(rate) => Some(Arrivals::constant(*rate, Some(span))),
            Shape::Ramp(from, to) => Some(Arrivals::ramp(*from, *to, span)),
            Shape::Steps(steps) if steps.is_empty() => {
                self.refuse(place, "found no steps, expected one rate or more")
            }
            Shape::Steps(steps) => Some(Arrivals::steps(steps, span)),
            Shape::Poisson(mean) => Some(Arrivals::poisson(*mean, span, self.seed, stream)),
        }
    }

    fn mix(&mut self, place: &Place, phase: &Phase) -> Option<Mix> {
        if phase.mix.is_empty() {
            let one = self.one(place, phase.work.as_ref(), phase.request.as_ref(), phase.hang_up)?;
            return Mix::new(vec![(NonZero::<u32>::MIN, one)]);
        }
        for (key, there) in [
            ("work", phase.work.is_some()),
            ("request", phase.request.is_some()),
            ("hang_up", phase.hang_up.is_some()),
        ] {
            if there {
                return self.refuse(
                    &place.key(key),
                    format!("found {key} beside mix, expected it in a part of the mix"),
                );
            }
        }
        let place = place.key("mix");
        let parts = phase.mix.iter().enumerate().map(|(index, part)| {
            let place = place.then(Step::Element(index));
            let request = self.one(&place, part.work.as_ref(), part.request.as_ref(), part.hang_up);
            request.map(|request| (part.weight, request))
        });
        // All of them, so that each problem is found.
        let parts: Vec<_> = parts.collect();
        Mix::new(parts.into_iter().collect::<Option<_>>()?)
    }

    /// One kind of request.
    fn one(
        &mut self,
        place: &Place,
        work: Option<&Parameters>,
        request: Option<&HttpRequest>,
        hang_up: Option<HangUp>,
    ) -> Option<Request> {
        match (work, request) {
            (Some(work), None) => self.work(place, work, hang_up),
            (None, Some(request)) => self.request(place, request, hang_up),
            (None, None) => {
                self.refuse(place, "found a rate and nothing to send, expected one of work, request, mix")
            }
            (Some(_), Some(_)) => self.refuse(place, "found both work and request, expected one of them"),
        }
    }

    /// What `/work` of this project's service is asked.
    fn work(&mut self, place: &Place, given: &Parameters, hang_up: Option<HangUp>) -> Option<Request> {
        let inside = place.key("work");
        for (name, instead) in [
            ("workload", "it beside the phases, as workload of the drill"),
            ("seed", "it beside the phases, as seed of the drill"),
            ("n", "it left out: requests are counted through the drill"),
        ] {
            if given.contains_key(name) {
                return self.refuse(&inside.key(name), format!("found {name} in work, expected {instead}"));
            }
        }
        let pairs = || given.iter().map(|(name, value)| (name.as_str(), value.0.as_str()));
        let mut work = match Work::parse(pairs(), &Caps::WIDEST) {
            Ok(work) => work,
            Err(refusal) => return self.refuse(&inside.key(&refusal.parameter), refused(&refusal)),
        };
        if let Some(hang_up) = hang_up {
            self.can_hang_up(place, &work, hang_up)?;
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

    /// Whether a client of `/work` can hang up where it should, each time.
    fn can_hang_up(&mut self, place: &Place, work: &Work, hang_up: HangUp) -> Option<()> {
        let place = place.key("hang_up");
        if work.abort.is_some() {
            return self
                .refuse(&place, "found hang_up beside abort, expected one of them: either side can end it");
        }
        match hang_up {
            HangUp::BeforeAnswer if work.latency.at(0.0) < SLOW => self.refuse(
                &place,
                format!(
                    "found an answer that may take only {}, expected a latency that is never under {}, so that it cannot come first",
                    format_duration(work.latency.at(0.0)),
                    format_duration(SLOW)
                ),
            ),
            HangUp::InAnswer if work.body.is_none_or(|body| body < LARGE) => self.refuse(
                &place,
                format!(
                    "found an answer that the service may have written before its client is gone, expected a body of at least {LARGE}"
                ),
            ),
            HangUp::BeforeAnswer | HangUp::InAnswer => Some(()),
        }
    }

    /// A request for any HTTP service.
    fn request(&mut self, place: &Place, given: &HttpRequest, hang_up: Option<HangUp>) -> Option<Request> {
        let inside = place.key("request");
        let method = self.method(&inside.key("method"), given.method.as_deref());
        let path = self.path(&inside.key("path"), &given.path);
        let headers = self.headers(&inside.key("headers"), given);
        let body = Bytes::from(given.body.clone().unwrap_or_default());
        if hang_up == Some(HangUp::BeforeAnswer) && body.is_empty() {
            return self.refuse(
                &place.key("hang_up"),
                "found a request without a body, expected one with a body: a service proves that it has begun to read by asking for it (100 Continue)",
            );
        }
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

    fn method(&mut self, place: &Place, given: Option<&str>) -> Option<Method> {
        let Some(text) = given else { return Some(Method::GET) };
        let refused = "expected a method such as GET or POST";
        match Method::from_bytes(text.as_bytes()) {
            Ok(Method::CONNECT) => self.refuse(place, "found CONNECT, which is for proxies"),
            Ok(method) => {
                // Methods are case-sensitive (RFC 9110, section 9.1), and nobody means "get".
                let upper = text.to_ascii_uppercase();
                if upper == text {
                    Some(method)
                } else {
                    self.refuse(place, format!("found {text:?}, expected capitals: {upper}"))
                }
            }
            Err(_) => self.refuse(place, format!("found {text:?}, {refused}")),
        }
    }

    fn path(&mut self, place: &Place, text: &str) -> Option<PathAndQuery> {
        let rooted = text.starts_with('/') && !text.contains('#');
        match text.parse() {
            Ok(path) if rooted => Some(path),
            _ => self.refuse(
                place,
                format!("found {text:?}, expected a path that begins with a slash, with or without a query, such as /cart?item=7"),
            ),
        }
    }

    fn headers(&mut self, place: &Place, given: &HttpRequest) -> Option<HeaderMap> {
        let mut headers = own_headers();
        let mut all = true;
        for (name, value) in &given.headers {
            let place = place.key(name);
            match field(name, value) {
                Ok((name, value)) => drop(headers.insert(name, value)),
                Err(message) => all = self.refuse(&place, message).unwrap_or(false),
            }
        }
        all.then_some(headers)
    }
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
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| format!("found {name:?}, expected the name of a header field"))?;
    if SECRET.contains(&name) {
        return Err(format!(
            "found {name}, whose value is a secret that the run file would hold: give it by --header-file"
        ));
    }
    if OWN.contains(&name) {
        return Err(format!("found {name}, expected it left out: it follows from the target and the body"));
    }
    let value = HeaderValue::from_str(value)
        .map_err(|_| format!("found {value:?}, expected a value of visible ASCII characters"))?;
    Ok((name, value))
}

/// A refusal, at the place of its parameter.
fn refused(Refusal { parameter, got, expected }: &Refusal) -> String {
    format!("found {parameter} {got}, expected {expected}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn target() -> Target {
        Target::parse("http://app:8080").unwrap()
    }

    fn file(phases: &Value) -> DrillFile {
        let file = json!({ "name": "a drill", "workload": "drill", "phases": phases, "expect": [] });
        serde_json::from_value(file).unwrap()
    }

    fn plan(phases: &Value) -> Plan {
        file(phases).plan(7, &target()).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    /// Each problem as its place and message, of a drill with one phase.
    fn problems_of(phase: &Value) -> Vec<String> {
        let problems = file(&json!({ "calm": phase })).plan(7, &target()).map(|_| ()).unwrap_err();
        problems.iter().map(shown).collect()
    }

    fn shown(Problem { place, message }: &Problem) -> String {
        let step = |step: &Step| match step {
            Step::Key(key) => key.clone(),
            Step::Element(index) => index.to_string(),
        };
        format!("{}: {message}", place.iter().map(step).collect::<Vec<_>>().join("."))
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
        let plan = serde_json::from_str::<DrillFile>(file).unwrap().plan(7, &target()).unwrap();
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
            let plan = file(&phases).plan(seed, &target()).unwrap();
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
    fn a_phase_that_contradicts_itself_is_refused_where_it_does() {
        let work = json!({});
        for (phase, problem) in [
            (json!({ "for": "0s", "rate": "1/s", "work": work }), "phases.calm.for: found 0s"),
            (json!({ "for": "1s", "rate": "1/s" }), "phases.calm: found a rate and nothing to send"),
            (json!({ "for": "1s", "work": work }), "phases.calm: found work without a rate"),
            (json!({ "for": "1s", "hang_up": "in the answer" }), "phases.calm: found hang_up without a rate"),
            (
                json!({ "for": "1s", "rate": "1/s", "work": work, "request": { "path": "/" } }),
                "phases.calm: found both work and request",
            ),
            (
                json!({ "for": "1s", "rate": "1/s", "work": work, "mix": [{ "weight": 1, "work": work }] }),
                "phases.calm.work: found work beside mix",
            ),
            (
                json!({ "for": "1s", "rate": "1/s", "mix": [{ "weight": 1, "work": work }, { "weight": 1 }] }),
                "phases.calm.mix.1: found a rate and nothing to send",
            ),
            (
                json!({ "for": "1s", "rate": "100001/s", "work": work }),
                "phases.calm.rate: found 100001/s, expected a rate from 1/h",
            ),
            (
                json!({ "for": "1s", "rate": { "ramp": ["0.5/h", "1/s"] }, "work": work }),
                "phases.calm.rate: found 0.5/h",
            ),
            (
                json!({ "for": "721h", "rate": "1/h", "work": work }),
                "phases: found phases that last longer than 720h together",
            ),
        ] {
            let found = problems_of(&phase);
            assert!(found.len() == 1 && found[0].starts_with(problem), "{found:?}");
        }
    }

    #[test]
    fn work_that_the_service_cannot_do_is_refused_at_its_parameter() {
        for (work, problem) in [
            (
                json!({ "latency": "soon" }),
                "phases.calm.work.latency: found latency soon, expected a duration",
            ),
            (
                json!({ "latncy": "1s" }),
                "phases.calm.work.latncy: found latncy 1s, expected a parameter that exists: did you mean latency?",
            ),
            (
                json!({ "hold": "1s" }),
                "phases.calm.work.hold: found hold 1s, expected it only together with memory",
            ),
            (json!({ "workload": "demo" }), "phases.calm.work.workload: found workload in work"),
            (json!({ "seed": 7 }), "phases.calm.work.seed: found seed in work"),
            (json!({ "seed": 7, "n": 1 }), "phases.calm.work.seed: found seed in work"),
        ] {
            let found = problems_of(&json!({ "for": "1s", "rate": "1/s", "work": work }));
            assert!(found.len() == 1 && found[0].starts_with(problem), "{found:?}");
        }
        let generous = json!({ "for": "1s", "rate": "1/s", "work": { "cpu": "1h" } });
        assert!(
            file(&json!({ "calm": generous })).plan(7, &target()).is_ok(),
            "its caps are the service's own"
        );
    }

    #[test]
    fn a_client_can_only_hang_up_where_the_answer_cannot_be_over() {
        for (phase, problem) in [
            (
                json!({ "work": {}, "hang_up": "before the answer" }),
                "phases.calm.hang_up: found an answer that may take only",
            ),
            (
                json!({ "work": { "latency": "199ms" }, "hang_up": "before the answer" }),
                "phases.calm.hang_up: found an answer that may take only 199ms, expected a latency that is never under 200ms",
            ),
            (
                json!({ "work": { "body": "15MiB" }, "hang_up": "in the answer" }),
                "phases.calm.hang_up: found an answer that the service may have written before its client is gone, expected a body of at least 16MiB",
            ),
            (
                json!({ "work": { "latency": "1s", "abort": "reset" }, "hang_up": "before the answer" }),
                "phases.calm.hang_up: found hang_up beside abort",
            ),
            (
                json!({ "request": { "path": "/" }, "hang_up": "before the answer" }),
                "phases.calm.hang_up: found a request without a body",
            ),
        ] {
            let mut phase = phase.clone();
            phase["for"] = json!("1s");
            phase["rate"] = json!("1/s");
            let found = problems_of(&phase);
            assert!(found.len() == 1 && found[0].starts_with(problem), "{found:?}");
        }
        for phase in [
            json!({ "for": "1s", "rate": "1/s", "work": { "latency": "200ms" }, "hang_up": "before the answer" }),
            json!({ "for": "1s", "rate": "1/s", "work": { "body": "16MiB" }, "hang_up": "in the answer" }),
            json!({ "for": "1s", "rate": "1/s", "request": { "path": "/" }, "hang_up": "in the answer" }),
        ] {
            plan(&json!({ "calm": phase }));
        }
    }

    #[test]
    fn a_request_that_cannot_be_written_is_refused_at_its_part() {
        let request = |request: Value| json!({ "for": "1s", "rate": "1/s", "request": request });
        for (given, problem) in [
            (
                json!({ "method": "get", "path": "/" }),
                "phases.calm.request.method: found \"get\", expected capitals: GET",
            ),
            (json!({ "method": "G ET", "path": "/" }), "phases.calm.request.method: found \"G ET\""),
            (json!({ "method": "CONNECT", "path": "/" }), "phases.calm.request.method: found CONNECT"),
            (
                json!({ "path": "cart" }),
                "phases.calm.request.path: found \"cart\", expected a path that begins with a slash",
            ),
            (json!({ "path": "http://app/cart" }), "phases.calm.request.path: found"),
            (json!({ "path": "/a b" }), "phases.calm.request.path: found"),
            (json!({ "path": "/a#b" }), "phases.calm.request.path: found"),
            (
                json!({ "path": "/", "headers": { "a b": "c" } }),
                "phases.calm.request.headers.a b: found \"a b\"",
            ),
            (json!({ "path": "/", "headers": { "a": "c\nd" } }), "phases.calm.request.headers.a: found"),
            (
                json!({ "path": "/", "headers": { "Host": "other" } }),
                "phases.calm.request.headers.Host: found host",
            ),
        ] {
            let found = problems_of(&request(given));
            assert!(found.len() == 1 && found[0].starts_with(problem), "{found:?}");
        }
        for secret in ["Authorization", "cookie", "Proxy-Authorization"] {
            let found = problems_of(&request(json!({ "path": "/", "headers": { secret: "s3cret" } })));
            assert!(found[0].contains("--header-file") && !found[0].contains("s3cret"), "{found:?}");
        }
    }

    #[test]
    fn all_problems_are_found_at_once() {
        let phases = json!({
            "a": { "for": "0s", "rate": "1/s", "work": {} },
            "b": { "for": "1s", "rate": "0.1/h", "request": { "method": "x y", "path": "x" } },
        });
        let target = Target::parse("http://app:8080/path").unwrap();
        let mut drill = file(&phases);
        drill.workload = Some("w".repeat(65));
        let problems = drill.plan(7, &target).map(|_| ()).unwrap_err();
        let places: Vec<_> =
            problems.iter().map(shown).map(|text| text.split(':').next().unwrap().to_owned()).collect();
        assert_eq!(
            places,
            [
                "target",
                "workload",
                "phases.a.for",
                "phases.b.rate",
                "phases.b.request.method",
                "phases.b.request.path"
            ]
        );
        let none = file(&json!({})).plan(7, &target).map(|_| ()).unwrap_err();
        assert_eq!(shown(&none[1]), "phases: found no phases, expected at least one");
    }
}
