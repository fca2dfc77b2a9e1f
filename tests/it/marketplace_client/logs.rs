//! No secret in the logs: a purchase with everything logged, in a process of its own, because a subscriber for all threads
//! can be set once per process.

use std::{
    io::Write,
    process::Command,
    sync::{Arc, Mutex},
};

use seatkey::{
    cli::browser::Browser,
    simulator::{App, Fault, FaultAction},
};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter, util::SubscriberInitExt as _};

use crate::support::{
    Database, Stage,
    people::{ALEX, JO},
};

#[test]
fn no_secret_is_logged() {
    let own = std::env::current_exe().unwrap();
    let story = "marketplace_client::logs::a_purchase_with_everything_logged";
    let run = Command::new(own).args(["--exact", story, "--ignored", "--nocapture"]).output().unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && told.contains("1 passed"), "{told}\n{}", String::from_utf8_lossy(&run.stderr));
}

/// All that was logged, by every thread.
#[derive(Debug, Default, Clone)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

impl Log {
    pub(crate) fn install() -> Self {
        let log = Self::default();
        let filter = EnvFilter::new("debug,seatkey=trace");
        // With everything that there is: span events, fields of spans, and the records of the `log` crate.
        let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(log.clone());
        subscriber.with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL).finish().init();
        log
    }

    /// The same as the service logs when it is no terminal that reads it.
    pub(crate) fn install_json() -> Self {
        let log = Self::default();
        let filter = EnvFilter::new("debug,seatkey=trace");
        tracing_subscriber::fmt().with_env_filter(filter).json().with_writer(log.clone()).finish().init();
        log
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by no_secret_is_logged, in a process of its own"]
async fn a_purchase_with_everything_logged() {
    let log = Log::install();
    let stage = Stage::set(Database::Sqlite).await;
    let mut secrets = Vec::new();
    tell(&stage, &mut secrets).await;
    stumble(&stage, &mut secrets).await;
    let pem = std::fs::read_to_string(stage.file("key.pem")).unwrap();
    let own_lines = pem.lines().filter(|line| !line.starts_with("-----") && line.len() > 8);
    secrets.extend(own_lines.map(|line| ("private key", line.to_owned())));
    stage.settle().await;
    stage.finish().await;
    let text = log.text();
    for (target, words) in
        [("seatkey::marketplace", "marketplace call"), ("typespec_client_core", "==>"), ("hyper", "connect")]
    {
        assert!(text.contains(target) && text.contains(words), "nothing was captured of {target}");
    }
    let found: Vec<_> = leaks(&text, &secrets).collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// A purchase that goes well.
async fn tell(stage: &Stage, secrets: &mut Vec<(&'static str, String)>) {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    let (token, address) = stage.world().landing_address(id).unwrap();
    secrets.push(("purchase token in an address", address.split("token=").nth(1).unwrap().to_owned()));
    secrets.push(("purchase token", token));
    let form = alex.open(address.parse().unwrap()).await.unwrap();
    secrets.push(("form token", form.field("csrf").unwrap()));
    let review = stage.review(&mut alex, id, "150").await;
    stage.submit(&mut alex, id, &review).await;
    stage.settle().await;
    let key = alex.open(stage.url(&format!("subscriptions/{id}/license.lic"))).await.unwrap().text;
    assert!(key.starts_with("eyJ"));
    secrets.push(("license key", key));
    secrets.extend(cookies(&alex));
    for secret in ["marketplace-secret", "sign-in-secret"] {
        secrets.push(("client secret", secret.to_owned()));
    }
}

/// Everything that is logged because it goes wrong.
async fn stumble(stage: &Stage, secrets: &mut Vec<(&'static str, String)>) {
    let mut jo = Browser::of(JO).unwrap();
    jo.open(stage.url("landing?token=bm90LWEtcHVyY2hhc2UtdG9rZW4%3D")).await.unwrap();
    secrets.push(("bad purchase token", "bm90LWEtcHVyY2hhc2UtdG9rZW4".to_owned()));
    jo.open(stage.url("sign-in/callback?state=a-made-up-state&code=a-made-up-code")).await.unwrap();
    secrets.push(("made-up code", "a-made-up-code".to_owned()));
    let id = stage.buy();
    // The bearer token ends before the session; the new one is refused.
    stage.configure(&mut jo, id).await;
    stage.world().expire_secret(App::Marketplace);
    for _ in 0..2 {
        stage.advance(time::Duration::minutes(50));
        stage.configure(&mut jo, id).await;
    }
    stage.world().expire_secret(App::SignIn);
    stage.advance(time::Duration::hours(2));
    stage.configure(&mut jo, id).await;
    for app in [App::Marketplace, App::SignIn] {
        stage.world().restore_secret(app);
    }
    for action in [
        FaultAction { cut: true, ..FaultAction::default() },
        FaultAction { status: Some(500), ..FaultAction::default() },
    ] {
        stage.world().add_fault(Fault { count: 3, ..Fault::next("/api/**", action) });
        stage.configure(&mut jo, id).await;
    }
    stage.world().clear_faults();
    stage.configure(&mut jo, id).await;
    secrets.extend(cookies(&jo));
}

/// The values of a browser's cookies, from what it prints of itself.
pub(crate) fn cookies(browser: &Browser) -> Vec<(&'static str, String)> {
    let printed = format!("{browser:?}");
    let values = printed.split("seatkey-buyer-").skip(1).filter_map(|rest| rest.split('"').nth(2));
    let found: Vec<_> = values.map(|value| ("cookie", value.to_owned())).collect();
    assert!(found.len() >= 2 && found.iter().all(|(_, value)| value.len() > 20), "{printed}");
    found
}

/// Each secret that stands in the log, with its line; and what looks like one: a JWT, an authorization code.
pub(crate) fn leaks<'t>(
    text: &'t str,
    secrets: &'t [(&'static str, String)],
) -> impl Iterator<Item = (&'static str, &'t str)> {
    text.lines().flat_map(move |line| {
        let known = secrets.iter().filter(|(_, secret)| line.contains(secret.as_str())).map(|(kind, _)| *kind);
        let alike = [
            ("a JWT", "eyJ"),
            ("an authorization code", "1.A"),
            ("an access token", "EwB"),
            ("a private key", "PRIVATE KEY"),
        ];
        let alike = alike.into_iter().filter(|(_, start)| has_long_word(line, start)).map(|(kind, _)| kind);
        known.chain(alike).map(move |kind| (kind, line))
    })
}

/// A start that is followed by what only a secret is made of.
fn has_long_word(line: &str, start: &str) -> bool {
    line.match_indices(start).any(|(at, _)| {
        let rest = &line[at + start.len()..];
        rest.chars().take_while(|sign| sign.is_ascii_alphanumeric() || "-_".contains(*sign)).count() >= 16
            || start.contains(' ')
    })
}

#[test]
fn a_leak_would_be_noticed() {
    let secrets = [("purchase token", "ab+cd/ef==".to_owned())];
    let kinds = |text: &str| leaks(text, &secrets).map(|(kind, _)| kind).collect::<Vec<_>>();
    assert_eq!(kinds("INFO resolving token=ab+cd/ef=="), ["purchase token"]);
    assert_eq!(kinds("DEBUG authorization: Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.x"), ["a JWT"]);
    assert_eq!(kinds("code=1.A0123456789abcdef0123456789abcdef"), ["an authorization code"]);
    assert_eq!(kinds("-----BEGIN PRIVATE KEY-----"), ["a private key"]);
    assert_eq!(kinds("INFO all is well, version 1.A"), Vec::<&str>::new());
}
