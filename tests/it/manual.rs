//! `firedrill completions` and `man`: what is said of the program is made of the program.

use crate::process::{Ended, Process};

async fn said(arguments: &[&str]) -> Ended {
    Process::start(arguments).ended().await
}

#[tokio::test]
async fn bash_takes_the_completions_and_offers_a_commands_flags() {
    let script = said(&["completions", "bash"]).await;
    assert_eq!(script.code, Some(0), "{script:?}");
    // As bash does it when somebody types `firedrill drill --prom` and asks for more.
    let asks = "source /dev/stdin; COMP_WORDS=(firedrill drill --prom) COMP_CWORD=2; _firedrill firedrill --prom drill; echo \"${COMPREPLY[@]}\"";
    let mut bash = std::process::Command::new("bash")
        .args(["-c", asks])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut bash.stdin.take().unwrap(), script.stdout.as_bytes()).unwrap();
    let offered = String::from_utf8(bash.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(offered.trim(), "--prometheus --prometheus-credentials-file");
}

#[tokio::test]
async fn a_page_says_what_help_says() {
    let page = said(&["man", "drill"]).await;
    assert_eq!(page.code, Some(0), "{page:?}");
    for words in
        [".TH firedrill-drill 1  \"firedrill 0.", "\\-\\-max\\-in\\-flight", "monitoring told the truth"]
    {
        assert!(page.stdout.contains(words), "{words}: {page:?}");
    }
    assert!(said(&["man"]).await.stdout.contains("firedrill\\-drill(1)"));
    let ended = said(&["man", "dril"]).await;
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("there is no command \"dril\": expected one of serve, drill, "),
        "{ended:?}"
    );
}
