//! Seats that Microsoft bills are on their way: what is done, what runs, how it ended. The page and the JSON that its script
//! asks for.

use serde::Serialize;

use super::{Page, frame::Frame, progress::ProgressJson, purchase::Purchase, samples, timeline::Mark, words};

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeatsStage<'a> {
    /// Stored; Microsoft has been or will be asked.
    Asked,
    /// Microsoft has taken it on.
    Working,
    /// Microsoft has the new number.
    Done,
    /// Microsoft will not do it, for this reason.
    Refused(&'a str),
}

#[derive(Debug, Clone, Serialize)]
struct Step {
    mark: Mark,
    word: &'static str,
    title: String,
    text: &'static str,
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct SeatsProgress {
    frame: Frame,
    title: String,
    path: String,
    lead: &'static str,
    steps: Vec<Step>,
    /// Why Microsoft refused; empty when it did not.
    reason: String,
    slow: bool,
    still: bool,
    finished: bool,
    state: String,
    spoken: &'static str,
    email: String,
}

impl SeatsProgress {
    /// The page for a change `(from, to)`; `email` is where the mail goes, `slow` when it takes longer than a minute or two.
    #[must_use]
    pub fn new(
        frame: Frame,
        purchase: &Purchase<'_>,
        (from, to): (u32, u32),
        stage: SeatsStage<'_>,
        slow: bool,
        email: &str,
    ) -> Self {
        let (at, word, lead, spoken) = match stage {
            SeatsStage::Asked => (1, "asked", UNDER_WAY, "The change is stored. Microsoft is being asked."),
            SeatsStage::Working => (2, "working", UNDER_WAY, "Microsoft is changing the number of users."),
            SeatsStage::Done => {
                (4, "done", "Microsoft has the new number, and the license key follows it.", "Everything is done.")
            }
            SeatsStage::Refused(_) => (
                2,
                "refused",
                "Nothing has changed, and nothing is billed for it.",
                "Microsoft has refused the change.",
            ),
        };
        let refused = matches!(stage, SeatsStage::Refused(_));
        let reason = if let SeatsStage::Refused(reason) = stage {
            words::sentence(words::without_code(reason))
        } else {
            String::new()
        };
        let still = refused || stage == SeatsStage::Done;
        Self {
            frame,
            title: title(from, to, stage),
            path: purchase.path(),
            lead,
            steps: steps(to, at, refused),
            reason,
            slow: slow && !still,
            still,
            finished: stage == SeatsStage::Done,
            state: format!("{word}{}", if slow { "-slow" } else { "" }),
            spoken,
            email: email.to_owned(),
        }
    }

    /// The same for the script.
    #[must_use]
    pub fn json(&self) -> ProgressJson {
        let next = self.finished.then(|| format!("{}?done=seats", self.path));
        ProgressJson { state: self.state.clone(), next, spoken: self.spoken }
    }
}

const UNDER_WAY: &str = "This page follows it by itself; you may reload it, close it and come back.";

fn title(from: u32, to: u32, stage: SeatsStage<'_>) -> String {
    let (from, to) = (words::count(from), words::users(to));
    match stage {
        SeatsStage::Asked | SeatsStage::Working => format!("From {from} to {to}: on its way"),
        SeatsStage::Done => format!("You have {to}"),
        SeatsStage::Refused(_) => format!("From {from} to {to}: refused by Microsoft"),
    }
}

fn steps(to: u32, current: usize, refused: bool) -> Vec<Step> {
    let told = [
        ("Received".to_owned(), "The change is stored and does not get lost."),
        ("Microsoft is asked".to_owned(), "Usually a few seconds."),
        (format!("Microsoft changes it to {}", words::users(to)), "It bills them from then on."),
        ("The new license key is signed".to_owned(), "It follows by mail, and stands on the account page."),
    ];
    let step = |(index, (title, text)): (usize, (String, &'static str))| {
        let (mark, word) = match index.cmp(&current) {
            std::cmp::Ordering::Less => (Mark::Done, "Done"),
            std::cmp::Ordering::Equal if refused => (Mark::Now, "Refused"),
            std::cmp::Ordering::Equal => (Mark::Now, "Running"),
            std::cmp::Ordering::Greater if refused => (Mark::Later, "Not done"),
            std::cmp::Ordering::Greater => (Mark::Later, "Next"),
        };
        Step { mark, word, title, text }
    };
    told.into_iter().enumerate().map(step).collect()
}

impl Page for SeatsProgress {
    const TEMPLATE: &'static str = "seats.html";

    fn samples() -> Vec<Self> {
        let mut pages = Vec::new();
        samples::with_seats(|frame, purchase| {
            let stages =
                [SeatsStage::Asked, SeatsStage::Working, SeatsStage::Done, SeatsStage::Refused(samples::HOSTILE)];
            for (stage, slow) in stages.into_iter().flat_map(|stage| [(stage, false), (stage, true)]) {
                pages.push(Self::new(frame.clone(), purchase, (9, 20), stage, slow, "alex.weber@contoso.example"));
            }
        });
        pages
    }
}
