//! A real headless Chromium for one test, driven through chromedriver.

use std::{
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use http::Method;
use seatkey::http::install_crypto_provider;
use serde_json::{Value, json};
use thirtyfour::{
    ChromiumLikeCapabilities as _, LoggingPrefsLogLevel, RequestData, SessionId, common::command::FormatRequestData,
    prelude::*, stringmatch::StringMatchable as _,
};
use url::Url;
use uuid::Uuid;

/// Longer than anything takes on a busy machine; the progress page alone looks every two seconds.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(50);
const FLAGS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--hide-scrollbars",
];

/// What the shell says when chromedriver has ended.
const OVER: &str = "over";

/// The size of the window, in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Window {
    /// A laptop.
    Desktop,
    /// A small phone.
    Phone,
}

impl Window {
    /// How wide a page may be.
    pub(super) fn width(self) -> u32 {
        self.size().0
    }

    fn size(self) -> (u32, u32) {
        match self {
            Self::Desktop => (1280, 900),
            Self::Phone => (360, 740),
        }
    }
}

/// The browser of one test. Dropping it ends every process of it.
pub(super) struct Chrome {
    pub(super) driver: WebDriver,
    pub(super) window: Window,
    /// What its screenshots are called.
    pub(super) name: &'static str,
    pub(super) shots: u32,
    /// Whether the pages' own scripts may run.
    pub(super) scripts: bool,
    /// Holds the standard input that keeps the browser alive.
    watchdog: Child,
}

impl Chrome {
    /// Starts one with an empty profile.
    pub(super) async fn start(name: &'static str, window: Window) -> Self {
        install_crypto_provider();
        let profile = std::env::temp_dir().join(format!("seatkey-chrome-{}", Uuid::new_v4().simple()));
        let (watchdog, port) = start_chromedriver(&profile);
        let mut wishes = DesiredCapabilities::chrome();
        for flag in FLAGS {
            wishes.add_arg(flag).unwrap();
        }
        wishes.add_arg(&format!("--user-data-dir={}", profile.display())).unwrap();
        wishes.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), wishes).await.unwrap();
        let chrome = Self { driver, window, name, shots: 0, scripts: true, watchdog };
        let (width, height) = window.size();
        let mobile = window == Window::Phone;
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile});
        chrome.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        // The browser's own first page has scripts, and a console that is none of ours.
        chrome.open(&Url::parse("about:blank").unwrap()).await;
        chrome.driver.browser_log().await.unwrap();
        chrome
    }

    /// A command of the Chrome DevTools Protocol.
    pub(super) async fn devtools(&self, command: &'static str, parameters: Value) -> Value {
        self.driver.cmd(Devtools { command, parameters }).await.unwrap().value().unwrap()
    }

    /// From the next page on, the pages' scripts do not run.
    pub(super) async fn forbid_scripts(&mut self) {
        self.scripts = false;
        self.let_scripts_run(false).await;
    }

    pub(super) async fn let_scripts_run(&self, on: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({"value": !on})).await;
    }

    pub(super) async fn open(&self, address: &Url) {
        self.driver.goto(address.as_str()).await.unwrap();
    }

    pub(super) async fn path(&self) -> String {
        self.driver.current_url().await.unwrap().path().to_owned()
    }

    /// The element, as soon as it is there and can be seen.
    pub(super) async fn see(&self, css: &str) -> WebElement {
        let query = self.driver.query(By::Css(css)).wait(PATIENCE, PAUSE).ignore_errors(true).and_displayed();
        match query.first().await {
            Ok(element) => element,
            Err(_) => self.give_up(&format!("there is no {css}")).await,
        }
    }

    /// The element, as soon as it shows this text.
    pub(super) async fn read(&self, css: &str, text: &str) -> WebElement {
        let query = self.driver.query(By::Css(css)).wait(PATIENCE, PAUSE).ignore_errors(true);
        match query.with_text(text.match_partial()).first().await {
            Ok(element) => element,
            Err(_) => self.give_up(&format!("{css} does not show “{text}”")).await,
        }
    }

    /// Whether it can be seen now.
    pub(super) async fn shows(&self, css: &str) -> bool {
        self.driver.query(By::Css(css)).nowait().and_displayed().exists().await.unwrap()
    }

    pub(super) async fn click(&self, css: &str) {
        self.see(css).await.click().await.unwrap();
    }

    /// Writes into a field, in place of what stood there.
    pub(super) async fn write(&self, css: &str, text: &str) {
        let field = self.see(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Presses a key, wherever the focus is.
    pub(super) async fn press(&self, key: impl Into<TypingData>) {
        self.driver.action_chain().send_keys(key.into()).perform().await.unwrap();
    }

    pub(super) async fn evaluate<T: serde::de::DeserializeOwned>(&self, script: &str) -> T {
        self.driver.execute(script, Vec::new()).await.unwrap().convert().unwrap()
    }

    async fn give_up(&self, why: &str) -> ! {
        let shot = super::look::folder().join(format!("{}-failed.png", self.name));
        self.driver.screenshot(&shot).await.unwrap();
        let text = self.driver.find(By::Tag("body")).await.unwrap().text().await.unwrap();
        panic!("{why} on {} ({}):\n{text}", self.path().await, shot.display());
    }
}

impl Drop for Chrome {
    fn drop(&mut self) {
        // The watchdog ends the browser; the driver must not try it, too.
        drop(self.driver.clone().leak());
        drop(self.watchdog.stdin.take());
        drop(self.watchdog.wait());
    }
}

/// Starts chromedriver on a free port; again where another program takes that port at the same moment.
fn start_chromedriver(profile: &std::path::Path) -> (Child, u16) {
    for _ in 0..5 {
        let (mut watchdog, port) = try_chromedriver(profile);
        if let Some(port) = port {
            return (watchdog, port);
        }
        drop(watchdog.stdin.take());
        drop(watchdog.wait());
    }
    panic!("chromedriver did not start");
}

/// Under a shell that ends it and its browser as soon as this process lets go of the shell's input, however it comes to
/// that. No port when it ends by itself.
fn try_chromedriver(profile: &std::path::Path) -> (Child, Option<u16>) {
    let program = chromedriver();
    let script = format!(
        "trap : TERM; ('{}' --port=0; echo {OVER}) & cat >/dev/null; kill -TERM 0; wait; \
         for again in 1 2 3 4 5; do rm -rf '{profile}' && break; sleep 1; done",
        program.display(),
        profile = profile.display(),
    );
    let mut watchdog = Command::new("/bin/sh")
        .args(["-c", &script])
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(watchdog.stdout.take().unwrap()).lines().map_while(Result::ok);
    let port = lines
        .take_while(|line| line != OVER)
        .find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok());
    (watchdog, port)
}

fn chromedriver() -> PathBuf {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join("chromedriver")).find(|file| file.is_file());
    found.expect("chromedriver is not installed; ./tests/run installs it")
}

#[derive(Debug)]
struct Devtools {
    command: &'static str,
    parameters: Value,
}

impl FormatRequestData for Devtools {
    fn format_request(&self, session: &SessionId) -> RequestData {
        let body = json!({"cmd": self.command, "params": self.parameters});
        RequestData::new(Method::POST, format!("/session/{session}/goog/cdp/execute")).add_body(body)
    }
}
