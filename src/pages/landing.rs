//! The landing page without a purchase token.

use serde::Serialize;

use super::{Page, frame::Frame, samples};

/// "Sign in to see your subscriptions."
#[derive(Debug, Clone, Serialize)]
pub struct Landing {
    frame: Frame,
    title: &'static str,
}

impl Landing {
    /// The page.
    #[must_use]
    pub fn new(frame: Frame) -> Self {
        Self { frame, title: "Your subscriptions" }
    }
}

impl Page for Landing {
    const TEMPLATE: &'static str = "landing.html";

    fn samples() -> Vec<Self> {
        vec![Self::new(samples::neutral_frame())]
    }
}
