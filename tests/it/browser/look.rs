//! What is checked of every page, in light and in dark: nothing to scroll sideways, no accessibility violation that
//! matters, no complaint on the browser's console. And a picture for people to look at.

use std::{path::PathBuf, sync::OnceLock};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::chrome::Chrome;

/// Impacts that fail a test.
const GRAVE: [&str; 2] = ["serious", "critical"];
const SCHEMES: [&str; 2] = ["light", "dark"];

/// Runs the rules in the page; a frame of another origin cannot be looked into.
const ASK_AXE: &str = r"
return axe.run(document, {resultTypes: ['violations'], iframes: false}).then(found => found.violations.map(rule => ({
  rule: rule.id, impact: rule.impact || '', help: rule.help,
  nodes: rule.nodes.map(node => node.target.join(' ') + ': ' + (node.failureSummary || '').replace(/\s+/g, ' ')),
})));";

#[derive(Debug, Deserialize)]
struct Violation {
    rule: String,
    impact: String,
    help: String,
    nodes: Vec<String>,
}

/// Where the pictures are: `target/screenshots`.
pub(super) fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

impl Chrome {
    /// Looks at the page that is shown; `page` is its name on the pictures.
    pub(super) async fn look(&mut self, page: &str) {
        self.look_at(page, "").await;
    }

    /// Looks at a page whose status code is an error, which the console mentions.
    pub(super) async fn look_at_refusal(&mut self, page: &str, status: u16) {
        self.look_at(page, &format!("the server responded with a status of {status}")).await;
    }

    async fn look_at(&mut self, page: &str, expected: &str) {
        self.shots += 1;
        for scheme in SCHEMES {
            self.prefer(scheme).await;
            let what = format!("{}-{:02}-{page}-{scheme}", self.name, self.shots);
            self.picture(&what).await;
            self.check_width(&what).await;
            self.check_accessibility(&what).await;
        }
        self.check_console(page, expected).await;
    }

    /// Still pictures, in one colour scheme.
    async fn prefer(&self, scheme: &str) {
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features})).await;
    }

    /// The whole page, not only what fits the window.
    async fn picture(&self, name: &str) {
        let metrics = self.devtools("Page.getLayoutMetrics", json!({})).await;
        let height = metrics.pointer("/cssContentSize/height").and_then(Value::as_u64).unwrap();
        let clip = json!({"x": 0, "y": 0, "width": self.window.width(), "height": height, "scale": 1});
        let wish = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let picture = self.devtools("Page.captureScreenshot", wish).await;
        let bytes = BASE64_STANDARD.decode(picture.get("data").and_then(Value::as_str).unwrap()).unwrap();
        std::fs::write(folder().join(format!("{name}.png")), bytes).unwrap();
    }

    /// A phone's window widens with what sticks out, so the width is compared with what the window should have.
    async fn check_width(&self, what: &str) {
        let width: u32 = self.evaluate("return document.scrollingElement.scrollWidth").await;
        assert!(width <= self.window.width(), "{what} has to be scrolled sideways: it is {width} pixels wide");
    }

    async fn check_accessibility(&self, what: &str) {
        // The rules are a script, too.
        self.let_scripts_run(true).await;
        let violations: Vec<Violation> = self.evaluate(&format!("{}\n{ASK_AXE}", axe())).await;
        self.let_scripts_run(self.scripts).await;
        let grave: Vec<&Violation> = violations.iter().filter(|found| GRAVE.contains(&found.impact.as_str())).collect();
        assert!(grave.is_empty(), "{what} breaks rules of accessibility:\n{}", told(&grave));
    }

    /// Nothing red there; a blocked script or style would be.
    async fn check_console(&self, page: &str, expected: &str) {
        let said = self.driver.browser_log().await.unwrap();
        let red = said.iter().filter(|entry| entry.level == "SEVERE").map(|entry| entry.message.as_str());
        let expected = |text: &&str| !expected.is_empty() && text.contains(expected);
        let surprising: Vec<&str> = red.filter(|text| !expected(text)).collect();
        assert!(surprising.is_empty(), "the console of {}'s {page} says: {surprising:#?}", self.name);
    }
}

fn told(violations: &[&Violation]) -> String {
    let one = |found: &&Violation| {
        format!("{} ({}): {}\n    {}", found.rule, found.impact, found.help, found.nodes.join("\n    "))
    };
    violations.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// The rules' program: `SEATKEY_AXE`, or where `./tests/run` puts it.
fn axe() -> &'static str {
    static SOURCE: OnceLock<String> = OnceLock::new();
    SOURCE.get_or_init(|| {
        let default = || concat!(env!("CARGO_MANIFEST_DIR"), "/target/axe/node_modules/axe-core/axe.min.js").into();
        let file = std::env::var_os("SEATKEY_AXE").unwrap_or_else(default);
        std::fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("{} ({error}); ./tests/run installs axe-core", file.display()))
    })
}
