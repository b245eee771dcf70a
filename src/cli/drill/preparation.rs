//! From flags and files to drills that are ready to be conducted. Everything that is wrong is found before
//! the first request leaves.

use std::num::NonZero;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use http::{HeaderMap, header};

use super::Flags;
use crate::cli::drill_file::{DrillText, Unusable};
use crate::cli::{flag, header_file, token};
use crate::drill::conduct::Drill;
use crate::drill::evidence::{Client, Sources};
use crate::drill::file::{DrillFile, Problem, environment};
use crate::drill::load::{Bounds, Load};
use crate::drill::plan::Plan;
use crate::drill::target::Target;

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

/// What all drills of one command have in common.
struct Shared<'a> {
    flags: &'a Flags,
    /// Where requests go, whatever a file says.
    given: Option<&'a Target>,
    headers: HeaderMap,
    /// Where evidence is, without the service itself.
    sources: Sources,
}

/// Reads and checks every file, and the one that comes with the program where there is none.
///
/// # Errors
/// Everything that is wrong with any of them, a line each.
pub(super) fn prepare(flags: &Flags, own: Option<&Target>) -> anyhow::Result<Vec<Prepared>> {
    let given = flags.target.as_ref().or(own);
    let shared = Shared { flags, given, headers: headers(flags)?, sources: flags.evidence.sources()? };
    let one = |name: &str, again: &str, text: &DrillText| one(name, again, text, &shared);
    if flags.files.is_empty() {
        let prepared = one("embedded", "firedrill drill", &DrillText::from(EMBEDDED));
        return Ok(vec![prepared.map_err(|unusable| anyhow::anyhow!("{unusable}"))?]);
    }
    let (mut prepared, mut unusable) = (Vec::new(), Vec::new());
    for path in &flags.files {
        let text = DrillText::open(path).with_context(|| format!("cannot read the drill file {path}"))?;
        match one(&stem(path), &format!("firedrill drill {path}"), &text) {
            Ok(drill) => prepared.push(drill),
            Err(found) => unusable.push(found.to_string()),
        }
    }
    if unusable.is_empty() { Ok(prepared) } else { bail!("cannot drill:\n{}", unusable.join("\n")) }
}

/// What a drill's files are called.
fn stem(path: &str) -> String {
    let stem = Path::new(path).file_stem().filter(|_| path != "-");
    stem.map_or_else(|| "drill".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// What every request carries besides what its file says: what is in the header file, and the token, unless
/// that file has an `Authorization` of its own.
fn headers(flags: &Flags) -> anyhow::Result<HeaderMap> {
    let mut headers = flags.header_file.as_deref().map(header_file::read).transpose()?.unwrap_or_default();
    if let (Some(token), false) = (flags.token.read()?, headers.contains_key(header::AUTHORIZATION)) {
        headers.insert(header::AUTHORIZATION, token::bearer(&token)?);
    }
    Ok(headers)
}

fn one(name: &str, again: &str, text: &DrillText, shared: &Shared<'_>) -> Result<Prepared, Unusable> {
    let Shared { flags, given, headers, sources } = shared;
    let file = text.read()?;
    let at_target = |message: String| text.refuse(vec![Problem { place: vec!["target".into()], message }]);
    let target = given.map_or_else(|| own_target(&file).map_err(at_target), |target| Ok(target.clone()))?;
    let seed = flags.seed.or(file.seed).unwrap_or_else(flag::random_seed);
    let plan = Plan::of(&file, seed, &target).map_err(|problems| text.refuse(problems))?;
    let plan = plan.with_headers(headers);
    let in_flight = NonZero::new(flags.max_in_flight).unwrap_or(NonZero::<u32>::MIN);
    let bounds = Bounds { timeout: flags.timeout, in_flight };
    let load = Load::new(vec![target.clone()], plan, bounds);
    let load = load.map_err(|error| at_target(error.to_string()))?;
    let sources = Sources { service: Some(Client::new(target.clone(), None)), ..sources.clone() };
    let again = format!("{again} --seed {seed}");
    let drill = Drill { file, seed, target, load, sources, every: LOOK };
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
