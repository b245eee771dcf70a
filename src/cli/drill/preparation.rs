//! From flags and files to drills that are ready to be conducted. Everything that is wrong is found before
//! the first request leaves.

use std::num::NonZero;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use http::{HeaderMap, HeaderValue, header};

use super::Flags;
use crate::cli::flag;
use crate::contract::Token;
use crate::drill::conduct::Drill;
use crate::drill::evidence::{Client, Sources};
use crate::drill::file::{self, DrillFile, Problem, environment};
use crate::drill::load::{Bounds, Load};
use crate::drill::plan::Plan;
use crate::drill::target::Target;

/// Where evidence is.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct EvidenceFlags {
    /// Prometheus; without it the drill scrapes the target's /metrics itself, and judges what that can tell
    #[arg(long, value_name = "URL", env = "FIREDRILL_DRILL_PROMETHEUS", value_parser = Target::parse)]
    prometheus: Option<Target>,

    /// Alertmanager
    #[arg(long, value_name = "URL", env = "FIREDRILL_DRILL_ALERTMANAGER", value_parser = Target::parse)]
    alertmanager: Option<Target>,

    /// The pager
    #[arg(long, value_name = "URL", env = "FIREDRILL_DRILL_PAGER", value_parser = Target::parse)]
    pager: Option<Target>,

    /// Grafana
    #[arg(long, value_name = "URL", env = "FIREDRILL_DRILL_GRAFANA", value_parser = Target::parse)]
    grafana: Option<Target>,
}

/// A drill that is ready, what its files are called, and how to repeat it.
pub(super) struct Prepared {
    pub(super) name: String,
    pub(super) again: String,
    pub(super) drill: Drill,
}

/// The drill that comes with the program.
const EMBEDDED: &str = include_str!("../../../drills/embedded.yaml");

/// How often the drill looks at what forgets, and scrapes.
const LOOK: Duration = Duration::from_secs(1);

/// Reads and checks every file, and the one that comes with the program where there is none.
///
/// # Errors
/// Everything that is wrong with any of them, a line each.
pub(super) fn prepare(flags: &Flags, own: Option<&Target>) -> anyhow::Result<Vec<Prepared>> {
    let token = flags.token.read()?;
    let given = flags.target.as_ref().or(own);
    if flags.files.is_empty() {
        let prepared = one("embedded", "firedrill drill", EMBEDDED, flags, given, token.as_ref());
        return Ok(vec![prepared.map_err(|problems| {
            anyhow::anyhow!("the drill that comes with the program: {}", problems.join("; "))
        })?]);
    }
    let (mut prepared, mut problems) = (Vec::new(), Vec::new());
    for path in &flags.files {
        let shown = path.display();
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read the drill file {shown}"))?;
        let again = format!("firedrill drill {shown}");
        match one(&stem(path), &again, &text, flags, given, token.as_ref()) {
            Ok(drill) => prepared.push(drill),
            Err(found) => problems.extend(found.into_iter().map(|problem| format!("{shown}:{problem}"))),
        }
    }
    if problems.is_empty() { Ok(prepared) } else { bail!("{}", problems.join("\n")) }
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "drill".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

fn one(
    name: &str,
    again: &str,
    text: &str,
    flags: &Flags,
    given: Option<&Target>,
    token: Option<&Token>,
) -> Result<Prepared, Vec<String>> {
    let drill = DrillFile::read(text).map_err(|misread| vec![misread.to_string()])?;
    let located = |problems| file::locate(text, problems).iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut problems = file::problems(&drill);
    let target = match given {
        Some(target) => target.clone(),
        None => match own_target(&drill) {
            Ok(target) => target,
            Err(message) => {
                problems.push(Problem { place: vec!["target".into()], message });
                return Err(located(problems));
            }
        },
    };
    let seed = flags.seed.or(drill.seed).unwrap_or_else(flag::random_seed);
    let plan = match Plan::of(&drill, seed, &target) {
        Ok(plan) => plan,
        Err(more) => {
            problems.extend(more);
            return Err(located(problems));
        }
    };
    if !problems.is_empty() {
        return Err(located(problems));
    }
    let plan = plan.with_headers(&headers(token));
    let in_flight = NonZero::new(flags.max_in_flight).unwrap_or(NonZero::<u32>::MIN);
    let bounds = Bounds { timeout: flags.timeout, in_flight };
    let load =
        Load::new(vec![target.clone()], plan.clone(), bounds).map_err(|error| vec![error.to_string()])?;
    let sources = sources(&flags.evidence, &target);
    let again = format!("{again} --seed {seed}");
    let drill = Drill { file: drill, seed, target, plan, load, sources, every: LOOK };
    Ok(Prepared { name: name.to_owned(), again, drill })
}

/// Where the file says that requests go.
fn own_target(drill: &DrillFile) -> Result<Target, String> {
    let none = "found no target: give it here as `target: http://host:port`, or by --target";
    let written = drill.target.as_ref().ok_or(none)?;
    let url =
        environment::resolve(written, |name| std::env::var(name).ok()).map_err(|error| error.to_string())?;
    Target::parse(&url).map_err(|error| format!("{url}: {error}"))
}

/// What every request carries.
fn headers(token: Option<&Token>) -> HeaderMap {
    let agent = HeaderValue::from_static(concat!("firedrill/", env!("CARGO_PKG_VERSION")));
    let bearer = token
        .and_then(|token| HeaderValue::from_str(&format!("Bearer {}", token.secret())).ok())
        .map(|mut bearer| {
            bearer.set_sensitive(true);
            (header::AUTHORIZATION, bearer)
        });
    HeaderMap::from_iter(std::iter::once((header::USER_AGENT, agent)).chain(bearer))
}

/// Where evidence is: what the flags say, and the service itself.
fn sources(flags: &EvidenceFlags, target: &Target) -> Sources {
    let client = |target: &Option<Target>| target.clone().map(|target| Client::new(target, None));
    Sources {
        prometheus: client(&flags.prometheus),
        alertmanager: client(&flags.alertmanager),
        pager: client(&flags.pager),
        service: Some(Client::new(target.clone(), None)),
    }
}
