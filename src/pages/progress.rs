//! After the submit: what is done, what runs, what follows. The page and the JSON that its script asks for.

use serde::Serialize;

use super::{Page, frame::Frame, purchase::Purchase, samples, timeline::Mark};

/// How far the order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Stored; Microsoft has been or will be asked to activate.
    Ordered,
    /// Microsoft says `Subscribed`; the key is being signed, which takes long only while our key store does not answer.
    Activated,
    /// The key exists; the mail is on its way.
    Signed,
    /// Everything is done.
    Finished,
}

/// How it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As expected.
    Normal,
    /// Longer than a minute or two.
    Slow,
    /// It does not go on by itself; the publisher has been told.
    Stuck,
}

#[derive(Debug, Clone, Serialize)]
struct Step {
    mark: Mark,
    word: &'static str,
    title: &'static str,
    text: String,
}

/// What `/subscriptions/{id}/progress.json` answers.
#[derive(Debug, Clone, Serialize)]
pub struct ProgressJson {
    /// Changes whenever anything on the page does.
    pub state: String,
    /// Where to go; null until everything is done.
    pub next: Option<String>,
    /// What to say to those who hear the page.
    pub spoken: &'static str,
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct Progress {
    frame: Frame,
    title: &'static str,
    path: String,
    lead: String,
    steps: Vec<Step>,
    /// Why it takes long.
    slow: Option<&'static str>,
    stuck: bool,
    finished: bool,
    state: String,
    spoken: &'static str,
    email: String,
}

impl Progress {
    /// The page; `email` is where the key goes.
    #[must_use]
    pub fn new(frame: Frame, purchase: &Purchase<'_>, email: &str, stage: Stage, pace: Pace) -> Self {
        let stuck = pace == Pace::Stuck && stage != Stage::Finished;
        Self {
            frame,
            title: title(stage, stuck),
            path: purchase.path(),
            lead: lead(&purchase.plan.name, stage, stuck),
            steps: steps(purchase, email, stage, stuck),
            slow: (pace == Pace::Slow).then(|| slow(stage)).flatten(),
            stuck,
            finished: stage == Stage::Finished,
            state: format!("{stage:?}-{pace:?}").to_lowercase(),
            spoken: spoken(stage, stuck),
            email: email.to_owned(),
        }
    }

    /// The same for the script.
    #[must_use]
    pub fn json(&self) -> ProgressJson {
        let next = self.finished.then(|| self.path.clone());
        ProgressJson { state: self.state.clone(), next, spoken: self.spoken }
    }
}

fn title(stage: Stage, stuck: bool) -> &'static str {
    match (stage, stuck) {
        (_, true) => "Your order is safe, but it takes a person",
        (Stage::Finished, _) => "Your license key is ready",
        _ => "Your order is on its way",
    }
}

fn lead(product: &str, stage: Stage, stuck: bool) -> String {
    match (stage, stuck) {
        (Stage::Finished, _) => format!("{product} is active, and the license key is in your mailbox."),
        (Stage::Ordered, true) => "Microsoft has not let the order through. The publisher has been told and looks after it; you need do nothing, and nothing is charged meanwhile.".to_owned(),
        (_, true) => format!("{product} is active at Microsoft, but we are not done yet. The publisher has been told and looks after it; you need do nothing."),
        _ => format!("{product} is being set up. This page follows it by itself; you may reload it, close it and come back."),
    }
}

/// Whose fault it is that it takes so long.
fn slow(stage: Stage) -> Option<&'static str> {
    match stage {
        Stage::Ordered => Some("This takes longer than usual; Microsoft sometimes needs a few minutes."),
        Stage::Activated => Some(
            "This takes longer than usual: Microsoft has activated the subscription, and the key store that signs our license \
             keys does not answer yet. We try again by ourselves.",
        ),
        Stage::Signed => Some("This takes longer than usual; the key is signed, and the mail will follow."),
        Stage::Finished => None,
    }
}

fn spoken(stage: Stage, stuck: bool) -> &'static str {
    match (stage, stuck) {
        (_, true) => "The order does not go on by itself. The publisher has been told.",
        (Stage::Ordered, _) => "Order received. Microsoft activates the subscription.",
        (Stage::Activated, _) => "Microsoft has activated the subscription. The license key is being signed.",
        (Stage::Signed, _) => "The license key is signed. The mail is on its way.",
        (Stage::Finished, _) => "Everything is done.",
    }
}

fn steps(purchase: &Purchase<'_>, email: &str, stage: Stage, stuck: bool) -> Vec<Step> {
    let activation = match purchase.activated {
        Some(date) => format!("Microsoft activated it on {}; we check that it still stands.", super::words::day(date)),
        None => "Usually a few seconds, sometimes a minute.".to_owned(),
    };
    let told = [
        ("Order received", format!("{} for {}.", purchase.plan.name, purchase.organisation)),
        ("Microsoft activates the subscription", activation),
        ("The license key is signed", "It is bound to your organisation and your number of users.".to_owned()),
        ("The mail is on its way", format!("To {email} and your technical contact.")),
    ];
    let current = 1 + match stage {
        Stage::Ordered => 0,
        Stage::Activated => 1,
        Stage::Signed => 2,
        Stage::Finished => 3,
    };
    let step = |(index, (title, text)): (usize, (&'static str, String))| {
        let (mark, word) = match index.cmp(&current) {
            std::cmp::Ordering::Less => (Mark::Done, "Done"),
            std::cmp::Ordering::Equal if stuck => (Mark::Now, "Held up"),
            std::cmp::Ordering::Equal => (Mark::Now, "Running"),
            std::cmp::Ordering::Greater => (Mark::Later, "Next"),
        };
        Step { mark, word, title, text }
    };
    told.into_iter().enumerate().map(step).collect()
}

impl Page for Progress {
    const TEMPLATE: &'static str = "progress.html";

    fn samples() -> Vec<Self> {
        let mut pages = Vec::new();
        samples::each_deal(|deal| {
            let page =
                |stage, pace| Self::new(deal.frame.clone(), &deal.purchase, "alex.weber@contoso.example", stage, pace);
            pages.extend(
                [Stage::Ordered, Stage::Activated, Stage::Signed, Stage::Finished]
                    .map(|stage| page(stage, Pace::Normal)),
            );
            pages.extend([Pace::Slow, Pace::Stuck].map(|pace| page(Stage::Ordered, pace)));
            pages.push(page(Stage::Activated, Pace::Slow));
        });
        pages
    }
}
