//! From flags and files to drills that are ready to be conducted. Everything that is wrong is found before
//! the first request leaves.

use std::num::NonZero;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use http::{HeaderMap, header};

use super::Flags;
use crate::{drill_file, flag, header_file, token};
use firedrill_contract::{Token, display};
use firedrill_drill::conduct::Drill;
use firedrill_drill::evidence::Sources;
use firedrill_drill::file::check::Checked;
use firedrill_drill::file::source::Source;
use firedrill_drill::file::{DrillFile, Problem, environment};
use firedrill_load::load::{Bounds, Load};
use firedrill_net::{Client, Target, Trust};

/// A drill that is ready, what its files are called, and how to repeat it.
pub(super) struct Prepared {
    pub(super) name: String,
    pub(super) again: String,
    pub(super) drill: Drill,
}

/// The drill that comes with the program.
const EMBEDDED: &str = include_str!("../../../../drills/embedded.yaml");

/// How often the drill polls its sources, and scrapes.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// What all drills of one command have in common.
struct Shared<'a> {
    flags: &'a Flags,
    /// Where requests go, whatever a file says.
    given: Option<&'a Target>,
    /// The header fields of the header file.
    headers: HeaderMap,
    /// What our own service wants to see for costly work.
    token: Option<Token>,
    /// Whom to trust where an address is one of `https`.
    trust: Trust,
    /// Where evidence is, without the service itself.
    sources: Sources,
}

/// Reads and checks every file, and the one that comes with the program where there is none. What is wrong with any
/// of them is shown on stderr.
pub(super) fn prepare(flags: &Flags, own: Option<&Target>) -> anyhow::Result<Vec<Prepared>> {
    let given = flags.target.as_ref().or(own);
    let headers = flags.header_file.as_deref().map(header_file::read).transpose()?.unwrap_or_default();
    let trust = flags.ca.trust()?;
    let (token, sources) = (flags.token.read()?, flags.evidence.sources(&trust)?);
    let shared = Shared { flags, given, headers, token, trust, sources };
    let embedded = || {
        (
            "embedded".to_owned(),
            "firedrill drill".to_owned(),
            Source::new("the embedded drill", EMBEDDED.as_bytes()),
        )
    };
    let open = |path: &String| {
        let source = drill_file::open(path).with_context(|| format!("cannot read the drill file {path}"))?;
        Ok((stem(path), format!("firedrill drill {path}"), source))
    };
    let sources = match flags.files.is_empty() {
        true => vec![embedded()],
        false => flags.files.iter().map(open).collect::<anyhow::Result<_>>()?,
    };
    let prepared = sources.iter().filter_map(|(name, again, source)| {
        one(name, again, source, &shared).inspect_err(|problems| drill_file::refuse(source, problems)).ok()
    });
    let prepared: Vec<_> = prepared.collect();
    let wrong = sources.len() - prepared.len();
    ensure!(wrong == 0, "no drill was started: {} wrong", display::count(wrong, "file is", "files are"));
    Ok(prepared)
}

/// What a drill's files are called.
fn stem(path: &str) -> String {
    let stem = Path::new(path).file_stem().filter(|_| path != "-");
    stem.map_or_else(|| "drill".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// What every request of a drill carries besides what its file says: the fields of the header file and, where
/// it is our own service that is drilled, its token. Nobody else is shown that.
fn headers(file: &DrillFile, given: &HeaderMap, token: Option<&Token>) -> HeaderMap {
    let mut headers = given.clone();
    if let Some(token) = token.filter(|_| file.is_of_our_service()) {
        headers.entry(header::AUTHORIZATION).or_insert_with(|| token::bearer(token));
    }
    headers
}

fn one(name: &str, again: &str, source: &Source, shared: &Shared<'_>) -> Result<Prepared, Vec<Problem>> {
    let Shared { flags, given, trust, sources, .. } = shared;
    let Checked { file, target: location } = source.check()?;
    let at_target = |message: String| vec![Problem::new(location.clone(), message)];
    let target = given.map_or_else(|| own_target(&file).map_err(at_target), |target| Ok(target.clone()))?;
    let seed = flags.seed.or(file.seed).unwrap_or_else(flag::random_seed);
    let plan = file.plan(seed)?;
    let plan = plan.with_headers(&headers(&file, &shared.headers, shared.token.as_ref()));
    let in_flight = NonZero::new(flags.max_in_flight).unwrap_or(NonZero::<u32>::MIN);
    let bounds = Bounds { timeout: flags.timeout, in_flight };
    let load = Load::new(vec![target.clone()], plan, bounds);
    let load = load.map_err(|error| at_target(error.to_string()))?.trusting(trust.clone());
    let service = Client::new(target.clone(), None).trusting(trust);
    let sources = Sources { service: Some(service), ..sources.clone() };
    let again = format!("{again} --seed {seed}");
    let drill = Drill { file, seed, target, load, sources, poll_interval: POLL_INTERVAL };
    Ok(Prepared { name: name.to_owned(), again, drill })
}

/// Where the file says that requests go.
fn own_target(drill: &DrillFile) -> Result<Target, String> {
    let none = "there is no target: add `target: http://HOST:PORT`, or use --target";
    let written = drill.target.as_ref().ok_or(none)?;
    let url =
        environment::resolve(written, |name| std::env::var(name).ok()).map_err(|error| error.to_string())?;
    // As it is written: what the environment puts into it may be a secret.
    Target::parse_origin(&url).map_err(|error| format!("{written}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_of_our_service_is_shown_to_nobody_else() {
        let token = Token::new("s3cret").unwrap();
        let file = |what: &str| {
            let yaml = format!(
                "name: x\nphases: {{ a: {{ for: 1s, rate: 1/s, {what} }} }}\nexpect: [{{ scrapes: no gaps }}]\n"
            );
            DrillFile::read(&yaml).unwrap()
        };
        let shown = |what: &str, given: &HeaderMap| {
            let headers = headers(&file(what), given, Some(&token));
            headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned())
        };
        let none = HeaderMap::new();
        assert_eq!(shown("request: { path: / }", &none), None);
        assert_eq!(shown("work: {}", &none).as_deref(), Some("Bearer s3cret"));
        assert_eq!(shown("mix: [{ weight: 1, work: {} }]", &none).as_deref(), Some("Bearer s3cret"));
        let own = HeaderMap::from_iter([(header::AUTHORIZATION, "Basic x".parse().unwrap())]);
        assert_eq!(shown("work: {}", &own).as_deref(), Some("Basic x"));
    }
}
