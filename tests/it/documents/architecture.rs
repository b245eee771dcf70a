//! What ARCHITECTURE.md shows, built.

use std::path::Path;
use std::process::Command;

use crate::support::directory::Directory;
use crate::support::repository;

/// The blocks of Rust below a heading.
fn blocks<'a>(page: &'a str, heading: &str) -> Vec<&'a str> {
    let section = page.split(&format!("\n## {heading}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
    let blocks = section.split("```rust\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap()).collect()
}

fn change(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from:?} is not in {}", path.display());
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// The sources as they are, without what was built of them.
fn copy_sources(to: &Path) {
    let copied = Command::new("cp")
        .args(["-r", "Cargo.toml", "Cargo.lock", "crates", "xtask", "web", "drills"])
        .arg(to)
        .current_dir(repository::path("."))
        .status();
    assert!(copied.unwrap().success());
}

#[test]
#[ignore = "compiles the drill once more"]
fn an_expectation_is_added_by_one_file_and_one_line() {
    let page = repository::read("ARCHITECTURE.md");
    let [file, line] = blocks(&page, "Add an expectation")[..] else { panic!("a file and a line") };
    let copy = Directory::new("architecture");
    copy_sources(copy.path());
    let source = copy.path().join("crates/drill/src");
    std::fs::write(source.join("expectation/answered.rs"), file).unwrap();
    let registry = source.join("expectation.rs");
    change(&registry, "registry! {\n", &format!("registry! {{\n{line}"));
    change(&registry, "pub mod alert;\n", "pub mod alert;\nmod answered;\n");
    // Dependencies were checked here before, and are not once more.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let checked = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--offline", "--locked", "--package", "firedrill"])
        .current_dir(copy.path())
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
